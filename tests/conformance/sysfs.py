"""What programs look at to find USB devices: sysfs, the udev database, links to device numbers, uevents.

`Tree` writes below a root directory; `Device` is all that one enumeration shows there, its node and its
serial port included. Which devices there are is decided in `kernel.py`.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from drivers.identity import PortPath
from drivers.virtual.bus import Pluggable, Presence
from drivers.virtual.descriptors import INTERFACE, Descriptors

from .node import DeviceNode
from .tty import TtyNode
from .uevent import broadcast, uevent

_CONTROLLER = "sys/devices/pci0000:00/0000:00:14.0"
_USB_MAJOR, _TTY_MAJOR = 189, 166
_CDC_CONTROL = 0x02
_DIRECTORIES = ("sys/bus/usb/devices", "sys/class/tty", "dev/.node", "dev/bus/usb", "ioctl", "run/udev/data")


class Tree:
    """Files and links below ``root``; all paths are relative to it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._sequence = 0
        for name in _DIRECTORIES:
            (root / name).mkdir(parents=True)
        (root / "run/udev/control").touch()
        self.link(f"{_CONTROLLER}/subsystem", "sys/bus/pci")

    def write(self, path: str, content: str | bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())

    def link(self, path: str, target: str) -> None:
        """A relative link at ``path`` to ``target``, both below the root."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(os.path.relpath(self.root / target, place.parent))

    def remove(self, *paths: str) -> None:
        for path in paths:
            (self.root / path).unlink()

    def tell(self, action: str, path: str, properties: dict[str, str]) -> None:
        """A hot-plug message about the device at ``path`` below /sys."""
        self._sequence += 1
        head = {"ACTION": action, "DEVPATH": path.removeprefix("sys"), "SEQNUM": str(self._sequence)}
        broadcast(self.root, uevent(head | properties))


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Major and minor number of a device node."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}:{self.minor}"


class Device:
    """One enumeration, seen in sysfs; without ``unit`` it is a hub, without ``port`` the root hub."""

    def __init__(self, tree: Tree, bus: int, port: PortPath | None, presence: Presence, unit: Pluggable | None) -> None:
        self._tree, self._bus, self._port, self._unit = tree, bus, port, unit
        self.presence = presence
        self.tty: TtyNode | None = None
        self._name = str(port) if port else f"usb{bus}"
        self._path = _sys_path(bus, port)
        self._numbers = _Numbers(_USB_MAJOR, (bus - 1) * 128 + presence.address - 1)
        self._file = f"bus/usb/{bus:03d}/{presence.address:03d}"
        self._properties = self._make_properties()
        self._write_attributes()
        tree.link(f"sys/bus/usb/devices/{self._name}", self._path)
        (tree.root / f"dev/.node/{self._file.replace('/', '_')}").symlink_to(str(self._numbers))
        tree.write(f"run/udev/data/c{self._numbers}", "I:1\n" + _lines("E:", self._udev()))
        root = tree.root
        self.node = DeviceNode(root / "dev" / self._file, root / "ioctl/dev" / self._file, presence, unit)
        self._interfaces = self._add_interfaces()
        tree.tell("add", self._path, self._message())

    def remove(self) -> None:
        """Out of sysfs, with hot-plug messages; open files keep their node until it is closed."""
        if self.tty is not None:
            self._remove_tty(self.tty)
        self.node.remove()
        self._tree.remove(
            *(f"sys/bus/usb/devices/{name}" for name in (self._name, *self._interfaces)),
            f"dev/.node/{self._file.replace('/', '_')}",
            f"run/udev/data/c{self._numbers}",
        )
        shutil.rmtree(self._tree.root / self._path)
        self._tree.tell("remove", self._path, self._message())

    def close(self) -> None:
        """Let go of its nodes; it must have been removed, and no client may use them any more."""
        self.node.close()
        if self.tty is not None:
            self.tty.close()

    # --- the device itself ---

    def _make_properties(self) -> dict[str, str]:
        usb_id, release = self.presence.descriptors.usb_id, _bcd_device(self.presence.descriptors)
        return {
            "MAJOR": str(self._numbers.major),
            "MINOR": str(self._numbers.minor),
            "DEVNAME": self._file,
            "DEVTYPE": "usb_device",
            "PRODUCT": f"{usb_id.vendor:x}/{usb_id.product:x}/{release:x}",
            "TYPE": "/".join(str(value) for value in self.presence.descriptors.device[4:7]),
            "BUSNUM": f"{self._bus:03d}",
            "DEVNUM": f"{self.presence.address:03d}",
        }

    def _udev(self) -> dict[str, str]:
        descriptors = self.presence.descriptors
        return {
            "ID_BUS": "usb",
            "ID_VENDOR_ID": f"{descriptors.usb_id.vendor:04x}",
            "ID_MODEL_ID": f"{descriptors.usb_id.product:04x}",
            "ID_MODEL": descriptors.strings[2].replace(" ", "_"),
            "ID_SERIAL_SHORT": descriptors.serial,
            "ID_VENDOR_ENC": descriptors.strings[1],
        }

    def _message(self) -> dict[str, str]:
        return self._properties | self._udev() | {"SUBSYSTEM": "usb", "DEVNAME": f"/dev/{self._file}"}

    def _write_attributes(self) -> None:
        descriptors, tree = self.presence.descriptors, self._tree
        attributes = {
            "busnum": str(self._bus),
            "devnum": str(self.presence.address),
            "devpath": str(self._port).split("-")[1] if self._port else "0",
            "dev": str(self._numbers),
            "speed": "12" if self._unit else "480",
            "version": " 2.00",
            "maxchild": "0" if self._unit else "16",
            "idVendor": f"{descriptors.usb_id.vendor:04x}",
            "idProduct": f"{descriptors.usb_id.product:04x}",
            "bcdDevice": f"{_bcd_device(descriptors):04x}",
            "bDeviceClass": f"{descriptors.device[4]:02x}",
            "bNumConfigurations": "1",
            "bConfigurationValue": "1",
            "bNumInterfaces": f" {descriptors.interfaces}",
            "manufacturer": descriptors.strings[1],
            "product": descriptors.strings[2],
            "serial": descriptors.serial,
            "uevent": _lines("", self._properties).rstrip("\n"),
        }
        for name, value in attributes.items():
            tree.write(f"{self._path}/{name}", value + "\n")
        tree.write(f"{self._path}/descriptors", descriptors.device + descriptors.configuration)
        tree.link(f"{self._path}/subsystem", "sys/bus/usb")

    def _add_interfaces(self) -> list[str]:
        names = []
        for number, kind in _interface_classes(self.presence.descriptors.configuration).items():
            name = f"{self._name if self._port else f'{self._bus}-0'}:1.{number}"
            path = f"{self._path}/{name}"
            self._tree.write(f"{path}/bInterfaceNumber", f"{number:02x}\n")
            self._tree.write(f"{path}/bInterfaceClass", f"{kind:02x}\n")
            self._tree.write(f"{path}/uevent", f"DEVTYPE=usb_interface\nPRODUCT={self._properties['PRODUCT']}\n")
            self._tree.link(f"{path}/subsystem", "sys/bus/usb")
            self._tree.link(f"sys/bus/usb/devices/{name}", path)
            names.append(name)
        return names

    # --- its serial port ---

    def add_tty(self, number: int) -> None:
        """Bind cdc_acm: ``/dev/ttyACM<number>`` appears."""
        assert self._unit is not None
        tree, name, numbers = self._tree, f"ttyACM{number}", _Numbers(_TTY_MAJOR, number)
        interface = next(
            index for index, kind in _interface_classes(self.presence.descriptors.configuration).items()
            if kind == _CDC_CONTROL
        )  # fmt: skip
        path = f"{self._path}/{self._name}:1.{interface}/tty/{name}"
        told = {"MAJOR": str(numbers.major), "MINOR": str(numbers.minor), "DEVNAME": name}
        # udevadm finds no database under umockdev, so what udev adds stands here, as in umockdev's own test beds
        tree.write(f"{path}/uevent", _lines("", told | self._udev()))
        tree.write(f"{path}/dev", f"{numbers}\n")
        tree.link(f"{path}/subsystem", "sys/class/tty")
        tree.link(f"{path}/device", str(Path(path).parent.parent))
        tree.link(f"sys/class/tty/{name}", path)
        tree.write(f"run/udev/data/c{numbers}", "I:1\n" + _lines("E:", self._udev()))
        (tree.root / f"dev/.node/{name}").symlink_to(str(numbers))
        root = tree.root
        self.tty = TtyNode(name, root / "dev" / name, root / "ioctl/dev" / name, self.presence, self._unit)
        self._tty_path, self._tty_numbers = path, numbers
        tree.tell("add", path, self._tty_message())

    def _remove_tty(self, tty: TtyNode) -> None:
        tty.remove()
        self._tree.remove(f"sys/class/tty/{tty.name}", f"dev/.node/{tty.name}", f"run/udev/data/c{self._tty_numbers}")
        self._tree.tell("remove", self._tty_path, self._tty_message())

    def _tty_message(self) -> dict[str, str]:
        assert self.tty is not None
        numbers = self._tty_numbers
        return self._udev() | {
            "SUBSYSTEM": "tty",
            "DEVNAME": f"/dev/{self.tty.name}",
            "MAJOR": str(numbers.major),
            "MINOR": str(numbers.minor),
        }


def _sys_path(bus: int, port: PortPath | None) -> str:
    """Where the device on ``port`` is below the root; hubs between it and the root hub are directories only."""
    path = f"{_CONTROLLER}/usb{bus}"
    if port is None:
        return path
    steps = str(port).split(".")
    return "/".join([path, *(".".join(steps[: count + 1]) for count in range(len(steps)))])


def _bcd_device(descriptors: Descriptors) -> int:
    return int.from_bytes(descriptors.device[12:14], "little")


def _interface_classes(configuration: bytes) -> dict[int, int]:
    """bInterfaceNumber -> bInterfaceClass of each interface's first alternate setting, USB 2.0 table 9-12."""
    found, at = {}, 0
    while at < len(configuration):
        if configuration[at + 1] == INTERFACE and configuration[at + 3] == 0:
            found[configuration[at + 2]] = configuration[at + 5]
        at += configuration[at]
    return found


def _lines(prefix: str, values: dict[str, str]) -> str:
    return "".join(f"{prefix}{key}={value}\n" for key, value in values.items())
