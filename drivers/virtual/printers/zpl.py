"""Reads ZPL II as a printer does: commands, fields, hexadecimal escapes, and what a scanner reads off each code.

Written from the language's own description and independent of whatever made the text. Knows no sizes and draws nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

SYMBOLOGIES = {"BX": "Data Matrix", "BC": "Code 128", "BQ": "QR"}
"""Commands that make the next field a code."""
_COMMAND = re.compile(rb"([\^~])(A.|[A-Z][A-Z0-9@]|[A-Z])", re.IGNORECASE | re.DOTALL)
_CODE_128 = {"0": ">", "<": "^", "=": "~"}
"""Invocation codes of ``^BC`` that stand for a character (``>`` begins each); `_SWITCHES` for none."""
_SWITCHES = frozenset("9:;567")
_UTF_8 = b"28"


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a label: its symbology and what a scanner reads off it."""

    symbology: str
    text: str


@dataclass(frozen=True, slots=True)
class Format:
    """One ``^XA`` to ``^XZ``: the texts people read, the codes scanners read, and how many copies it asks for."""

    texts: tuple[str, ...]
    codes: tuple[Code, ...]
    copies: int = 1


def commands(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield each command of ``data`` as its prefix and name, such as ``^FD``, and what follows up to the next one."""
    found = list(_COMMAND.finditer(data))
    ends = [*(one.start() for one in found[1:]), len(data)]
    for this, end in zip(found, ends, strict=False):
        yield (this[1] + this[2]).decode("latin-1").upper(), data[this.end() : end]


def read_format(data: bytes) -> Format:
    """Return what one format, from its ``^XA`` to its ``^XZ``, puts on a label."""
    texts: list[str] = []
    codes: list[Code] = []
    copies, encoding = 1, "cp850"
    symbology, parameters, indicator, field = "", b"", b"", None
    for name, rest in commands(data):
        rest = rest.rstrip(b"\r\n")
        if name == "^CI":
            encoding = "utf-8" if rest == _UTF_8 else "cp850"
        elif name == "^PQ":
            copies = int(rest.split(b",")[0] or b"1")
        elif name[1:] in SYMBOLOGIES:
            symbology, parameters = name[1:], rest
        elif name == "^FH":
            indicator = rest[:1] or b"_"
        elif name in ("^FD", "^FV"):
            field = (_unescaped(rest, indicator) if indicator else rest).decode(encoding, "replace")
        elif name == "^FS":
            if field is not None and symbology:
                codes.append(Code(SYMBOLOGIES[symbology], _scanned(symbology, parameters.decode("latin-1"), field)))
            elif field is not None:
                texts.append(field)
            symbology, parameters, indicator, field = "", b"", b"", None
    return Format(tuple(texts), tuple(codes), copies)


def _unescaped(data: bytes, indicator: bytes) -> bytes:
    """Replace each indicator with its two hexadecimal digits by the byte they say."""
    pattern = re.escape(indicator) + rb"([0-9A-Fa-f]{2})"
    return re.sub(pattern, lambda found: bytes([int(found[1], 16)]), data)


def _scanned(symbology: str, parameters: str, field: str) -> str:
    if symbology == "BC":
        return _code_128(field)
    if symbology == "BQ":  # error correction level, how the data come in (A: by itself), a comma
        return re.sub(r"^[HQML][AM],(?:[NAB](?:\d{4})?)?", "", field) if field[1:2] == "M" else field[3:]
    given = parameters.split(",")
    escape = given[6] if len(given) > 6 and given[6] else "~"
    return field.replace(escape + escape, escape)


def _code_128(field: str) -> str:
    read = []
    chars = iter(field)
    for char in chars:
        if char != ">":
            read.append(char)
            continue
        invoked = next(chars, "")
        read.append(_CODE_128.get(invoked, "" if invoked in _SWITCHES else "\x1d" if invoked == "8" else "?"))
    return "".join(read)
