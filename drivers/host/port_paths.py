"""Port paths from what the USB and serial libraries report: bus number and hub ports as ``"1-2.3"``.

The kernel names the folders in `/sys/bus/usb/devices` the same way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..identity import PortPath

_LOCATION = re.compile(r"(\d+-[\d.]+)(?::\S*)?")


def of_usb_device(bus: int, ports: Sequence[int], address: int) -> PortPath:
    """Return the path of a device; without ``ports``, as for a root hub, its address is used (``"1-@4"``)."""
    return PortPath(f"{bus}-{'.'.join(map(str, ports))}" if ports else f"{bus}-@{address}")


def of_serial_port(location: str | None) -> PortPath | None:
    """Return the path in ``location``: ``"1-2.3:1.0"`` is configuration 1, interface 0 of the device on ``"1-2.3"``."""
    found = _LOCATION.fullmatch(location or "")
    return PortPath(found[1]) if found else None
