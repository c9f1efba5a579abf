#!/usr/bin/env python3
"""Reference values of the validation cases, computed without freezeout (numpy, scipy, mpmath).

On a line: Green's operators of the scale function s and the speed density m, integrated on Gauss-Legendre panels. In the plane:
Chebyshev collocation of the generator with Neumann ends. Run: python3 validation/references.py
"""
from math import gamma

import numpy as np
from mpmath import mp, mpf, quad, exp, sqrt, pi, erfc
from scipy.linalg import eigh, lu_factor, lu_solve, solve_continuous_lyapunov
from scipy.optimize import brentq, root
from scipy.sparse import csr_matrix, diags, eye, kron
from scipy.sparse.linalg import LinearOperator, eigs, splu

from panels import Panels


class Line(Panels):
    """Panels with an end at each of `breaks`; s and m = 1/(s D) at their nodes."""

    def __init__(self, breaks, width, log_s, diffusivity):
        super().__init__(breaks, width)
        self.s = np.exp(log_s(self.x))
        self.m = 1 / (self.s * diffusivity(self.x))

    def time(self, a, b):
        """Mean time from a up to b."""
        inside = (self.ends[:-1, None] >= a - 1e-12) & (self.ends[1:, None] <= b + 1e-12)
        return self.total(self.s * self.from_left(self.m) * inside)

    def time_down(self, a, b):
        inside = (self.ends[:-1, None] >= b - 1e-12) & (self.ends[1:, None] <= a + 1e-12)
        return self.total(self.s * self.from_right(self.m) * inside)

    def gap(self):
        """Spectral gap by inverse iteration on functions of mean zero."""
        z = self.total(self.m)
        f, rate = np.tanh(self.x - self.x.mean()), None
        for _ in range(400):
            f = f - self.total(self.m * f) / z
            f = f / np.sqrt(self.total(self.m * f * f) / z)
            new = -self.from_left(self.s * self.from_left(self.m * f))
            new = new - self.total(self.m * new) / z
            rate, before = self.total(self.m * f * f) / self.total(self.m * f * new), rate
            if before and abs(rate / before - 1) < 1e-15:
                break
            f = new
        return rate

    def odd_gap(self):
        """Gap of an odd problem from its half x > 0: positive terms only, any barrier."""
        f, rate = np.ones_like(self.x), None
        for _ in range(400):
            new = self.from_left(self.s * self.from_right(self.m * f))
            rate, before = self.total(self.m * f * f) / self.total(self.m * f * new), rate
            if before and abs(rate / before - 1) < 1e-15:
                break
            f = new / np.sqrt(self.total(self.m * new * new))
        return rate


def double_well():
    for eps in (0.2, 0.1, 0.05, 0.025, 0.0125, 0.01, 1 / 120):
        log_s = lambda x: (x**4 / 4 - x**2 / 2 + 0.25) / eps
        end = np.sqrt(1 + np.sqrt(4 * 60 * eps))
        width = min(0.05, np.sqrt(eps) / 4)
        line = Line([-end, -1, 0, 1, end], width, log_s, lambda x: eps + 0 * x)
        half = Line([0, 1, end], width, log_s, lambda x: eps + 0 * x)
        print(f"double well eps={eps}: {line.time(-1, 1):.14g} {line.time(-1, 0):.14g} gap {half.odd_gap():.14g}")


def two_valley(y, delta):
    f0, x0, x1, x2, yf, yb = 1, 1, 0.8, 0.65, 20, 30
    f = [f0 * (xi / x0) ** 2 * (y + yf) ** 2 / (y + yb) ** 2 for xi in (x2, x1)]
    g = [2 * xi * y / (y + yb) for xi in (x2, x1)]
    sharp, flat = -g[0] / 2, g[1] / 2
    rise = lambda x, i: x * (x + g[0]) / f[0] if i == 0 else x * (x - g[1]) / f[1]
    tensor = lambda x: np.where(x < 0, 2 * delta / f[0], 2 * delta / f[1])
    # L'/D integrated from the ridge: the loss over D on either side
    log_s = lambda x: np.where(x < 0, rise(x, 0) * f[0], rise(x, 1) * f[1]) / (2 * delta)
    far = np.sqrt(2 * delta * 50)
    line = Line([sharp - far, sharp, 0, flat, flat + far], np.sqrt(delta) / 4, log_s, tensor)
    right = line.total(line.m * (line.x > 0)) / line.total(line.m)
    print(f"two valleys y={y} delta={delta}: flat-sharp {line.time_down(flat, sharp):.12g} "
          f"sharp-flat {line.time(sharp, flat):.12g} P_flat {right:.12g} gap {line.gap():.12g}")


def ornstein_uhlenbeck():
    mp.dps = 30
    for k in (1, 2, 4):
        time = quad(lambda z: sqrt(2 * pi) * exp(z * z / 2) * erfc(-z / sqrt(mpf(2))) / 2, [0, k / 2, k])
        print(f"Ornstein-Uhlenbeck 0 -> {k}: {mp.nstr(time, 15)}")


def chebyshev(n, lower, upper):
    """Nodes and differentiation matrix."""
    x = np.cos(np.pi * np.arange(n + 1) / n)
    c = np.ones(n + 1)
    c[0] = c[-1] = 2
    c = c * (-1) ** np.arange(n + 1)
    d = np.outer(c, 1 / c) / (x[:, None] - x[None, :] + np.eye(n + 1))
    d -= np.diag(d.sum(1))
    return lower + (upper - lower) * (x + 1) / 2, d * 2 / (upper - lower)


def maier_stein(beta, guess, n, m, noise=0.05, ends=(2, 1.2)):
    """L f = -lambda f in a box with zero normal derivative, D = noise."""
    (u, du), (v, dv) = chebyshev(n, -ends[0], ends[0]), chebyshev(m, -ends[1], ends[1])
    # values at the ends from those inside by the Neumann condition
    def inner(d):
        ends, inside = [0, d.shape[0] - 1], range(1, d.shape[0] - 1)
        extend = np.zeros((d.shape[0], d.shape[0] - 2))
        extend[list(inside)] = np.eye(d.shape[0] - 2)
        extend[ends] = -np.linalg.solve(d[np.ix_(ends, ends)], d[np.ix_(ends, list(inside))])
        return (d @ extend)[1:-1], (d @ d @ extend)[1:-1]
    (u1, u2), (v1, v2) = inner(du), inner(dv)
    u, v = u[1:-1], v[1:-1]
    eye_u, eye_v = np.eye(len(u)), np.eye(len(v))
    uu, vv = np.meshgrid(u, v, indexing="ij")
    bu, bv = (uu - uu**3 - beta * uu * vv**2).ravel(), (-(1 + uu**2) * vv).ravel()
    generator = bu[:, None] * np.kron(u1, eye_v) + bv[:, None] * np.kron(eye_u, v1)
    generator += noise * (np.kron(u2, eye_v) + np.kron(eye_u, v2))
    # inverse iteration from a function that is odd in u, shifted nearer to the gap than to 0
    shift = -0.8 * guess
    factors = lu_factor(generator - shift * np.eye(len(bu)))
    f = uu.ravel()
    for _ in range(60):
        f = f / np.abs(f).max()
        new = lu_solve(factors, f)
        rate = -shift - f @ f / (f @ new)
        f = new
    print(f"Maier-Stein beta={beta}, D={noise} ({n}x{m}): gap {rate:.13g}")


def mueller_brown():
    """Stationary points, and rates between the minima at T = 4 and 2."""
    a, b, c = np.array([-1, -1, -6.5, 0.7]), np.array([0, 0, 11, 0.6]), np.array([-10, -10, -6.5, 0.7])
    size, x0, y0 = np.array([-200, -100, -170, 15.0]), np.array([1, 0, -0.5, -1]), np.array([0, 0.5, 1.5, 1])

    def derivatives(p):
        u, v = p[0] - x0, p[1] - y0
        e, gx, gy = size * np.exp(a * u * u + b * u * v + c * v * v), 2 * a * u + b * v, b * u + 2 * c * v
        xy = ((gx * gy + b) * e).sum()
        hessian = np.array([[((gx * gx + 2 * a) * e).sum(), xy], [xy, ((gy * gy + 2 * c) * e).sum()]])
        return e.sum(), np.array([(gx * e).sum(), (gy * e).sum()]), hessian

    points = []
    for start in [(-0.558, 1.442), (0.623, 0.028), (-0.05, 0.467), (0.212, 0.293), (-0.822, 0.624)]:
        p = root(lambda p: derivatives(p)[1], start, jac=lambda p: derivatives(p)[2], tol=1e-15).x
        p = p - np.linalg.solve(derivatives(p)[2], derivatives(p)[1])
        points.append((*derivatives(p)[::2], np.linalg.eigvalsh(derivatives(p)[2])))
        print("Mueller-Brown:", p.tolist(), points[-1][0], points[-1][2].tolist())
    for temperature in (4, 2):
        for minimum, saddle in ((0, 4), (2, 4), (1, 3), (2, 3)):
            (low, _, m), (high, _, s) = points[minimum], points[saddle]
            rate = -s[0] / (2 * np.pi) * np.sqrt(m.prod() / -s.prod()) * np.exp(-(high - low) / temperature)
            print(f"Mueller-Brown, T = {temperature}, from {minimum} over {saddle}: {float(rate)!r}")


def inertia(friction, temperature, columns, hermite):
    """Gap of dx = v dt, dv = -(friction v + x^3 - x) dt + noise: sinc functions in x, Hermite functions in v."""
    h = 4 / (columns + 1)
    x, d = -2 + h * np.arange(1, columns + 1), np.subtract.outer(np.arange(columns), np.arange(columns))
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(d == 0, 0.0, (-1.0) ** d / (d * h))
    lower = csr_matrix(np.sqrt(temperature) * (slope + np.diag(x * (x * x - 1) / (2 * temperature))))
    down = diags(np.sqrt(np.arange(1, hermite)), 1)
    generator = friction * kron(diags(np.arange(hermite, dtype=float)), eye(columns))
    generator = generator + kron(down.T, lower) - kron(down, lower.T)
    inverse = splu((generator + 1e-9 * eye(generator.shape[0])).tocsc()).solve
    found = eigs(LinearOperator(generator.shape, matvec=inverse), k=4, which="LM", return_eigenvectors=False)
    print(f"inertia, friction {friction} ({columns}x{hermite}): gap {np.sort((1 / found - 1e-9).real)[1]:.9g}")


def turnover(friction, temperature):
    """1/(Upsilon k) of x^4/4 - x^2/2: Kramers 1940, eq. 25, Mel'nikov and Meshkov 1986; a path loses 4/3 friction on its way from the barrier and back."""
    mp.dps = 30
    gamma_, t = mpf(friction), mpf(temperature)
    rate = (sqrt(gamma_**2 / 4 + 1) - gamma_ / 2) * sqrt(2) / (2 * pi) * exp(-mpf(1) / 4 / t)
    delta = gamma_ * 4 / 3 / t
    integral = quad(lambda y: mp.log(1 - exp(-delta * (y * y + mpf(1) / 4))) / (y * y + mpf(1) / 4), [-mp.inf, 0, mp.inf])
    factor = exp(integral / (2 * pi))
    print(f"turnover, friction {friction}: {mp.nstr(1 / (rate * factor), 15)} ({mp.nstr(1 / rate, 15)} without depopulation)")


def coupled(coupling, n, m, temperature=0.1):
    """Gap of x^4/4 - x^2/2 + y^2/2 + coupling x y in the plane: Galerkin in Hermite functions of y and sinc functions of x."""
    ends, h = 2.8, 5.6 / (n + 1)
    x, d = -ends + h * np.arange(1, n + 1), np.subtract.outer(np.arange(n), np.arange(n))
    with np.errstate(divide="ignore", invalid="ignore"):
        second = np.where(d == 0, -(np.pi / h) ** 2 / 3, -2 * (-1.0) ** d / (d * h) ** 2)
    # symmetrised: -T Laplace + |grad L|^2/4T - Laplace L/2 with y = sqrt(T) (a + a^T)
    a = np.diag(np.sqrt(np.arange(1.0, m)), 1)
    y, number, one, unit = np.sqrt(temperature) * (a + a.T), np.diag(np.arange(m, dtype=float)), np.eye(m), np.eye(n)
    well = x**3 - x
    operator = np.kron(-temperature * second + np.diag(well**2 / (4 * temperature) - (3 * x * x - 1) / 2), one) + np.kron(unit, number)
    operator += coupling / (2 * temperature) * (np.kron(np.diag(well), y) + np.kron(np.diag(x), y))
    operator += coupling**2 / (4 * temperature) * (np.kron(unit, y @ y) + np.kron(np.diag(x * x), one))
    rates = np.linalg.eigvalsh(operator)
    print(f"coupled, J = {coupling} ({n}x{m}): rates {rates[0]:.3e} {rates[1]:.12g}")


def noise_laws(rms, nodes, every, learning_rate=0.02, batch=10, steps=5000, y=1.0):
    """Final P_flat of SGD in the two valleys: the map of x as a matrix on midpoints, taken anew after `every` steps, y on its mean."""
    edge, sigma, e = 0.9, 0.5 / batch, 1e-20
    x = edge * (2 * (np.arange(nodes) + 0.5) / nodes - 1)
    width = 2 * edge / nodes

    def pieces(x, y):
        far, sign = np.where(x >= 0, 0.8, 0.65), np.where(x >= 0, 1.0, -1.0)
        return far**2 * (y + 20) ** 2 / (y + 30) ** 2, sign * 2 * far * y / (y + 30)

    def along(x, y):
        f, g = pieces(x, y + 1j * e)
        return (np.exp(-(y + 1j * e) / 100) + x * (x - g) / f).imag / e

    def law(x, y):
        f, g = pieces(x, y)
        fc, gc = pieces(x, y + 1j * e)
        xy, yy = ((2 * x - gc) / fc).imag / e, (along(x, y + 1e-4) - along(x, y - 1e-4)) / 2e-4
        hessian = np.array([[2 / f, xy], [xy, yy]]).transpose(2, 0, 1)
        value, vector = np.linalg.eigh(hessian)
        covariance = 2 * sigma * (np.maximum(value, 0) * vector[:, 0, :] ** 2).sum(1) + 1e-8
        gain = np.sqrt(2 * sigma * 2 / pieces(np.array([1.0]), 1.0)[0] / covariance) if rms else 1.0
        return x - learning_rate * gain * (2 * x - g) / f, learning_rate * gain * np.sqrt(covariance)

    def matrix(x_from, y):
        mean, deviation = law(x_from, y)
        kernel = np.exp(-0.5 * ((x[:, None] - mean) / deviation) ** 2)
        return kernel / kernel.sum(0)

    start = np.array([-0.01, 0.01])
    p, y, speed = matrix(start, y) @ [0.5, 0.5], y - learning_rate * along(start, y).mean(), 0.0
    for step in range(1, steps):
        if (step - 1) % every == 0:
            middle = y + 0.5 * (every - 1) * speed
            kernel = matrix(x, middle)
        speed = -learning_rate * p @ along(x, y)
        p, y = kernel @ p, y + speed
    print(f"noise laws, rms {rms} ({nodes} nodes, every {every} steps): P_flat {p[x > 0].sum():.9f}, y {y:.6f}")


def sinc_derivative(z, h):
    d = np.subtract.outer(np.arange(len(z)), np.arange(len(z)))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(d == 0, 0.0, (-1.0) ** d / (d * h))


def least_squares(slope, h, ends=(2.2, 1.7)):
    """Gap of the Ito process with D = slope L in the plane: sinc functions with spacing h, symmetrised by exp(-U/2), U = ln(L)/slope."""
    x, y = (h * np.arange(-int(end / h), int(end / h) + 1) for end in ends)
    at, up = np.meshgrid(x, y, indexing="ij")
    loss = (at**2 - 1) ** 2 / 4 + (1 + 0.3 * at) * up**2 / 2 + 0.15
    slopes = [(at**3 - at + 0.15 * up**2) / (slope * loss), (1 + 0.3 * at) * up / (slope * loss)]

    along = [np.kron(sinc_derivative(x, h), np.eye(len(y))), np.kron(np.eye(len(x)), sinc_derivative(y, h))]
    form = sum((a + np.diag(u.ravel() / 2)).T @ (a + np.diag(u.ravel() / 2)) for a, u in zip(along, slopes))
    root = np.sqrt(slope * loss.ravel())
    rates = eigh(root[:, None] * form * root, eigvals_only=True, subset_by_index=[0, 1])
    print(f"least squares, dT/dL = {slope} (h = {h}): rates {rates[0]:.1e} {rates[1]:.9g}")


def quartic_gap(temperature, h, h_across):
    """Gap of X^6/6 - X^4/4 + w^2, w = y - .4 x^2, X = x - 1/2: sinc functions of x and w, symmetrised by exp(-L/2T)."""
    x = 0.5 + h * np.arange(-int(1.55 / h), int(1.55 / h) + 1)
    w = h_across * np.arange(-int(0.42 / h_across), int(0.42 / h_across) + 1)
    at, up = np.meshgrid(x, w, indexing="ij")
    across = np.kron(np.eye(len(x)), sinc_derivative(w, h_across))
    slope = (at - 0.5) ** 5 - (at - 0.5) ** 3 - 1.6 * at * up
    a = np.kron(sinc_derivative(x, h), np.eye(len(w))) - (0.8 * at).ravel()[:, None] * across + np.diag(slope.ravel() / (2 * temperature))
    b = across + np.diag(up.ravel() / temperature)
    rates = eigh(temperature * (a.T @ a + b.T @ b), eigvals_only=True, subset_by_index=[0, 1])
    print(f"quartic saddle, T = {temperature} (h = {h}, {h_across}): gap {rates[1]:.9g}")


def cusp(temperature):
    """Rates over the cusp of (|x| - 1)^2 (1 + x/5) + 3 x^2/10: one over mean times from minimum to minimum."""
    loss = lambda x: (abs(x) - 1) ** 2 * (1 + x / 5) + 3 * x * x / 10
    slope = lambda x: 2 * np.sign(x) * (abs(x) - 1) * (1 + x / 5) + (abs(x) - 1) ** 2 / 5 + 3 * x / 5
    a, b = brentq(slope, -1.2, -0.3, xtol=1e-15), brentq(slope, 0.3, 1.2, xtol=1e-15)
    line = Line([-3, a, 0, b, 3], 0.02, lambda x: loss(x) / temperature, lambda x: temperature)
    print(f"cusp, T = {temperature}: rates {1 / line.time(a, b):.13g} {1 / line.time_down(b, a):.13g}")


def quartic_saddle(temperature):
    """Rates over the saddle of X^6/6 - X^4/4 + (y - .4 x^2)^2, X = x - 1/2, by Laplace's method."""
    for x in (-0.5, 1.5):
        normal = np.array([-0.8 * x, 1.0])
        hessian = 2 * np.outer(normal, normal) + np.diag([2.0, 0.0])
        minimum = 2 * np.pi * temperature / np.sqrt(np.linalg.det(hessian))
        across = 2 * gamma(1.25) * (temperature * 1.16**2 / 0.25) ** 0.25
        beside = np.sqrt(2 * np.pi * temperature / 2.32)
        print(f"quartic saddle from x = {x}: {float(temperature * beside / (across * minimum) * np.exp(-1 / 12 / temperature))!r}")


if __name__ == "__main__":
    double_well()
    for pair in [(5, 1e-3), (5, 2e-3), (5, 1e-2), (10, 5e-3), (1, 1e-3), (3, 1e-3), (10, 1e-3)]:
        two_valley(*pair)
    ornstein_uhlenbeck()
    b, d = np.array([[1, -0.7], [0.4, 2]]), np.array([[0.3, 0.1], [0.1, 0.2]])
    print("rotated Ornstein-Uhlenbeck:", np.linalg.eigvals(b), solve_continuous_lyapunov(b, 2 * d).tolist())
    for beta, guess in ((1, 0.0037), (10, 0.048)):
        for n, m in ((56, 36), (72, 44)):
            maier_stein(beta, guess, n, m)
    for noise, guess in ((0.03, 4e-3), (0.02, 3.49e-4), (0.014, 8.8e-6)):
        for n, m in ((84, 50), (96, 56)):
            maier_stein(10, guess, n, m, noise, (1.7, 0.9))
    mueller_brown()
    for friction, hermite in ((0.1, 150), (0.1, 220), (0.3, 60), (0.3, 110), (1.0, 30), (1.0, 60), (10.0, 12), (10.0, 20)):
        inertia(friction, 1 / 32, 90, hermite)
    for friction in ("0.1", "0.3", "1", "10"):
        turnover(friction, "0.03125")
    for rms in (False, True):
        for nodes, every in ((400, 20), (800, 20), (1600, 20), (400, 10)):
            noise_laws(rms, nodes, every)
    for coupling in (0.1, 0.1 * 2**0.5, 0.1 * 3**0.5):
        for n, m in ((50, 30), (60, 40)):
            coupled(coupling, n, m)
    for h in (0.06, 0.055, 0.05):
        least_squares(0.1, h)
    quartic_saddle(0.005)
    for h, h_across in ((0.036, 0.036), (0.033, 0.033)):
        quartic_gap(0.008, h, h_across)
    for temperature in (0.04, 0.02):
        cusp(temperature)
