"""Classes and stubs made from the one schema."""

import inspect
import pickle
from pathlib import Path

import freezeout
import pytest
from conftest import ROOT
from freezeout import problems


def test_keywords_are_the_keys_of_the_schema(well):
    schema = freezeout.schema()
    keys = schema["$defs"]["Escape"]["properties"]
    names = inspect.signature(freezeout.Escape).parameters
    assert set(names) == set(keys) | set(problems.SHARED)
    assert all(keys[key]["description"] in freezeout.Escape.__doc__ for key in keys)
    # no key of a task has the name of a shared section, which it would hide
    for section, of in problems._KEYS.items():
        assert not of & set(problems.SHARED), section
    assert {made.section for made in map(lambda name: getattr(freezeout, name), problems.__all__)} == set(problems._TASKS)
    assert issubclass(freezeout.Freezing, freezeout.Problem)


def test_a_problem_is_its_document(well):
    problem = freezeout.Escape(**well, name="mine", seed=7, transfer_operator=None)
    document = problem.document()
    assert document["name"] == "mine" and document["seed"] == 7
    assert document["escape"]["cells"] == 800 and "transfer_operator" not in document
    assert pickle.loads(pickle.dumps(problem)).document() == document
    assert freezeout.check(problem.to_toml()) == problem.check()
    with pytest.raises(ValueError, match="escape.start: this key is required"):
        freezeout.Escape(cells=3)


def test_the_generator_is_that_of_the_solver(well):
    sparse = pytest.importorskip("scipy.sparse.linalg")
    import numpy as np

    def time(parts):
        """-L tau = 1 outside of the target and tau = 0 in its cells, whose centres are passed half a cell late: first order in the cells."""
        generator = freezeout.Escape(**well).generator(parts=parts)
        matrix, x = generator.to_scipy(), generator.centres()[:, 0]
        assert matrix.shape == (x.size, x.size) and np.abs(matrix.sum(axis=1)).max() < 1e-8
        # Gibbs is stationary
        forward = matrix.T @ np.exp(-((x**2 - 1)**2)/4/0.1)
        assert np.abs(forward).max() < 1e-3*np.abs(matrix.diagonal()).max()
        outside = x < 1
        tau = sparse.spsolve(-matrix[outside][:, outside].tocsc(), np.ones(outside.sum()))
        return np.interp(-1.0, x[outside], tau)/66.268_626_364_86 - 1

    coarse, fine = time(2), time(4)
    assert 1.9 < coarse/fine < 2.1
    # what the extrapolation leaves is of second order
    assert abs(2*fine - coarse) < 20*coarse**2


def test_absorbing_ends_kill(well):
    problem = freezeout.Escape(**{**well, "region": {"domain": [[-2.5, 1.0]], "boundaries": [["reflecting", "absorbing"]]}, "target": None})
    generator = problem.generator()
    pytest.importorskip("scipy")
    assert generator.killing[-1] > 0 and not generator.killing[:-1].any()
    assert generator.to_scipy().sum(axis=1)[-1] == pytest.approx(-generator.killing[-1])


def test_the_example_of_the_readme_runs():
    pytest.importorskip("matplotlib").use("agg")
    section = (ROOT / "README.md").read_text().split("## In Python")[1]
    exec(section.split("```python")[1].split("```")[0], names := {})
    assert abs(float(names["time"]) - 66.268_626_364_86) < 1e-6


def test_stubs_are_those_of_the_schema():
    from freezeout import _stubs

    stub = Path(freezeout.__file__).parent / "problems.pyi"
    assert stub.read_text() == _stubs.problems(), "make them anew: python -m freezeout._stubs"
