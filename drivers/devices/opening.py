"""Opens the unit on a port and checks which one it is before anything is sent to it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from ..clock import CancelToken, Clock, Deadline
from ..errors import BadIdentity, LinkError, RemoteProtocolError, Stalled, Swapped
from ..identity import DeviceId
from ..transport import UsbCandidate, UsbTransport
from ..transport.guarded import GuardedTransport
from .control import ControlDevice
from .dfu import DfuDevice
from .repeating import Repeater, Trace

OPEN_TRIES = 3
OPEN_PAUSE_S = 0.2
"""Permissions may be set late after an enumeration (reference usb-and-serial 7.3)."""

Verbs = ControlDevice | DfuDevice


@dataclass(frozen=True, slots=True)
class Opened:
    """One enumeration of a unit, opened. ``serial_id``: the Device ID in its serial string, if there is one."""

    candidate: UsbCandidate
    verbs: Verbs
    serial_id: DeviceId | None


class Opener:
    """Opens candidates for one owner thread."""

    def __init__(self, clock: Clock, cancel: CancelToken, trace: Trace) -> None:
        self._clock, self._cancel, self._trace = clock, cancel, trace

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
            if expected is not None:  # first of all: what follows may trigger a restart an earlier host requested
                self._compare(candidate, serial_id or self._asked_id(verbs, deadline), expected)
            self._begin(verbs, deadline)
        except BaseException:
            transport.close()
            raise
        return Opened(candidate, verbs, serial_id)

    def _verbs(self, transport: UsbTransport, deadline: Deadline) -> Verbs:
        if isinstance(transport, GuardedTransport):
            return DfuDevice(transport, self._clock, deadline, self._cancel, self._trace)
        return ControlDevice(transport, self._clock, trace=self._trace)

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

    def _compare(self, candidate: UsbCandidate, found: DeviceId | None, expected: DeviceId) -> None:
        """Raise unless this is the expected unit: nothing may be sent to any other (rule H2)."""
        where = f"the unit on port {candidate.port_path}"
        if found is None:
            raise RemoteProtocolError(
                f"{where} did not report a Device ID, so it may be any unit; other cable, other port?"
            )
        if found != expected:
            raise Swapped(
                f"{where} is {found}, it was {expected}; plug the first one in again",
                expected=str(expected),
                found=str(found),
            )


def _device_id(transport: UsbTransport) -> DeviceId | None:
    """Parse the serial string as a Device ID, cleaned as in reference usb-and-serial 2.4; None if it is not one."""
    text = "".join(c for c in transport.serial_string() if " " <= c <= "~")
    try:
        return DeviceId.parse(text)
    except BadIdentity:
        return None
