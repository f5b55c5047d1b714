"""The active SIM of a cellular unit and the access point of each SIM, which requests 550 to 553 read and write.

Stored in the unit's memory, where a Wi-Fi unit stores its networks. Reference usb-and-serial 4.10.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Protocol

from ..identity import Iccid
from ..wire.messages.tables import SimType
from .factory import UnitSpec
from .flash import Who
from .memory import UnitMemory
from .network_store import read_entries, write_entry


@dataclass(frozen=True, slots=True)
class AccessPointName:
    """Access data of a carrier's network; nothing is stored for the defaults."""

    apn: str = ""
    user: str = ""
    password: str = ""


class SimStore:
    """SIM settings that survive power cuts. Setters return the seconds they take."""

    def __init__(self, memory: UnitMemory) -> None:
        self._memory = memory

    @property
    def active(self) -> SimType:
        return SimType(read_entries(self._memory).get("active", SimType.INTERNAL))

    def set_active(self, sim: SimType, who: Who = Who.CONTROL) -> float:
        return write_entry(self._memory, "active", int(sim), who)

    def access_point(self, sim: SimType) -> AccessPointName | None:
        """Return the stored access point; None: the defaults."""
        row = read_entries(self._memory).get(sim.name)
        return AccessPointName(**row) if row else None

    def set_access_point(self, sim: SimType, point: AccessPointName | None) -> float:
        return write_entry(self._memory, sim.name, asdict(point) if point else None, Who.CONTROL)


class _Unit(Protocol):
    spec: UnitSpec
    memory: UnitMemory


def iccid_in_use(spec: UnitSpec, memory: UnitMemory) -> Iccid | None:
    """Return the number that the modem reads: of the SIM that is chosen, None if there is none in."""
    return spec.iccid if SimStore(memory).active is SimType.INTERNAL else spec.holder_iccid


def change_card(unit: _Unit, iccid: Iccid | None) -> None:
    """Put another card into a unit that has no SIM of its own, or (None) take its card out; without power (A10)."""
    unit.spec = replace(unit.spec, iccid=iccid)


def use_holder(unit: _Unit, iccid: Iccid | None) -> None:
    """Put a card (None: no card) into the holder of a unit with a SIM of its own, and let it use that one."""
    unit.spec = replace(unit.spec, holder_iccid=iccid)
    SimStore(unit.memory).set_active(SimType.EXTERNAL, Who.FACTORY)
