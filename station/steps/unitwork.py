"""One unit under work: its device, its identities, its firmware plan - shared by the steps of one attempt.

Belongs to the slot's thread; the cloud steps see only the `CloudWork` made from it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from drivers.clock import CancelToken
from drivers.devices import ParticleDevice
from drivers.identity import DeviceId, Iccid, Imei, MacAddress, MobileSecret, Secret, SerialNumber
from drivers.platforms import OsVersion, Platform
from drivers.wire.requests import ModuleInfo

from ..cloud.answers import Product
from ..firmware.plan import UpdatePlan
from ..firmware.release import ReleaseFiles
from ..model import IdentityFact, SeenBefore
from ..profile import Profile, WifiSecurity


class UnitMemory(Protocol):
    """What the journal remembers of units."""

    def seen_before(self, device_id: str) -> SeenBefore | None: ...
    def known_facts(self, device_id: str) -> dict[str, str]:
        """Identity facts read on earlier visits, name -> value; empty for a stranger."""
        ...

    def wifi_digest(self, device_id: str) -> str | None:
        """Keyed digest of the credentials this station last saw the unit join with."""
        ...

    def knows_secret(self, device_id: str) -> bool:
        """The unit's mobile secret is kept already."""
        ...

    def keep_secret(self, device_id: str, secret: MobileSecret) -> None:
        """For profiles that say so only: a label is to be printed with it."""
        ...

    def digest(self, device_id: str, ssid: str, password: Secret | None) -> str: ...


@dataclass(slots=True)
class Identity:
    """What is known of the unit so far, and every place it was read from."""

    device_id: DeviceId | None = None
    serial: SerialNumber | None = None
    iccid: Iccid | None = None
    imei: Imei | None = None
    mac: MacAddress | None = None
    secret: MobileSecret | None = None
    os_version: OsVersion | None = None
    is_complete: bool = False  # False for a unit that arrived in DFU until it runs again
    facts: list[IdentityFact] = field(default_factory=list)

    @property
    def label(self) -> str:
        """What a person calls the unit."""
        return str(self.serial or self.device_id or "")


@dataclass(frozen=True, slots=True)
class WifiCredentials:
    """The network a unit shall join. ``password`` is None for an open one."""

    ssid: str
    password: Secret | None
    security: WifiSecurity


class BenchWifi:
    """Whether the bench's own Wi-Fi may be down: joins of the last units, across slots.

    One failing unit is a bad unit; failures of several units in a row without one success point at the bench.
    """

    def __init__(self) -> None:
        self._failed: list[str] = []

    def joined(self) -> None:
        self._failed.clear()

    def failed(self, device_id: str) -> bool:
        """Note a failure; True when another unit failed just before and none has joined since."""
        if device_id not in self._failed:
            self._failed.append(device_id)
        return len(self._failed) > 1


class AtWork:
    """Which unit each slot works on now. Thread-safe.

    No two units have the same Device ID: two that tell the same one are a copy, or a mix-up nobody can untangle here.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._devices: dict[int, ParticleDevice] = {}

    def take(self, slot: int, device: ParticleDevice) -> int | None:
        """Note what ``slot`` works on. Another slot that still holds a unit of that Device ID, or None."""
        with self._lock:
            self._devices[slot] = device
            others = [(number, other) for number, other in self._devices.items() if number != slot]
        return next((n for n, other in others if other.device_id == device.device_id and other.mode is not None), None)

    def leave(self, device: ParticleDevice) -> None:
        """The attempt on ``device`` is over."""
        with self._lock:
            self._devices = {slot: other for slot, other in self._devices.items() if other is not device}


@dataclass(slots=True)
class Subject:
    """A unit whose identities are read: what `station.steps.reading` works on."""

    platform: Platform
    device: ParticleDevice
    memory: UnitMemory
    wants_label: bool = False
    label_timeout_s: float = 60.0
    wants_secret: bool = False
    is_label_read: bool = False
    identity: Identity = field(default_factory=Identity)
    modules: tuple[ModuleInfo, ...] = ()
    at_work: AtWork = field(default_factory=AtWork)


@dataclass(slots=True, kw_only=True)
class UnitWork(Subject):
    """Everything the USB steps of one attempt share."""

    profile: Profile
    find_product: Callable[[CancelToken], Product | None]  # raises CloudError; remembers what it found
    files: ReleaseFiles
    wifi: WifiCredentials | None
    bench_wifi: BenchWifi
    plan: UpdatePlan | None = None
