"""The active SIM of a cellular unit and the access point of each SIM, which requests 550 to 553 read and write.

Stored in the unit's memory, where a Wi-Fi unit stores its networks. Reference usb-and-serial 4.10.
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
        return SimType(self._read().get("active", SimType.INTERNAL))

    def set_active(self, sim: SimType) -> float:
        return self._write({**self._read(), "active": int(sim)})

    def access_point(self, sim: SimType) -> AccessPointName | None:
        """Return the stored access point; None: the defaults."""
        row = self._read().get(sim.name)
        return AccessPointName(**row) if row else None

    def set_access_point(self, sim: SimType, point: AccessPointName | None) -> float:
        return self._write({**self._read(), sim.name: asdict(point) if point else None})

    def _read(self) -> dict[str, Any]:
        raw = self._memory.read_network()
        return dict(json.loads(raw)) if raw else {}

    def _write(self, content: dict[str, Any]) -> float:
        return self._memory.write_network(json.dumps(content).encode(), Who.CONTROL)
