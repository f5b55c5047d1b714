"""A device node that is read and written with deadlines, such as a printer's /dev/usb/lp0."""

from __future__ import annotations

import os
import selectors
import time
from pathlib import Path


class DeviceNode:
    """One open node. Every method may raise `OSError`, `TimeoutError` among them."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)

    def send(self, data: bytes, timeout_s: float) -> None:
        """Write all of ``data``."""
        until = time.monotonic() + timeout_s
        while data:
            self._wait(selectors.EVENT_WRITE, until)
            data = data[os.write(self._fd, data) :]

    def receive(self, timeout_s: float) -> bytes:
        """Return what there is to read, at least one byte; nothing at its end."""
        self._wait(selectors.EVENT_READ, time.monotonic() + timeout_s)
        return os.read(self._fd, 4096)

    def _wait(self, what: int, until: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._fd, what)
            if not selector.select(max(0.0, until - time.monotonic())):
                raise TimeoutError("timed out")

    def close(self) -> None:
        """Close it."""
        os.close(self._fd)
