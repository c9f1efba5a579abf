"""A class for each task, made from the JSON schema of configurations: the keys of its section are its keywords."""

from __future__ import annotations

import inspect
import json
from typing import Any

from . import _freezeout
from .problem import Problem, WithGenerator

#: Keys that mean the same for every task.
SHARED = ("name", "seed", "shared_seed", "landscape", "noise", "sgd", "region")


def schema() -> dict[str, Any]:
    """The JSON schema of a configuration (draft 2020-12), as ``freezeout schema`` prints it."""
    return json.loads(_freezeout.schema())


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
        (WithGenerator if section == "escape" else Problem,),
        {
            "__doc__": f"``[{section}]``: {about}\n\n" + "\n".join(lines),
            "__module__": __name__,
            "__signature__": inspect.Signature(parameters),
            "section": section,
            "keys": _KEYS[section],
            "sections": _TOP,
        },
    )


_ROOT = schema()
_TOP = frozenset(_ROOT["properties"])
_TASKS = [section for section in _ROOT["properties"] if section not in (*SHARED, "sweep")]
_KEYS = {section: frozenset(_resolved(_ROOT["properties"][section], _ROOT)["properties"]) for section in _TASKS}
_CLASSES = [_class(section, _ROOT) for section in _TASKS]
globals().update({made.__name__: made for made in _CLASSES})
__all__ = [made.__name__ for made in _CLASSES]  # noqa: PLE0605, made from the schema
