"""Writes into a configuration file that a person wrote: comments, order and layout stay. Texts in, texts out."""

from __future__ import annotations

from typing import Any

import tomlkit

from drivers.identity import PortPath


def with_slot(text: str, number: int, port: PortPath) -> str:
    """Return the configuration ``text`` with slot ``number`` bound to ``port``, and no other slot bound to it."""
    document = tomlkit.parse(text)
    slots: Any = document.setdefault("slots", tomlkit.table())
    for key, value in list(slots.items()):
        if key != str(number) and value in (port.value, port.on_bus):
            del slots[key]
    slots[str(number)] = port.value
    return tomlkit.dumps(document)
