"""The kernel's part of USB on Linux, played to unmodified programs through umockdev's preload library.

A directory holds what those programs look at: ``sys``, ``dev``, ``run/udev`` and one socket per device
node. It follows a `VirtualBus`: what the bus shows is there, with the same port paths and addresses.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from drivers.identity import PortPath
from drivers.virtual.bus import Presence, Shown, VirtualBus
from drivers.virtual.descriptors import Descriptors
from drivers.wire.usb import UsbId

from .sysfs import Device, Tree

PRELOAD = "libumockdev-preload.so.0"
OUTSIDE_DEV = "/tmp"
"""Where preloaded programs keep files: the library takes what lies below /dev for a device, and never lets go of it."""
_BUS = 1
_HUB = Descriptors(
    usb_id=UsbId(0x1D6B, 0x0002),
    device=bytes.fromhex("12 01 00 02 09 00 01 40 6b 1d 02 00 01 06 03 02 01 01"),
    configuration=bytes.fromhex("09 02 19 00 01 01 00 e0 00  09 04 00 00 01 09 00 00 00  07 05 81 03 04 00 0c"),
    strings={1: "Linux", 2: "Virtual hub", 3: "0000:00:14.0"},
)


class PretendKernel:
    """One directory, showing one bus at a time, to one process at a time started with `environment`.

    (Two of them would take each other's hot-plug messages: umockdev names their sockets by file descriptor.)
    """

    def __init__(self) -> None:
        # Not below /dev, memory or not: umockdev would look at every file we write there, and lose a descriptor each.
        self.root = Path(tempfile.mkdtemp(prefix="usb-", dir=OUTSIDE_DEV))
        self._tree = Tree(self.root)
        self._lock = threading.Lock()
        self._hub_addresses = itertools.count(127, -1)  # units count up from 1
        self._hubs: dict[PortPath | None, Device] = {}
        self._bus: VirtualBus | None = None
        self._devices: dict[Presence, Device] = {}
        self._removed: list[Device] = []
        self._add_hub(None)

    def close(self) -> None:
        """Remove the directory; no bus may be shown any more."""
        for hub in reversed(self._hubs.values()):
            hub.remove()
            hub.close()
        shutil.rmtree(self.root)

    @contextlib.contextmanager
    def showing(self, bus: VirtualBus) -> Iterator[PretendKernel]:
        """Follow ``bus`` inside the ``with`` block."""
        assert bus.number == _BUS
        self._bus = bus
        stop_listening = bus.listen(lambda _port: self._update(bus))
        self._update(bus)
        try:
            yield self
        finally:
            stop_listening()
            with self._lock:
                self._bus = None
                for device in self._devices.values():
                    device.remove()
                for device in (*self._devices.values(), *self._removed):
                    device.close()
                self._devices.clear()
                self._removed.clear()

    def environment(self, *preloads: Path) -> dict[str, str]:
        """The environment of a client; ``preloads`` come before umockdev's own library."""
        libraries = ":".join([*map(str, preloads), PRELOAD])
        return dict(os.environ, TMPDIR=OUTSIDE_DEV, UMOCKDEV_DIR=str(self.root), LD_PRELOAD=libraries)

    def shows(self, presence: Presence | None) -> bool:
        """Whether a program would find ``presence`` now, with its serial port if it has one."""
        with self._lock:
            device = self._devices.get(presence) if presence is not None else None
            return device is not None and (device.tty is not None or device.presence.serial_from is None)

    def _update(self, bus: VirtualBus) -> None:
        """Make the directory show what ``bus`` shows."""
        with self._lock:
            if self._bus is not bus:
                return
            shown = {one.presence: one for one in bus.shown()}
            for presence in [known for known in self._devices if known not in shown]:
                self._removed.append(self._devices.pop(presence))
                self._removed[-1].remove()
            for presence, one in shown.items():
                if presence not in self._devices:
                    self._devices[presence] = self._add(one)
                self._bind_serial_driver(bus, self._devices[presence])

    def _add(self, one: Shown) -> Device:
        steps = str(one.port).split(".")
        for count in range(1, len(steps)):
            hub = PortPath(".".join(steps[:count]))
            if hub not in self._hubs:
                self._add_hub(hub)
        return Device(self._tree, _BUS, one.port, one.presence, one.unit)

    def _add_hub(self, port: PortPath | None) -> None:
        presence = Presence(next(self._hub_addresses), _HUB, 0.0)
        self._hubs[port] = Device(self._tree, _BUS, port, presence, None)

    def _bind_serial_driver(self, bus: VirtualBus, device: Device) -> None:
        since = device.presence.serial_from
        if since is None or device.tty is not None:
            return
        wait = since - bus.clock.now()
        if wait > 0:
            bus.at(wait, lambda: self._update(bus))
            return
        used = {one.tty.name for one in self._devices.values() if one.tty is not None}
        device.add_tty(next(number for number in itertools.count() if f"ttyACM{number}" not in used))
