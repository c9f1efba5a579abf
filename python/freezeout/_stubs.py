"""Writes ``problems.pyi`` from the schema: ``python -m freezeout._stubs``."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from . import problems as made

_TYPES = {"number": "float", "integer": "int", "string": "str", "boolean": "bool", "null": "None", "object": "Mapping[str, Any]"}

_HEAD = '''"""Made from the schema of configurations by ``python -m freezeout._stubs``."""

from collections.abc import Mapping, Sequence
from typing import Any

from .problem import Problem, WithGenerator

SHARED: tuple[str, ...]

def schema() -> dict[str, Any]: ...
'''


def _type(schema: Any, root: dict[str, Any]) -> str:
    """The annotation of a value."""
    if not isinstance(schema, dict):
        return "Any"
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " | ".join(dict.fromkeys(_type(choice, root) for choice in choices))
    if "enum" in schema or "const" in schema:
        return "str"
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    names = [f"Sequence[{_type(schema.get('items'), root)}]" if kind == "array" else _TYPES[kind] for kind in kinds]
    return " | ".join(dict.fromkeys(names)) or "Any"


def problems() -> str:
    """The text of ``problems.pyi``."""
    root = made.schema()
    names = "".join(f"    {name!r},\n" for name in made.__all__).replace("'", '"')
    parts = [_HEAD, f"__all__ = [\n{names}]\n"]
    for name in made.__all__:
        problem = getattr(made, name)
        keys = made._resolved(root["properties"][problem.section], root)["properties"]
        lines = [f"class {name}({problem.__base__.__name__}):", "    def __init__(", "        self,", "        *,"]
        for key, parameter in inspect.signature(problem).parameters.items():
            shared = root["properties"].get(key) if key in made.SHARED else None
            kind = _type(keys[key] if shared is None else shared, root)
            default = "" if parameter.default is inspect.Parameter.empty else " = ..."
            lines.append(f"        {key}: {kind}{default},")
        lines += ["        **other_tasks: Mapping[str, Any],", "    ) -> None: ..."]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    (Path(__file__).parent / "problems.pyi").write_text(problems())
