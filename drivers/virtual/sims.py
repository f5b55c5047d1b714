"""The active SIM of a cellular unit and the access point of each SIM, which requests 550 to 553 read and write.

Stored in the unit's memory, where a Wi-Fi unit stores its networks. Reference usb-and-serial 4.10.
"""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass

from .flash import Who
from .memory import UnitMemory
from .network_store import read_entries, write_entry


class SimType(enum.IntEnum):
    """Which SIM."""

    INTERNAL = 1  # soldered in
    EXTERNAL = 2  # in the holder


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

    def set_active(self, sim: SimType) -> float:
        return write_entry(self._memory, "active", int(sim), Who.CONTROL)

    def access_point(self, sim: SimType) -> AccessPointName | None:
        """Return the stored access point; None: the defaults."""
        row = read_entries(self._memory).get(sim.name)
        return AccessPointName(**row) if row else None

    def set_access_point(self, sim: SimType, point: AccessPointName | None) -> float:
        return write_entry(self._memory, sim.name, asdict(point) if point else None, Who.CONTROL)
