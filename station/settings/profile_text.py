"""Writes a profile as a careful person would: each key with a comment, which is what its section says of it.

Values in, a text out. Judges no value: the text is to be read back.
"""

from __future__ import annotations

import enum
import inspect
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic.fields import FieldInfo

from .sections import Section, fields_of, in_toml, innermost

_WIDTH = 118


def commented(model: type[Section], values: Mapping[str, Any], heads: Sequence[str]) -> str:
    """Return the TOML text of ``values``: keys at the top, then a table for each mapping, every key explained.

    ``heads``: the comment it begins with, a line each.
    """
    top = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    lines = [*_comment(heads), "", *_keys(model, top)]
    for name, table in values.items():
        if isinstance(table, Mapping):
            section = innermost(fields_of(model)[name].annotation)
            assert issubclass(section, Section)
            about = (inspect.getdoc(section) or "").partition("\n\n")[0].replace("\n", " ")
            lines += ["", f"[{name}]", *_comment([about]), *_keys(section, table)]
    return "\n".join(lines) + "\n"


def _keys(section: type[Section], values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        about = _about(fields_of(section)[key])
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            yield from (*_comment([about]), f"{key} = [", *(f"    {in_toml(one)}," for one in value), "]")
        elif len(line := f"{key} = {in_toml(value)} # {about}") <= _WIDTH:
            yield line
        else:
            yield from (*_comment([about]), f"{key} = {in_toml(value)}")


def _comment(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield from textwrap.wrap(line, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _about(field: FieldInfo) -> str:
    """Return the description of a key as a comment has it, with the words it may be if it does not tell them."""
    text = (field.description or "").rstrip(".")
    kind = innermost(field.annotation)
    choices = [str(one.value) for one in kind] if issubclass(kind, enum.Enum) else []
    if not all(one in text for one in choices):
        text = f"{text}: {', '.join(choices)}"
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
