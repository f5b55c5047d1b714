"""Finds the modules a unit holds among its facts (`station.model.MODULE_FACT`), and their hashes. Pure."""

from __future__ import annotations

import re

from ..model import MODULE_FACT

_BY_READ_BACK = "softdevice_in_flash"
"""The one module whose hash is read from flash (`station.steps.shared.radio`); its value is the hash alone."""
_HASH = re.compile(r"(?:[0-9]+ )?([0-9a-f]{64})")
DIGITS = 15
"""Hexadecimal digits of a hash that `hash_prefix` keeps: 60 bits, a positive number of SQLite's."""


def is_module(name: str) -> bool:
    """Tell whether the fact of that name is a module."""
    return name.startswith(MODULE_FACT) or name == _BY_READ_BACK


def hash_prefix(value: str) -> int | None:
    """Return the first 60 bits of the hash in the value of such a fact; None if it has none."""
    found = _HASH.fullmatch(value)
    return int(found[1][:DIGITS], 16) if found else None


def prefix_range(digits: str) -> tuple[int, int]:
    """Return the smallest and the largest `hash_prefix` of hashes that begin with ``digits``, hexadecimal."""
    begin = digits[:DIGITS].lower()
    return int(begin.ljust(DIGITS, "0"), 16), int(begin.ljust(DIGITS, "f"), 16)
