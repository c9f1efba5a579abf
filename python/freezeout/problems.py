"""A class for each task, made from the JSON schema of configurations: the keys of its section are its keywords."""

from __future__ import annotations

import inspect
import json
from typing import Any

from . import _freezeout
from .documents import HasDocument, plain, text_of, without_lines

#: Keys that mean the same for every task.
SHARED = ("name", "seed", "landscape", "noise", "sgd", "region")


def schema() -> dict[str, Any]:
    """The JSON schema of a configuration (draft 2020-12), as ``freezeout schema`` prints it."""
    return json.loads(_freezeout.schema())


class Problem(HasDocument):
    """A task with what it is about; its classes are made from the schema.

    Keywords are the keys of the section of the task, and the sections ``landscape``, ``noise``, ``sgd``, ``region`` as mappings, ``name`` and ``seed``.
    Other tasks may be asked of the same problem, each under its name. Keys and types are checked at once, values by :meth:`check` and :meth:`run`.

    :raises ValueError: with the text of the program, such as ``escape.cels: unknown key; did you mean "cells"?``
    """

    #: Section of the task.
    section: str

    def __init__(self, **keywords: Any) -> None:
        own = {}
        self._document: dict[str, Any] = {"name": self.section}
        for key, value in keywords.items():
            place = self._document if key not in _KEYS[self.section] and key in _TOP else own
            place[key] = value
        self._document[self.section] = own
        self._document = plain(self._document)
        with without_lines(self):
            _freezeout.parse_only(text_of(self))

    def document(self) -> dict[str, Any]:
        """The problem as the mapping that the TOML document is."""
        return dict(self._document)

    def to_toml(self) -> str:
        """The problem as a configuration of the program."""
        return text_of(self)

    def check(self, *, threads: int | None = None) -> str:
        """As :func:`freezeout.check`."""
        from .running import check

        return check(self, threads=threads)

    def run(self, *, threads: int | None = None, progress: Any = None):
        """As :func:`freezeout.run`."""
        from .running import run

        return run(self, threads=threads, progress=progress)

    def __repr__(self) -> str:
        return f"<freezeout.{type(self).__name__}>\n{self.to_toml()}"


class _WithGenerator:
    def generator(self, *, parts: int = 1):
        """The generator on the grid whose cells are ``cells`` cut into ``parts``, as :class:`freezeout.Generator`."""
        from .generators import Generator

        with without_lines(self):
            return Generator(_freezeout.generator(text_of(self), parts))


def _resolved(schema_of: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """The schema behind references and an optional value."""
    for choice in schema_of.get("anyOf", []):
        if "$ref" in choice:
            schema_of = choice
    name = schema_of.get("$ref", "").rsplit("/", 1)[-1]
    return root["$defs"][name] if name else schema_of


def _class(section: str, root: dict[str, Any]) -> type[Problem]:
    keys = _resolved(root["properties"][section], root)
    required = keys.get("required", [])
    kind = inspect.Parameter.KEYWORD_ONLY
    parameters, lines = [], []
    for key in sorted(keys["properties"], key=lambda key: key not in required):
        default = inspect.Parameter.empty if key in required else keys["properties"][key].get("default")
        parameters.append(inspect.Parameter(key, kind, default=default))
        lines.append(f":param {key}: {keys['properties'][key].get('description', '')}")
    for key in SHARED:
        parameters.append(inspect.Parameter(key, kind, default=None))
        about = root["properties"][key].get("description") or _resolved(root["properties"][key], root).get("description", "")
        lines.append(f":param {key}: {about}")
    name = "".join(part.capitalize() for part in section.split("_"))
    about = root["properties"][section].get("description", "")
    return type(
        name,
        (_WithGenerator, Problem) if section == "escape" else (Problem,),
        {
            "__doc__": f"``[{section}]``: {about}\n\n" + "\n".join(lines),
            "__module__": __name__,
            "__signature__": inspect.Signature(parameters),
            "section": section,
        },
    )


_ROOT = schema()
_TOP = frozenset(_ROOT["properties"])
_TASKS = [section for section in _ROOT["properties"] if section not in (*SHARED, "sweep")]
_KEYS = {section: frozenset(_resolved(_ROOT["properties"][section], _ROOT)["properties"]) for section in _TASKS}
_CLASSES = [_class(section, _ROOT) for section in _TASKS]
globals().update({made.__name__: made for made in _CLASSES})
__all__ = [made.__name__ for made in _CLASSES]  # noqa: PLE0605, made from the schema
