"""Arrays as problems, in memory and in npz files."""

import freezeout
import numpy as np
import pytest

X = np.linspace(-2.5, 2.5, 401)
SETS = {"start": {"ball": {"centre": [-1.0], "radius": 0.0}}, "target": {"expression": "x > 1"}}
KNOWN = 66.268_626_364_86


def test_a_table_is_its_formula():
    tables = freezeout.from_tables({"x": X}, (X**2 - 1)**2/4, np.full_like(X, 0.1))
    escape = freezeout.Escape(**tables, cells=400, **SETS).run()["escape"]
    # cubic splines of a quartic on a step h: L differs by h^4 L''''/384 = 4e-10, which over the noise is 4e-9 of the time
    assert abs(float(escape.mean_first_passage_time)/KNOWN - 1) < 2e-8
    # the control: twice the noise is another time
    tables["noise"]["table"]["strength"] = 2.0
    other = freezeout.Escape(**tables, cells=400, **SETS).run()["escape"]
    assert abs(float(other.mean_first_passage_time)/KNOWN - 1) > 0.1


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_files_give_the_same_bits(save, tmp_path):
    y = np.linspace(0, 1, 11)
    loss = ((X[::8, None]**2 - 1)**2/4 + (y - 0.5)**2)
    covariance = np.full_like(loss, 0.1)
    save(tmp_path / "t.npz", loss=np.asfortranarray(loss), c=covariance, zero=np.zeros(loss.shape, dtype="i4"), x=X[::8], y=y)
    file = str(tmp_path / "t.npz")
    problem = {"cells": [40, 4], "region": {"domain": [[-2.5, 2.5], [0.0, 1.0]], "boundaries": [["reflecting"]*2, ["wall"]*2]}, **SETS, "start": {"ball": {"centre": [-1.0, 0.5], "radius": 0.0}}}
    table = {"file": file, "axes": ["x", "y"]}
    from_file = freezeout.Escape(
        landscape={"table": {**table, "loss": "loss"}}, noise={"table": {**table, "entries": ["c", "zero", "c"]}}, **problem
    ).run()
    in_memory = freezeout.Escape(
        **{**freezeout.from_tables({"x": X[::8], "y": y}, loss, [covariance, 0*loss, covariance]), **problem}
    ).run()
    for path in ("escape/mean_first_passage_time", "escape/fields/loss", "escape/fields/stationary_density"):
        assert np.array_equal(from_file[path], in_memory[path], equal_nan=True)
    # the file is part of what the result came from
    assert file in from_file.attrs["input_files"]

    def says(text, **changes):
        with pytest.raises(ValueError) as caught:
            freezeout.Escape(landscape={"table": {**table, "loss": "loss", **changes}}, noise={"model": "isotropic"}, **problem).run()
        assert text in str(caught.value) and "\n" not in str(caught.value)

    says("it holds no array los", loss="los")
    says("axes have [51, 11] points", loss="x")
    says("landscape.table.file: this key is required", file=None)
    (tmp_path / "broken.npz").write_bytes(b"PK")
    says("it cannot be read as an npz archive", file=str(tmp_path / "broken.npz"))
    np.savez(tmp_path / "text.npz", loss=np.array(["a"]), x=X, y=y)
    says("loss cannot be read as numbers", file=str(tmp_path / "text.npz"))
    np.savez(tmp_path / "nan.npz", loss=np.full(loss.shape, np.nan), x=X[::8], y=y)
    says("entry 0 of loss is NaN", file=str(tmp_path / "nan.npz"))


def test_sections_along_training_freeze_where_the_formula_does():
    """A tilted double well whose barrier grows along s: splines against the formula."""
    x, s = np.linspace(-2.8, 2.8, 281), np.linspace(0.0, 4.0, 81)
    loss = (x[:, None]**2 - 1)**2*(0.1 + 0.4*s) + 0.05*x[:, None]
    sections = freezeout.from_tables({"x": x, "s": s}, loss, np.full_like(loss, 0.1), time=200*s)
    settings = {"start": 0.0, "end": 4.0, "start_x": [-0.1, 0.1], "points": 41, "runs": 0}
    table = freezeout.Freezing(**sections, **settings).run()["freezing"]
    formula = freezeout.Freezing(
        landscape={"variables": ["x", "s"], "loss": "(x^2 - 1)^2*(0.1 + 0.4*s) + 0.05*x"},
        noise={"tensor": [[0.1, 0.0], [0.0, 0.0]]},
        region={"domain": [[-2.8, 2.8], [0.0, 4.0]]},
        velocity="1/200",
        **settings,
    ).run()["freezing"]
    for name in ("p_final", "freezing_position", "p_final_density"):
        errors = 1e-6 + np.abs(table[f"{name}_error"].values) + np.abs(formula[f"{name}_error"].values)
        assert np.all(np.abs(table[name].values - formula[name].values) < errors), name
    # the control: a clock ten times as fast freezes in another law
    fast = freezeout.Freezing(**{**sections, "clock": {"position": s, "time": 2*s}}, **settings).run()["freezing"]
    assert np.abs(fast.p_final - formula.p_final).max() > 100*errors.max()


def test_refusals():
    with pytest.raises(ValueError, match=r"landscape.table.loss: it has shape \[400\], its axes have \[401\] points"):
        freezeout.Escape(**freezeout.from_tables({"x": X}, X[1:], 1 + X**2), cells=40, **SETS).run()
    with pytest.raises(ValueError, match="noise"):
        freezeout.Escape(**freezeout.from_tables({"x": X}, X**2), cells=40, **SETS).run()
