"""Endpoint 0 of a unit: runs one control transfer in time, with the faults that were ordered.

Standard requests are answered here; class and vendor requests go to whatever software runs on
the unit (`Software`). USB 2.0 chapter 9; quirks of reference usb-and-serial 2.6.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..clock import Clock, Condition
from ..wire.control.tables import ServiceStatus
from ..wire.usb import Setup, StandardRequest
from .bus import Gone, Presence, Stall, TimedOut
from .control_service import service_reply
from .descriptors import CONFIGURATION, DEVICE, STRING, Descriptors, microsoft_compatible_id
from .faults import Sabotage
from .timing import BYTES_PER_S, TRANSFER_S, saved_up

_TYPE_MASK, _STANDARD, _VENDOR = 0x60, 0x00, 0x40
_MICROSOFT_VENDOR_CODE, _COMPATIBLE_ID = 0xEE, 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What the software says to one request; the unit answers nothing else for ``busy_s`` seconds after it."""

    data: bytes = b""
    busy_s: float = 0.0


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
        """End: a reset, or a power cut."""


class Endpoint:
    """The control endpoint of one unit; ``condition`` is the unit's own.

    Nobody waits with the condition held, so a silent unit blocks nothing but its own caller.
    """

    def __init__(self, clock: Clock, condition: Condition, presence: Callable[[], Presence | None]) -> None:
        self._clock, self._condition, self._presence = clock, condition, presence
        self._slack = saved_up(clock)
        self._free_at = 0.0  # until then the unit answers NAK: its flash is busy, or the last transfer still runs

    def restart(self) -> None:
        """Forget what is owed, as a reset does."""
        self._free_at = 0.0

    def transfer(
        self, presence: Presence, software: Software, setup: Setup, data: bytes, timeout_s: float, sabotage: Sabotage
    ) -> bytes:
        """Run one transfer; the condition is held by the caller. Raises `Stall`, `Gone`, `TimedOut`, `HostError`."""
        until = self._clock.now() + timeout_s
        if sabotage.is_silent:
            self._wait(presence, until)
            raise TimedOut
        self._wait_free(presence, until)
        if sabotage.stalls:
            raise Stall
        error = sabotage.host_error
        if error is not None and not error.loses_reply:
            raise error
        answer = Answer(service_reply(ServiceStatus.BUSY)) if sabotage.is_busy else self._answer(software, setup, data)
        if self._presence() is not presence:
            raise Gone
        reply = answer.data[: setup.length]
        if sabotage.garbage is not None and setup.is_in:
            reply = _garbage(sabotage.garbage, len(reply))
        cost = TRANSFER_S + (len(reply) + len(data)) / BYTES_PER_S + sabotage.delay_s
        self._free_at = max(self._free_at, self._clock.now()) + cost
        self._wait_free(presence, until)
        self._free_at += answer.busy_s
        if error is not None:
            raise error
        return reply

    # --- time ---

    def _wait_free(self, presence: Presence, until: float) -> None:
        """Wait until the unit answers again; `TimedOut` when that is later than ``until``."""
        if self._free_at - self._clock.now() <= self._slack:
            return
        self._wait(presence, min(self._free_at, until))
        if self._free_at > until:
            raise TimedOut

    def _wait(self, presence: Presence, moment: float) -> None:
        """Wait with the condition released; `Gone` as soon as the unit leaves the bus."""
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
            return b"\x01\x00"  # self powered
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
