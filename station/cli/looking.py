"""Looks at units outside of any attempt, for ``identify`` and ``profile check``. Writes nothing anywhere."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from drivers.clock import CancelToken, Clock, Deadline
from drivers.devices import ParticleDevice
from drivers.errors import DriverError
from drivers.hotplug import Attached, BusChanges, Enumerator, HotplugEvent, PortWatch
from drivers.identity import PortPath
from drivers.transport import SerialHost, UsbCandidate, UsbHost
from drivers.wire.usb import Mode

from ..steps.shared.knowledge import UnitKnowledge
from ..steps.shared.listening import Listening
from ..steps.shared.reader import Reader, introduce
from ..words.say import Say
from .on_need import english

LOOK_S = 90.0
APPEAR_S = 10.0
LOOK_ONCE_S = 1.0
"""How long a bus may be empty before it counts as empty: a first listing, and a unit that is just restarting."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where units are plugged in: this computer, or a bus of virtual units in simulated time.

    ``changes``: its hot-plug events; None: it has none, or nobody waits for any.
    """

    usb_host: UsbHost
    serial_host: SerialHost
    clock: Clock
    changes: BusChanges | None = None


class Ports:
    """The ports of a place, watched by an enumerator of their own, so that a unit is followed through its restarts.

    ``arrived`` is called for each device that is plugged in, on the enumerator's thread.
    """

    def __init__(self, place: Place, arrived: Callable[[UsbCandidate], None] = lambda _: None) -> None:
        self.place = place
        self._arrived = arrived
        self._changed = place.clock.condition()
        self._watches: dict[PortPath, PortWatch] = {}
        self._failure: DriverError | None = None  # of listing the bus, until something is listed
        self._enumerator = Enumerator(place.usb_host, place.clock, self._on_event, place.changes, on_failure=self._fail)

    def __enter__(self) -> Ports:
        self._enumerator.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enumerator.stop()

    def _on_event(self, event: HotplugEvent) -> None:
        with self._changed:
            path = event.candidate.port_path if isinstance(event, Attached) else event.port_path
            watch = self._watches.setdefault(path, PortWatch(path, self.place.clock))
            self._changed.notify_all()
        if isinstance(event, Attached):
            watch.attached(event.candidate)
            self._arrived(event.candidate)
        else:
            watch.detached()

    def _fail(self, error: DriverError) -> None:
        with self._changed:
            self._failure = error
            self._changed.notify_all()

    def check(self) -> None:
        """Raise why the bus cannot be listed, if it never could."""
        with self._changed:
            if self._failure is not None and not self._watches:
                raise self._failure

    def present(self) -> list[UsbCandidate]:
        """Return what is plugged in now, by port."""
        with self._changed:
            found = [watch.current for watch in self._watches.values()]
        return sorted((one for one in found if one is not None), key=lambda one: by_port(one.port_path))

    def wait(self, count: int) -> list[UsbCandidate]:
        """Return what is plugged in, after waiting up to `APPEAR_S` for ``count`` devices, and for a first look.

        Raises `DriverError` where the bus cannot be listed.
        """
        limit_s = APPEAR_S if count else LOOK_ONCE_S
        with self._changed:
            self._changed.wait_for(lambda: self._failure is not None or len(self._watches) >= max(count, 1), limit_s)
        self.check()
        return self.present()

    def watch(self, candidate: UsbCandidate) -> PortWatch:
        """Return the port on which ``candidate`` is."""
        with self._changed:
            return self._watches[candidate.port_path]

    def device(self, candidate: UsbCandidate, trace: Callable[[str], None] | None = None) -> ParticleDevice:
        """Make the device that is ``candidate`` now, and whatever it restarts as; nothing is sent to it yet."""
        clock = self.place.clock
        return ParticleDevice(self.watch(candidate), self.place.serial_host, clock, clock.token(), trace)


def by_port(path: PortPath) -> tuple[int, ...]:
    """Return what sorts ports as they are numbered: 1-2 before 1-10."""
    return tuple(int(number) for number in re.findall(r"\d+", path.value))


@dataclass(frozen=True, slots=True)
class Looker:
    """Who looks at the unit on ``port``: a person at this terminal, who is told by standard error what to press."""

    port: str
    clock: Clock
    cancel: CancelToken
    deadline: Deadline

    @contextmanager
    def hands(self, say: Say, led: str = "") -> Iterator[None]:
        """Ask for one action while the block runs."""
        show_hands(self.port, say, led)
        yield


def show_hands(port: str, say: Say, led: str) -> None:
    """Write to standard error what to do with the buttons of the unit on ``port``, and the light to look for."""
    words = english()
    light = f" Light: {words.led(led)}." if led else ""
    sys.stderr.write(f"port {port}: {words.line(say)}{light}\n")
    sys.stderr.flush()


def look(ports: Ports, candidate: UsbCandidate, known: UnitKnowledge) -> None:
    """Read into ``known`` all that the unit behind ``candidate`` tells in its mode, and leave it as it was.

    Raises `DriverError`, and `UnitRejected` for sources that differ.
    """
    clock, device = ports.place.clock, ports.device(candidate)
    looker = Looker(candidate.port_path.value, clock, clock.token(), Deadline.after(clock, LOOK_S))
    try:
        listening = Listening(device)
        introduce(device, listening, known, looker)
        reader = Reader(device, listening, known, looker, everything=True)
        if device.mode is Mode.DFU:
            known.note("USB product id", mode=device.mode)
            reader.read_dfu()
        else:
            reader.read_running()
            listening.give_back(looker)
        known.note_sku()
    finally:
        device.close()
