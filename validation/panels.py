"""Integrals of functions of one variable on Gauss-Legendre panels, for the known answers (numpy only)."""
import numpy as np

ORDER = 24
NODES, WEIGHTS = np.polynomial.legendre.leggauss(ORDER)
# integrals from -1 to each node of the interpolating polynomial
VANDER = np.polynomial.legendre.legvander(NODES, ORDER)
INTEGRAL = np.array([[(VANDER[i, k + 1] - (VANDER[i, k - 1] if k else -1)) / (2 * k + 1) for k in range(ORDER)] for i in range(ORDER)])
INTEGRAL = INTEGRAL @ np.linalg.inv(VANDER[:, :ORDER])


class Panels:
    """Panels no wider than `width` with an end at each of `breaks`; functions are given at the nodes `x`."""

    def __init__(self, breaks, width):
        ends = [np.linspace(a, b, max(2, int(np.ceil((b - a) / width)) + 1)) for a, b in zip(breaks, breaks[1:])]
        self.ends = np.concatenate([e[:-1] for e in ends] + [[breaks[-1]]])
        self.half = np.diff(self.ends)[:, None] / 2
        self.x = (self.ends[:-1, None] + self.half) + self.half * NODES

    def total(self, f):
        return (f * WEIGHTS * self.half).sum()

    def from_left(self, f):
        panels = (f * WEIGHTS * self.half).sum(1)
        before = np.concatenate([[0], np.cumsum(panels)[:-1]])
        return before[:, None] + self.half * (f @ INTEGRAL.T)

    def from_right(self, f):
        f = f[::-1, ::-1]
        half = self.half[::-1]
        panels = (f * WEIGHTS * half).sum(1)
        before = np.concatenate([[0], np.cumsum(panels)[:-1]])
        return (before[:, None] + half * (f @ INTEGRAL.T))[::-1, ::-1]
