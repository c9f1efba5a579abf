"""A document gives in Python what the program writes."""

import subprocess
import threading
import time
from pathlib import Path

import freezeout
import numpy as np
import pytest
from conftest import ROOT

PROGRAM = ROOT / "target" / "release" / "freezeout"


def equal_to_file(tree, path):
    """Every dataset and attribute of the file, bit by bit, and nothing else."""
    h5py = pytest.importorskip("h5py")
    seen = 0
    with h5py.File(path) as file:
        groups = {}
        file.visititems(lambda name, node: groups.update({name: node}) if "description" in node.attrs and isinstance(node, h5py.Group) else None)
        assert {node.path.strip("/") for node in tree.subtree if node.path != "/" and node.variables} == {
            name for name, group in groups.items() if any(isinstance(node, h5py.Dataset) for node in group.values())
        }
        for name, group in groups.items():
            records = {k: v for k, v in group.items() if isinstance(v, h5py.Dataset) and not v.attrs.get("NAME", b"").startswith(b"This is a netCDF dimension")}
            node = tree["/" + name]
            assert set(node.variables) == set(records)
            for key, dataset in records.items():
                variable = node[key]
                values = dataset.asstr()[()] if dataset.dtype.kind == "O" else dataset[()]
                found = variable.values.astype(bool) if variable.dtype == bool else variable.values
                assert found.shape == np.shape(values), key
                if np.asarray(values).dtype.kind == "f":
                    assert found.tobytes() == np.asarray(values).tobytes(), f"{name}/{key}"
                else:
                    assert np.array_equal(found, values), f"{name}/{key}"
                assert variable.attrs == {k: v for k, v in dataset.attrs.items() if isinstance(v, str) and k != "flag_meanings"}
                seen += 1
            for key, value in group.attrs.items():
                assert node.attrs[key] == value
        for key in ("name", "seed", "config", "config_hash", "Conventions"):
            assert tree.attrs[key] == file.attrs[key]
    return seen


def run_program(text, folder, *arguments):
    if not PROGRAM.is_file():
        pytest.skip("the program is not built: cargo build --release --features cli")
    config = folder / "config.toml"
    config.write_text(text)
    return subprocess.run([PROGRAM, "run", config, "-o", folder / "result.h5", "--quiet", *arguments], capture_output=True, text=True)


LINE = """
name = "line"
[landscape]
loss = "(x^2 - 1)^2/4"
[noise]
model = "isotropic"
strength = 2.0
[sgd]
learning_rate = 0.1
[region]
domain = [[-2.5, 2.5]]
[escape]
cells = [120]
start = { ball = { centre = [-1.0], radius = 0.0 } }
target = { expression = "x > 1" }
density_times = [1.0, 5.0]
simulation = { runs = 500, method = "sgd" }
[transfer_operator]
start = { ball = { centre = [-1.0], radius = 0.0 } }
target = { expression = "x > 1" }
"""


TWO_VALLEY = """
name = "two_valley"
[freezing_theory]
noise_strength = [1e-3, 2e-3]
[effective_potential]
"""


@pytest.mark.parametrize(
    "text", [LINE, TWO_VALLEY], ids=["line", "two_valley"]
)
def test_numbers_are_those_of_the_program(text, tmp_path):
    done = run_program(text, tmp_path)
    assert done.returncode == 0, done.stderr
    with pytest.warns() if "warning" in done.stderr else _nothing():
        tree = freezeout.run(text, threads=1)
    assert equal_to_file(tree, tmp_path / "result.h5") > 20
    # the control: another seed or noise is another result
    other = freezeout.run(text.replace("strength = 2.0", "strength = 2.1").replace("[1e-3, 2e-3]", "[1e-3, 3e-3]"))
    with pytest.raises(AssertionError):
        equal_to_file(other, tmp_path / "result.h5")


class _nothing:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


def test_path_text_and_mapping_are_one_problem(experiments, well):
    path = experiments / "double_well.toml"
    trees = [
        freezeout.run(path),
        freezeout.run(str(path)),
        freezeout.run(path.read_text()),
        freezeout.Escape(**well).run(),
        freezeout.run(freezeout.Escape(**well).document()),
    ]
    times = [float(tree["escape"].mean_first_passage_time) for tree in trees]
    assert len(set(times)) == 1
    # scale function and speed measure: validation/01
    error = float(trees[0]["escape"].mean_first_passage_time_error)
    assert 0 < error < 1e-8 and abs(times[0] - 66.268_626_364_86) <= error + 5e-12


def test_variables_say_what_they_are(well):
    result = freezeout.Escape(**well, slow_modes=2).run()
    escape, fields = result["escape"], result["escape/fields"]
    rate = escape.escape_rate
    assert rate.attrs["units"] == "1" and rate.attrs["measured_in"] == "1/time" and rate.attrs["long_name"]
    assert rate.attrs["ancillary_variables"] == "escape_rate_error"
    assert fields.stationary_density.dims == ("x",) and "x" in fields.coords
    assert result.attrs["Conventions"] == "CF-1.11"
    assert escape.attrs["description"].startswith("stationary law")


def test_errors_are_those_of_the_program(tmp_path, well):
    for change in ('cels = 3\n', 'reach = "far"\n'):
        text = LINE.replace("[escape]\n", "[escape]\n" + change)
        done = run_program(text, tmp_path)
        assert done.returncode == 2
        with pytest.raises(ValueError) as caught:
            freezeout.run(text)
        assert done.stderr.strip() == f"error: {caught.value}"
    assert 'did you mean "cells"' in str(_refusal(lambda: freezeout.Escape(**well, cels=3)))
    assert "line" not in str(_refusal(lambda: freezeout.Escape(**well, cels=3)))
    # values are checked before anything runs
    problem = freezeout.Escape(**{**well, "region": {"domain": [[2.5, -2.5]]}})
    assert str(_refusal(problem.run)).startswith("region.domain")
    assert str(_refusal(problem.check)).startswith("region.domain")
    assert str(_refusal(lambda: freezeout.run("none.toml"))) == "none.toml: No such file or directory (os error 2)"
    assert "threads" in str(_refusal(lambda: freezeout.run(LINE, threads=0)))
    with pytest.raises(TypeError):
        freezeout.run(3)


def _refusal(call):
    with pytest.raises(ValueError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return caught.value


# An ensemble of minutes.
LONG = 'name = "long"\n[phase_diagram]\nruns = 4000\n'


def test_ctrl_c_stops_at_once_and_ends_the_work():
    import _thread

    threading.Timer(1.0, _thread.interrupt_main).start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        freezeout.run(LONG)
    assert time.monotonic() - begin < 5
    # the work itself ends soon after: the processor is idle again
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        before, begin = time.process_time(), time.monotonic()
        time.sleep(0.5)
        if time.process_time() - before < 0.1*(time.monotonic() - begin):
            return
    pytest.fail("the work goes on after Ctrl-C")


def test_progress_is_told_and_the_gil_is_free(well):
    told, ticks = [], []
    stop = threading.Event()

    def tick():
        while not stop.wait(0.005):
            ticks.append(1)

    clock = threading.Thread(target=tick)
    clock.start()
    freezeout.run(TWO_VALLEY, progress=lambda *report: told.append(report))
    stop.set()
    clock.join()
    assert told and all(0 <= done <= total for _, done, total in told if total is not None)
    assert told[-1][1] == told[-1][2]
    assert len(ticks) > 5

    class Enough(Exception):
        pass

    def refuse(*_):
        raise Enough

    with pytest.raises(Enough):
        freezeout.run(LONG, progress=refuse)
    pytest.importorskip("tqdm")
    freezeout.Escape(**well).run(progress=True)


def test_check_says_what_a_run_needs():
    assert "memory" in freezeout.check(LONG)
