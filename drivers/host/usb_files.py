"""USB devices as Linux exposes them in files: descriptors read at enumeration, and the nodes libusb opens."""

from __future__ import annotations

import errno
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import NoDeviceNodes
from ..identity import PortPath


@dataclass(frozen=True, slots=True)
class UsbFiles:
    """Two folders. ``sysfs``: descriptors, read there without a transfer. ``usbfs``: the device nodes libusb opens."""

    sysfs: Path = Path("/sys/bus/usb/devices")
    usbfs: Path = Path("/dev/bus/usb")

    def check_folder(self) -> None:
        """Raise `NoDeviceNodes` where no unit could ever appear: libusb silently lists nothing there."""
        if not os.access(self.usbfs, os.R_OK | os.X_OK):
            raise NoDeviceNodes(
                f"list USB devices: {self.usbfs} is not there or cannot be read, so no unit will ever show; "
                "load the USB drivers, or give the container that folder and its devices"
            )

    def check_node(self, port_path: PortPath, bus: int, address: int) -> None:
        """Raise `NoDeviceNodes` when the bus lists a unit whose node cannot be opened, as in a container.

        libusb reports that as "gone" or as an I/O error.
        """
        if self.serial_file(port_path, address) is None:
            return
        node = self.usbfs / f"{bus:03d}" / f"{address:03d}"
        try:
            os.close(os.open(node, os.O_RDWR | os.O_CLOEXEC))
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EPERM):
                raise NoDeviceNodes(
                    f"open the unit on port {port_path}: the bus lists it, but {node} cannot be opened "
                    f"({errno.errorcode[error.errno]}); give the container that folder and its devices"
                ) from error

    def serial_file(self, port_path: PortPath, address: int) -> Path | None:
        """Return the file with the serial string of this very enumeration, None if there is none."""
        folder = self.sysfs / port_path.on_bus
        try:
            is_same = int((folder / "devnum").read_text()) == address
        except (OSError, ValueError):
            return None
        return folder / "serial" if is_same else None

    def controller_of(self, bus: int) -> str:
        """Return the lasting name of the controller of ``bus``, as udev's ID_PATH begins; "" if it has none.

        ``"pci-0000:00:14.0"``, or on a board without PCI ``"platform-3f980000.usb"``.
        """
        try:
            root_hub = (self.sysfs / f"usb{bus}").resolve(strict=True)
        except OSError:
            return ""
        names: dict[str, str] = {}
        for folder in root_hub.parents:
            kind = _subsystem(folder)
            if kind in _LASTING and not folder.name.endswith(_NUMBERED_BY_PROBING):
                names.setdefault(kind, folder.name)
        return "-".join(f"{kind}-{names[kind]}" for kind in _LASTING if kind in names)


_LASTING = ("platform", "pci")
"""Subsystems whose devices are named by where they are wired, the outer one first."""
_NUMBERED_BY_PROBING = ".auto"
"""End of the name of a platform device that is numbered in the order of probing; its parent's name lasts."""


def _subsystem(folder: Path) -> str:
    try:
        return (folder / "subsystem").readlink().name
    except OSError:
        return ""


def usb_files() -> UsbFiles | None:
    """Return where this system exposes its USB devices as files, None if it does not."""
    return UsbFiles() if sys.platform == "linux" else None
