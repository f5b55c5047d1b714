"""A supervisor's list of units that a bench may rework by itself: exactly these, these cures, in one batch. Pure.

`EXAMPLE` shows one.
"""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from drivers.errors import BadIdentity
from drivers.identity import DeviceId, SerialNumber, quoted

from ...errors import BadInput
from ...model import is_batch_name

EXAMPLE = """\
by 0042                                      # the badge of who allows it
batch 2026-11-29-A                           # the batch it is for
e00fce68aaaa000000000001  unclaim, approve   # a Device ID or serial number, and what may be done
P044AB1234567AB           unclaim            # to that unit: unclaim, approve, unmark, unlock
"""
MOST_BYTES = 1 << 20
_HEADS = ("by", "batch")
_BADGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,39}")


class Cure(enum.StrEnum):
    """What a list may allow, in the order in which it is done: a foreign owner is in the way of an approval."""

    UNCLAIM = "unclaim"  # take the owner off, through the product
    APPROVE = "approve"  # out of quarantine, also a unit that was denied
    UNMARK = "unmark"  # take the development mark off
    UNLOCK = "unlock"  # no more keep it at one version of the product's firmware


@dataclass(frozen=True, slots=True)
class AllowedUnit:
    """One line: a Device ID or serial number, and what may be done to that unit."""

    unit: str
    cures: tuple[Cure, ...]


@dataclass(frozen=True, slots=True)
class Allowed:
    """One list. ``by``: the badge of who answers for it; ``sha256`` of its bytes, for the record."""

    by: str
    batch: str
    units: tuple[AllowedUnit, ...]
    sha256: str

    def cures_of(self, *numbers: str) -> tuple[Cure, ...]:
        """Return what may be done to the unit of these numbers (Device ID, serial number), in the order of `Cure`."""
        found = {cure for one in self.units if one.unit in numbers for cure in one.cures}
        return tuple(cure for cure in Cure if cure in found)


def parse_allowed(data: bytes, name: str) -> Allowed:
    """Read a list; raises `BadInput` with a sentence for every mistake. ``name``: what it is called in them."""
    if len(data) > MOST_BYTES:
        raise BadInput(
            f"{name} has more than {MOST_BYTES >> 20} MiB; a list of units is shorter, is it the right file?"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{name} is no text in UTF-8; save the list as text in UTF-8") from error
    heads: dict[str, str] = {}
    units: dict[str, AllowedUnit] = {}
    mistakes: list[str] = []
    for number, words in _lines(text):
        try:
            if words[0] in _HEADS:
                _read_head(heads, *words)
            else:
                unit = _read_unit(*words)
                if unit.unit in units:
                    raise ValueError(f"{unit.unit} stands in the list already; give each unit one line")
                units[unit.unit] = unit
        except ValueError as error:
            mistakes.append(f"{name} line {number}: {error}")
    mistakes += [f"{name} has no line {head!r}; write {_EXAMPLE[head]}" for head in _HEADS if head not in heads]
    if not units and not mistakes:
        mistakes.append(f"{name} names no unit; write lines such as: P044AB1234567 unclaim")
    if mistakes:
        raise BadInput(*mistakes)
    return Allowed(heads["by"], heads["batch"], tuple(units.values()), hashlib.sha256(data).hexdigest())


_EXAMPLE = {"by": "by and the badge of who allows it", "batch": "batch and the name of the batch it is for"}


def _lines(text: str) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield the first word of each line and the rest of it, without comments."""
    for number, line in enumerate(text.splitlines(), 1):
        first, _, rest = line.partition("#")[0].strip().replace("\t", " ").partition(" ")
        if first:
            yield number, (first, rest.strip())


def _read_head(heads: dict[str, str], head: str, value: str) -> None:
    if head in heads:
        raise ValueError(f"a second line {head!r}; write one")
    if not (_BADGE.fullmatch(value) if head == "by" else is_batch_name(value)):
        raise ValueError(f"{value!r} is no {'badge' if head == 'by' else 'name of a batch'}; write {_EXAMPLE[head]}")
    heads[head] = value


def _read_unit(unit: str, allowed: str) -> AllowedUnit:
    names = [word.lower() for word in re.split(r"[\s,]+", allowed) if word]
    strange = [name for name in names if name not in set(Cure)]
    if strange or not names:
        found = f"what no bench does{quoted(strange[0])}" if strange else "nothing"
        raise ValueError(f"allows {found}; write one or more of {', '.join(Cure)} behind the unit")
    return AllowedUnit(_number(unit), tuple(cure for cure in Cure if cure in names))


def _number(text: str) -> str:
    kind = DeviceId if len(text) == 24 else SerialNumber
    try:
        return str(kind.parse(text))
    except BadIdentity as error:
        raise ValueError(f"{error}; a line begins with a Device ID or a serial number") from error
