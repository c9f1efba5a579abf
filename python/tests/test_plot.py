"""Figures hold the numbers of the result."""

import freezeout
import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
plot = freezeout.plot


def test_axes_hold_the_numbers(well):
    result = freezeout.Escape(**{**well, "cells": 100}).run()
    for draw, name in ((plot.stationary_density, "stationary_density"), (plot.effective_potential, "effective_potential")):
        ax = draw(result)
        assert np.array_equal(ax.lines[0].get_ydata(), result["escape/fields"][name])
        assert draw(result, ax=ax) is ax and ax.get_xlabel() == "x"
    sweep = freezeout.sweep(freezeout.Escape(**{**well, "cells": 100}), {"noise.strength": [0.05, 0.04, 0.1]})
    ax = plot.arrhenius(sweep)
    slope = float(ax.get_legend().get_texts()[0].get_text().split()[1])
    # the barrier is 1/4; the rate's prefactor does not depend on the noise to leading order, the next is of relative order T
    assert abs(slope + 0.25) < 0.01
    ax = plot.against(sweep, "escape/escape_rate")
    assert np.array_equal(ax.lines[0].get_ydata(), sweep["escape"].escape_rate)
    assert ax.get_ylabel() == "escape rate (1/time)" or ax.get_ylabel().endswith("(1/time)")
    two = freezeout.sweep(freezeout.Escape(**{**well, "cells": 100}), {"noise.strength": [0.05, 0.1], "landscape.parameters.barrier": [0.2, 0.25]})
    assert len(plot.against(two, "escape/escape_rate").get_legend().get_texts()) == 2


def test_refusals(well):
    result = freezeout.Escape(**{**well, "cells": 100}).run()

    def says(text, call):
        with pytest.raises(ValueError, match=text):
            call()

    says("freezing: the result has no such group", lambda: plot.freezing(result))
    says("there is no such record", lambda: plot.against(result, "escape/escap_rate"))
    says("one or two swept keys", lambda: plot.against(result, "escape/escape_rate"))
    says("one swept strength", lambda: plot.arrhenius(result))
