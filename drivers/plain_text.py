"""Text from outside - a unit, a file, the cloud, a scanner - made harmless before anybody shows or stores it.

What may be shown is one question, answered here: nothing that moves a cursor, ends a line or turns the reading order.
What stands in place of the rest depends on who reads it.
"""

from __future__ import annotations

import json
from collections.abc import Callable


def printable(text: str, instead: str | Callable[[str], str] = "?") -> str:
    """Put ``instead``, or what it makes of the character, for each one that cannot be shown."""
    if text.isprintable():
        return text
    mark = instead if callable(instead) else lambda _: instead
    return "".join(char if char.isprintable() else mark(char) for char in text)


def escaped(text: str) -> str:
    """Write what cannot be shown as the escapes of JSON, so that a JSON text still says the same."""
    return printable(text, lambda char: json.dumps(char)[1:-1])
