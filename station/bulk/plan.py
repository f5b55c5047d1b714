"""What of a list is to be imported, each unit or SIM card once, and why the other lines are not. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from drivers.identity import DeviceId, Iccid, Imei, SerialNumber
from drivers.platforms import Platform
from drivers.platforms import platform as platform_of

from ..cloud.api import Identifier
from ..scan.lists import ListLine
from ..settings.sku import sku_row
from .results import Result, State

K = TypeVar("K", bound=DeviceId | SerialNumber | Imei | Iccid)

ELECTRON = 10
"""The platform whose first units carry their IMEI in place of a serial number (A11)."""


@dataclass(frozen=True, slots=True)
class Item(Generic[K]):
    """Something to import, by ``key``, and the line that names it."""

    line: ListLine
    key: K


@dataclass(frozen=True, slots=True)
class Plan(Generic[K]):
    """``repeats``: number of a line, and the line it repeats."""

    items: tuple[Item[K], ...]
    refused: tuple[Result, ...]
    repeats: dict[int, ListLine] = field(default_factory=dict)

    def results(self, lines: Iterable[ListLine], of_items: Iterable[Result]) -> list[Result]:
        """Return a result for each of ``lines``, in their order."""
        known = {result.line.number: result for result in (*self.refused, *of_items)}

        def result(line: ListLine) -> Result:
            first = self.repeats.get(line.number)
            if first is None:
                return known[line.number]
            its = known[first.number]
            state = State.REPEATED if its.state.is_good else its.state
            return Result(line, state, f"the same as line {first.number}: {its.words}")

        return [result(line) for line in lines]


def plan_devices(lines: Sequence[ListLine], platform: Platform) -> Plan[Identifier]:
    """Plan the import of units of ``platform``."""

    def key_of(line: ListLine) -> Identifier | None:
        return line.device_id or line.serial or (line.imei if platform.id == ELECTRON else None)

    return _plan(lines, key_of, lambda line: _why_no_unit(line, platform), _numbers)


def plan_sims(lines: Sequence[ListLine]) -> Plan[Iccid]:
    """Plan the import of SIM cards."""
    return _plan(
        lines,
        lambda line: None if line.iccid is None or line.iccid.is_odd else line.iccid,
        _why_no_sim,
        lambda line: [str(line.iccid)],
    )


def _plan(
    lines: Sequence[ListLine],
    key_of: Callable[[ListLine], K | None],
    why_not: Callable[[ListLine], str],
    numbers: Callable[[ListLine], list[str]],
) -> Plan[K]:
    items, refused, repeats = list[Item[K]](), list[Result](), dict[int, ListLine]()
    first: dict[str, ListLine] = {}
    for line in lines:
        key, why = key_of(line), why_not(line)
        before = next((first[number] for number in numbers(line) if number in first), None) if key else None
        if before is not None and not why:
            why = _contradiction(line, before)
        if key is None or why:
            refused.append(Result(line, State.UNREADABLE, why))
        elif before is not None:
            repeats[line.number] = before
        else:
            items.append(Item(line, key))
            first |= dict.fromkeys(numbers(line), line)
    return Plan(tuple(items), tuple(refused), repeats)


def _numbers(line: ListLine) -> list[str]:
    """Return the numbers by which two lines are of one unit: what looks like an IMEI counts only by itself."""
    known = [str(one) for one in (line.device_id, line.serial) if one is not None]
    return known or [str(line.imei)]


def _contradiction(line: ListLine, before: ListLine) -> str:
    for name, ours, theirs in (
        ("Device ID", line.device_id, before.device_id),
        ("serial number", line.serial, before.serial),
    ):
        if ours is not None and theirs is not None and ours != theirs:
            return f"line {before.number} names the same unit with another {name}; ask who made the list"
    return ""


def _why_no_unit(line: ListLine, platform: Platform) -> str:
    if line.device_id is None and line.serial is None:
        if line.imei is not None and platform.id == ELECTRON:
            return ""
        if line.fault:
            return line.fault
        if line.iccid is not None:
            return (
                "an ICCID names a SIM card, not a unit, and no unit is claimed by it; expected a Device ID or serial"
                " number; import SIM cards with: station sim import"
            )
        if line.imei is not None:
            return "15 digits are an IMEI; expected a Device ID or serial number, as only old Electrons lack one"
        return "names no unit; expected a Device ID or serial number"
    row = sku_row(str(line.serial)) if line.serial is not None else None
    if row is not None and row.platform_id != platform.id:
        other = platform_of(row.platform_id).name
        return f"{line.serial} is a serial number of {other} units, the product is for {platform.name} (C3)"
    return ""


def _why_no_sim(line: ListLine) -> str:
    if line.iccid is not None and line.iccid.is_odd:
        return f"has {len(str(line.iccid))} digits, expected {Iccid.wanted}"
    if line.iccid is None:
        return line.fault or f"names no SIM card; expected an ICCID: {Iccid.wanted}"
    return ""
