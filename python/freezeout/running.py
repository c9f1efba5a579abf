"""Running a document in memory."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Optional, Union

import xarray as xr

from . import _freezeout
from .documents import Source, text_of, without_lines
from .results import tree

Progress = Callable[[str, Optional[int], Optional[int]], None]


def run(
    problem: Source, *, threads: int | None = None, progress: Union[bool, Progress, None] = None
) -> xr.DataTree:
    """Runs a problem and returns its result: one node a group, one variable a record.

    The numbers are those that the program writes, bit by bit and on any number of threads. Variables carry the attributes of the CF conventions,
    ``units`` and ``long_name``; in ``measured_in`` what a pure number measures in the model, ``symbol``, in ``missing`` the meaning of NaN, and in
    ``ancillary_variables`` the name of the variable that holds their error. The GIL is free meanwhile; Ctrl-C
    returns at once, and the work ends at its next report of progress.

    :param problem: a path, a TOML text, a ``dict`` or a problem such as :class:`freezeout.Escape`
    :param threads: as many as there are cores unless given
    :param progress: ``True`` for bars (needs tqdm), or a function of a label, the units of work done and their total; the last two are ``None`` for a
        line that the user should read
    :raises ValueError: for what other input can mend, with the text of the program
    :raises RuntimeError: when a computation fails
    """
    text = text_of(problem)
    bars = _Bars() if progress is True else None
    told = bars or (progress if callable(progress) else _only_notes)
    with without_lines(problem):
        try:
            result = _freezeout.run(text, threads, told)
        finally:
            if bars:
                bars.close()
    return tree(result)


def check(problem: Source, *, threads: int | None = None) -> str:
    """Checks a problem completely and says what a run will need in time and memory, without running it.

    :raises ValueError: as :func:`run`
    """
    with without_lines(problem):
        return _freezeout.check(text_of(problem), threads)


def _only_notes(label: str, done: int | None, total: int | None) -> None:
    if total is None:
        warnings.warn(label, stacklevel=3)


class _Bars:
    """A tqdm bar a part of the work."""

    def __init__(self) -> None:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            raise ImportError("progress=True needs tqdm: pip install tqdm") from None
        self.tqdm = tqdm
        self.bars: dict[tuple[str, int], Any] = {}

    def __call__(self, label: str, done: int | None, total: int | None) -> None:
        if total is None:
            self.tqdm.write(label)
            return
        if (label, total) not in self.bars:
            self.bars[label, total] = self.tqdm(desc=label, total=total)
        bar = self.bars[label, total]
        bar.update(max(0, (done or 0) - bar.n))

    def close(self) -> None:
        for bar in self.bars.values():
            bar.close()
