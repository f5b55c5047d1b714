"""Port paths from what the USB and serial libraries report: bus number and hub ports as ``"1-2.3"``.

The kernel names the folders in `/sys/bus/usb/devices` the same way. Buses are numbered as their controllers start, so
a path that is to outlive a reboot names the controller in place of the bus, as udev's ID_PATH does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ..identity import PortPath

ControllerOf = Callable[[int], str]
"""Returns the lasting name of the controller of a bus, ``"pci-0000:00:14.0"``; "" where the system tells none."""

_LOCATION = re.compile(r"((\d+)-([\d.]+))(?::\S*)?")


def no_controller(_bus: int) -> str:
    """Return "": the system does not tell which controller a bus belongs to."""
    return ""


def of_usb_device(
    bus: int, ports: Sequence[int], address: int, controller_of: ControllerOf = no_controller
) -> PortPath:
    """Return the path of a device; without ``ports``, as for a root hub, its address is used (``"1-@4"``)."""
    return _named(bus, ".".join(map(str, ports)) or f"@{address}", controller_of)


def of_serial_port(location: str | None, controller_of: ControllerOf = no_controller) -> PortPath | None:
    """Return the path in ``location``: ``"1-2.3:1.0"`` is configuration 1, interface 0 of the device on ``"1-2.3"``."""
    found = _LOCATION.fullmatch(location or "")
    return _named(int(found[2]), found[3], controller_of) if found else None


def _named(bus: int, ports: str, controller_of: ControllerOf) -> PortPath:
    controller, name = controller_of(bus), f"{bus}-{ports}"
    return PortPath(f"{controller}-usb-0:{ports}" if controller else name, name)
