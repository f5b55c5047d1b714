"""Faults a test or a demo can inject into the virtual cloud, and how they are matched to requests."""

from __future__ import annotations

import enum
import threading
from dataclasses import dataclass


class FaultKind(enum.Enum):
    """Failure modes of a cloud (reference cloud-api 14.1)."""

    STATUS = "answer with a given status, doing nothing"  # 401, 429 (+ retry_after), 500, ...
    HTML = "answer with an HTML page and a status, doing nothing"
    DROP_BEFORE = "break the connection, doing nothing"
    DROP_AFTER = "do the work, then break the connection"
    SLOW = "do the work, then answer `seconds` later"
    LIE = "answer as if the work was done, doing nothing"  # a claim answered with 200 (B5)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``route`` must occur in the route's name, like ``"POST /v1/products/:p/devices"`` ("": any request).

    ``after`` matching requests pass unharmed, then ``times`` are hit (None: all from then on).
    """

    kind: FaultKind
    route: str = ""
    times: int | None = 1
    after: int = 0
    status: int = 500
    body: object = None  # JSON or bytes of STATUS and LIE; None means {}
    retry_after: str | None = None
    seconds: float = 0.0


@dataclass(slots=True)
class _Open:
    """A fault and its remaining counts."""

    fault: Fault
    after: int
    times: int | None


class FaultBook:
    """The faults still to happen, oldest first. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[_Open] = []

    def order(self, fault: Fault) -> None:
        with self._lock:
            self._open.append(_Open(fault, fault.after, fault.times))

    def cancel(self, fault: Fault) -> None:
        """Cancel what is left of this very fault."""
        with self._lock:
            self._open = [one for one in self._open if one.fault is not fault]

    def cancel_all(self) -> None:
        with self._lock:
            self._open.clear()

    def take(self, route: str) -> Fault | None:
        """Return the fault that hits a request of ``route``, if any, and count it."""
        with self._lock:
            for one in self._open:
                if one.fault.route not in route:
                    continue
                if one.after > 0:
                    one.after -= 1
                    continue
                if one.times is not None:
                    one.times -= 1
                    if one.times == 0:
                        self._open.remove(one)
                return one.fault
            return None
