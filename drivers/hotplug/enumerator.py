"""Reports what changed on the bus, as soon as the system says that something did. Never opens a device, so no unit
can block it.

An event of the system only says "list the bus now": what changed is always the difference of two listings, so an
event that is lost, doubled or late costs nothing but time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..clock import Clock, ClockThread
from ..errors import Cancelled, DriverError, LinkError
from ..identity import PortPath
from ..transport import UsbCandidate, UsbHost
from ..wire.usb import UsbId

_log = logging.getLogger(__name__)

POLL_INTERVAL_S = 0.25
"""How often the bus is listed where no event has arrived yet (reference usb-and-serial 7.3: every 250 to 500 ms)."""
RELIST_S = 5.0
"""How often it is listed where events arrive, in case one was lost."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A unit arrived. A re-enumeration is reported as `Detached` and then this, on the same port path."""

    candidate: UsbCandidate


@dataclass(frozen=True, slots=True)
class Detached:
    """The unit on this port left the bus."""

    port_path: PortPath


HotplugEvent = Attached | Detached


class BusChanges(Protocol):
    """Events of the system: something was plugged in or left."""

    def listen(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` after each change from now on, on any thread; return a function that ends this.

        Raises `LinkError` where the system has no such events.
        """
        ...


_Arrival = tuple[tuple[int, int], UsbId]


def _arrival(candidate: UsbCandidate) -> _Arrival:
    return candidate.address, candidate.usb_id


class Enumerator:
    """One thread that lists the bus whenever ``changes`` reports something, and calls ``on_event`` for each change.

    Without ``changes``, and until the first event of it has arrived, the bus is polled every `POLL_INTERVAL_S`; so it
    is again once a change is found that no event announced, as in a container without the host's events.

    ``on_event`` runs on the enumerator's thread and must neither block nor raise. When listing fails,
    ``on_failure`` is called once per series of failures (default: a log line), the last listing stays
    valid and the next one is tried soon.
    """

    def __init__(
        self,
        host: UsbHost,
        clock: Clock,
        on_event: Callable[[HotplugEvent], None],
        changes: BusChanges | None = None,
        *,
        on_failure: Callable[[DriverError], None] | None = None,
    ) -> None:
        self._host, self._clock, self._on_event = host, clock, on_event
        self._changes = changes
        self._on_failure = on_failure or (lambda error: _log.warning("cannot list USB devices: %s", error))
        self._known: dict[PortPath, UsbCandidate] = {}
        self._failing = False
        self._news = clock.condition()
        self._has_news = False  # an event arrived since the last listing began
        self._trusts_events = False
        self._stop = clock.token()
        self._thread: ClockThread | None = None

    def start(self) -> None:
        """Start the thread, which lists the bus at once. Call once."""
        assert self._thread is None, "an Enumerator is started once"
        self._thread = self._clock.thread("usb-enumerator", self._run)

    def stop(self) -> None:
        """End the thread and wait for it; safe to call twice, or without `start`."""
        self._stop.cancel()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        unlisten = self._listen()  # before the first listing: what arrives between the two is reported by an event
        try:
            self.poll()
            while True:
                is_event = self._await_news()
                found = self.poll()
                if found and not is_event:
                    self._trusts_events = False
        except Cancelled:
            pass
        finally:
            unlisten()

    def _listen(self) -> Callable[[], None]:
        if self._changes is not None:
            try:
                return self._changes.listen(self._told)
            except LinkError as error:
                _log.info("no hot-plug events, the bus is polled instead: %s", error)
        return lambda: None

    def _told(self) -> None:
        with self._news:
            self._has_news = self._trusts_events = True
            self._news.notify_all()

    def _await_news(self) -> bool:
        """Wait for an event, or until it is time to list the bus anyway; return whether there was an event."""
        with self._news:
            patience_s = RELIST_S if self._trusts_events and not self._failing else POLL_INTERVAL_S
            is_event = self._news.wait_for(lambda: self._has_news, patience_s, self._stop)
            self._has_news = False
        return is_event

    def poll(self) -> bool:
        """List the bus once and report what changed since the last listing; return whether anything did."""
        try:
            listed = self._host.candidates()
        except DriverError as error:
            if not self._failing:
                self._on_failure(error)
            self._failing = True
            return False
        self._failing = False
        return self._report(self._one_per_port(listed))

    def _one_per_port(self, listed: list[UsbCandidate]) -> dict[PortPath, UsbCandidate]:
        """Keep one candidate a port: while a unit re-enumerates, some hosts list its old entry beside the new one."""
        found: dict[PortPath, UsbCandidate] = {}
        for candidate in listed:
            known = self._known.get(candidate.port_path)
            is_old = known is not None and _arrival(known) == _arrival(candidate)
            if not (is_old and candidate.port_path in found):
                found[candidate.port_path] = candidate
        return found

    def _report(self, found: dict[PortPath, UsbCandidate]) -> bool:
        events: list[HotplugEvent] = []
        for path, known in list(self._known.items()):
            now = found.get(path)
            if now is None or _arrival(now) != _arrival(known):
                del self._known[path]
                events.append(Detached(path))
        for path, candidate in found.items():
            if path not in self._known:
                self._known[path] = candidate
                events.append(Attached(candidate))
        for event in events:
            self._on_event(event)
        return bool(events)
