"""Hot-plug events of Linux, through pyudev: they say that the bus changed; what changed is read from the bus.

Events are those of udev, sent after its rules were applied, so a unit can be opened when its event arrives.
"""

from __future__ import annotations

import errno
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

from ..errors import LinkError

_log = logging.getLogger(__name__)

_WAKE_S = 0.5
"""How often the thread looks whether it is to end."""


class UdevChanges:
    """Events about USB devices from this system's udev. Implements `drivers.hotplug.BusChanges`."""

    def listen(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` on a thread of its own after each event; return a function that ends the thread.

        Raises `LinkError` where libudev or its netlink socket is missing.
        """
        monitor = _monitor()
        ending = threading.Event()
        threading.Thread(target=_follow, args=(monitor, changed, ending), name="udev", daemon=True).start()
        return ending.set


def _monitor() -> Any:
    """Return a monitor that receives from now on."""
    try:
        import pyudev  # loads libudev: not every system has it

        monitor = pyudev.Monitor.from_netlink(pyudev.Context())
        monitor.filter_by("usb", "usb_device")
        monitor.start()
    except (ImportError, OSError) as error:
        raise LinkError(f"follow udev's events: {error}; is libudev installed?") from error
    return monitor


def _follow(monitor: Any, changed: Callable[[], None], ending: threading.Event) -> None:
    while not ending.is_set():
        try:
            if monitor.poll(_WAKE_S) is None:
                continue
        except OSError as error:
            if error.errno != errno.ENOBUFS:  # else events were dropped: list the bus, which shows what they said
                _log.warning("udev's events ended, the bus is polled instead: %s", error)
                return
        changed()


def system_changes() -> UdevChanges | None:
    """Return this system's hot-plug events, None where the bus has to be polled."""
    return UdevChanges() if sys.platform == "linux" else None
