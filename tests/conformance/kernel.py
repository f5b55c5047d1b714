"""The kernel's part of USB on Linux, played to unmodified programs through umockdev's preload library.

A directory holds what those programs look at: ``sys``, ``dev``, ``run/udev`` and one socket per device
node. It follows a `VirtualBus`: what the bus shows is there, with the same port paths and addresses.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import threading
from pathlib import Path

from drivers.identity import PortPath
from drivers.virtual.bus import Presence, Shown, VirtualBus
from drivers.virtual.descriptors import Descriptors
from drivers.wire.usb import UsbId

from .sysfs import Device, Tree

PRELOAD = "libumockdev-preload.so.0"
_HUB = Descriptors(
    usb_id=UsbId(0x1D6B, 0x0002),
    device=bytes.fromhex("12 01 00 02 09 00 01 40 6b 1d 02 00 01 06 03 02 01 01"),
    configuration=bytes.fromhex("09 02 19 00 01 01 00 e0 00  09 04 00 00 01 09 00 00 00  07 05 81 03 04 00 0c"),
    strings={1: "Linux", 2: "Virtual hub", 3: "0000:00:14.0"},
)


def _memory_directory() -> str | None:
    """Many small files: in memory if the machine has such a file system."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class PretendKernel:
    """Shows one bus to the processes that are started with `environment`; one such process at a time.

    (Two of them would take each other's hot-plug messages: umockdev names their sockets by file descriptor.)
    Use it as a context manager, inside the one of the bus.
    """

    def __init__(self, bus: VirtualBus) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="usb-", dir=_memory_directory()))
        self._bus = bus
        self._tree = Tree(self.root)
        self._lock = threading.Lock()
        self._hub_addresses = itertools.count(127, -1)  # units count up from 1
        self._hubs: dict[PortPath | None, Device] = {}
        self._devices: dict[Presence, Device] = {}
        self._removed: list[Device] = []
        self._is_open = True
        self._add_hub(None)
        self._stop_listening = bus.listen(lambda _port: self.update())
        self.update()

    def __enter__(self) -> PretendKernel:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop_listening()
        with self._lock:
            self._is_open = False
            for device in (*self._devices.values(), *reversed(self._hubs.values())):
                device.remove()
                self._removed.append(device)
            for device in self._removed:
                device.node.close()
        shutil.rmtree(self.root)

    def environment(self, *preloads: Path) -> dict[str, str]:
        """The environment of a client; ``preloads`` come before umockdev's own library."""
        libraries = ":".join([*map(str, preloads), PRELOAD])
        return dict(os.environ, UMOCKDEV_DIR=str(self.root), LD_PRELOAD=libraries)

    def update(self) -> None:
        """Make the directory show what the bus shows."""
        with self._lock:
            if not self._is_open:
                return
            shown = {one.presence: one for one in self._bus.shown()}
            for presence in [known for known in self._devices if known not in shown]:
                self._removed.append(self._devices.pop(presence))
                self._removed[-1].remove()
            for presence, one in shown.items():
                if presence not in self._devices:
                    self._devices[presence] = self._add(one)
                self._bind_serial_driver(self._devices[presence])

    def _add(self, one: Shown) -> Device:
        steps = str(one.port).split(".")
        for count in range(1, len(steps)):
            hub = PortPath(".".join(steps[:count]))
            if hub not in self._hubs:
                self._add_hub(hub)
        return Device(self._tree, self._bus.number, one.port, one.presence, one.unit)

    def _add_hub(self, port: PortPath | None) -> None:
        presence = Presence(next(self._hub_addresses), _HUB, 0.0)
        self._hubs[port] = Device(self._tree, self._bus.number, port, presence, None)

    def _bind_serial_driver(self, device: Device) -> None:
        since = device.presence.serial_from
        if since is None or device.tty is not None:
            return
        wait = since - self._bus.clock.now()
        if wait > 0:
            self._bus.at(wait, self.update)
            return
        used = {one.tty.name for one in self._devices.values() if one.tty is not None}
        device.add_tty(next(number for number in itertools.count() if f"ttyACM{number}" not in used))
