"""The Python of the guide, block by block, does what the text around it says; tests/guide.rs executes the commands."""

import re
import subprocess

import freezeout
import freezeout.torch
import numpy as np
import pytest
from conftest import ROOT
from test_run import PROGRAM

GUIDE = ROOT / "docs" / "src"
RUNS = np.load(ROOT / "python" / "notebooks" / "tied_unit_runs.npz")


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", (GUIDE / page).read_text(), re.MULTILINE | re.DOTALL)


def executed(page, number):
    names = {}
    exec(compile(blocks(page, "python")[number], page, "exec"), names)
    return names


def test_every_block_has_a_test_here():
    counts = {page.name: len(blocks(page.name, "python")) for page in GUIDE.glob("*.md")}
    assert {page: count for page, count in counts.items() if count} == {"first_problem.md": 1, "from_pytorch_to_prediction.md": 2}


def test_the_file_of_the_first_problem_opens_in_xarray(tmp_path, monkeypatch):
    if not PROGRAM.is_file():
        pytest.skip("the program is not built: cargo build --release --features cli")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "well.toml").write_text(next(block for block in blocks("first_problem.md", "toml") if block.startswith("# well.toml")))
    subprocess.run([PROGRAM, "run", "well.toml", "--quiet"], check=True)
    density = executed("first_problem.md", 0)["density"]
    assert density.dims == ("x",) and "density" in density.attrs["long_name"]
    # the mass of one of two equal wells, by the trapezoidal rule
    right = density[density.x >= 0]
    assert abs(float(right.integrate("x")) - 0.5) < 1e-3


def test_the_double_well_of_the_last_page(capsys):
    names = executed("from_pytorch_to_prediction.md", 0)
    time, error = map(float, capsys.readouterr().out.split())
    # validation/01
    assert abs(time - 66.26862636486) <= error < 1e-3
    rates = names["rates"]["escape"].escape_rate
    assert rates.dims == ("swept_noise_strength",) and np.all(np.diff(rates) > 0)


def test_a_prediction_from_a_measurement(monkeypatch):
    """What PyTorch would measure is read from the file of the notebook: the share that the text names."""
    measured = freezeout.torch.Sections.load(ROOT / "python" / "notebooks" / "tied_unit_sections.npz")
    monkeypatch.setattr(freezeout.torch, "sections", lambda *_, **__: measured)
    predict = executed("from_pytorch_to_prediction.md", 1)["predict"]
    shares, error = predict(None, None, None, None, None, None, learning_rate=float(RUNS["learning_rate"]), batch_size=1.0)
    assert float(shares.sum()) == pytest.approx(1.0, abs=1e-9)
    assert abs(float(shares[0]) - 0.565) < 5e-3 and float(error) < 1e-2
