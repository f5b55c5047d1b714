"""Reads a list that came with a tray or reel: Device IDs, ICCIDs and serial numbers by their form (A16). Pure.

Columns, their order, their names and what else stands in them differ from order to order, so none is relied on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from drivers.errors import BadIdentity
from drivers.identity import DeviceId, Iccid, SerialNumber

from .reading import is_unit_serial

_BETWEEN = re.compile(r"[\s,;|\"'=]+")
_DEVICE_ID = re.compile(r"[0-9A-Fa-f]{24}")
_ICCID = re.compile(r"89[0-9]{16,19}[Ff]?")


@dataclass(frozen=True, slots=True)
class TrayUnit:
    """What one ``line`` (from 1) of the list says of a unit, or of a SIM card alone; None: it does not say that."""

    line: int
    device_id: DeviceId | None = None
    serial: SerialNumber | None = None
    iccid: Iccid | None = None

    @property
    def numbers(self) -> tuple[str, ...]:
        """Every number the line gives, the surest first."""
        return tuple(str(one) for one in (self.device_id, self.serial, self.iccid) if one is not None)


def read_tray(text: str) -> Iterator[TrayUnit]:
    """Yield a unit for every line that names one; of two numbers of one kind in a line the first counts."""
    for number, line in enumerate(text.splitlines(), 1):
        found: dict[str, DeviceId | SerialNumber | Iccid] = {}
        for word in _BETWEEN.split(line):
            for name, value in _told(word):
                found.setdefault(name, value)
        if found:
            yield TrayUnit(number, **found)  # type: ignore[arg-type]


def _told(word: str) -> Iterator[tuple[str, DeviceId | SerialNumber | Iccid]]:
    """Yield what a whole word is: 24 digits that could be those of a SIM are a Device ID."""
    if _DEVICE_ID.fullmatch(word):
        yield "device_id", DeviceId.parse(word)
    elif _ICCID.fullmatch(word):
        yield "iccid", Iccid.told(word)
    elif is_unit_serial(word.upper()):
        try:
            yield "serial", SerialNumber.parse(word)
        except BadIdentity:
            return
