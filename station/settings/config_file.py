"""Writes into a configuration file that a person wrote: comments, order and layout stay. Texts in, texts out."""

from __future__ import annotations

import datetime
from typing import Any

import tomlkit

from drivers.identity import PortPath

from ..model import OffSlot


def with_slot(text: str, number: int, port: PortPath) -> str:
    """Return the configuration ``text`` with slot ``number`` bound to ``port``, and no other slot bound to it."""
    document = tomlkit.parse(text)
    slots: Any = document.setdefault("slots", tomlkit.table())
    for key, value in list(slots.items()):
        if key != str(number) and value in (port.value, port.on_bus):
            del slots[key]
    slots[str(number)] = port.value
    return tomlkit.dumps(document)


def with_off(text: str, number: int, off: OffSlot | None) -> str:
    """Return the configuration ``text`` with slot ``number`` out of service, or in service again (None)."""
    document = tomlkit.parse(text)
    table: Any = document.setdefault("off", tomlkit.table())
    table.pop(str(number), None)
    if off is not None:
        row = tomlkit.inline_table()
        row["why"] = off.why
        if off.since is not None:
            row["since"] = off.since.astimezone(datetime.UTC).replace(microsecond=0)
        table[str(number)] = row
    elif not table:
        del document["off"]
        return tomlkit.dumps(document).rstrip("\n") + "\n"
    return tomlkit.dumps(document)
