"""Problems that several tests use."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def experiments():
    return ROOT / "paper" / "experiments"


@pytest.fixture
def well():
    """Keywords of a double well of one variable: its mean first-passage time is 66.26862636486 (validation/01)."""
    return {
        "landscape": {"loss": "barrier*(x^2 - 1)^2", "parameters": {"barrier": 0.25}},
        "noise": {"model": "isotropic", "strength": 0.1},
        "region": {"domain": [[-2.5, 2.5]]},
        "cells": 800,
        "start": {"ball": {"centre": [-1.0], "radius": 0.0}},
        "target": {"expression": "x > 1"},
    }
