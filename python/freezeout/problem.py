"""A task with what it is about."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, ClassVar

import xarray as xr

from . import _freezeout, running
from .documents import HasDocument, plain, text_of, without_lines
from .generators import Generator


class Problem(HasDocument):
    """A task with what it is about; its classes are made from the schema.

    Keywords are the keys of the section of the task, and the sections ``landscape``, ``noise``, ``sgd``, ``region`` as mappings, ``name``, ``seed`` and ``shared_seed``.
    Other tasks may be asked of the same problem, each under its name. Keys and types are checked at once, values by :meth:`check` and :meth:`run`.

    :raises ValueError: with the text of the program, such as ``escape.cels: unknown key; did you mean "cells"?``
    """

    #: Section of the task, its keys, and the names of all sections.
    section: ClassVar[str]
    keys: ClassVar[frozenset[str]]
    sections: ClassVar[frozenset[str]]

    def __init__(self, **keywords: Any) -> None:
        own: dict[str, Any] = {}
        self._document: dict[str, Any] = {"name": self.section}
        for key, value in keywords.items():
            place = self._document if key not in self.keys and key in self.sections else own
            place[key] = value
        self._document[self.section] = own
        self._document = plain(self._document)
        with without_lines(self):
            _freezeout.parse_only(text_of(self))

    def document(self) -> dict[str, Any]:
        """The problem as the mapping that the TOML document is."""
        return deepcopy(self._document)

    def to_toml(self) -> str:
        """The problem as a configuration of the program."""
        return text_of(self)

    def check(self, *, threads: int | None = None) -> str:
        """As :func:`freezeout.check`."""
        return running.check(self, threads=threads)

    def run(self, *, threads: int | None = None, progress: bool | running.Progress | None = None) -> xr.DataTree:
        """As :func:`freezeout.run`."""
        return running.run(self, threads=threads, progress=progress)

    def __repr__(self) -> str:
        return f"<freezeout.{type(self).__name__}>\n{self.to_toml()}"


class WithGenerator(Problem):
    """A problem whose generator can be had as a matrix."""

    def generator(self, *, parts: int = 1) -> Generator:
        """The generator on the grid whose cells are ``cells`` cut into ``parts``, as :class:`freezeout.Generator`."""
        with without_lines(self):
            return Generator(_freezeout.generator(text_of(self), parts))
