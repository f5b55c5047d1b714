"""Where each key of a TOML text stands, so that an error can name the line.

``tomllib`` gives values without positions. This scanner walks a text that ``tomllib`` has already
accepted and only notes lines; it judges nothing and yields no values.
"""

from __future__ import annotations

import re
import tomllib

Path = tuple[str | int, ...]

_TOKEN = re.compile(
    r'''"""(?:[^\\]|\\.)*?""""{0,2}|\'\'\'.*?\'\'\''{0,2}'''  # up to two quotes may stand before the closing three
    r"""|"(?:[^"\\]|\\.)*"|'[^']*'|\#[^\n]*|[ \t\r]+|[][{},=.\n]|[^][{},=.\s"'#]+""",
    re.DOTALL,
)


def key_lines(text: str) -> dict[Path, int]:
    """Return the line (from 1) of every table, key and array element of a valid TOML ``text``, by its path."""
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, int]] = []
        line = 1
        for token in _TOKEN.findall(text):
            if token[0] not in " \t\r#":
                self._tokens.append((token, line))
            line += token.count("\n")
        self._tokens.append(("", line))
        self._at = 0
        self._lines: dict[Path, int] = {}
        self._arrays: dict[Path, int] = {}  # next index of each [[array of tables]]

    def run(self) -> dict[Path, int]:
        table: Path = ()
        while self._peek("\n"):
            if self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _header(self) -> Path:
        """``[a.b]`` below ``[[a]]`` belongs to the latest element of ``a``; without any ``[a]`` it makes one."""
        brackets = 2 if self._tokens[self._at + 1][0] == "[" else 1
        self._at += brackets
        line = self._tokens[self._at][1]
        path: Path = ()
        *parents, last = self._key()
        for part in parents:
            path = (*path, part)
            self._lines.setdefault(path, line)
            if path in self._arrays:
                path = (*path, self._arrays[path] - 1)
        path = (*path, last)
        if brackets == 2:
            self._lines.setdefault(path, line)
            self._arrays[path] = self._arrays.get(path, 0) + 1
            path = (*path, self._arrays[path] - 1)
        self._lines.setdefault(path, line)
        self._at += brackets
        return path

    def _pair(self, path: Path) -> None:
        line = self._tokens[self._at][1]
        for part in self._key():
            path = (*path, part)
            self._lines.setdefault(path, line)
        self._at += 1  # "="
        self._value(path)

    def _value(self, path: Path) -> None:
        head = self._peek()
        if head not in ("[", "{"):
            while self._peek() not in (",", "]", "}", "\n", ""):
                self._at += 1
            return
        self._at += 1
        index = 0
        while self._peek("\n", ",") not in ("]", "}"):
            if head == "{":
                self._pair(path)
            else:
                self._lines.setdefault((*path, index), self._tokens[self._at][1])
                self._value((*path, index))
            index += 1
        self._at += 1

    def _key(self) -> list[str]:
        parts: list[str] = []
        while True:
            token = self._peek()
            self._at += 1
            if token[0] == '"' and "\\" in token:  # only a key with an escape has to be read for what it says
                parts.append(str(tomllib.loads(f"key = {token}")["key"]))
            else:
                parts.append(token[1:-1] if token[0] in "\"'" else token)
            if self._peek() != ".":
                return parts
            self._at += 1

    def _peek(self, *skipped: str) -> str:
        """The next token that is not ``skipped``; "" at the end."""
        while (token := self._tokens[self._at][0]) in skipped:
            self._at += 1
        return token
