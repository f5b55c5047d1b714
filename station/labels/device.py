"""Printers on a USB port, by the device node that the system makes of their printer class: /dev/usb/lp0."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from drivers.host.device_node import DeviceNode

from ..errors import BadInput
from .printer import Connect, PrinterKind


def connect_to(place: str) -> Connect:
    """Return what opens the node ``place``, an absolute path; raises `BadInput`."""
    if not os.path.isabs(place):
        raise BadInput(f"device:{place}: expected the absolute path of a printer; write device:/dev/usb/lp0")
    return functools.partial(_opened, Path(place))


def _opened(path: Path, _timeout_s: float) -> DeviceNode:
    return DeviceNode(path)


DEVICE = PrinterKind("device", "a printer on USB, device:/dev/usb/lp0", connect_to, tells_status=True)
