#!/usr/bin/env python3
"""Do stated errors cover the truth? Random problems with known answers, on random grids, held against the program.

    python3 validation/scan.py [--program target/release/freezeout] [--problems 300] [--seed 1] [--table FILE] [--verbose]

Known answers are computed here, without freezeout: integrals on Gauss-Legendre panels for what depends on one variable, eigenvalues
-(n l1 + m l2) of the Ornstein-Uhlenbeck process. Writes a table of how many stated errors cover, and ends with exit code 1 when fewer than
99 % do or the median of stated over true error is above 30. Needs numpy and h5py.
"""
import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np

from panels import ORDER, VANDER, Panels


class Line(Panels):
    """dx = b dt + sqrt(2 D) dW between reflecting ends, with panels between `breaks`."""

    def __init__(self, breaks, drift, diffusivity, width):
        super().__init__(breaks, width)
        d = diffusivity(self.x) + 0 * self.x
        psi = self.from_left(-drift(self.x) / d)
        psi = psi - psi.min()
        self.s = np.exp(psi)
        self.m = 1 / (self.s * d)

    def passage(self, f, target):
        """u with L u = -f below the target, u = 0 on it."""
        below = self.x < target
        rise = self.s * self.from_left(self.m * f * below) * below
        return (self.total(rise) - self.from_left(rise)) * below

    def at(self, f, x):
        """Value at a panel end: the polynomial of the panel on its left."""
        k = int(np.argmin(abs(self.ends - x)))
        assert abs(self.ends[k] - x) < 1e-12
        weights = np.linalg.solve(VANDER[:, :ORDER].T, np.ones(ORDER))
        return f[k - 1] @ weights

    def times(self, start, target):
        """Mean and standard deviation of the first passage."""
        mean = self.passage(np.ones_like(self.x), target)
        second = self.passage(2 * mean, target)
        t = self.at(mean, start)
        return t, np.sqrt(self.at(second, start) - t * t)

    def escape_rate(self, target):
        f, rate = (self.x < target) * 1.0, 0
        for _ in range(2000):
            new = self.passage(f, target)
            rate, before = self.total(self.m * f * f) / self.total(self.m * f * new), rate
            f = new / np.sqrt(self.total(self.m * new * new))
            if before and abs(rate / before - 1) < 1e-15:
                break
        return rate

    def gap(self):
        z = self.total(self.m)
        near_left = self.from_left(self.m) < z / 2
        f, rate = self.x - self.x.mean(), 0
        for _ in range(2000):
            f = f - self.total(self.m * f) / z
            f = f / np.sqrt(self.total(self.m * f * f) / z)
            # the integral of m f vanishes: from the end that is nearer, or rounding is multiplied by s
            inner = np.where(near_left, self.from_left(self.m * f), -self.from_right(self.m * f))
            new = -self.from_left(self.s * inner)
            new = new - self.total(self.m * new) / z
            rate, before = self.total(self.m * f * f) / self.total(self.m * f * new), rate
            f = new
            if before and abs(rate / before - 1) < 1e-15:
                break
        return rate


    def odd_gap(self):
        """Gap of an odd problem from its half x > 0: positive terms only, right at any wall."""
        f, rate = self.x - self.ends[0], 0
        for _ in range(2000):
            tail = self.from_right(self.m * f)
            new = self.from_left(self.s * tail)
            rate, before = self.total(self.m * f * f) / self.total(self.m * f * new), rate
            f = new / np.sqrt(self.total(self.m * new * new))
            if before and abs(rate / before - 1) < 1e-15:
                break
        return rate


def number(x):
    return repr(float(x))


def toml(name, variables, drift, tensor, domain, cells, start, target=None, extra="", kinks=""):
    domain, start = [[float(a), float(b)] for a, b in domain], [float(v) for v in start]
    lines = [f'name = "{name}"', "[landscape]", f"variables = {variables}".replace("'", '"'), f"drift = {drift}".replace("'", '"'), kinks, "[noise]",
             f"tensor = {tensor}".replace("'", '"'), "[region]", f"domain = {domain}", "[escape]", f"cells = {cells}",
             f"start = {{ ball = {{ centre = {start}, radius = 0.0 }} }}"]
    if target:
        lines.append(f"target = {{ half_space = {{ normal = {target[0]}, offset = {number(target[1])} }} }}")
    return "\n".join(lines + [extra]) + "\n"


def concentrations(rng, bounds, chance=0.3):
    text = ""
    for d, (a, b) in enumerate(bounds):
        if rng.random() < chance:
            at = a + (b - a) * rng.uniform(0.25, 0.75)
            text += f"\n[[escape.concentrate]]\naxis = {d}\nat = {number(at)}\nwidth = {number((b - a) * rng.uniform(0.1, 0.3))}\nfactor = {number(rng.uniform(1.5, 4))}\n"
    return text


def well(rng):
    """A double well in x: drift, its text, noise, bounds, start, target, panels, and D(x) with its text."""
    a, tilt = rng.uniform(0.6, 1.4), rng.uniform(-0.15, 0.15)
    d = rng.uniform(0.08, 0.3)
    bend, wave = (rng.uniform(0, 0.4), rng.uniform(0.5, 2)) if rng.random() < 0.5 else (0, 1)
    lower, upper = -rng.uniform(1.9, 2.4), rng.uniform(1.9, 2.4)
    start, target = rng.uniform(-1.3, 0.2), rng.uniform(0.5, 1.4)
    drift = lambda x: a * (x - x**3) + tilt
    noise = lambda x: d * (1 + bend * np.sin(wave * x))
    dtext = f"{number(d)}*(1 + {number(bend)}*sin({number(wave)}*x))" if bend else number(d)
    line = Line([lower, start, target, upper], drift, noise, 0.03)
    return dict(drift=drift, text=f"({number(a)}*(x - x^3) + {number(tilt)})", noise=noise, d=d, dtext=dtext, bounds=[lower, upper],
                start=start, target=target, line=line, varies=bend != 0, bend=bend, wave=wave)


def first_passage(x):
    t, deviation = x["line"].times(x["start"], x["target"])
    return {"mean_first_passage_time": t, "first_passage_deviation": deviation, "escape_rate": x["line"].escape_rate(x["target"])}


def swapped(swap, vector):
    return vector[::-1] if swap else vector


def plane(name, rng, x, drift_y, tensor, bounds_y, start_y, known, swap, extra=""):
    """A problem in the plane whose first variable moves alone; `swap` puts it second."""
    bounds = swapped(swap, [x["bounds"], bounds_y])
    cells = [int(rng.integers(24, 56)), int(rng.integers(24, 56))]
    (xx, xy), (_, yy) = tensor
    tensor = [[yy, xy], [xy, xx]] if swap else [[xx, xy], [xy, yy]]
    return toml(name, swapped(swap, ["x", "y"]), swapped(swap, [x["text"], drift_y]), tensor, bounds, cells,
                swapped(swap, [x["start"], start_y]), (swapped(swap, [1.0, 0.0]), x["target"]),
                extra + concentrations(rng, bounds)), known


def sheared(rng, swap):
    """Separable wells seen in y = eta + g(x): a full tensor that depends on the state, with detailed balance."""
    x = well(rng)
    k, d2 = rng.uniform(1, 3), rng.uniform(0.1, 0.3)
    s, w = rng.uniform(0.2, 1) * rng.choice([-1, 1]), rng.uniform(0.3, 1.6)
    g, g1, g2 = f"{number(s)}*sin({number(w)}*x)", f"({number(s * w)}*cos({number(w)}*x))", f"({number(-s * w * w)}*sin({number(w)}*x))"
    reach = abs(s) + 7 * np.sqrt(d2 / k)
    known = first_passage(x)
    gap = x["line"].gap()
    known["spectral_gap"] = min(gap, k)
    tensor = [[x["dtext"], f"{g1}*{x['dtext']}"], [None, f"{number(d2)} + {g1}^2*{x['dtext']}"]]
    return plane("sheared", rng, x, f"{number(-k)}*(y - {g}) + {g1}*{x['text']} + {g2}*{x['dtext']}", tensor, [-reach, reach],
                 rng.uniform(-0.5, 0.5), known, swap)


def driven(rng, swap):
    """y is driven by x and correlated with its noise, without detailed balance; x moves alone."""
    x = well(rng)
    k, d2, rho = rng.uniform(1, 3), rng.uniform(0.1, 0.3), rng.uniform(-0.7, 0.7)
    a, w = rng.uniform(-1, 1), rng.uniform(0.5, 2)
    xy = rho * np.sqrt(x["d"] * (1 - x["bend"]) * d2)
    reach = abs(a) / k + 7 * np.sqrt(d2 / k)
    tensor = [[x["dtext"], number(xy)], [None, number(d2)]]
    return plane("driven", rng, x, f"{number(-k)}*y + {number(a)}*sin({number(w)}*x)", tensor, [-reach, reach], rng.uniform(-0.5, 0.5),
                 first_passage(x), swap)


def separable(rng, swap):
    """Independent variables, a diagonal tensor."""
    x = well(rng)
    k, d2 = rng.uniform(1, 3), rng.uniform(0.1, 0.3)
    reach = 7 * np.sqrt(d2 / k)
    known = first_passage(x)
    known["spectral_gap"] = min(x["line"].gap(), k)
    return plane("separable", rng, x, f"{number(-k)}*y", [[x["dtext"], "0"], [None, number(d2)]], [-reach, reach], rng.uniform(-0.5, 0.5), known, swap)


def carried(rng, swap):
    """y is carried along by x, a diagonal tensor, without detailed balance."""
    x = well(rng)
    k, d2 = rng.uniform(1, 3), rng.uniform(0.1, 0.3)
    a = rng.uniform(-1.5, 1.5)
    reach = abs(a) * 2.4 / k + 7 * np.sqrt(d2 / k)
    return plane("carried", rng, x, f"{number(-k)}*y + {number(a)}*x", [[x["dtext"], "0"], [None, number(d2)]], [-reach, reach],
                 rng.uniform(-0.5, 0.5), first_passage(x), swap)


def turned(rng, swap, oblique=False):
    """Separable wells turned by an angle: a constant full tensor; the target's edge is a plane of the grid, or is `oblique` to its cells."""
    a, d1, d2, k = rng.uniform(0.6, 1.4), rng.uniform(0.1, 0.3), rng.uniform(0.1, 0.3), rng.uniform(1, 3)
    angle = rng.uniform(0.1, 1.47)
    c, s = np.cos(angle), np.sin(angle)
    u, v = f"({number(c)}*x + {number(s)}*y)", f"({number(c)}*y - {number(s)}*x)"
    along, across = f"({number(a)}*({u} - {u}^3))", f"({number(-k)}*{v})"
    start, end = rng.uniform(-1.2, 0), rng.uniform(0.3, 1.0)
    # walls where the density has died out: they do not lie along the turned axes
    wall = np.sqrt(1 + np.sqrt(4 * 26 * d1 / a))
    half = Line([0, wall], lambda x: a * (x - x**3), lambda x: d1, 0.03)
    line = Line([-wall, start, end, wall], lambda x: a * (x - x**3), lambda x: d1, 0.03)
    far = 7 * np.sqrt(d2 / k)
    bounds = [[-b, b] for b in (abs(c) * wall + abs(s) * far, abs(s) * wall + abs(c) * far)]
    tensor = [[c * c * d1 + s * s * d2, c * s * (d1 - d2)], [c * s * (d1 - d2), s * s * d1 + c * c * d2]]
    tensor = [[number(v) for v in row] for row in tensor]
    cells = [int(rng.integers(36, 60)), int(rng.integers(36, 60))]
    target = ([float(c), float(s)], end) if oblique else ([1.0, 0.0], end)
    v = rng.uniform(-0.4, 0.4)
    at = [c * start - s * v, s * start + c * v]
    known = {"spectral_gap": min(half.odd_gap(), k)}
    if oblique:
        known.update(first_passage(dict(line=line, start=start, target=end)))
    text = toml("turned", ["x", "y"], [f"{number(c)}*{along} - {number(s)}*{across}", f"{number(s)}*{along} + {number(c)}*{across}"], tensor, bounds,
                cells, at, target, concentrations(rng, bounds))
    return text, known


def ornstein_uhlenbeck(rng, swap, diagonal, shear=False):
    """dtheta = -B theta dt + sqrt(2D) dW; eigenvalues -(n l1 + m l2)."""
    while True:
        matrix = np.array([[rng.uniform(0.7, 2), rng.uniform(-1, 1)], [rng.uniform(-1, 1), rng.uniform(0.7, 2)]])
        values = np.linalg.eigvals(matrix)
        d = np.diag(rng.uniform(0.1, 0.4, 2))
        if not diagonal:
            d[0, 1] = d[1, 0] = rng.uniform(-0.7, 0.7) * np.sqrt(d[0, 0] * d[1, 1])
        rates = sorted((n * values[0] + m * values[1] for n in range(8) for m in range(8) if n + m), key=lambda z: (round(abs(z), 9), -z.imag))
        sizes = np.array([abs(z) for z in rates[:6]])
        apart = [abs(sizes[i + 1] / sizes[i] - 1) for i in range(4) if abs(rates[i].imag) < 1e-12 or rates[i].imag > 0]
        conjugates = [abs(rates[i] - np.conj(rates[i + 1])) < 1e-9 for i in range(4)]
        apart = [abs(sizes[i + 1] / sizes[i] - 1) for i in range(4) if not conjugates[i]]
        if min(values.real) > 0.4 and min(apart) > 0.03 and np.linalg.cond(np.linalg.eig(matrix)[1]) < 6:
            break
    covariance = np.linalg.solve(np.kron(matrix, np.eye(2)) + np.kron(np.eye(2), matrix), 2 * d.ravel()).reshape(2, 2)
    sigma = np.sqrt(np.diag(covariance))
    (a, b), (c, e) = matrix
    count = 2 if abs(rates[0].imag) > 1e-9 else 1
    if rng.random() < 0.5 and min(abs(z.imag) for z in rates[count:count + 1]) < 1e-9:
        count += 1
    known = {"spectral_gap": rates[0].real}
    for k in range(count if count > 1 else 0):
        known[f"mode_{k + 1}_rate"] = rates[k].real
        if abs(rates[k].imag) > 1e-9:
            known[f"mode_{k + 1}_frequency"] = abs(rates[k].imag) * (1 if k % 2 == 0 or abs(rates[0].imag) < 1e-9 else -1)
    if shear:
        # y = eta + g(x)
        s, w = rng.uniform(0.2, 0.6) * rng.choice([-1, 1]), rng.uniform(0.5, 1.5) / sigma[0] / 2
        s = s * sigma[1] * 2
        g, g1, g2 = f"{number(s)}*sin({number(w)}*x)", f"({number(s * w)}*cos({number(w)}*x))", f"({number(-s * w * w)}*sin({number(w)}*x))"
        eta = f"(y - {g})"
        bx = f"(({number(-a)})*x + ({number(-b)})*{eta})"
        drift = [bx, f"({number(-c)})*x + ({number(-e)})*{eta} + {g1}*{bx} + {g2}*{number(d[0, 0])}"]
        xy = f"{number(d[0, 1])} + {g1}*{number(d[0, 0])}"
        tensor = [[number(d[0, 0]), xy], [xy, f"{number(d[1, 1])} + 2*{g1}*({number(d[0, 1])}) + {g1}^2*{number(d[0, 0])}"]]
        bounds = [[-7.5 * sigma[0], 7.5 * sigma[0]], [-7.5 * sigma[1] - abs(s), 7.5 * sigma[1] + abs(s)]]
    else:
        drift = [f"({number(-a)})*x + ({number(-b)})*y", f"({number(-c)})*x + ({number(-e)})*y"]
        tensor = [[number(v) for v in row] for row in d]
        bounds = [[-7.5 * sd * rng.uniform(1, 1.2), 7.5 * sd * rng.uniform(1, 1.2)] for sd in sigma]
    cells = [int(rng.integers(36, 72)), int(rng.integers(36, 72))]
    target = ([1.0, 0.0], sigma[0] * rng.uniform(0.7, 2))
    bounds = [[float(p), float(q)] for p, q in bounds]
    extra = f"slow_modes = {count}\n" + concentrations(rng, bounds, 0.2)
    return toml("ornstein_uhlenbeck", ["x", "y"], drift, tensor, bounds, cells, [float(-sigma[0] * rng.uniform(0, 1)), 0.0], target, extra), known


PLANE = {
    "separable wells, diagonal tensor": separable,
    "wells that carry a second variable, diagonal tensor": carried,
    "wells that drive a second variable with correlated noise": driven,
    "wells sheared by a curve, tensor of the state": sheared,
    "wells turned by an angle": turned,
    "wells turned by an angle, target across the cells": lambda rng, swap: turned(rng, swap, True),
    "Ornstein-Uhlenbeck, not normal, diagonal tensor": lambda rng, swap: ornstein_uhlenbeck(rng, swap, True),
    "Ornstein-Uhlenbeck, full tensor": lambda rng, swap: ornstein_uhlenbeck(rng, swap, False),
    "Ornstein-Uhlenbeck sheared by a curve, tensor of the state, circulation": lambda rng, swap: ornstein_uhlenbeck(rng, swap, False, True),
}


def on_a_line(rng, swap, kinked):
    x = well(rng)
    kinks, breaks, drift, noise = "", [x["bounds"][0], x["start"], x["target"], x["bounds"][1]], x["drift"], x["noise"]
    text, dtext = x["text"], x["dtext"]
    if kinked:
        at, jump, factor = rng.uniform(-0.5, 0.4), rng.uniform(-0.4, 0.4), rng.uniform(0.6, 1.6)
        kinks = f"kinks = [{{ axis = 0, position = {number(at)} }}]"
        drift = lambda z: x["drift"](z) + jump * (z > at)
        noise = lambda z: x["noise"](z) * np.where(z > at, factor, 1)
        text = f"{text} + if(x > {number(at)}, {number(jump)}, 0)"
        dtext = f"({dtext})*if(x > {number(at)}, {number(factor)}, 1)"
        breaks = sorted(breaks + [at])
    line = Line(breaks, drift, noise, 0.02)
    known = first_passage({**x, "line": line})
    known["spectral_gap"] = line.gap()
    cells = [int(rng.integers(100, 700))]
    bounds = [x["bounds"]]
    return toml("line", ["x"], [text], [[dtext]], bounds, cells, [x["start"]], ([1.0], x["target"]), concentrations(rng, bounds), kinks), known


LINE = {
    "wells on a line": lambda rng, swap: on_a_line(rng, swap, False),
    "wells on a line, drift and noise jump": lambda rng, swap: on_a_line(rng, swap, True),
}

# what is not known of the known values, relative: rounding of the panels, and tails beyond walls in the plane
UNCERTAINTY = {"line": 2e-12, "plane": 1e-10}
COVERED, OVERESTIMATE = 0.99, 30


def problems(kinds, count, seed):
    names = list(kinds)
    for k in range(count):
        name = names[k % len(names)]
        rng = np.random.default_rng([seed, k])
        yield k, name, *kinds[name](rng, bool(rng.random() < 0.5))


def run(program, folder, k, text):
    path = os.path.join(folder, f"{k}.toml")
    with open(path, "w") as file:
        file.write(text)
    result = os.path.join(folder, f"{k}.h5")
    done = subprocess.run([program, "run", path, "-o", result], capture_output=True, text=True)
    if done.returncode:
        return None, done.stderr.strip()
    with h5py.File(result) as file:
        records = {**file["escape"], **file["escape/convergence"]}
        values = {name: float(np.ravel(r[()])[0]) for name, r in records.items() if isinstance(r, h5py.Dataset) and r.size == 1}
    os.remove(result)
    return values, done.stderr


def scan(program, place, kinds, count, seed, verbose):
    rows = {name: [] for name in kinds}
    refused = {name: 0 for name in kinds}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        jobs = [(k, name, known, text, pool.submit(run, program, folder, k, text)) for k, name, text, known in problems(kinds, count, seed)]
        for k, name, known, text, job in jobs:
            values, message = job.result()
            if values is None:
                refused[name] += 1
                print(f"{place} {k} {name}: refused: {message}")
                continue
            for record, truth in known.items():
                if record not in values:
                    print(f"{place} {k} {name}: {record} is missing")
                    refused[name] += 1
                    continue
                value, error = values[record], values[record + "_error"]
                true = abs(value - truth)
                covers = true <= error + UNCERTAINTY[place] * abs(truth)
                rows[name].append((covers, error / max(true, UNCERTAINTY[place] * abs(truth)), true / abs(truth), error / abs(truth)))
                if verbose or not covers:
                    print(f"{place} {k} {name}: {record} {value!r} ± {error:.1e}, known {float(truth)!r}, off by {true:.1e}, order {values[record + '_order']:.2f}")
    return rows, refused


def line_of(name, rows, problems, refused):
    if not rows:
        return f"| {name} | {problems} | {refused} | 0 | | | | |"
    covers, over, true, stated = np.array(rows, dtype=float).T
    return (f"| {name} | {problems} | {refused} | {len(rows)} | {int(covers.sum())} ({100 * covers.mean():.1f} %) | {np.median(over):.1f} | "
            f"{np.median(true):.1e} | {np.median(stated):.1e} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="target/release/freezeout")
    parser.add_argument("--problems", type=int, default=324, help="problems in the plane; a quarter as many on the line")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--table")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--write", help="folder into which the configurations are written, with known.txt; nothing is run")
    args = parser.parse_args()
    if args.write:
        os.makedirs(args.write, exist_ok=True)
        with open(os.path.join(args.write, "known.txt"), "w") as known_file:
            for place, kinds, count in (("plane", PLANE, args.problems), ("line", LINE, args.problems // 4)):
                for k, name, text, known in problems(kinds, count, args.seed):
                    with open(os.path.join(args.write, f"{place}{k}.toml"), "w") as file:
                        file.write(text)
                    for record, truth in known.items():
                        known_file.write(f"{place}{k}\t{name}\t{record}\t{float(truth)!r}\n")
        return 0
    text, good = [], True
    for place, kinds, count in (("plane", PLANE, args.problems), ("line", LINE, max(args.problems // 4, len(LINE)))):
        rows, refused = scan(args.program, place, kinds, count, args.seed, args.verbose)
        text += [f"\n### In the plane\n" if place == "plane" else "\n### On the line\n",
                 "| problems | number | not solved | numbers | errors that cover | stated/true, median | true, median | stated, median |", "|---|---|---|---|---|---|---|---|"]
        names = list(kinds)
        for i, name in enumerate(names):
            text.append(line_of(name, rows[name], len(range(i, count, len(names))), refused[name]))
        everything = [row for name in names for row in rows[name]]
        text.append(line_of("all", everything, count, sum(refused.values())))
        covers, over = np.array(everything)[:, 0], np.array(everything)[:, 1]
        good &= covers.mean() >= COVERED and np.median(over) <= OVERESTIMATE
    head = (f"`make scan`: random problems with known answers on random grids, seed {args.seed}. Every stated error is held against the true one. At least "
            f"{100 * COVERED:.0f} % must cover, and the median of stated over true error must not exceed {OVERESTIMATE}.\n")
    table = head + "\n".join(text).rstrip() + "\n"
    print(table)
    if args.table:
        with open(args.table, "w") as file:
            file.write(table)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
