"""What a test, or a demo, may order the virtual cloud to do wrong, and how orders are matched to requests."""

from __future__ import annotations

import enum
import threading
from dataclasses import dataclass, replace


class FaultKind(enum.Enum):
    """The ways of a bad cloud (reference cloud-api 14.1)."""

    STATUS = "answer with a status of its own, doing nothing"  # 401, 429 (+ retry_after), 500, ...
    HTML = "answer with an HTML page and a status, doing nothing"
    DROP_BEFORE = "break the connection, doing nothing"
    DROP_AFTER = "do the work, then break the connection"
    SLOW = "do the work, then answer `seconds` later"
    LIE = "answer as if the work was done, doing nothing"  # a claim that says 200 (B5)


@dataclass(frozen=True, slots=True)
class Fault:
    """One order. ``route`` must occur in ``"POST /v1/products/:p/devices"``-like names ("": any request).

    ``after`` matching requests pass unharmed, then ``times`` are hit (None: all from then on).
    """

    kind: FaultKind
    route: str = ""
    times: int | None = 1
    after: int = 0
    status: int = 500
    body: object = None  # JSON of STATUS and LIE; None means {}
    retry_after: str | None = None
    seconds: float = 0.0


class FaultBook:
    """The open orders, oldest first. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[Fault] = []

    def order(self, fault: Fault) -> None:
        with self._lock:
            self._open.append(fault)

    def cancel_all(self) -> None:
        with self._lock:
            self._open.clear()

    def take(self, route: str) -> Fault | None:
        """The fault that hits this request, if any; uses it up."""
        with self._lock:
            for i, fault in enumerate(self._open):
                if fault.route not in route:
                    continue
                if fault.after > 0:
                    self._open[i] = replace(fault, after=fault.after - 1)
                elif fault.times is None:
                    return fault
                else:
                    self._open[i : i + 1] = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                    return fault
            return None
