"""Which SIM a cellular unit uses and the access point of each: what requests 550 to 553 set and tell.

Kept in the unit's own memory, where a Wi-Fi unit keeps its networks. Reference usb-and-serial 4.10.
"""

from __future__ import annotations

import enum
import json
from dataclasses import asdict, dataclass
from typing import Any

from .flash import Who
from .memory import UnitMemory


class SimType(enum.IntEnum):
    """Which SIM."""

    INTERNAL = 1  # soldered in
    EXTERNAL = 2  # in the holder


@dataclass(frozen=True, slots=True)
class AccessPointName:
    """How to get into a carrier's network; with the defaults nothing of it is stored."""

    apn: str = ""
    user: str = ""
    password: str = ""


class SimStore:
    """Survives power cuts. Setting something returns the seconds it takes."""

    def __init__(self, memory: UnitMemory) -> None:
        self._memory = memory

    @property
    def active(self) -> SimType:
        return SimType(self._read().get("active", SimType.INTERNAL))

    def set_active(self, sim: SimType) -> float:
        return self._write({**self._read(), "active": int(sim)})

    def access_point(self, sim: SimType) -> AccessPointName | None:
        """Return what is stored; None: the defaults."""
        row = self._read().get(sim.name)
        return AccessPointName(**row) if row else None

    def set_access_point(self, sim: SimType, point: AccessPointName | None) -> float:
        return self._write({**self._read(), sim.name: asdict(point) if point else None})

    def _read(self) -> dict[str, Any]:
        raw = self._memory.read_network()
        return dict(json.loads(raw)) if raw else {}

    def _write(self, content: dict[str, Any]) -> float:
        return self._memory.write_network(json.dumps(content).encode(), Who.CONTROL)
