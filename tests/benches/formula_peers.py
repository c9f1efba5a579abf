#!/usr/bin/env python3
"""First passages of a user's formulas: this crate, which is given text, and numba kernels written by hand, in turn, on the same problems.

    make formula-peers          or            python3 tests/benches/formula_peers.py [--runs 4000] [--rounds 5]

pip install numba adds the peer (optional: without it only our numbers are printed).

line                L = (x^2 - 1)^2/4, D = 1/5, from -1 into x > 0, Langevin with time step 0.01 and Brownian-bridge crossings
line, exp and sin   L = x^2/4 + exp(-4 x^2)/2 + sin(3 x)/10, the same
line, table         the first L as a table of 401 points: cubic splines; the peer interpolates a table of the gradient linearly
plane, D(x)         b = (x - x^3 - x y^2, -(1 + x^2) y), D = [[.2 + .02 x^2, .01 x y], [.01 x y, .2 + .02 y^2]], from (-1, 0) into x > 0, the same
plane, SGD          L = (x^2 - 1)^2/4 + (1 + x^2) y^2/2, learning rate .02, C/B = 20, passage seen at the ends of steps

Timed       processor time of one thread over the steps done, start-up and compilation not counted; each round runs both once. Medians over rounds are
            printed, and the median of the ratios of each round. The peer is compiled with fastmath.
Checked     the mean times agree within five standard errors of their difference
Wanted      at least three times the peer's speed
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROBLEMS = ["line", "line, exp and sin", "line, table", "plane, D(x)", "plane, SGD"]


def kernels(numba):
    """Functions of the number of runs and a seed that return the sums of steps and of their squares, and the time step."""
    h, rate = 0.01, 0.02
    compiled = numba.njit(fastmath=True)

    def on_a_line(slope):
        slope = compiled(slope)

        @compiled
        def run(runs, seed):
            np.random.seed(seed)
            scale, total, squares = math.sqrt(2 * 0.2 * h), 0.0, 0.0
            for _ in range(runs):
                x, k = -1.0, 0
                while True:
                    k += 1
                    new = x - slope(x) * h + scale * np.random.standard_normal()
                    if new >= 0 or np.random.random() < math.exp(-x * new / (0.2 * h)):
                        break
                    x = new
                total += k
                squares += float(k) * k
            return total, squares

        return run

    points = np.linspace(-4, 4, 401)
    table = points * (points**2 - 1)

    def interpolated(x):
        place = (x + 4.0) / 0.02
        i = min(max(int(place), 0), 399)
        return table[i] + (place - i) * (table[i + 1] - table[i])

    @compiled
    def plane(runs, seed):
        np.random.seed(seed)
        scale, total, squares = math.sqrt(2 * h), 0.0, 0.0
        for _ in range(runs):
            x, y, k = -1.0, 0.0, 0
            while True:
                k += 1
                a, b, c = 0.2 + 0.02 * x * x, 0.01 * x * y, 0.2 + 0.02 * y * y
                l11 = math.sqrt(a)
                l21 = b / l11
                l22 = math.sqrt(c - l21 * l21)
                u, v = scale * np.random.standard_normal(), scale * np.random.standard_normal()
                new = x + (x - x * x * x - x * y * y) * h + l11 * u
                y += -(1 + x * x) * y * h + l21 * u + l22 * v
                if new >= 0 or np.random.random() < math.exp(-x * new / (a * h)):
                    break
                x = new
            total += k
            squares += float(k) * k
        return total, squares

    @compiled
    def sgd(runs, seed):
        np.random.seed(seed)
        scale, total, squares = rate * math.sqrt(20.0), 0.0, 0.0
        for _ in range(runs):
            x, y, k = -1.0, 0.0, 0
            while x < 0:
                k += 1
                slope_x, slope_y = x * (x * x - 1) + x * y * y, (1 + x * x) * y
                x += -slope_x * rate + scale * np.random.standard_normal()
                y += -slope_y * rate + scale * np.random.standard_normal()
            total += k
            squares += float(k) * k
        return total, squares

    return {
        "line": (on_a_line(lambda x: x * (x * x - 1)), h, 0.5),
        "line, exp and sin": (on_a_line(lambda x: x / 2 - 4 * x * math.exp(-4 * x * x) + 0.3 * math.cos(3 * x)), h, 0.5),
        "line, table": (on_a_line(interpolated), h, 0.5),
        "plane, D(x)": (plane, h, 0.5),
        "plane, SGD": (sgd, rate, 0.0),
    }


def build(name):
    command = ["cargo", "bench", "--locked", "--bench", name, "--no-run", "--message-format=json"]
    out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = [json.loads(line) for line in out.splitlines() if '"executable":"' in line]
    return next(f["executable"] for f in found if f["target"]["name"] == name)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=4000)
    options.add_argument("--rounds", type=int, default=5)
    options = options.parse_args()
    binary = build("formula_peer")
    try:
        import numba

        peers = kernels(numba)
        for run, _, _ in peers.values():
            run(2, 0)
    except ImportError:
        print("numba: not installed")
        peers = {}
    print(f"{'ns a step':<20}{'freezeout':>10}{'numba':>8}{'ratio':>8}{'mean times':>20}")
    wrong = []
    for name in PROBLEMS:
        ours, theirs, report = [], [], None
        for round in range(options.rounds):
            out = subprocess.run([binary, name, str(options.runs)], check=True, capture_output=True, text=True)
            report = json.loads(out.stdout)
            ours.append(report["ns"])
            if name in peers:
                run, step, lag = peers[name]
                before = time.process_time()
                total, squares = run(options.runs, round + 1)
                theirs.append(1e9 * (time.process_time() - before) / total)
        if not theirs:
            print(f"{name:<20}{np.median(ours):>10.1f}{'':>16}{report['mean']:>20.3f}")
            continue
        mean = step * (total / options.runs - lag)
        error = step * math.sqrt(2 * (squares / options.runs - (total / options.runs) ** 2) / options.runs)
        if abs(mean - report["mean"]) > 5 * error:
            wrong.append(name)
        ratio = np.median(np.divide(theirs, ours))
        print(f"{name:<20}{np.median(ours):>10.1f}{np.median(theirs):>8.1f}{ratio:>8.1f}{report['mean']:>11.3f} {mean:>8.3f}")
    return f"mean times disagree: {', '.join(wrong)}" if wrong else None


if __name__ == "__main__":
    sys.exit(main())
