"""A sweep is that of the program, whoever runs its cells."""

import concurrent.futures
import multiprocessing

import freezeout
import numpy as np
import pytest
import xarray as xr
from test_run import equal_to_file, run_program

BASE = """
name = "swept"
[landscape]
loss = "(x^2 - 1)^2/4"
[noise]
model = "isotropic"
strength = 0.1
[region]
domain = [[-2.5, 2.5]]
[escape]
cells = [60]
start = { ball = { centre = [-1.0], radius = 0.0 } }
target = { expression = "x > 1" }
simulation = { runs = 200 }
"""
OVER = {"noise.strength": [0.08, 0.1, 0.15], "escape.reach": [4, 8]}


@pytest.fixture(scope="module")
def alone():
    return freezeout.sweep(BASE, OVER)


def same(a, b):
    """Bit by bit; the configuration's text is that of both."""
    xr.testing.assert_identical(a, b)


def test_a_sweep_is_that_of_the_program(alone, tmp_path):
    text = BASE + '\n[[sweep]]\nparameter = "noise.strength"\nvalues = [0.08, 0.1, 0.15]\n\n[[sweep]]\nparameter = "escape.reach"\nvalues = [4, 8]\n'
    done = run_program(text, tmp_path)
    assert done.returncode == 0, done.stderr
    tree = freezeout.run(text)
    assert equal_to_file(tree, tmp_path / "result.h5") > 20
    rate = alone["escape"].escape_rate
    assert rate.dims == ("swept_noise_strength", "swept_escape_reach") and rate.shape == (3, 2)
    assert np.array_equal(rate, tree["escape"].escape_rate)
    # every cell has a seed of its own
    simulated = alone["escape/simulation"].mean_first_passage_time.values.ravel()
    assert len(set(simulated)) == simulated.size


def test_cells_run_anywhere(alone):
    same(freezeout.sweep(BASE, OVER, map=lambda f, cells: [f(cell) for cell in cells]), alone)
    # a fork after threads have run here
    context = multiprocessing.get_context("fork")
    with context.Pool(2) as pool:
        same(freezeout.sweep(BASE, OVER, map=pool.map), alone)
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        same(freezeout.sweep(BASE, OVER, map=executor.map), alone)
    with concurrent.futures.ThreadPoolExecutor(2) as executor:
        same(freezeout.sweep(BASE, OVER, map=executor.map), alone)
    # the control: cells in another order are another result
    with pytest.raises(AssertionError):
        same(freezeout.sweep(BASE, OVER, map=lambda f, cells: [f(cell) for cell in reversed(cells)]), alone)


def test_a_dask_cluster(alone):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, distributed.Client(cluster) as client:
        same(freezeout.sweep(BASE, OVER, map=client.map), alone)


def test_refusals():
    def says(text, *arguments, **options):
        with pytest.raises(ValueError) as caught:
            freezeout.sweep(*arguments, **options)
        assert text in str(caught.value) and "\n" not in str(caught.value)

    says('did you mean "strength"?', BASE, {"noise.strenth": [0.1]})
    says("at most two parameters", BASE, {"noise.strength": [0.1], "escape.reach": [4], "seed": [1]})
    says("5 results for 6 cells", BASE, OVER, map=lambda f, cells: [f(cell) for cell in cells[1:]])
    says("there is no task", {"name": "a"}, {"noise.strength": [1.0]}) 
    says("a cell is no result of this build", BASE, {"noise.strength": [0.1]}, map=lambda f, cells: [b"\xff\xff\xff"])
