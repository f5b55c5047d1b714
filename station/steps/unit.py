"""One unit on one port: its device, who it is, and what firmware it says it holds.

`station.steps.reading` fills it in, everybody else looks. It belongs to the slot's thread.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Protocol

from drivers.devices import ParticleDevice
from drivers.identity import DeviceId, Iccid, Imei, MacAddress, MobileSecret, Secret, SerialNumber
from drivers.platforms import OsVersion, Platform
from drivers.wire.requests import ModuleInfo

from ..model import IdentityFact, KnownUnit, SeenBefore
from ..profile import Label


class UnitMemory(Protocol):
    """What the journal remembers of units."""

    def seen_before(self, device_id: str) -> SeenBefore | None: ...
    def known_facts(self, device_id: str) -> dict[str, str]:
        """Identity facts read on earlier visits, name -> value; empty for a stranger."""
        ...

    def whose(self, number: str, besides: str) -> KnownUnit | None:
        """Another unit than ``besides`` (its Device ID) with that Device ID, or that had that serial, ICCID or IMEI."""
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


NO_LABEL = Label(is_expected=False, timeout_s=0.0)


@dataclass(slots=True)
class Unit:
    """``label`` and ``skus`` say what the profile wants; ``modules`` is empty until the firmware was asked."""

    platform: Platform
    device: ParticleDevice
    memory: UnitMemory
    label: Label = NO_LABEL
    skus: tuple[str, ...] = ()  # empty: any
    at_work: AtWork = field(default_factory=AtWork)
    identity: Identity = field(default_factory=Identity)
    modules: tuple[ModuleInfo, ...] = ()

    def fact(self, name: str) -> str | None:
        """What was told of the unit under that name, by whatever source; None if nobody told."""
        return next((fact.value for fact in self.identity.facts if fact.name == name), None)
