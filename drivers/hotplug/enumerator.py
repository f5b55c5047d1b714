"""Polls the bus and reports what changed. Never opens a device, so no unit can block it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from ..clock import Clock, ClockThread
from ..errors import Cancelled, DriverError
from ..identity import PortPath
from ..transport import UsbCandidate, UsbHost
from ..wire.usb import UsbId

_log = logging.getLogger(__name__)

POLL_INTERVAL_S = 0.25
"""How often the bus is listed (reference usb-and-serial 7.3: every 250 to 500 ms)."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A unit arrived. A re-enumeration is reported as `Detached` and then this, on the same port path."""

    candidate: UsbCandidate


@dataclass(frozen=True, slots=True)
class Detached:
    """The unit on this port left the bus."""

    port_path: PortPath


HotplugEvent = Attached | Detached

_Arrival = tuple[tuple[int, int], UsbId]


def _arrival(candidate: UsbCandidate) -> _Arrival:
    return candidate.address, candidate.usb_id


class Enumerator:
    """One thread that lists the bus every ``interval_s`` seconds and calls ``on_event`` for each change.

    ``on_event`` runs on the enumerator's thread and must neither block nor raise. When listing fails,
    ``on_failure`` is called once per series of failures (default: a log line), the last listing stays
    valid and the next poll tries again.
    """

    def __init__(
        self,
        host: UsbHost,
        clock: Clock,
        on_event: Callable[[HotplugEvent], None],
        interval_s: float = POLL_INTERVAL_S,
        *,
        on_failure: Callable[[DriverError], None] | None = None,
    ) -> None:
        self._host, self._clock, self._on_event = host, clock, on_event
        self._interval_s = interval_s
        self._on_failure = on_failure or (lambda error: _log.warning("cannot list USB devices: %s", error))
        self._known: dict[PortPath, UsbCandidate] = {}
        self._failing = False
        self._stop = clock.token()
        self._thread: ClockThread | None = None

    def start(self) -> None:
        """Start the thread, which lists the bus at once and then every interval. Call once."""
        assert self._thread is None, "an Enumerator is started once"
        self._thread = self._clock.thread("usb-enumerator", self._run)

    def stop(self) -> None:
        """End the thread and wait for it; safe to call twice, or without `start`."""
        self._stop.cancel()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            while True:
                self.poll()
                self._clock.sleep(self._interval_s, self._stop)
        except Cancelled:
            pass

    def poll(self) -> None:
        """List the bus once and report what changed since the last listing."""
        try:
            listed = self._host.candidates()
        except DriverError as error:
            if not self._failing:
                self._on_failure(error)
            self._failing = True
            return
        self._failing = False
        self._report(self._one_per_port(listed))

    def _one_per_port(self, listed: list[UsbCandidate]) -> dict[PortPath, UsbCandidate]:
        """Keep one candidate a port: while a unit re-enumerates, some hosts list its old entry beside the new one."""
        found: dict[PortPath, UsbCandidate] = {}
        for candidate in listed:
            known = self._known.get(candidate.port_path)
            is_old = known is not None and _arrival(known) == _arrival(candidate)
            if not (is_old and candidate.port_path in found):
                found[candidate.port_path] = candidate
        return found

    def _report(self, found: dict[PortPath, UsbCandidate]) -> None:
        for path, known in list(self._known.items()):
            now = found.get(path)
            if now is None or _arrival(now) != _arrival(known):
                del self._known[path]
                self._on_event(Detached(path))
        for path, candidate in found.items():
            if path not in self._known:
                self._known[path] = candidate
                self._on_event(Attached(candidate))
