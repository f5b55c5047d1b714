"""Faults a test or a demo can inject into the virtual cloud, and how they are matched to requests."""

from __future__ import annotations

import enum
import threading
from dataclasses import dataclass, fields


class FaultKind(enum.Enum):
    """Failure modes of a cloud (reference cloud-api 14.1)."""

    STATUS = "answer with a given status, doing nothing"  # 401, 429 (+ retry_after), 500, ...
    HTML = "answer with an HTML page and a status, doing nothing"
    DROP_BEFORE = "break the connection, doing nothing"
    DROP_AFTER = "do the work, then break the connection"
    TRUNCATE = "do the work, then break the connection within the answer"
    SLOW = "do the work, then answer `seconds` later"
    LIE = "answer as if the work was done, doing nothing"  # a claim answered with 200 (B5)


DOING_NOTHING = frozenset({FaultKind.STATUS, FaultKind.HTML, FaultKind.DROP_BEFORE, FaultKind.LIE})


_NO_HEADERS: dict[str, str] = {}


class Who(enum.Enum):
    """Who gives the answer of a STATUS or HTML: the cloud, or something on the way to it, which has its own pages.

    Each with the status it usually has, and headers of its own.
    """

    CLOUD = (500, _NO_HEADERS)
    PORTAL = (302, {"Location": "http://login.example.net/portal", "Cache-Control": "no-store"})
    FIREWALL = (403, {"Server": "firewall"})
    PROXY = (407, {"Proxy-Authenticate": 'Basic realm="proxy"', "Via": "1.1 proxy.example.net"})
    NETWORK = (511, _NO_HEADERS)
    BALANCER = (502, {"Server": "awselb/2.0"})

    @property
    def status(self) -> int:
        return int(self.value[0])

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.value[1])


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``route`` must occur in the route's name, like ``"POST /v1/products/:p/devices"`` ("": any request).

    ``path`` must occur in the path itself, e.g. a Device ID ("": any).
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
    path: str = ""
    who: Who = Who.CLOUD

    def hits(self, route: str, path: str) -> bool:
        return self.route in route and self.path in path


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

    def take(self, route: str, path: str) -> Fault | None:
        """Return the fault that hits a request of ``route`` for ``path``, if any, and count it."""
        with self._lock:
            for one in self._open:
                if not one.fault.hits(route, path):
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


GRAMMAR = "STATUS|KIND|WHO[;ROUTE][;times=N][;after=N][;status=N][;seconds=S][;path=TEXT][;retry-after=S]"


def parse_fault(text: str) -> Fault:
    """Parse a fault as `GRAMMAR` has it, like ``"429;POST /v1/products;times=3"``. Raises `ValueError`.

    Without ``times`` it hits once; ``times=0`` means from then on.
    """
    what, *rest = [part.strip() for part in text.split(";")]
    settings: dict[str, object] = _what(what)
    kinds = {field.name: field.type for field in fields(Fault)}
    for part in rest:
        name, equals, value = part.partition("=")
        name = name.replace("-", "_")
        if not equals:
            settings["route"] = part
        elif name in ("kind", "body", "who", "route") or name not in kinds:
            raise ValueError(f"{part!r} is no setting of a fault: write {GRAMMAR}")
        elif name in ("path", "retry_after"):
            settings[name] = value
        elif name == "seconds":
            settings[name] = float(value)
        else:
            settings[name] = int(value) or (None if name == "times" else 0)
    return Fault(**settings)  # type: ignore[arg-type]


def _what(word: str) -> dict[str, object]:
    name = word.upper().replace("-", "_")
    if word.isdecimal() and len(word) == 3:
        return {"kind": FaultKind.STATUS, "status": int(word)}
    if name in FaultKind.__members__:
        return {"kind": FaultKind[name]}
    if name in Who.__members__:
        who = Who[name]
        return {"kind": FaultKind.HTML, "who": who, "status": who.status}
    words = ", ".join(one.name.lower().replace("_", "-") for one in (*FaultKind, *Who) if one is not FaultKind.STATUS)
    raise ValueError(f"{word!r} is no status such as 429 and none of {words}: write {GRAMMAR}")
