#!/usr/bin/env python3
"""Transient density of a double well in the plane: this crate and its peers, in turn, on the same problem.

    make peers            or            python3 tests/benches/peers.py [--cells 200] [--rounds 5]

Needs numpy; pip install scipy fplanck py-pde adds the peers (each is optional and reported when missing).

Problem     dp/dt = div(p grad L) + T lap p on [-2.75, 2.75]^2, no flux through the boundary, up to t = 1
            L = x^4/4 - x^2/2 + y^2 + x y/2,  T = 1/4
            p(0) = Gaussian with mean (-0.7, 0.3) and variance 0.09 in each direction
Error       sum over cells |P_cell - reference|, P summing to one, on the same 200 x 200 cells; error of grid and time together
Wanted      error <= LIMIT (2e-4) plus the method's own grid error, which no time step removes: every method is given the largest step
            (loosest tolerance) from a fixed ladder whose error in TIME, against its own grid's solution, is <= 2e-4
Reference   for the total error: Fourier pseudo-spectral on a larger periodic square and Runge-Kutta 8(5,3), which shares no code
            and no grid with any of them; for the error in time: exp(tA) by scipy's expm_multiply on the method's own matrix
            py-pde is given a relative tolerance of 1e-4 instead; its explicit steps get shorter with the square of the cell, so it is
            left out when a trial run, start and compilation included, takes more than a minute
Timed       building the operator and solving; start-up, imports and just-in-time compilation are not counted. Each round runs every
            method once; medians over rounds of wall time and of processor time of all threads are printed, and the ratios to ours.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")
if not hasattr(np, "product"):
    np.product = np.prod  # fplanck 0.2.2 was written for numpy 1

HALF, TIME, T, LIMIT = 2.75, 1.0, 0.25, 2e-4
SLOW = 60  # seconds
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def landscape(x, y):
    return x**4 / 4 - x**2 / 2 + y**2 + x * y / 2


def start(x, y):
    return np.exp(-((x + 0.7) ** 2 + (y - 0.3) ** 2) / 0.18)


def normalised(p):
    return p / p.sum()


def centres(n):
    return -HALF + (np.arange(n) + 0.5) * 2 * HALF / n


def reference(n):
    """Cell averages of the exact density: Fourier modes on [-3.2, 3.2]^2, where p is below 1e-12 at the edge."""
    from scipy.integrate import solve_ivp

    m, half = 112, 3.2
    x = -half + np.arange(m) * 2 * half / m
    k = np.fft.fftfreq(m, 2 * half / m) * 2 * np.pi
    k1 = np.where(np.arange(m) == m // 2, 0.0, k)  # the first derivative of the highest mode is not known
    derive = np.real(np.fft.ifft(1j * k1[:, None] * np.fft.fft(np.eye(m), axis=0), axis=0))
    second = np.real(np.fft.ifft(-(k**2)[:, None] * np.fft.fft(np.eye(m), axis=0), axis=0))
    gx, gy = np.meshgrid(x, x, indexing="ij")
    lx, ly = gx**3 - gx + gy / 2, 2 * gy + gx / 2

    def rate(_, p):
        p = p.reshape(m, m)
        return (derive @ (lx * p) + (ly * p) @ derive.T + T * (second @ p + p @ second.T)).ravel()

    p = solve_ivp(rate, (0, TIME), start(gx, gy).ravel(), method="DOP853", rtol=1e-9, atol=1e-11).y[:, -1]
    # average of mode k over a cell of width h: sinc(k h/2) at its centre
    h = 2 * HALF / n
    to_cells = np.real(
        np.exp(1j * np.outer(centres(n) + half, k)) * np.sinc(k * h / 2 / np.pi) @ np.fft.fft(np.eye(m), axis=0)
    ) / m
    return normalised(to_cells @ p.reshape(m, m) @ to_cells.T)


def fitted_matrix(n):
    """Scharfetter-Gummel rates, the same matrix that this crate builds, assembled with numpy."""
    import scipy.sparse as sp

    h = 2 * HALF / n
    x = centres(n)
    value = landscape(*np.meshgrid(x, x, indexing="ij"))
    number = np.arange(n * n).reshape(n, n)
    rows, columns, rates = [], [], []
    for axis in (0, 1):
        rise = np.diff(value, axis=axis).ravel() / T
        low, high = (np.take(number, r, axis=axis).ravel() for r in (range(n - 1), range(1, n)))
        safe = np.where(rise == 0, 1.0, rise)
        up = T / h**2 * np.where(rise == 0, 1.0, safe / np.expm1(safe))
        down = up * np.exp(rise)
        rows += [high, low, low, high]
        columns += [low, low, high, high]
        rates += [up, -up, down, -down]
    return sp.csc_matrix((np.concatenate(rates), (np.concatenate(rows), np.concatenate(columns))), shape=(n * n,) * 2)


def crank_nicolson(n, steps):
    import scipy.sparse as sp
    from scipy.sparse.linalg import splu

    matrix = fitted_matrix(n)
    half = 0.5 * TIME / steps * matrix
    one = sp.identity(n * n, format="csc")
    factor, explicit = splu(one - half, permc_spec="MMD_AT_PLUS_A"), (one + half).tocsr()
    p = normalised(start(*np.meshgrid(centres(n), centres(n), indexing="ij"))).ravel()
    for _ in range(steps):
        p = factor.solve(explicit @ p)
    return p.reshape(n, n)


def fplanck_run(n, _):
    from fplanck import fokker_planck
    from scipy import constants

    solver = fokker_planck(
        temperature=T / constants.k, drag=1.0, extent=[2 * HALF] * 2, resolution=2 * HALF / n, potential=landscape
    )
    return solver.propagate(start, TIME)


def py_pde_run(n, tolerance):
    import pde

    grid = pde.CartesianGrid([[-HALF, HALF]] * 2, n)
    x, y = grid.cell_coords[..., 0], grid.cell_coords[..., 1]
    state = pde.ScalarField(grid, start(x, y))
    drift = {"fx": pde.ScalarField(grid, x**3 - x + y / 2), "fy": pde.ScalarField(grid, 2 * y + x / 2)}
    trace = pde.ScalarField(grid, 3 * x**2 - 1 + 2.0)
    equation = pde.PDE(
        {"p": f"{T} * laplace(p) + fx * d_dx(p) + fy * d_dy(p) + trace * p"}, bc={"value": 0}, consts=drift | {"trace": trace}
    )
    solved = equation.solve(state, t_range=TIME, solver="scipy", method="RK45", rtol=tolerance, atol=1e-3 * tolerance, backend="numpy", tracker=None)
    return normalised(solved.data)


class Ours:
    def __init__(self, binary):
        self.binary, self.file = binary, tempfile.NamedTemporaryFile(suffix=".f64").name

    def __call__(self, n, tolerance):
        out = subprocess.run([self.binary, str(n), str(tolerance), self.file], check=True, capture_output=True, text=True)
        self.report = json.loads(out.stdout)
        return np.fromfile(self.file).reshape(n, n)


def build():
    command = ["cargo", "bench", "--locked", "--bench", "peer", "--no-run", "--message-format=json"]
    out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = [json.loads(line) for line in out.splitlines() if '"executable":"' in line]
    return next(f["executable"] for f in found if f["target"]["name"] == "peer")


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cells", type=int, default=200)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--skip", nargs="*", default=[], help="methods to leave out")
    options = options.parse_args()
    n = options.cells
    ours = Ours(build())
    missing = lambda name: print(f"{name}: not installed")
    try:
        from scipy.sparse.linalg import expm_multiply
    except ImportError:
        missing("scipy")
        ours(n, LIMIT)
        print("freezeout", ours.report, "(no scipy, so no reference)")
        return
    methods = {
        "freezeout": (ours, [2e-4]),
        "scipy Crank-Nicolson": (crank_nicolson, [8, 12, 16, 20, 24, 32, 40, 48, 64, 96]),
    }
    for name, module, entry in [
        ("fplanck", "fplanck", (fplanck_run, [None])),
        ("py-pde", "pde", (py_pde_run, [1e-4])),
    ]:
        try:
            __import__(module)
            methods[name] = entry
        except ImportError:
            missing(name)
    methods = {name: m for name, m in methods.items() if name not in options.skip}
    if "py-pde" in methods:
        trial = multiprocessing.Process(target=py_pde_run, args=(n, 1e-4))
        trial.start()
        trial.join(SLOW)
        if trial.is_alive():
            trial.kill()
            print(f"py-pde: skipped: too slow (still running after {SLOW} s)")
            del methods["py-pde"]
    exact = reference(n)
    p0 = normalised(start(*np.meshgrid(centres(n), centres(n), indexing="ij"))).ravel()
    own_grid = expm_multiply(TIME * fitted_matrix(n), p0).reshape(n, n)
    setting, errors = {}, {}
    for name, (run, ladder) in methods.items():
        # exp(tA) is exact in time; py-pde gives no matrix to compare with: its error in time is not known
        unknown = {"fplanck": 0.0, "py-pde": np.nan}
        for value in ladder:
            p = run(n, value)
            in_time = unknown[name] if name in unknown else np.abs(p - own_grid).sum()
            setting[name], errors[name] = value, (in_time, np.abs(p - exact).sum(), -np.minimum(p, 0).sum())
            if in_time <= LIMIT:
                break
    wall = {name: [] for name in methods}
    processor = {name: [] for name in methods}
    for _ in range(options.rounds):
        for name, (run, _) in methods.items():
            before, before_cpu = time.perf_counter(), time.process_time()
            run(n, setting[name])
            wall[name].append(1e3 * (time.perf_counter() - before))
            processor[name].append(1e3 * (time.process_time() - before_cpu))
            if name == "freezeout":
                r = ours.report
                wall[name][-1] = r["assembly_ms"] + r["solve_ms"]
                processor[name][-1] = r["assembly_cpu_ms"] + r["solve_cpu_ms"]
    print(f"{n} x {n} cells, medians of {options.rounds} interleaved rounds; ratios to freezeout of the same round, median")
    print(f"{'method':<22}{'setting':>9}{'time error':>12}{'total error':>13}{'negative':>10}{'wall ms':>10}{'cpu ms':>10}{'wall':>8}{'cpu':>8}")
    for name in methods:
        ratio = [np.median(np.divide(t[name], t["freezeout"])) for t in (wall, processor)]
        in_time, total, negative = errors[name]
        print(
            f"{name:<22}{str(setting[name]):>9}{in_time:>12.1e}{total:>13.1e}{negative:>10.0e}"
            f"{np.median(wall[name]):>10.1f}{np.median(processor[name]):>10.1f}{ratio[0]:>8.1f}{ratio[1]:>8.1f}"
        )
    print("freezeout, last round, by part:", ours.report)


if __name__ == "__main__":
    sys.exit(main())
