"""The same problem over some values of one or two of its keys."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import tomli_w
import xarray as xr

from . import _freezeout
from .documents import Source, plain, text_of, without_lines
from .results import tree
from .running import run


def sweep(
    problem: Source,
    over: Mapping[str, Sequence[Any]],
    *,
    map: Callable[..., Iterable[Any]] = builtins.map,
    threads: int | None = None,
    progress: Any = None,
) -> xr.DataTree:
    """Repeats a problem over values of keys and stacks the results along the dimensions ``swept_KEY``, the first key outermost.

    The result is that of ``[[sweep]]`` sections in the program, bit by bit: each cell has a seed of its own, unless the problem says ``shared_seed``, however and wherever it is run.

    >>> import freezeout
    >>> line = freezeout.sweep('name = "gaps"\\n[slices]\\ny = [5.0]\\n', {"landscape.y_b": [30.0, 40.0]})
    >>> dict(line["slices"].sizes)["swept_landscape_y_b"]
    2

    :param over: values by dotted key, such as ``{"noise.strength": [0.05, 0.1]}``; one key or two
    :param map: ``pool.map`` of ``multiprocessing``, ``executor.map`` of ``concurrent.futures``, ``client.map`` of Dask, or any other function that applies
        a function to each of a list, in its order
    :param threads: threads a cell for another ``map``, one unless given; in all for the built-in one
    :param progress: as :func:`freezeout.run`, with the built-in ``map``
    :raises ValueError: as :func:`freezeout.run`; a key that does not exist is named with the nearest one that does
    """
    sections = [{"parameter": key, "values": plain(list(values))} for key, values in over.items()]
    text = text_of(problem) + "\n" + tomli_w.dumps({"sweep": sections})
    with without_lines({}):
        if map is builtins.map:
            return run(text, threads=threads, progress=progress)
        cells = _freezeout.cells(text)
        done = [_result(cell) for cell in map(partial(_run_cell, threads=threads or 1), cells)]
        return tree(_freezeout.stacked(text, done))


def _run_cell(text: str, threads: int) -> bytes:
    return _freezeout.run_cell(text, threads)


def _result(cell: Any) -> bytes:
    """What a future holds, or the result itself."""
    return cell.result() if hasattr(cell, "result") else cell
