"""State of one USB port, shared by the enumerator's thread and the slot that owns the port.

It tells one arrival from the next and records announced restarts. It never opens a unit; what an
unannounced departure means is for the caller to decide.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from ..clock import CancelToken, Clock, Deadline
from ..errors import DeadlineExceeded
from ..identity import PortPath
from ..transport import UsbCandidate


class PortWatch:
    """What is on one port. Thread-safe. The listener of the enumerator calls `attached` and `detached`."""

    def __init__(self, port_path: PortPath, clock: Clock) -> None:
        self.port_path = port_path
        self._clock = clock
        self._changed = clock.condition()
        self._current: UsbCandidate | None = None
        self._generation = 0
        self._arrived_at: float | None = None
        self._expected: list[tuple[str, Deadline]] = []

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def current(self) -> UsbCandidate | None:
        """Return the device on the port, or None."""
        with self._changed:
            return self._current

    @property
    def generation(self) -> int:
        """Return the number of arrivals on this port so far; equal numbers mean the same enumeration."""
        with self._changed:
            return self._generation

    @property
    def arrived_at(self) -> float | None:
        """Return when the latest arrival was noticed, in clock seconds; None before the first."""
        with self._changed:
            return self._arrived_at

    @property
    def is_restart_expected(self) -> bool:
        """Return whether a restart was announced whose deadline has not passed."""
        return self.expected_reason is not None

    @property
    def expected_reason(self) -> str | None:
        """Return why the unit may leave the bus now, as passed to `expecting`; None if no restart is expected."""
        with self._changed:
            return next((reason for reason, deadline in reversed(self._expected) if not deadline.expired), None)

    def attached(self, candidate: UsbCandidate) -> None:
        """Record an arrival and wake all waiters. The port is known by its lasting name from then on."""
        with self._changed:
            self.port_path = candidate.port_path
            self._current = candidate
            self._generation += 1
            self._arrived_at = self._clock.now()
            self._changed.notify_all()

    def detached(self) -> None:
        """Record a departure and wake all waiters."""
        with self._changed:
            self._current = None
            self._changed.notify_all()

    @contextlib.contextmanager
    def expecting(self, reason: str, deadline: Deadline) -> Iterator[None]:
        """Announce that the unit will leave and come back before ``deadline``. May be nested."""
        entry = (reason, deadline)
        with self._changed:
            self._expected.append(entry)
        try:
            yield
        finally:
            with self._changed:
                self._expected.remove(entry)

    def wait_for(
        self,
        predicate: Callable[[UsbCandidate], bool],
        deadline: Deadline,
        cancel: CancelToken | None = None,
    ) -> UsbCandidate:
        """Wait for a candidate on this port that satisfies ``predicate``, starting with the present one.

        Raises `DeadlineExceeded` or `Cancelled`. ``predicate`` must not block.
        """
        with self._changed:
            self._wait(lambda: self._current is not None and predicate(self._current), deadline, cancel)
            assert self._current is not None
            return self._current

    def wait_gone(self, address: tuple[int, int], deadline: Deadline, cancel: CancelToken | None = None) -> None:
        """Wait until the device at ``address`` has left this port. Raises as `wait_for`."""
        with self._changed:
            self._wait(lambda: self._current is None or self._current.address != address, deadline, cancel)

    def _wait(self, predicate: Callable[[], bool], deadline: Deadline, cancel: CancelToken | None) -> None:
        """Wait for ``predicate`` or raise `DeadlineExceeded`. Lock held."""
        if not self._changed.wait_for(predicate, deadline.remaining, cancel):
            raise DeadlineExceeded(f"waited on port {self.port_path}: nothing changed in time; check the cable")
