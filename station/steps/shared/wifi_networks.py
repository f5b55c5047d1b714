"""What a batch's units do about Wi-Fi, and what their joins say about the access points of the bench."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

from drivers.devices.wifi import WifiNetwork

from .unit import Unit


@dataclass(frozen=True, slots=True)
class WifiGoal:
    """A network of the profile, its secrets looked up. ``min_signal`` in dBm, None: any."""

    network: WifiNetwork
    is_joined: bool = True  # the unit has to join it here; else it is stored untried
    is_kept: bool = True  # it stays stored when the unit leaves
    min_signal: int | None = None


class BenchWifi:
    """Joins and failures of all slots, by network. Thread-safe.

    A failure alone says nothing: the access point may be down, or the profile's password wrong. A *round* against a
    unit is a failed try, with a join of another unit between it and the beginning of its failed try before that.
    ``patience_s`` and ``refused_patience_s``: how long a unit waits for a network that it does not hear, and for one
    that does not let it in.
    """

    def __init__(self, patience_s: float = 300.0, refused_patience_s: float = 60.0) -> None:
        self.patience_s, self.refused_patience_s = patience_s, refused_patience_s
        self._lock = threading.Lock()
        self._count = 0
        self._joins: dict[str, dict[str, int]] = {}  # network -> Device ID -> number of its last join
        self._failures: dict[tuple[str, str], tuple[int, int]] = {}  # -> rounds, `others` before the last failure

    def joined(self, ssid: str, device_id: str) -> None:
        """Note a join; it takes back what was held against the unit."""
        with self._lock:
            self._count += 1
            self._joins.setdefault(ssid, {})[device_id] = self._count
            self._failures.pop((ssid, device_id), None)

    def others(self, ssid: str, device_id: str) -> int:
        """Return the number of the last join of another unit, 0 if there was none: look before each try."""
        with self._lock:
            return max((n for other, n in self._joins.get(ssid, {}).items() if other != device_id), default=0)

    def failed(self, ssid: str, device_id: str, others_before: int) -> int:
        """Note a failed try, with `others` as it was before; return the rounds against this unit."""
        with self._lock:
            rounds, last = self._failures.get((ssid, device_id), (0, others_before))
            rounds += others_before > last
            self._failures[ssid, device_id] = rounds, others_before
            return rounds


class WifiSession(Protocol):
    """What the steps about Wi-Fi need of a session: less than a walk has, so that one unit may join outside of one."""

    @property
    def unit(self) -> Unit: ...
    @property
    def wifi(self) -> tuple[WifiGoal, ...]: ...
    @property
    def bench_wifi(self) -> BenchWifi: ...
