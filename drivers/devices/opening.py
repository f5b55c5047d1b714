"""Opens the unit on a port and checks which one it is before anything is sent to it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from ..clock import CancelToken, Clock, Deadline
from ..errors import (
    BadIdentity,
    DeviceRefused,
    LinkError,
    LocalProtocolError,
    NotFound,
    RemoteProtocolError,
    Stalled,
    Swapped,
    TransferTimeout,
    UnknownPlatform,
)
from ..identity import DeviceId
from ..platforms import platform
from ..transport import UsbCandidate, UsbTransport
from ..transport.guarded import GuardedTransport
from ..wire import requests
from .control import ControlDevice
from .dfu import DfuDevice
from .repeating import Repeater, Trace
from .staging import StagingDevice

OPEN_TRIES = 3
OPEN_PAUSE_S = 0.2
"""Permissions may be set late after an enumeration (reference usb-and-serial 7.3)."""

Verbs = ControlDevice | StagingDevice

SERIAL_STRING = "USB serial string"
_NO_ANSWER = (BadIdentity, DeviceRefused, RemoteProtocolError, Stalled, TransferTimeout, NotFound, LocalProtocolError)


def ask_id(
    opened: Opened, where: str, console_id: Callable[[], str], deadline: Deadline, cancel: CancelToken
) -> tuple[DeviceId, str]:
    """Ask a unit for its Device ID, where its serial string is none; return it and the source that had it.

    Raises `RemoteProtocolError` when no source has one, `NeedsHands` when only the console does, and is not open.
    """
    if opened.serial_id is not None:
        return opened.serial_id, SERIAL_STRING
    verbs = opened.verbs
    sources: list[tuple[str, Callable[[], str]]]
    if isinstance(verbs, ControlDevice):
        sources = [("raw request 20", lambda: verbs.raw_device_id(deadline, cancel))]
        if verbs.has_requests:
            ask = requests.get_device_id()
            sources += [("request 20", lambda: str(verbs.ask(ask, deadline=deadline, cancel=cancel)))]
        sources += [("console i", console_id)]
    else:
        sources = [("DFU memory 1", lambda: _stored_id(verbs))]
    for name, source in sources:
        with contextlib.suppress(*_NO_ANSWER):
            return DeviceId.parse(source()), name
    raise RemoteProtocolError(f"{where} did not report a Device ID; hand it to the technician")


def _stored_id(verbs: DfuDevice) -> str:
    """Read the copy of the Device ID that Gen 2 keeps in its configuration memory (reference usb-and-serial 2.8).

    "" for a unit that has not written it yet. Any twelve bytes look like one, so it counts once two reads agree.
    """
    stored = verbs.read_field("device_id")
    for _ in range(OPEN_TRIES):
        before, stored = stored, verbs.read_field("device_id")
        if stored == before:
            return "" if stored.count(0xFF) == len(stored) else stored.hex()
    raise RemoteProtocolError("the configuration memory tells another Device ID at each read; other cable, other port?")


@dataclass(frozen=True, slots=True)
class Opened:
    """One enumeration of a unit, opened. ``serial_id``: the Device ID in its serial string, if there is one.

    ``is_proved``: it said that it is the expected unit; else only its port vouches for it.
    """

    candidate: UsbCandidate
    verbs: Verbs
    serial_id: DeviceId | None
    is_proved: bool


class Opener:
    """Opens candidates for one owner thread."""

    def __init__(self, clock: Clock, cancel: CancelToken, trace: Trace, *, by_port: bool = False) -> None:
        """``by_port``: the expected unit showed no Device ID in its serial string; then its port has to do."""
        self._clock, self._cancel, self._trace, self._by_port = clock, cancel, trace, by_port

    def open(
        self, candidate: UsbCandidate, expected: DeviceId | None, is_there: Callable[[], bool], deadline: Deadline
    ) -> Opened:
        """Open ``candidate``, in up to `OPEN_TRIES` tries while ``is_there()``. With ``expected`` it must be that unit.

        Raises `Swapped`, `RemoteProtocolError` when the unit reports no Device ID to compare, `UnknownPlatform`
        for the bootloader of a platform without a table, `LinkError`, `DeadlineExceeded` and `Cancelled`.
        """
        for left in reversed(range(OPEN_TRIES)):
            try:
                return self._try(candidate, expected, deadline)
            except (LinkError, RemoteProtocolError) as error:
                self._trace(f"open {candidate.usb_id} on {candidate.port_path}: {error}")
                if left == 0 or isinstance(error, Swapped) or not is_there():
                    raise
            self._clock.sleep(OPEN_PAUSE_S, self._cancel)
        raise AssertionError("unreachable: the last try returns or raises")

    def _try(self, candidate: UsbCandidate, expected: DeviceId | None, deadline: Deadline) -> Opened:
        deadline.check(f"open the unit on port {candidate.port_path}")
        transport = candidate.open()
        try:
            repeater = Repeater(transport, self._clock, self._trace)
            serial_id = repeater.read(lambda: _device_id(transport), "serial string", deadline, self._cancel)
            verbs = self._verbs(transport, deadline)
            is_proved = False
            if expected is not None:  # first of all: what follows may trigger a restart an earlier host requested
                is_proved = self._compare(candidate, serial_id or self._asked_id(verbs, deadline), expected)
            self._begin(verbs, deadline)
            if expected is not None and not is_proved and isinstance(verbs, DfuDevice):
                with contextlib.suppress(*_NO_ANSWER):
                    is_proved = self._compare(candidate, DeviceId.parse(_stored_id(verbs)), expected)
        except BaseException:
            transport.close()
            raise
        return Opened(candidate, verbs, serial_id, is_proved)

    def _verbs(self, transport: UsbTransport, deadline: Deadline) -> Verbs:
        if isinstance(transport, GuardedTransport):
            return StagingDevice(transport, self._clock, deadline, self._cancel, self._trace)
        try:
            row = platform(transport.usb_id.platform_id or 0)
        except UnknownPlatform:
            return ControlDevice(transport, self._clock, trace=self._trace)
        return ControlDevice(
            transport, self._clock, trace=self._trace, requests_since=row.requests_since,
            out_needs_data=row.out_needs_data,
        )  # fmt: skip

    def _begin(self, verbs: Verbs, deadline: Deadline) -> None:
        if isinstance(verbs, DfuDevice):
            verbs.open()
        else:
            verbs.open(deadline, self._cancel)

    def _asked_id(self, verbs: Verbs, deadline: Deadline) -> DeviceId | None:
        if isinstance(verbs, ControlDevice):
            with contextlib.suppress(BadIdentity, Stalled):
                return DeviceId.parse(verbs.raw_device_id(deadline, self._cancel))
        return None

    def _compare(self, candidate: UsbCandidate, found: DeviceId | None, expected: DeviceId) -> bool:
        """Raise unless this is the expected unit (rule H2); return False where only its port says that it is."""
        where = f"the unit on port {candidate.port_path}"
        if found is None and self._by_port:
            self._trace(f"open: {where} cannot say who it is; taken for {expected}, which is on that port")
            return False
        if found is None:
            raise RemoteProtocolError(
                f"{where} did not report a Device ID, so it may be any unit; other cable, other port?"
            )
        if found != expected:
            raise swapped(where, expected, found)
        return True


def swapped(where: str, expected: DeviceId, found: DeviceId) -> Swapped:
    """Make the error for another unit on the port."""
    return Swapped(
        f"{where} is {found}, it was {expected}; plug the first one in again", expected=str(expected), found=str(found)
    )


def _device_id(transport: UsbTransport) -> DeviceId | None:
    """Parse the serial string as a Device ID, cleaned as in reference usb-and-serial 2.4; None if it is not one."""
    text = "".join(c for c in transport.serial_string() if " " <= c <= "~")
    try:
        return DeviceId.parse(text)
    except BadIdentity:
        return None
