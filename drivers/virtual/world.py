"""The world around the units: access points, SIM registry, cloud. Independent of the units' internals.

Reference usb-and-serial 4.8.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from ..identity import Secret
from ..wire.messages.tables import EapType, WifiSecurity


@dataclass(frozen=True, slots=True)
class Login:
    """What an enterprise network wants to see of a unit, and what a unit has to show it. Texts as they were typed.

    ``root_ca``: whose certificate the network shows; a unit that was given none believes every network.
    """

    eap: EapType = EapType.PEAP
    username: str = ""
    password: Secret | None = None
    certificate: str = ""
    private_key: Secret | None = None
    outer_identity: str = ""
    root_ca: str = ""

    def admits(self, unit: Login) -> bool:
        """Return whether a unit with that login gets in, and believes the network."""
        mine, its = ((x.eap, x.username, x.password, x.certificate, x.private_key) for x in (self, unit))
        return mine == its and unit.root_ca in ("", self.root_ca)


@dataclass(frozen=True, slots=True)
class AccessPoint:
    """A Wi-Fi network in range. ``password`` None: open, or by ``login``."""

    ssid: str
    password: Secret | None = None
    security: WifiSecurity = WifiSecurity.WPA2_PSK
    bssid: bytes = b"\xa4\xb1\xc1\x02\x03\xff"
    channel: int = 11
    rssi: int = -52
    is_hidden: bool = False  # it does not tell its name
    login: Login | None = None


@dataclass(frozen=True, slots=True)
class StoredNetwork:
    """A network in a unit's store."""

    ssid: str
    password: Secret | None = None
    security: WifiSecurity = WifiSecurity.WPA2_PSK
    is_hidden: bool = False  # the unit was told so, and looks for it by its name
    login: Login | None = None


class SimRegistry(Protocol):
    """Knows which SIMs are active; implemented by the virtual cloud."""

    def is_active(self, iccid: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class ModuleVersion:
    """A module a unit holds or needs. ``kind``: its function and index (reference firmware-and-dfu 3.3)."""

    kind: tuple[int, int]
    version: int


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What a unit reports when its cloud session begins: the handshake, and the description that follows it.

    ``product_id`` None: its firmware is not for one product; ``product_version`` None: it has no version of one.
    ``missing``: what its modules need and it does not hold, which is why it is in safe mode.
    """

    device_id: str
    platform_id: int
    device_os: str
    is_safe_mode: bool
    product_id: int | None
    product_version: int | None
    serial_number: str
    iccid: str | None
    imei: str | None
    mac: str | None
    claim_code: str | None
    app_hash: str = ""
    functions: tuple[str, ...] = ()  # of the application
    modules: tuple[ModuleVersion, ...] = ()
    missing: tuple[ModuleVersion, ...] = ()


class Delivery(enum.StrEnum):
    """How far an update over the air is, in the words of ``spark/flash/status`` (reference cloud-api 7.3)."""

    STARTED = "started"  # the unit takes it, and loads it down
    SUCCESS = "success"  # it is whole and fits: the unit restarts with it
    FAILED = "failed"  # refused, or damaged on the way: the unit stays as it was


class UnitEnd(Protocol):
    """The unit's end of a session. The cloud may call it on any thread; once the session is over nothing happens."""

    def signal(self, is_on: bool) -> None:
        """Let the LED show the rainbow, or end that."""
        ...

    def deliver(self, module: bytes, told: Callable[[Delivery], None]) -> None:
        """Send a module over the air; ``told`` is called as `CloudLink` is. A session that ends tells nothing more."""
        ...


class CloudLink(Protocol):
    """The cloud end of units' sessions. Called on the bus's thread; no lock of a unit is held."""

    def online(self, facts: UnitFacts, unit: UnitEnd) -> None:
        """Begin a session; an earlier one of the same unit is over."""
        ...

    def offline(self, device_id: str) -> None:
        """End a session, as the network knows it: the unit itself may have lost its power."""
        ...


class World:
    """Everything outside the units. Access points may come, go and change while units run."""

    def __init__(
        self,
        access_points: Iterable[AccessPoint] = (),
        sims: SimRegistry | None = None,
        cloud: CloudLink | None = None,
    ) -> None:
        self.access_points: dict[str, AccessPoint] = {ap.ssid: ap for ap in access_points}
        self.sims = sims
        self.cloud = cloud
        self.barred: set[str] = set()  # IMEIs of modems that no network admits, whatever SIM they have (A12)

    def admits(self, network: StoredNetwork) -> AccessPoint | None:
        """Return the access point that accepts ``network``; None for a wrong password or nothing in range."""
        point = self.access_points.get(network.ssid)
        if point is None or (point.login is None) != (network.login is None):
            return None
        if point.login is not None and network.login is not None:
            return point if point.login.admits(network.login) else None
        return point if (point.password or None) == (network.password or None) else None

    def sim_is_active(self, iccid: str) -> bool:
        return self.sims is not None and self.sims.is_active(iccid)
