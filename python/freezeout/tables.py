"""Problems from arrays: a loss and a covariance on a grid, sections along training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def from_tables(
    axes: Mapping[str, Any],
    loss: Any,
    covariance: Any = None,
    *,
    strength: float = 1.0,
    time: Any = None,
    domain: Sequence[Sequence[float]] | None = None,
) -> dict[str, Any]:
    """Keywords for a problem on tables, interpolated by smooth splines; the numbers become part of the document, so that it can be sent, swept and kept.

    >>> import freezeout, numpy
    >>> x = numpy.linspace(-2, 2, 81)
    >>> tables = freezeout.from_tables({"x": x}, (x**2 - 1)**2/4, numpy.full_like(x, 0.1))
    >>> well = freezeout.Escape(
    ...     **tables, cells=200, start={"ball": {"centre": [-1.0], "radius": 0.0}}, target={"expression": "x > 1"}
    ... )

    :param axes: positions by name of the variable, ascending; for :class:`freezeout.Freezing` the fast one first and the slow one second
    :param loss: L on the grid of the axes, the first axis first
    :param covariance: C of the gradient of one sample on the same grid: an array for the entry xx, or a list of three for xx, xy, yy; xx alone in two
        variables is noise along the first of them only. Left out, ``noise`` must be given beside the tables
    :param strength: factor on the covariance
    :param time: training time t = ηk at the positions of the last axis, ascending, which makes ``clock`` of :class:`freezeout.Freezing`
    :param domain: ends along each axis; those of the axes unless given
    """
    names = list(axes)
    positions = [np.asarray(axes[name], dtype=float) for name in names]
    made: dict[str, Any] = {
        "landscape": {"variables": names, "table": {"loss": np.asarray(loss, dtype=float), "axes": positions}},
        "region": {"domain": [[p[0], p[-1]] for p in positions] if domain is None else domain},
    }
    if covariance is not None:
        entries = covariance if isinstance(covariance, (list, tuple)) else [covariance]
        entries = [np.asarray(entry, dtype=float) for entry in entries]
        made["noise"] = {"table": {"entries": entries, "axes": positions, "strength": strength}}
    if time is not None:
        made["clock"] = {"position": positions[-1], "time": np.asarray(time, dtype=float)}
    return made
