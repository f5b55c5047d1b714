"""One TOML text that a person wrote: its values, and the line of each of them.

Refuses what could not be read, shown or remembered safely, before anything looks at a value. Judges no value.
"""

from __future__ import annotations

import codecs
import collections
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

from drivers.host.plain_file import read_plain

from ..errors import BadInput
from .toml_lines import Path, key_lines

MAX_BYTES = 256 * 1024
MAX_DOTS = 250
"""Dots on one line. Each makes a table inside a table: twenty thousand in one key take minutes and gigabytes."""
MAX_DEPTH = 8
MAX_KEY = 100
MAX_VALUES = 4000
"""Keys and list elements; a profile with every section and the longest lists has some hundreds."""


class Document:
    """The values of a TOML text as ``data``, its bytes as ``raw``, and where each value stands.

    Raises `BadInput` for a text that is no TOML, too large, too deep, or made of characters that cannot be shown.
    """

    def __init__(self, raw: bytes, name: str) -> None:
        self.raw, self.name = raw, name
        text = _decoded(raw, name)
        try:
            self.data = tomllib.loads(text)
        except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
            raise BadInput(f"{name}: this is not TOML: {error}; look for a missing quote or bracket there") from error
        except RecursionError as error:
            raise BadInput(f"{name}: lists nested hundreds of levels deep; is this the right file?") from error
        _check_size(self.data, name)
        self._lines = key_lines(text)
        for path, value in _walk(self.data):
            _check_text(f"{name} line {self.line(path)}", path[-1], value)

    @classmethod
    def read(cls, path: FilePath) -> Document:
        """Read the document at ``path``; raises `BadInput` when that cannot be done."""
        try:
            raw = read_plain(path, MAX_BYTES + 1)  # never more than is needed to refuse it
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise BadInput(f"{path}: cannot be read ({reason}); name an existing file") from error
        return cls(raw, str(path))

    def line(self, path: Path) -> int:
        """Return the line of ``path``, or of the nearest table around it that stands in the text."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def _walk(data: dict[str, Any]) -> Iterator[tuple[Path, object]]:
    """Yield every key and list element with its path, level by level."""
    waiting: collections.deque[tuple[Path, object]] = collections.deque([((), data)])
    while waiting:
        path, value = waiting.popleft()
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, child in inner:
            waiting.append(((*path, key), child))
            yield waiting[-1]


def _check_size(data: dict[str, Any], name: str) -> None:
    """Refuse too much before the line of each value is noted: the lines of a million keys take gigabytes."""
    for count, (path, _) in enumerate(_walk(data), 1):
        if len(path) > MAX_DEPTH:
            raise BadInput(
                f"{name}: tables or lists {len(path)} levels deep below {path[0]!r:.60}, expected at most {MAX_DEPTH};"
                " is this the right file?"
            )
        if count > MAX_VALUES:
            raise BadInput(
                f"{name}: more than {MAX_VALUES} keys and list elements, expected some dozens; is this the right file?"
            )


def _check_text(where: str, key: str | int, value: object) -> None:
    """Refuse a key or text that a terminal would obey instead of show: both are shown to people."""
    if isinstance(key, str) and len(key) > MAX_KEY:
        raise BadInput(f"{where}: a key of {len(key)} characters, expected at most {MAX_KEY}; is a quote missing?")
    for what, text in (("key", key), ("text", value)):
        if isinstance(text, str) and not (_is_shown(text) if (what, key) == ("text", "ssid") else text.isprintable()):
            raise BadInput(
                f"{where}: a {what} with characters that cannot be shown (control, invisible or right-to-left"
                " marks); write it again by hand, in plain characters"
            )


def _is_shown(name: str) -> bool:
    """Return whether a name somebody else gave does nothing to a terminal; how it looks there is its own matter."""
    return not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name)


def _decoded(raw: bytes, name: str) -> str:
    if len(raw) > MAX_BYTES:
        raise BadInput(f"{name}: {len(raw)} bytes or more, expected at most {MAX_BYTES}; is this the right file?")
    number = next((n for n, line in enumerate(raw.split(b"\n"), 1) if line.count(b".") > MAX_DOTS), None)
    if number is not None:
        raise BadInput(f"{name} line {number}: more than {MAX_DOTS} dots on one line; write one entry a line")
    if raw.startswith(codecs.BOM_UTF8):  # TOML has none, and what is wrong with line 1 nobody would see
        raise BadInput(f"{name}: begins with a byte order mark; save the file as UTF-8 without BOM")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{name}: byte {error.start} is not UTF-8 text; save the file as UTF-8") from error
