"""From what a user hands over to the text of a TOML document."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Union

import numpy as np
import tomli_w

Source = Union[str, os.PathLike, Mapping[str, Any], "HasDocument"]


class HasDocument:
    """What stands for a document."""

    def document(self) -> dict[str, Any]:
        raise NotImplementedError


def text_of(source: Source) -> str:
    """The TOML text of a file, a text, a mapping or a problem; a line without ``=`` is the name of a file."""
    if isinstance(source, HasDocument):
        source = source.document()
    if isinstance(source, Mapping):
        return tomli_w.dumps(plain(source))
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(f"a path, a TOML text, a dict or a problem is needed, not {type(source).__name__}")
    is_text = isinstance(source, str) and ("\n" in source or "=" in source)
    try:
        if is_text and not ("\n" not in source and Path(source).is_file()):
            return source
        return Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{source}: {error.strerror} (os error {error.errno})") from None


def plain(value: Any) -> Any:
    """Arrays, tuples and paths as TOML has them; keys whose value is ``None`` are left out."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, (list, tuple, range)):
        return [plain(entry) for entry in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "__array__"):
        return plain(np.asarray(value))
    return value


@contextmanager
def without_lines(source: Source):
    """Errors about a document that has no lines of its own do not name any."""
    try:
        yield
    except ValueError as error:
        if isinstance(source, (str, os.PathLike)):
            raise
        raise ValueError(re.sub(r" \(line \d+\)$", "", str(error))) from None
