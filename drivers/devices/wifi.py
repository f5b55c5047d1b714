"""What one unit can do about Wi-Fi: by the newest requests, by those of old Gen 2 units, else by the console.

Which of them a unit has is in the platform table. Nothing here judges the unit. Reference usb-and-serial 4.8, 5.5.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..clock import Deadline
from ..errors import GarbledConsole, RemoteProtocolError, RequestRejected, TransferTimeout
from ..identity import Secret
from ..wire import requests
from ..wire.console.wifi import WifiOutcome
from ..wire.messages.network import Enterprise
from ..wire.messages.tables import ENTERPRISE, ConnectionStatus, WifiSecurity
from ..wire.requests import Request
from ..wire.results import ResultCode
from .particle import ParticleDevice

TRIES = 3
"""Dialogues on the console before it counts as garbled."""


@dataclass(frozen=True, slots=True)
class WifiNetwork:
    """A network as a unit is given it. ``password`` None: open, or by the credentials of a user."""

    ssid: str
    security: WifiSecurity
    password: Secret | None = None
    is_hidden: bool = False
    enterprise: Enterprise | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """How a unit is connected. ``ssid`` None: it does not say to which network; ``rssi`` None: nor how well (dBm)."""

    evidence: str
    ssid: str | None = None
    rssi: int | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A network in range; a hidden one has an empty ``ssid``. ``rssi`` in dBm."""

    ssid: str
    rssi: int


class UnitWifi:
    """The Wi-Fi of a unit in normal or listening mode. Every method raises as `ParticleDevice.ask`."""

    def __init__(self, device: ParticleDevice, deadline: Deadline) -> None:
        self._device, self._deadline = device, deadline

    def _knows(self, request: Request[Any]) -> bool:
        return self._device.knows(request, self._deadline)

    def joins_by_request(self, network: WifiNetwork) -> bool:
        """Return whether `join` can try that network before it is stored."""
        return network.security not in ENTERPRISE and self._knows(_join(network))

    @property
    def can_forget_one(self) -> bool:
        """Return whether a single stored network can be removed by a request."""
        return self._knows(requests.remove_known_network("-"))

    @property
    def can_forget(self) -> bool:
        """Return whether stored networks can be removed by a request, were it all of them."""
        return self.can_forget_one or self._knows(requests.old_clear_credentials())

    def join(self, network: WifiNetwork) -> None:
        """Join a network and store it; raises `RequestRejected` when the unit did not get in, and stores nothing."""
        self._device.ask(_join(network), self._deadline)

    def store(self, network: WifiNetwork) -> str:
        """Store a network untried, and leave listening mode where that is done by itself; return by what means.

        Raises `RequestRejected` when the unit could not store it, `GarbledConsole` when its console was disturbed
        `TRIES` times.
        """
        ssid, password, security = network.ssid, network.password, network.security
        plain, old = requests.store_network("-", None, WifiSecurity.NONE), requests.old_clear_credentials()
        if security not in ENTERPRISE and self._knows(plain):
            self._device.ask(requests.store_network(ssid, password, security, hidden=network.is_hidden), self._deadline)
            return "request 507"
        if self._knows(old):
            self._device.ask(requests.old_set_credentials(ssid, password, security, network.enterprise), self._deadline)
            return "request 113"
        self._type(network)
        return "the console"

    def _type(self, network: WifiNetwork) -> None:
        for left in reversed(range(TRIES)):
            try:
                with self._device.console(self._deadline) as console:
                    outcome = console.wifi(
                        network.ssid, network.password, network.security, network.enterprise, self._deadline
                    )
                break
            except GarbledConsole:
                raise
            except (RemoteProtocolError, TransferTimeout) as error:
                if left == 0:
                    raise GarbledConsole(f"{error}; is another program on its serial port?") from error
        if outcome is WifiOutcome.NOT_SAVED:
            raise RequestRejected(
                f"console w: the unit could not save {network.ssid!a}", request=0, code=ResultCode.FLASH_IO
            )

    def stored(self) -> frozenset[str] | None:
        """Read the names of the stored networks; None where no request tells them."""
        known, old = requests.get_known_networks(), requests.old_get_credentials()
        found = known if self._knows(known) else old if self._knows(old) else None
        if found is None:
            return None
        return frozenset(row.ssid for row in self._device.ask(found, self._deadline))

    def link(self) -> Link | None:
        """Read whether the unit is connected, and how, from the best source it has; None when it says that it is not.

        Raises `RequestUnknown` when its Device OS has no request that tells.
        """
        current = requests.get_current_network()
        if self._knows(current):
            try:
                found = self._device.ask(current, self._deadline)
            except RequestRejected as refused:
                if refused.code == ResultCode.INVALID_STATE:
                    return None
                raise
            return Link("request 505", found.ssid, found.rssi if found.rssi < 0 else None)
        if self._knows(requests.get_diagnostics()):
            values = self._device.ask(requests.get_diagnostics(), self._deadline)
            if values.get("net:ip:addr"):
                rssi = values.get("net:rssi", 0)
                return Link("its IP address in request 100", rssi=rssi if -120 <= rssi < 0 else None)
            if "net:ip:addr" in values:
                return None
        if self._device.ask(requests.get_connection_status(), self._deadline) is ConnectionStatus.CONNECTED:
            return Link("its cloud connection in request 300")
        return None

    def heard(self) -> tuple[Heard, ...] | None:
        """Scan for networks; None where no request does. A network may be there several times."""
        scan, old = requests.scan_networks(), requests.old_scan()
        found = scan if self._knows(scan) else old if self._knows(old) else None
        if found is None:
            return None
        return tuple(Heard(row.ssid, row.rssi) for row in self._device.ask(found, self._deadline))

    def forget(self, ssids: Iterable[str]) -> None:
        """Remove stored networks; on old Gen 2 units that removes all of them. Raises `RequestUnknown`."""
        if self._knows(requests.old_clear_credentials()):
            self._device.ask(requests.old_clear_credentials(), self._deadline)
            return
        for ssid in ssids:
            self._device.ask(requests.remove_known_network(ssid), self._deadline)


def _join(network: WifiNetwork) -> Request[None]:
    return requests.join_new_network(network.ssid, network.password, network.security, hidden=network.is_hidden)
