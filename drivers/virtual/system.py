"""What console and control requests may use of the Device OS that runs them, and what both of them tell of it."""

from __future__ import annotations

import json
from typing import Protocol

from ..platforms import OsVersion
from .board import Board
from .boot import BootReport, BootRequest
from .ota import OtaUpdate
from .protection import Protection
from .radio import Radio


class RunningSystem(Protocol):
    """Implemented by `application.Application`. Everything is called with the unit's condition held."""

    is_rainbow: bool  # the LED, as requests 230 and 231 set it

    @property
    def board(self) -> Board: ...
    @property
    def report(self) -> BootReport: ...
    @property
    def os(self) -> OsVersion: ...
    @property
    def is_safe(self) -> bool:
        """The system runs without the application."""
        ...

    @property
    def ota(self) -> OtaUpdate: ...
    @property
    def protection(self) -> Protection: ...
    @property
    def radio(self) -> Radio: ...
    @property
    def started_at(self) -> float:
        """Clock seconds."""
        ...

    @property
    def has_setup_flag(self) -> bool:
        """This Device OS looks at the setup-done flag (H7)."""
        ...

    @property
    def is_listening(self) -> bool: ...
    @property
    def may_listen(self) -> bool:
        """False if listening mode is disabled by its feature flag."""
        ...

    def enter_listening(self) -> None: ...
    def leave_listening(self) -> None: ...
    def restart_after_check(self, request: BootRequest) -> None:
        """Stop working, and reset a second from now."""
        ...

    def apply_update(self) -> None:
        """Stage the received module for the next boot and reset."""
        ...

    def now(self) -> float:
        """Return clock seconds."""
        ...


def diagnostics(system: RunningSystem) -> str:
    """Return the values of request 100 and console ``d`` this unit has sources for."""
    uptime = int(system.now() - system.started_at)
    link = system.radio.link
    values = {"sys:uptime": uptime, "net:stat": 4 if link else 1, "cloud:stat": int(link)}
    return json.dumps(values, separators=(",", ":"))
