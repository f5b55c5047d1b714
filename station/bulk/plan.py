"""What of a list is to be imported, each unit or SIM card once, and why the other lines are not. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from drivers.identity import DeviceId, Iccid, Imei, SerialNumber
from drivers.platforms import Platform
from drivers.platforms import platform as platform_of

from ..cloud.api import Identifier
from ..scan.lists import ListLine, units_of
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

    return _plan(lines, key_of, lambda line: _why_no_unit(line, platform), lambda line: line)


def plan_sims(lines: Sequence[ListLine]) -> Plan[Iccid]:
    """Plan the import of SIM cards."""
    return _plan(
        lines,
        lambda line: None if line.iccid is None or line.iccid.is_odd else line.iccid,
        _why_no_sim,
        lambda line: ListLine(line.number, iccid=line.iccid),
    )


def _plan(
    lines: Sequence[ListLine],
    key_of: Callable[[ListLine], K | None],
    why_not: Callable[[ListLine], str],
    part_of: Callable[[ListLine], ListLine],
) -> Plan[K]:
    """Plan the import of ``part_of`` each line: what of it says which unit or card it is."""
    of = {line.number: line for line in lines}
    refused = {line.number: why for line in lines if (why := why_not(line)) or key_of(line) is None}
    units = units_of(part_of(line) for line in lines if line.number not in refused)
    refused |= {**units.crossed, **units.doubted}
    sure = (of[first.number] for first in units.firsts if first.number not in units.doubted)
    items = ((line, key_of(line)) for line in sure)
    return Plan(
        tuple(Item(line, key) for line, key in items if key is not None),
        tuple(Result(line, State.UNREADABLE, refused[line.number]) for line in lines if line.number in refused),
        {number: of[first.number] for number, first in units.repeats.items()},
    )


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
