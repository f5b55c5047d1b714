"""A hand at the serial console of a virtual unit."""

from __future__ import annotations

import serial


def say(port: serial.SerialBase, data: bytes, patience_s: float = 0.3) -> bytes:
    """Write, then read until the unit is silent for ``patience_s``."""
    port.write(data)
    port.timeout = patience_s
    heard = b""
    while piece := port.read(1):
        heard += piece
    return heard
