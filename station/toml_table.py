"""Reading a TOML file key by key: a typed value, or one sentence that says what to write instead.

Every refusal names file, line, table and key, what was expected and what was found. A value that
stands where a secret might stand is never repeated.
"""

from __future__ import annotations

import collections
import difflib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any, NoReturn

from .errors import BadInput
from .plain_file import read_plain
from .toml_lines import Path, key_lines

MAX_BYTES = 256 * 1024
MAX_DOTS = 250
"""Dots on one line. Each makes a table inside a table: twenty thousand in one key take minutes and gigabytes."""
MAX_DEPTH = 8
MAX_KEY = 100
MAX_VALUES = 4000
"""Keys and list elements; a profile with every section and the longest lists has some hundreds."""
_KIND_NAMES: dict[type, str] = {
    str: "a text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list in [ ]",
    dict: "a table",
}


class Document:
    """One TOML text with the lines of its keys."""

    def __init__(self, raw: bytes, name: str) -> None:
        self.name = name
        text = _decoded(raw, name)
        try:
            self._data = tomllib.loads(text)
        except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
            raise BadInput(f"{name}: this is not TOML: {error}; look for a missing quote or bracket there") from error
        except RecursionError as error:
            raise BadInput(f"{name}: lists nested hundreds of levels deep; is this the right file?") from error
        _check_size(self._data, name)
        self._lines = key_lines(text)
        _check_texts(self)

    @classmethod
    def read(cls, path: FilePath) -> tuple[Document, bytes]:
        """The document at ``path`` and its bytes; raises `BadInput` when it cannot be read."""
        try:
            raw = read_plain(path, MAX_BYTES + 1)  # never more than is needed to refuse it
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise BadInput(f"{path}: cannot be read ({reason}); name an existing file") from error
        return cls(raw, str(path)), raw

    @property
    def root(self) -> Table:
        return Table(self, (), self._data)

    def walk(self) -> Iterator[tuple[Path, object]]:
        """Every key and list element with its path, in the order of the levels."""
        return _walk(self._data)

    def line(self, path: Path) -> int:
        """Line of ``path``, or of the nearest table around it that stands in the text."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def _walk(data: dict[str, Any]) -> Iterator[tuple[Path, object]]:
    waiting: collections.deque[tuple[Path, object]] = collections.deque([((), data)])
    while waiting:
        path, value = waiting.popleft()
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, child in inner:
            waiting.append(((*path, key), child))
            yield waiting[-1]


def _check_size(data: dict[str, Any], name: str) -> None:
    """Before anything is noted of each value: the lines of a million keys take gigabytes."""
    for count, (path, _) in enumerate(_walk(data), 1):
        if len(path) > MAX_DEPTH:
            raise BadInput(
                f"{name}: tables or lists {len(path)} levels deep below {shown(path[0])}, expected at most {MAX_DEPTH};"
                " is this the right file?"
            )
        if count > MAX_VALUES:
            raise BadInput(
                f"{name}: more than {MAX_VALUES} keys and list elements, expected some dozens; is this the right file?"
            )


def _check_texts(document: Document) -> None:
    """Keys and texts are shown to people: what a terminal would obey instead of show has no place in them."""
    for path, value in document.walk():
        where, key = f"{document.name} line {document.line(path)}", path[-1]
        if isinstance(key, str) and len(key) > MAX_KEY:
            raise BadInput(f"{where}: a key of {len(key)} characters, expected at most {MAX_KEY}; is a quote missing?")
        for what, text in (("key", key), ("text", value)):
            if isinstance(text, str) and not text.isprintable():
                raise BadInput(
                    f"{where}: a {what} with characters that cannot be shown (control, invisible or right-to-left"
                    " marks); write it again by hand, in plain characters"
                )


def _decoded(raw: bytes, name: str) -> str:
    if len(raw) > MAX_BYTES:
        raise BadInput(f"{name}: {len(raw)} bytes or more, expected at most {MAX_BYTES}; is this the right file?")
    number = next((n for n, line in enumerate(raw.split(b"\n"), 1) if line.count(b".") > MAX_DOTS), None)
    if number is not None:
        raise BadInput(f"{name} line {number}: more than {MAX_DOTS} dots on one line; write one entry a line")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{name}: byte {error.start} is not UTF-8 text; save the file as UTF-8") from error


class Table:
    """One table of a document. Ask for every key it may hold, then call `finish`."""

    def __init__(self, document: Document, path: Path, data: dict[str, Any]) -> None:
        self._document, self._path, self._data = document, path, data
        self._asked: list[str] = []

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self._data)

    def has(self, key: str) -> bool:
        self._ask(key)
        return key in self._data

    def refuse(self, key: str, expected: str, advice: str, *, found: str = "") -> NoReturn:
        """Raise the sentence: file, line, table, key, expected, found, what to write instead."""
        document, path = self._document, ((*self._path, key) if key else self._path)
        where = f"{document.name} line {document.line(path)}, {self._label(key)}"
        raise BadInput(f"{where}: expected {expected}{f', found {found}' if found else ''}; {advice}")

    def text(
        self, key: str, wanted: str, example: str, *, pattern: str = r"[^\x00-\x1f\x7f]{1,200}", secret: bool = False
    ) -> str:
        """A required text that ``pattern`` matches whole; ``secret``: never repeat what was found."""
        value = self._value(key, str, wanted, example)
        if not re.fullmatch(pattern, value):
            self.refuse(key, wanted, f"write {key} = {example}", found="" if secret else shown(value))
        return str(value)

    def text_or(self, key: str, default: str, wanted: str, example: str, *, pattern: str) -> str:
        """As `text`, or ``default`` when the key is absent."""
        return self.text(key, wanted, example, pattern=pattern) if self.has(key) else default

    def integer(self, key: str, low: int, high: int, example: str) -> int:
        wanted = f"a whole number from {low} to {high}"
        value = self._value(key, int, wanted, example)
        if not low <= value <= high:
            self.refuse(key, wanted, f"write {key} = {example}", found=shown(value))
        return int(value)

    def seconds(self, key: str, default: float, low: float, high: float) -> float:
        """Seconds as a whole or decimal number, ``default`` when absent."""
        if not self.has(key):
            return default
        wanted = f"seconds from {low:g} to {high:g}"
        value = self._data[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.refuse(key, wanted, f"write {key} = {default:g}", found=shown(value))
        return float(value)

    def flag(self, key: str, default: bool) -> bool:
        if not self.has(key):
            return default
        return bool(self._value(key, bool, "true or false", str(default).lower()))

    def choice(self, key: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """One of ``choices``; required unless there is a ``default``."""
        if default is not None and not self.has(key):
            return default
        wanted = "one of " + ", ".join(f'"{choice}"' for choice in choices)
        value = self._value(key, str, wanted, f'"{choices[0]}"')
        if value not in choices:
            close = difflib.get_close_matches(value, choices, 1, 0.5) or [choices[0]]
            self.refuse(key, wanted, f'write {key} = "{close[0]}"', found=shown(value))
        return str(value)

    def items(self, key: str, wanted: str, example: str, *, at_most: int = 64) -> tuple[Any, ...]:
        """A required list of 1 to ``at_most`` values of any kind; the caller judges each of them."""
        value = self._value(key, list, wanted, example)
        if not 1 <= len(value) <= at_most:
            self.refuse(key, f"{wanted}, 1 to {at_most} of them", f"write {key} = {example}", found=str(len(value)))
        return tuple(value)

    def table(self, key: str) -> Table | None:
        """The table ``key``, None when absent."""
        if not self.has(key):
            return None
        value = self._value(key, dict, f"a table [{key}]", "...")
        return Table(self._document, (*self._path, key), value)

    def empty(self, key: str) -> Table:
        """A table ``key`` without keys, for a section that may be left out."""
        return Table(self._document, (*self._path, key), {})

    def tables(self, key: str, wanted: str, example: str, *, at_most: int = 64) -> tuple[Table, ...]:
        """The tables of a list: ``[[key]]`` sections, ``[{...}, {...}]``, or a single ``[key]`` section."""
        if not self.has(key):
            return ()
        if isinstance(self._data[key], dict):
            return (Table(self._document, (*self._path, key), self._data[key]),)
        found: list[Table] = []
        for index, value in enumerate(self.items(key, wanted, example, at_most=at_most)):
            if not isinstance(value, dict):
                self.refuse(key, wanted, f"write {key} = {example}", found=shown(value))
            found.append(Table(self._document, (*self._path, key, index), value))
        return tuple(found)

    def finish(self) -> None:
        """Refuse keys nobody asked for, with the nearest known name."""
        for key in self._data:
            if key not in self._asked:
                close = difflib.get_close_matches(key, self._asked, 1, 0.6)
                known = ", ".join(sorted(self._asked))
                advice = f"write {close[0]}" if close else "remove it"
                self.refuse(key, f"only the keys {known}" if known else "no keys here", advice, found="this one")

    def _ask(self, key: str) -> None:
        if key not in self._asked:
            self._asked.append(key)

    def _value(self, key: str, kind: type, wanted: str, example: str) -> Any:
        advice = f"write {key} = {example}" if kind is not dict else f"write a line [{key}]"
        if not self.has(key):
            self.refuse(key, wanted, advice, found="nothing")
        value = self._data[key]
        if type(value) is not kind:
            self.refuse(key, f"{wanted} ({_KIND_NAMES[kind]})", advice, found=_kind(value))
        return value

    def _label(self, key: str) -> str:
        names = [str(part + 1) if isinstance(part, int) else part for part in self._path]
        return " ".join(part for part in (f"[{'.'.join(names)}]" if names else "", key) if part) or "top of the file"


def _kind(value: object) -> str:
    return _KIND_NAMES.get(type(value), f"a {type(value).__name__}")


def shown(value: object) -> str:
    """``value`` as a refusal repeats it: at most 60 characters."""
    try:
        text = repr(value)
    except ValueError:  # a number of thousands of digits
        return "a number without end"
    return text if len(text) <= 60 else f"{text[:57]}..."
