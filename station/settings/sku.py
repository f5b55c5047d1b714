"""SKUs: whose serial numbers begin how, how fast their SIMs become active (G6), and the oldest Device OS they may
run (D9). Pure data and look-ups; reference skus.json.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from drivers.platforms import OsVersion


@dataclass(frozen=True, slots=True)
class SimPace:
    """How often to look whether a SIM is active, and how long a unit stays in its slot for it, seconds."""

    poll_s: float
    budget_s: float


class SimSpeed(enum.Enum):
    """The vendor's three classes; the seconds are ours."""

    FAST = SimPace(5.0, 120.0)
    GENERALLY_FAST = SimPace(15.0, 300.0)
    SOMETIMES_SLOW = SimPace(30.0, 600.0)


class SimForm(enum.Enum):
    """How a unit gets its SIM (reference cloud-api 8.1)."""

    BUILT_IN = "MFF2"  # soldered; joining a product activates it
    CARD = "4FF"  # a plastic card somebody puts in, with its number printed on it; nothing activates it by itself


@dataclass(frozen=True, slots=True)
class SkuRow:
    """Units whose serial number begins with ``serial_prefix`` (four characters) were sold under one of ``names``."""

    serial_prefix: str
    platform_id: int
    sim_speed: SimSpeed
    names: str  # separated by blanks
    sim_form: SimForm = SimForm.BUILT_IN

    @property
    def skus(self) -> tuple[str, ...]:
        return tuple(self.names.split())

    @property
    def name(self) -> str:
        """The SKU, or what the names of several have in front, if that is one of them; else nothing."""
        return next((sku for sku in self.skus if all(other.startswith(sku) for other in self.skus)), "")


SKU_ROWS: tuple[SkuRow, ...] = (
    SkuRow("A35K", 10, SimSpeed.GENERALLY_FAST, "ASSET2GV2", SimForm.CARD),
    SkuRow("A26K", 10, SimSpeed.GENERALLY_FAST, "ASSET3G260V2", SimForm.CARD),
    SkuRow("A27K", 10, SimSpeed.GENERALLY_FAST, "ASSET3G270V2", SimForm.CARD),
    SkuRow("E26K", 10, SimSpeed.GENERALLY_FAST, "E260KIT", SimForm.CARD),
    SkuRow("E26T", 10, SimSpeed.GENERALLY_FAST, "E260TRAY50", SimForm.CARD),
    SkuRow("E27K", 10, SimSpeed.GENERALLY_FAST, "E270KIT", SimForm.CARD),
    SkuRow("E27T", 10, SimSpeed.GENERALLY_FAST, "E270TRAY50", SimForm.CARD),
    SkuRow("E31K", 10, SimSpeed.GENERALLY_FAST, "E310KIT"),
    SkuRow("E31M", 10, SimSpeed.GENERALLY_FAST, "E310MOD1"),
    SkuRow("E31T", 10, SimSpeed.GENERALLY_FAST, "E310TRAY50"),
    SkuRow("P005", 10, SimSpeed.SOMETIMES_SLOW, "E313EA E313TRAY50"),
    SkuRow("P029", 10, SimSpeed.FAST, "E314KIT E314MOD1 E314TRAY50"),
    SkuRow("E35K", 10, SimSpeed.GENERALLY_FAST, "E350KIT", SimForm.CARD),
    SkuRow("E35T", 10, SimSpeed.GENERALLY_FAST, "E350TRAY50", SimForm.CARD),
    SkuRow("E40K", 10, SimSpeed.SOMETIMES_SLOW, "E402KIT"),
    SkuRow("E40M", 10, SimSpeed.SOMETIMES_SLOW, "E402MOD1"),
    SkuRow("E40T", 10, SimSpeed.SOMETIMES_SLOW, "E402TRAY50"),
    SkuRow("P030", 10, SimSpeed.FAST, "E404KIT E404MOD1 E404TRAY50"),
    SkuRow("P035", 10, SimSpeed.FAST, "ELC314TY", SimForm.CARD),
    SkuRow("E4DK", 10, SimSpeed.SOMETIMES_SLOW, "ELC402EA"),
    SkuRow("E4DT", 10, SimSpeed.SOMETIMES_SLOW, "ELC402TY"),
    SkuRow("P036", 10, SimSpeed.FAST, "ELC404TY"),
    SkuRow("S26K", 10, SimSpeed.GENERALLY_FAST, "SNSRKIT3G260", SimForm.CARD),
    SkuRow("S27K", 10, SimSpeed.GENERALLY_FAST, "SNSRKIT3G270", SimForm.CARD),
    SkuRow("B31K", 13, SimSpeed.SOMETIMES_SLOW, "BRN310KIT"),
    SkuRow("B31T", 13, SimSpeed.SOMETIMES_SLOW, "BRN310TRAY50"),
    SkuRow("P027", 13, SimSpeed.FAST, "BRN314KIT BRN314TRAY50"),
    SkuRow("B40H", 13, SimSpeed.SOMETIMES_SLOW, "BRN402"),
    SkuRow("P012", 13, SimSpeed.SOMETIMES_SLOW, "BRN402-AQKT"),
    SkuRow("B40K", 13, SimSpeed.SOMETIMES_SLOW, "BRN402KIT"),
    SkuRow("B40T", 13, SimSpeed.SOMETIMES_SLOW, "BRN402TRAY50"),
    SkuRow("P028", 13, SimSpeed.FAST, "BRN404 BRN404KIT BRN404TRAY50"),
    SkuRow("P044", 13, SimSpeed.FAST, "BRN404X BRN404XKIT BRN404XTRAY50"),
    SkuRow("P052", 15, SimSpeed.FAST, "E404XTRAY50"),
    SkuRow("P006", 23, SimSpeed.SOMETIMES_SLOW, "B402MEA"),
    SkuRow("P007", 23, SimSpeed.SOMETIMES_SLOW, "B402MTY"),
    SkuRow("P033", 23, SimSpeed.FAST, "B404MEA B404MTY"),
    SkuRow("P042", 23, SimSpeed.FAST, "B404XMEA B404XMTY"),
    SkuRow("P019", 25, SimSpeed.SOMETIMES_SLOW, "B523MEA"),
    SkuRow("P020", 25, SimSpeed.SOMETIMES_SLOW, "B523MTY"),
    SkuRow("P034", 25, SimSpeed.FAST, "B524MEA B524MTY"),
    SkuRow("P031", 26, SimSpeed.FAST,
           "MON404E01C01KIT MON404E02C01KIT MON524E01C01KIT ONE404MEA ONE404MTY T404MEA T404MKIT T404MTY"),
    SkuRow("P024", 26, SimSpeed.SOMETIMES_SLOW, "ONE402MEA ONE402MTY T402MEA T402MKIT T402MTY"),
    SkuRow("P025", 26, SimSpeed.SOMETIMES_SLOW, "ONE523MEA ONE523MTY T523MEA T523MKIT T523MTY"),
    SkuRow("P032", 26, SimSpeed.FAST, "ONE524MEA ONE524MTY T524MEA T524MKIT T524MTY"),
    SkuRow("P054", 35, SimSpeed.FAST, "M404MEA M404MTY MUON404EA MUON404KIT MUON635EA MUON635KIT"),
    SkuRow("P055", 35, SimSpeed.FAST, "M524MEA M524MTY M635MEA MUON524EA MUON524KIT"),
)  # fmt: skip


SKUS = frozenset(sku for row in SKU_ROWS for sku in row.skus)
"""Every SKU that a serial number tells."""


def sku_row(serial: str) -> SkuRow | None:
    """The row of a unit by its serial number; None for a prefix the table does not know."""
    return next((row for row in SKU_ROWS if row.serial_prefix == serial[:4].upper()), None)


def sim_form(serial: str, platform_id: int) -> SimForm:
    """How the unit with that serial number gets its SIM.

    One that tells no known serial number is believed to have a card where some of its platform do: Electrons without
    a number are the oldest, and those came with cards.
    """
    row = sku_row(serial)
    if row is not None:
        return row.sim_form
    return SimForm.CARD if any(one.sim_form is SimForm.CARD for one in rows_of([platform_id])) else SimForm.BUILT_IN


def sim_speed(serial: str, *, was_active: bool) -> SimSpeed:
    """How long the SIM of the unit with that serial number may take (G6 G7 G8).

    One that was active before may take as long as the slow ones, whatever its class (G9).
    """
    row = sku_row(serial)
    usual = row.sim_speed if row else SimSpeed.GENERALLY_FAST
    return SimSpeed.SOMETIMES_SLOW if was_active else usual


def rows_of(platform_ids: Collection[int], skus: Collection[str] = ()) -> tuple[SkuRow, ...]:
    """The rows of those platforms that a serial number tells; with ``skus`` only those sold as one of them."""
    rows = (row for row in SKU_ROWS if row.platform_id in platform_ids)
    return tuple(row for row in rows if not skus or any(sku in row.skus for sku in skus))


def skus_of(platform_ids: Collection[int]) -> tuple[str, ...]:
    """The SKUs of those platforms that a serial number tells."""
    return tuple(sku for row in SKU_ROWS if row.platform_id in platform_ids for sku in row.skus)


def is_sold_as(serial: str, skus: Collection[str]) -> bool | None:
    """Whether a unit is one of ``skus``; None for a serial number whose prefix the table does not know."""
    row = sku_row(serial)
    return None if row is None else any(sku in row.skus for sku in skus)


def is_order_code(text: str) -> bool:
    """Whether ``text`` is a SKU, or begins with one: what stands on the box beside the unit's label."""
    return any(text.startswith(sku) for row in SKU_ROWS for sku in row.skus)


def note_on(skus: Collection[str]) -> str:
    """Return what a process engineer should know about ordering these ``skus`` together, "" if nothing (C6)."""
    monitors = [sku for sku in skus if sku.startswith("MON")]
    trackers = [sku for sku in skus if sku.startswith(("ONE", "T4", "T5"))]
    if not monitors or not trackers:
        return ""
    return (
        f"{monitors[0]} and {trackers[0]} may share a product and run different firmware, which is usually not "
        "practical (C6); give each a product of its own if they do"
    )


@dataclass(frozen=True, slots=True)
class SkuMinimum:
    """Units sold under SKUs that begin with ``sku`` never run a Device OS older than ``device_os`` (D9)."""

    sku: str
    serial_prefixes: tuple[str, ...]  # first four characters of the serial numbers of exactly these SKUs
    device_os: OsVersion


SKU_MINIMUMS: tuple[SkuMinimum, ...] = (
    SkuMinimum("BRN404X", ("P044",), OsVersion.parse("4.0.1")),
    SkuMinimum("B404X", ("P042",), OsVersion.parse("4.0.1")),
    SkuMinimum("E404X", ("P052",), OsVersion.parse("4.0.1")),
    SkuMinimum("B404", ("P033",), OsVersion.parse("2.3.0")),
)
"""Longer SKUs before their beginnings: BRN404X is no BRN404, B404X no B404."""
PLATFORM_MINIMUMS: Mapping[int, SkuMinimum] = MappingProxyType(
    {32: SkuMinimum("P2 or Photon 2", (), OsVersion.parse("5.0.0"))}
)
"""What holds for every unit of a platform, whatever it was sold as: before 5.0.0 only pre-production had them."""


def minimum_for_sku(sku: str) -> SkuMinimum | None:
    """The row of a SKU such as "BRN404XKIT", or None if it has no minimum."""
    return next((row for row in SKU_MINIMUMS if sku.upper().startswith(row.sku)), None)


def minimums_of_platform(platform_id: int) -> tuple[SkuMinimum, ...]:
    """The rows that a unit of that platform may fall under as long as its serial number is not known."""
    ours = {row.serial_prefix for row in SKU_ROWS if row.platform_id == platform_id}
    return tuple(row for row in SKU_MINIMUMS if ours.intersection(row.serial_prefixes))


def minimum_for_serial(serial: str) -> SkuMinimum | None:
    """The row of a unit by the first four characters of its serial number, or None."""
    return next((row for row in SKU_MINIMUMS if serial[:4].upper() in row.serial_prefixes), None)
