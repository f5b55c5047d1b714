"""Endpoint 0 of a unit: runs one control transfer in clock time, with injected faults.

Standard requests are answered here; class and vendor requests go to the software running on
the unit (`Software`). USB 2.0 chapter 9; quirks of reference usb-and-serial 2.6.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..clock import Clock, Condition
from ..wire.control.tables import ServiceStatus
from ..wire.usb import CONTROL_BYTES_PER_S, CONTROL_TRANSFER_S, Setup, StandardRequest
from .bus import Gone, Presence, Stall, TimedOut
from .control_service import service_reply
from .descriptors import CONFIGURATION, DEVICE, STRING, Descriptors, microsoft_compatible_id
from .faults import Disturbance
from .timing import sleep_slack

_TYPE_MASK, _STANDARD, _VENDOR = 0x60, 0x00, 0x40
_MICROSOFT_VENDOR_CODE, _COMPATIBLE_ID = 0xEE, 4


@dataclass(frozen=True, slots=True)
class Answer:
    """The software's reply to one request, after which the unit is busy for ``busy_s`` seconds.

    ``is_unfinished``: done as asked, but the transfer has no status stage and the host waits in vain.
    """

    data: bytes = b""
    busy_s: float = 0.0
    is_unfinished: bool = False


class Software(Protocol):
    """What runs on a unit between two resets: Device OS with its application, or the bootloader's DFU mode."""

    @property
    def descriptors(self) -> Descriptors: ...
    def request(self, setup: Setup, data: bytes) -> Answer:
        """Answer one class or vendor request; raises `Stall`."""
        ...

    def set_configuration(self, value: int) -> None: ...
    def get_configuration(self) -> int: ...
    def set_interface(self, interface: int, alternate: int) -> None:
        """Raise `Stall` for a setting that does not exist."""
        ...

    def get_interface(self, interface: int) -> int: ...
    def bus_reset(self) -> None: ...
    def stop(self) -> None:
        """Stop running: a reset or a power cut."""


class Endpoint:
    """The control endpoint of one unit; ``condition`` is the unit's own.

    Waiting releases the condition, so a silent unit blocks only its own caller.
    """

    def __init__(self, clock: Clock, condition: Condition, presence: Callable[[], Presence | None]) -> None:
        self._clock, self._condition, self._presence = clock, condition, presence
        self._slack = sleep_slack(clock)
        self._free_at = 0.0  # until then the unit answers NAK: its flash is busy, or the last transfer is still running

    def restart(self) -> None:
        """Clear the busy time, as a reset does."""
        self._free_at = 0.0

    def transfer(
        self,
        presence: Presence,
        software: Software,
        setup: Setup,
        data: bytes,
        timeout_s: float,
        disturbance: Disturbance,
    ) -> bytes:
        """Run one transfer with the condition held. Raises `Stall`, `Gone`, `TimedOut`, `HostError`."""
        until = self._clock.now() + timeout_s
        if disturbance.is_silent:
            self._wait(presence, until)
            raise TimedOut
        self._wait_free(presence, until)
        if disturbance.stalls:
            raise Stall
        error = disturbance.host_error
        if error is not None and not error.loses_reply:
            raise error
        answer = (
            Answer(service_reply(ServiceStatus.BUSY)) if disturbance.is_busy else self._answer(software, setup, data)
        )
        if self._presence() is not presence:
            raise Gone
        if answer.is_unfinished:
            self._wait(presence, until)
            raise TimedOut
        reply = answer.data[: setup.length]
        if disturbance.garbage is not None and setup.is_in:
            reply = _garbage(disturbance.garbage, len(reply))
        cost = CONTROL_TRANSFER_S + (len(reply) + len(data)) / CONTROL_BYTES_PER_S + disturbance.delay_s
        self._free_at = max(self._free_at, self._clock.now()) + cost
        self._wait_free(presence, until)
        self._free_at += answer.busy_s
        if error is not None:
            raise error
        return reply

    # --- time ---

    def _wait_free(self, presence: Presence, until: float) -> None:
        """Wait until the unit is no longer busy; raise `TimedOut` when that is later than ``until``."""
        if self._free_at - self._clock.now() <= self._slack:
            return
        self._wait(presence, min(self._free_at, until))
        if self._free_at > until:
            raise TimedOut

    def _wait(self, presence: Presence, moment: float) -> None:
        """Wait with the condition released; raise `Gone` as soon as the unit leaves the bus."""
        while (left := moment - self._clock.now()) > 0:
            self._condition.wait(left)
            if self._presence() is not presence:
                raise Gone
        if self._presence() is not presence:
            raise Gone

    # --- content ---

    def _answer(self, software: Software, setup: Setup, data: bytes) -> Answer:
        """Dispatch by the type bits of bmRequestType; raises `Stall`."""
        if setup.request_type & _TYPE_MASK == _STANDARD:
            return Answer(standard_request(software, setup))
        if setup.request_type & _TYPE_MASK == _VENDOR and setup.request == _MICROSOFT_VENDOR_CODE:
            if setup.index != _COMPATIBLE_ID:
                raise Stall
            return Answer(microsoft_compatible_id(software.descriptors.vendor_interface or 0))
        return software.request(setup, data)


def standard_request(software: Software, setup: Setup) -> bytes:
    """Answer a standard request (USB 2.0 section 9.4); raises `Stall` for the rest."""
    match setup.request:
        case StandardRequest.GET_STATUS:
            return b"\x01\x00"  # self-powered
        case StandardRequest.GET_DESCRIPTOR:
            return _descriptor(software.descriptors, setup)
        case StandardRequest.GET_CONFIGURATION:
            return bytes([software.get_configuration()])
        case StandardRequest.SET_CONFIGURATION:
            software.set_configuration(setup.value)
            return b""
        case StandardRequest.GET_INTERFACE:
            return bytes([software.get_interface(setup.index)])
        case StandardRequest.SET_INTERFACE:
            software.set_interface(setup.index, setup.value)
            return b""
    raise Stall


def _descriptor(descriptors: Descriptors, setup: Setup) -> bytes:
    kind, index = setup.value >> 8, setup.value & 0xFF
    found = {
        DEVICE: descriptors.device if index == 0 else None,
        CONFIGURATION: descriptors.configuration if index == 0 else None,
        STRING: descriptors.string(index),
    }.get(kind)
    if found is None:
        raise Stall
    return found


def _garbage(seed: str, length: int) -> bytes:
    return random.Random(seed).randbytes(length)
