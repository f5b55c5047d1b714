"""Sanitizes text from outside (a unit, a file, the cloud, a scanner) before it is shown or stored.

This is the one place that decides what is printable: nothing that moves a cursor, ends a line or reverses the
reading order. What replaces the rest depends on the reader.
"""

from __future__ import annotations

import json
from collections.abc import Callable


def printable(text: str, instead: str | Callable[[str], str] = "?") -> str:
    """Replace each unprintable character by ``instead``, or by the result of calling it with the character."""
    if text.isprintable():
        return text
    mark = instead if callable(instead) else lambda _: instead
    return "".join(char if char.isprintable() else mark(char) for char in text)


def escaped(text: str) -> str:
    """Replace unprintable characters by their JSON escapes, so that a JSON text keeps its meaning."""
    return printable(text, lambda char: json.dumps(char)[1:-1])
