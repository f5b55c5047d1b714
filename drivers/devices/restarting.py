"""Restarts one unit and waits for it to return, confirmed by USB product id, Device ID and a reply to a request.

Every restart is announced on the `PortWatch` before it is requested. Reference usb-and-serial 7.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Protocol

from ..clock import CancelToken, Clock, Deadline
from ..errors import (
    BootloaderStuck,
    DeadlineExceeded,
    DidNotReturn,
    Disconnected,
    NotFound,
    OutcomeUnknown,
    OutOfRequests,
    RequestRejected,
    Stalled,
    TransferFailed,
    TransferTimeout,
)
from ..hotplug import PortWatch
from ..identity import DeviceId
from ..platforms import OsVersion
from ..transport import UsbCandidate
from ..wire import requests
from ..wire.requests import Request
from ..wire.usb import Mode
from .asking import knows_request
from .control import ControlDevice
from .opening import Verbs
from .repeating import Trace

_COMING_UP = (
    Disconnected,
    NotFound,
    Stalled,
    TransferFailed,
    TransferTimeout,
    OutcomeUnknown,
    OutOfRequests,
    BootloaderStuck,
)
"""How the first transfers to a unit may fail while it is starting up (reference usb-and-serial 7.3)."""
TRIES = 3
"""Tries of a restart that does not happen, or that ends in the mode it began in."""
VANISH_S = 5.0
"""How long the old enumeration may last after a restart request was answered (reference usb-and-serial 7.3)."""
BROWN_OUT_S = 10.0
"""How long a unit that left the bus during the restart request may take to return before it counts as unplugged."""
DFU_SETTLE_S = 0.5
"""Between the return of a unit in DFU mode and opening it (reference firmware-and-dfu 1.9).

The unit cannot be asked whether it is ready: what it is sent too early may fail or be taken wrongly, and it is only
once a walk. Without a measurement on real units it stays at what the vendor's tools wait.
"""
MODE_POLL_S = 0.25
"""Before a unit that has just appeared and does not answer yet is tried again (reference usb-and-serial 7.3)."""


class StayedHere(DidNotReturn):
    """The unit did not leave the bus after a restart request."""


class OtherMode(DidNotReturn):
    """The unit came back in a mode that was not requested."""


class Unit(Protocol):
    """One physical unit on its port."""

    @property
    def port(self) -> PortWatch: ...
    @property
    def device_id(self) -> DeviceId | None: ...
    @property
    def mode(self) -> Mode | None: ...
    @property
    def where(self) -> str:
        """Return the name of the unit in error messages."""
        ...

    def present(self) -> UsbCandidate: ...
    def open(self, deadline: Deadline) -> Verbs: ...
    def close(self) -> None: ...


class Restarts:
    """The restarts of one unit. One owner thread."""

    def __init__(self, unit: Unit, clock: Clock, cancel: CancelToken, trace: Trace) -> None:
        self._unit, self._clock, self._cancel, self._trace = unit, clock, cancel, trace

    def run(
        self,
        reason: str,
        wanted: Mode,
        deadline: Deadline,
        act: Callable[[], bool],
        vanish_s: float = VANISH_S,
        tries: int = TRIES,
    ) -> None:
        """Announce and request a restart, close the handle at once, and wait for the same unit in mode ``wanted``.

        ``act`` requests the restart and returns False when it is unknown whether the unit received it: then it has
        at most `VANISH_S` to leave the bus, otherwise ``vanish_s``. A unit that stays, or comes back in the mode it
        was in (a bad contact at that moment), is asked again, ``tries`` times in all. Raises `DidNotReturn`,
        `Swapped`, and `Disconnected` for a unit that left before the request.
        """
        before, old, was_asked = self._unit.mode, self._unit.present(), False
        with self._unit.port.expecting(reason, deadline):
            for left in reversed(range(tries)):
                try:
                    self._run_once(reason, wanted, deadline, act, vanish_s, old, was_asked)
                    break
                except (StayedHere, OtherMode) as error:
                    if left == 0 or self._unit.mode is not before:
                        raise
                    self._trace(f"restart: {error}; asking again")
                    was_asked = isinstance(error, StayedHere)
                    old = old if was_asked else self._unit.present()
        self._trace(f"restart: {self._unit.device_id or 'the unit'} is back in {wanted.value} mode")

    def _run_once(
        self, reason: str, wanted: Mode, deadline: Deadline, act: Callable[[], bool], vanish_s: float,
        old: UsbCandidate, was_asked: bool,
    ) -> None:  # fmt: skip
        unit = self._unit
        try:
            if not act():
                vanish_s = min(vanish_s, VANISH_S)
        except Disconnected:
            # Asked before: it has obeyed by now, whatever the list of devices still shows. Else it left before it
            # carried the request out: a bad contact, or somebody unplugged it.
            if was_asked:
                vanish_s = deadline.remaining
            elif not self._is_back(old, deadline):
                raise
        finally:
            unit.close()
        self._trace(f"restart: waiting for {wanted.value} mode on port {old.port_path}")
        problem = f"{unit.where} was to restart ({reason}) and is not back in {wanted.value} mode in time; "
        try:
            unit.port.wait_gone(old.address, deadline.sooner(vanish_s), self._cancel)
        except DeadlineExceeded as error:
            kind = DidNotReturn if deadline.expired else StayedHere
            raise kind(f"{problem}power it off and on") from error
        try:
            self._await_return(old, wanted, deadline)
        except DeadlineExceeded as error:
            raise DidNotReturn(f"{problem}power it off and on") from error

    def _is_back(self, old: UsbCandidate, deadline: Deadline) -> bool:
        soon = deadline.sooner(BROWN_OUT_S)
        with contextlib.suppress(DeadlineExceeded):
            self._unit.port.wait_for(lambda candidate: candidate.address != old.address, soon, self._cancel)
            return True
        return False

    def _await_return(self, old: UsbCandidate, wanted: Mode, deadline: Deadline) -> None:
        """Wait for an arrival that stays long enough to answer; a unit may restart several times after an update.

        Until it has answered, USB errors are part of the restart (reference usb-and-serial 7.3).
        """
        port = self._unit.port
        port.wait_for(lambda candidate: candidate.address != old.address, deadline, self._cancel)
        while True:
            deadline.check("first answer after a restart")
            current = port.wait_for(lambda _: True, deadline, self._cancel)
            try:
                self._confirm(wanted, current, deadline)
                return
            except (*_COMING_UP, DeadlineExceeded) as error:
                deadline.check("first answer after a restart")
                self._trace(f"restart: not there yet, {error}")
                self._unit.close()
            self._clock.sleep(min(MODE_POLL_S, deadline.remaining), self._cancel)

    def _confirm(self, wanted: Mode, current: UsbCandidate, deadline: Deadline) -> None:
        if current.usb_id.mode is Mode.DFU:
            self._clock.sleep(min(DFU_SETTLE_S, deadline.remaining), self._cancel)
        verbs = self._unit.open(deadline)  # the Device ID first: a newcomer's mode says nothing about our unit
        if isinstance(verbs, ControlDevice) is not (wanted is Mode.APPLICATION):
            raise OtherMode(
                f"{self._unit.where} came back as {self._unit.present().usb_id}, not in {wanted.value} mode; "
                "its firmware may be damaged, walk it again"
            )
        while isinstance(verbs, ControlDevice) and verbs.has_requests:
            try:
                verbs.ask(_sign_of_life(current, verbs.version), deadline=deadline, cancel=self._cancel)
                return
            except RequestRejected:  # still a reply; a protected unit gives no other
                return
            except DeadlineExceeded:  # a unit that has just started may have no time for requests yet
                deadline.check("first answer after a restart")


def _sign_of_life(current: UsbCandidate, version: OsVersion | None) -> Request[bool]:
    """Return a request that reads and that this Device OS has: any other goes to the application, which may take it."""
    mode = requests.get_device_mode()
    if version is None or knows_request(current.usb_id.platform_id, mode.type_id, lambda: version):
        return mode
    return requests.is_claimed()
