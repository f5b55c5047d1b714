"""The interface of a running Device OS to its console and its request handlers, and the diagnostics of both."""

from __future__ import annotations

import json
from typing import Protocol

from ..platforms import OsVersion
from ..wire.results import ResultCode
from .board import Board
from .boot import BootReport, BootRequest
from .ota import OtaUpdate
from .protection import Protection
from .radio import Radio


class RunningSystem(Protocol):
    """A running Device OS, implemented by `application.Application`. Called with the unit's condition held."""

    is_rainbow: bool  # the LED, as requests 230 and 231 set it

    environment: dict[str, str]  # variables of the application, by name
    floods: bool  # the application prints to the serial port without end

    @property
    def board(self) -> Board: ...
    @property
    def report(self) -> BootReport: ...
    @property
    def os(self) -> OsVersion: ...
    @property
    def is_safe(self) -> bool:
        """Return whether the system runs without the application."""
        ...

    @property
    def ota(self) -> OtaUpdate: ...
    @property
    def protection(self) -> Protection: ...
    @property
    def radio(self) -> Radio: ...
    @property
    def started_at(self) -> float:
        """Return when the system booted, in clock seconds."""
        ...

    @property
    def has_setup_flag(self) -> bool:
        """Return whether this Device OS evaluates the setup-done flag (H7)."""
        ...

    @property
    def has_ethernet(self) -> bool:
        """Ethernet detection was on at boot, and the chip answered."""
        ...

    @property
    def is_listening(self) -> bool: ...
    @property
    def may_listen(self) -> bool:
        """Return whether the feature flag allows listening mode."""
        ...

    def enter_listening(self) -> None: ...
    def leave_listening(self) -> None: ...
    def restart_after_check(self, request: BootRequest) -> None:
        """Stop processing requests, and reset a second from now."""
        ...

    def apply_update(self) -> None:
        """Stage the received module for the next boot and reset."""
        ...

    def now(self) -> float:
        """Return clock seconds."""
        ...


_ADDRESS = 0xC0A80117  # 192.168.1.23


def diagnostics(system: RunningSystem) -> str:
    """Return the JSON of request 100 and console ``d``, with the values a virtual unit has."""
    uptime = int(system.now() - system.started_at)
    link = system.radio.link
    values: dict[str, object] = {"sys:uptime": uptime, "net:stat": 4 if link else 1, "cloud:stat": int(link)}
    if system.board.spec.platform.has_wifi:
        joined, failed = system.radio.joined, {"err": int(ResultCode.INVALID_STATE)}
        values["net:ip:addr"] = _ADDRESS if joined is not None else 0
        values["net:rssi"] = joined.rssi if joined is not None else failed
    return json.dumps(values, separators=(",", ":"))
