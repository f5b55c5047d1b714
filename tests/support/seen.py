"""What a person sees: a small terminal that keeps the characters on a screen, fed with what a program writes to it."""

from __future__ import annotations

import codecs
import re

_PART = re.compile(
    r"\x1b\[([0-9;:?<>=]*)[ !-/]*([@-~])|\x1b[()][0-9A-B]|\x1b[^\[(P\]]|\x1b[P\]].*?(?:\x1b\\|\x07)", re.DOTALL
)
_BEGUN = re.compile(r"\x1b(?:\[[0-9;:?<>= !-/]*|[()P\]][^\x07\x1b]*)?$")
"""A control sequence that has begun and not ended."""


class Seen:
    """The rows of a screen whose characters are one cell wide; cursor moves and erasures are what Textual writes."""

    def __init__(self, columns: int, rows: int) -> None:
        self._columns = columns
        self._cells = [[" "] * columns for _ in range(rows)]
        self._row = self._column = 0
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""

    def __str__(self) -> str:
        return "\n".join("".join(row).rstrip() for row in self._cells)

    def feed(self, data: bytes) -> None:
        text = self._rest + self._decode(data)
        begun = _BEGUN.search(text)
        cut = begun.start() if begun else len(text)
        self._rest, at = text[cut:], 0
        for part in _PART.finditer(text[:cut]):
            self._write(text[at : part.start()])
            self._control(part[1] or "", part[2] or "")
            at = part.end()
        self._write(text[at:cut])

    def _write(self, text: str) -> None:
        for character in text:
            if character == "\r":
                self._column = 0
            elif character == "\n":
                self._row = min(self._row + 1, len(self._cells) - 1)
            elif character >= " " and self._column < self._columns:
                self._cells[self._row][self._column] = character
                self._column += 1

    def _control(self, words: str, name: str) -> None:
        numbers = [int(word) for word in words.split(";") if word.isdigit()]
        if name == "H":
            row, column = (*numbers, 1, 1)[:2] if len(numbers) != 1 else (numbers[0], 1)
            self._row, self._column = min(row, len(self._cells)) - 1, min(column, self._columns) - 1
        elif name == "J" or (name == "h" and words == "?1049"):
            self._cells = [[" "] * self._columns for _ in self._cells]
