"""The virtual USB bus: ports, what is plugged into them, device numbers, and one thread for timed events.

It is not specific to Particle: anything that implements `Pluggable` can be plugged in. It moves no
bytes either; `backend.py` (pyusb), `serial_side.py` (pyserial) and `usbip.py` do.

Locks: a unit's own condition may be held while calling the bus, never the reverse.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..clock import Clock, Condition
from ..identity import PortPath
from ..wire.usb import Setup
from .descriptors import Descriptors

_LOG = logging.getLogger(__name__)

Action = Callable[[], object]


class Stall(Exception):
    """The unit answers with a STALL handshake."""


class Gone(Exception):
    """The unit left the bus before or during the transfer."""


class TimedOut(Exception):
    """The host's time-out passed before the unit answered."""


class HostError(Exception):
    """The transfer failed on the host's side: a bad cable, a hub, no memory.

    ``loses_reply``: the unit nevertheless received the request and acted on it.
    """

    def __init__(self, number: int, *, loses_reply: bool = False) -> None:
        super().__init__(os.strerror(number))
        self.errno = number
        self.loses_reply = loses_reply


@dataclass(frozen=True, slots=True, eq=False)
class Presence:
    """One enumeration: what the host sees from assigning the unit an address until the unit leaves."""

    address: int
    descriptors: Descriptors
    since: float  # clock seconds
    serial_from: float | None = None  # clock seconds from which a CDC port exists; None: no CDC interface
    is_denied: bool = False  # the host's system refuses to open it


class Socket(Protocol):
    """A port as a plugged-in unit sees it."""

    @property
    def port(self) -> PortPath: ...
    def new_address(self) -> int: ...
    def changed(self) -> None:
        """Notify the listeners of the bus that this port changed."""

    def at(self, delay_s: float, action: Action) -> None: ...
    def replace(self, unit: Pluggable | None, after_s: float) -> None:
        """Pull this unit's cable now; plug ``unit`` into the port ``after_s`` later if it is still empty then."""
        ...


class Pluggable(Protocol):
    """A thing with a USB plug."""

    @property
    def condition(self) -> Condition: ...
    @property
    def presence(self) -> Presence | None: ...
    def power_on(self, socket: Socket) -> None: ...
    def power_off(self) -> None: ...
    def control(self, presence: Presence, setup: Setup, data: bytes, timeout_s: float) -> bytes:
        """Run one control transfer, in clock time; raises `Stall`, `Gone`, `TimedOut` or `HostError`."""
        ...

    def bus_reset(self, presence: Presence) -> None: ...
    def serial_write(self, presence: Presence, data: bytes) -> None: ...
    def serial_read(self, presence: Presence, max_bytes: int, timeout_s: float | None) -> bytes: ...
    def serial_pending(self, presence: Presence) -> int: ...
    def serial_line(self, presence: Presence, *, baud: int, dtr: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Shown:
    """One device the host sees now."""

    port: PortPath
    unit: Pluggable
    presence: Presence


class _Port:
    """The socket of one port."""

    def __init__(self, bus: VirtualBus, port: PortPath) -> None:
        self._bus, self._port = bus, port

    @property
    def port(self) -> PortPath:
        return self._port

    def new_address(self) -> int:
        return self._bus.new_address()

    def changed(self) -> None:
        self._bus.changed(self._port)

    def at(self, delay_s: float, action: Action) -> None:
        self._bus.at(delay_s, action)

    def replace(self, unit: Pluggable | None, after_s: float) -> None:
        self._bus.unplug(self._port)
        if unit is not None:
            self._bus.at(after_s, lambda: self._bus.plug_if_free(self._port, unit))


class VirtualBus:
    """Ports with units in them. Thread-safe.

    Its ports are named as on bus 1 ("1-2.3"), whatever number the host gives the bus (`name_of`).
    ``failures`` holds every exception a timed event raised: a test asserts that it is empty.
    """

    def __init__(self, clock: Clock, number: int = 1, controller: str = "virtual-1") -> None:
        self.clock = clock
        self.number = number  # as the host counts it today; another boot may change it
        self.controller = controller  # as its virtual controller is wired, for good
        self.failures: list[BaseException] = []
        self._condition = clock.condition()
        self._units: dict[PortPath, Pluggable] = {}
        self._events: list[tuple[float, int, Action]] = []
        self._sequence = itertools.count()
        self._address = 0
        self._listeners: list[Callable[[PortPath], None]] = []
        self._is_closed = False
        self._thread = clock.thread(f"virtual-bus-{number}", self._run)

    # --- cables ---

    def plug(self, port: PortPath | str, unit: Pluggable) -> None:
        """Put ``unit`` into ``port`` ("1-2", "1-2.3"); it powers on and appears when it has booted."""
        path = PortPath(str(port))
        with self._condition:
            if path in self._units:
                raise ValueError(f"port {path} of the virtual bus is taken; unplug it first")
            self._units[path] = unit
        unit.power_on(_Port(self, path))

    def plug_if_free(self, port: PortPath, unit: Pluggable) -> None:
        """Plug in as `plug` does, unless the port is taken or the bus closed."""
        if self.unit_at(port) is None and not self._is_closed:
            self.plug(port, unit)

    def unplug(self, port: PortPath | str) -> Pluggable | None:
        """Pull the cable: the unit loses power at once. Returns it, or None if the port was empty."""
        with self._condition:
            unit = self._units.pop(PortPath(str(port)), None)
        if unit is not None:
            unit.power_off()
        return unit

    def unit_at(self, port: PortPath | str) -> Pluggable | None:
        """Return the unit plugged into ``port``, enumerated or not; None if it is empty."""
        with self._condition:
            return self._units.get(PortPath(str(port)))

    def units(self) -> dict[PortPath, Pluggable]:
        """Return the plugged-in units by port, in plugging order."""
        with self._condition:
            return dict(self._units)

    def shown(self) -> list[Shown]:
        """Return all enumerated devices, by address; units that are booting or dead are not among them."""
        shown = [Shown(port, unit, now) for port, unit in self.units().items() if (now := unit.presence) is not None]
        return sorted(shown, key=lambda one: one.presence.address)

    def new_address(self) -> int:
        """Return the next free device number, 1 to 127, counting up as a host does."""
        with self._condition:
            used = {unit.presence.address for unit in self._units.values() if unit.presence}
            self._address = next(a for i in range(127) if (a := (self._address + i) % 127 + 1) not in used)
            return self._address

    def name_of(self, port: PortPath) -> str:
        """Return what the host calls ``port`` today: the number of the bus and the hub ports."""
        return f"{self.number}-{port.value.partition('-')[2]}"

    # --- listeners ---

    def listen(self, listener: Callable[[PortPath], None]) -> Callable[[], None]:
        """Call ``listener(port)`` after each change of a port; return a function that unregisters it."""
        with self._condition:
            self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def changed(self, port: PortPath) -> None:
        """Call the listeners, on the bus's thread."""
        for listener in list(self._listeners):
            self.at(0.0, lambda listener=listener: listener(port))  # type: ignore[misc]

    # --- time ---

    def at(self, delay_s: float, action: Action) -> None:
        """Run ``action`` on the bus's thread ``delay_s`` seconds from now, in order of due time, then of calls."""
        with self._condition:
            heapq.heappush(self._events, (self.clock.now() + delay_s, next(self._sequence), action))
            self._condition.notify_all()

    def close(self) -> None:
        """Unplug everything and end the thread."""
        for port in list(self.units()):
            self.unplug(port)
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()
        self._thread.join(5.0)

    def __enter__(self) -> VirtualBus:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _next_event(self) -> Action | None:
        with self._condition:
            while not self._is_closed:
                if not self._events:
                    self._condition.wait()
                    continue
                left = self._events[0][0] - self.clock.now()
                if left <= 0:
                    return heapq.heappop(self._events)[2]
                self._condition.wait(left)
        return None

    def _run(self) -> None:
        while (action := self._next_event()) is not None:
            try:
                action()
            except Exception as error:
                _LOG.exception("a timed event of the virtual bus failed")
                self.failures.append(error)
