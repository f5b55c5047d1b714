"""Says in words what a unit answered, for a person who reads the wire: no secret, and no value of a variable."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping

from ..plain_text import printable

MAX_WORDS = 240
_NAMES = ("ssid", "name", "function", "interface")
"""What names one of several things, the first that it has."""


def in_words(value: object) -> str:
    """Return an answer as one line of at most `MAX_WORDS` characters: ``ok`` for one that holds nothing.

    Of several things only the names are told: a value of the environment may be anybody's password.
    """
    text = printable(_told(value), " ")
    return text if len(text) <= MAX_WORDS else f"{text[: MAX_WORDS - 4].rpartition(' ')[0]} ..."


def _told(value: object) -> str:
    match value:
        case None:
            return "ok"
        case bool():
            return "yes" if value else "no"
        case enum.Enum():
            return value.name.lower().replace("_", " ")
        case bytes():
            return f"{len(value)} bytes"
        case dict():
            return f"{len(value)} values" + (f": {', '.join(map(str, value))}" if value else "")
        case tuple() if names := getattr(type(value), "_fields", ()):
            return _of_fields(dict(zip(names, value, strict=True)))
        case list() | tuple() | set() | frozenset():
            names = ", ".join(filter(None, map(_name, value)))
            return f"{len(value)}{': ' if names else ''}{names}" if value else "none"
        case _ if dataclasses.is_dataclass(value) and type(value).__str__ is object.__str__:
            return _of_fields({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
        case _:
            return str(value)


def _of_fields(told: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {_told(one)}" for name, one in told.items() if one not in (None, "", ()))


def _name(thing: object) -> str:
    if isinstance(thing, str | int) and not isinstance(thing, bool):
        return str(thing)
    found = next((getattr(thing, name) for name in _NAMES if getattr(thing, name, None) not in (None, "")), None)
    return "" if found is None else _told(found)
