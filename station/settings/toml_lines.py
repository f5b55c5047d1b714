"""Where each key of a TOML text stands, so that an error can name the line.

``tomllib`` gives values without positions. This scanner walks a text that ``tomllib`` has already
accepted and only notes lines; it judges nothing and yields no values.
"""

from __future__ import annotations

import tomllib

Path = tuple[str | int, ...]

_QUOTES = ('"""', "'''", '"', "'")


def key_lines(text: str) -> dict[Path, int]:
    """Line (from 1) of every table, key and array element of a valid TOML ``text``, by its path."""
    return _Scanner(text).run()


def _unquoted(key: str) -> str:
    """What a quoted key says; only one with an escape has to be read for it."""
    if key.startswith('"') and "\\" in key:
        return str(tomllib.loads(f"key = {key}")["key"])
    return key[1:-1]


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._at = 0
        self._lines: dict[Path, int] = {}
        self._arrays: dict[Path, int] = {}  # next index of each [[array of tables]]

    def run(self) -> dict[Path, int]:
        table: Path = ()
        self._skip_blank()
        while self._peek():
            if self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip_blank()
        return self._lines

    # --- statements ---

    def _header(self) -> Path:
        is_array = self._text.startswith("[[", self._at)
        line = self._line()
        self._at += 2 if is_array else 1
        path = self._resolve(self._key(), line)
        if is_array:
            index = self._arrays.get(path, 0)
            self._arrays[path] = index + 1
            self._note(path, line)
            path = (*path, index)
        self._note(path, line)
        self._at += 2 if is_array else 1
        return path

    def _resolve(self, key: tuple[str, ...], line: int) -> Path:
        """``[a.b]`` below ``[[a]]`` belongs to the latest element of ``a``; without any ``[a]`` it makes one."""
        path: Path = ()
        for part in key[:-1]:
            path = (*path, part)
            self._note(path, line)
            if path in self._arrays:
                path = (*path, self._arrays[path] - 1)
        return (*path, key[-1])

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = table
        for part in self._key():
            path = (*path, part)
            self._note(path, line)
        self._at += 1  # "="
        self._skip_space()
        self._value(path)

    def _value(self, path: Path) -> None:
        head = self._peek()
        if head == "[":
            self._array(path)
        elif head == "{":
            self._inline_table(path)
        elif head in "\"'":
            self._string()
        else:
            while self._peek() and self._peek() not in ",]}#\n":
                self._at += 1

    def _array(self, path: Path) -> None:
        self._at += 1
        index = 0
        self._skip_blank()
        while self._peek() != "]":
            self._note((*path, index), self._line())
            self._value((*path, index))
            index += 1
            self._skip_blank(",")
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        self._skip_blank()
        while self._peek() != "}":
            self._pair(path)
            self._skip_blank(",")
        self._at += 1

    # --- words ---

    def _key(self) -> tuple[str, ...]:
        parts: list[str] = []
        while True:
            self._skip_space()
            start = self._at
            if self._peek() in "\"'":
                self._string()
                parts.append(_unquoted(self._text[start : self._at]))
            else:
                while self._peek() not in " \t.=]":
                    self._at += 1
                parts.append(self._text[start : self._at])
            self._skip_space()
            if self._peek() != ".":
                return tuple(parts)
            self._at += 1

    def _string(self) -> None:
        quote = next(q for q in _QUOTES if self._text.startswith(q, self._at))
        self._at += len(quote)
        while not self._text.startswith(quote, self._at):
            self._at += 2 if quote[0] == '"' and self._peek() == "\\" else 1
        self._at += len(quote)
        while len(quote) == 3 and self._peek() == quote[0]:  # a quote may stand before the closing three
            self._at += 1

    def _skip_space(self) -> None:
        while self._peek() and self._peek() in " \t":
            self._at += 1

    def _skip_blank(self, also: str = "") -> None:
        """Skip white space, newlines, comments and the characters of ``also``."""
        while self._peek() and (self._peek() in " \t\r\n#" or self._peek() in also):
            if self._peek() == "#":
                while self._peek() and self._peek() != "\n":
                    self._at += 1
            else:
                self._at += 1

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

    def _note(self, path: Path, line: int) -> None:
        self._lines.setdefault(path, line)
