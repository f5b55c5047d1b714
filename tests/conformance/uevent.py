"""Hot-plug messages as udev sends them, which is what umockdev passes to its clients.

Layout: ``struct udev_monitor_netlink_header`` of systemd's libudev, version 0xfeedcafe.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

_MAGIC = 0xFEEDCAFE
_HEADER = struct.Struct(">8sI")
_SIZES = struct.Struct("<III")
_HASHES = struct.Struct(">IIII")
_HEADER_SIZE = _HEADER.size + _SIZES.size + _HASHES.size


def uevent(properties: Mapping[str, str]) -> bytes:
    """One message; ``properties`` must hold ACTION, DEVPATH and SUBSYSTEM."""
    body = b"".join(f"{key}={value}".encode() + b"\0" for key, value in properties.items())
    subsystem, kind = properties["SUBSYSTEM"], properties.get("DEVTYPE")
    return (
        _HEADER.pack(b"libudev\0", _MAGIC)
        + _SIZES.pack(_HEADER_SIZE, _HEADER_SIZE, len(body))
        + _HASHES.pack(murmur2(subsystem.encode()), murmur2(kind.encode()) if kind else 0, 0, 0)
        + body
    )


def broadcast(root: Path, message: bytes) -> None:
    """Send ``message`` to every client of the umockdev directory ``root``."""
    for path in root.glob("event*"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_RAW) as sender, contextlib.suppress(OSError):
            sender.sendto(message, str(path))


def murmur2(data: bytes) -> int:
    """MurmurHash2 with seed 0: libudev filters by it."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    digest = len(data)
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * multiplier & mask
        digest = digest * multiplier & mask ^ (word ^ word >> 24) * multiplier & mask
    if data[whole:]:
        digest = (digest ^ int.from_bytes(data[whole:], "little")) * multiplier & mask
    digest = (digest ^ digest >> 13) * multiplier & mask
    return digest ^ digest >> 15
