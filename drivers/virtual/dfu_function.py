"""The DFU interface of a Gen 3 bootloader, as these bootloaders really behave.

The device side of DFU 1.1 with DfuSe commands; knows nothing of enumeration, strings or time. Reference
firmware-and-dfu 1 (Gen 3 column).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..wire.usb import Setup

if TYPE_CHECKING:
    from .memory import UnitMemory

MANIFEST_S = 0.5
"""Seconds between the GETSTATUS that says dfuMANIFEST and the reset."""


@dataclass(frozen=True, slots=True)
class DfuReply:
    """Answer to one class request."""

    data: bytes = b""
    stall: bool = False
    seconds: float = 0.0  # the flash is busy that long after this reply: NAK the next transfer until then
    leaving: bool = False  # reset `MANIFEST_S` from now
    safe_mode: bool = False  # ... into safe mode


class DfuFunction:
    """One unit's DFU interface since it entered DFU mode. Lives in RAM."""

    def __init__(self, memory: UnitMemory, bootloader_version: int) -> None:
        raise NotImplementedError

    def set_configuration(self) -> None:
        """SET_CONFIGURATION(1) restarts everything: dfuIDLE, OK, pointer 0, alternate setting 0."""
        raise NotImplementedError

    def set_interface(self, alternate: int) -> bool:
        """SET_INTERFACE: False (stall) for an unknown setting. Neither state nor pointer change."""
        raise NotImplementedError

    def handle(self, setup: Setup, data: bytes = b"") -> DfuReply:
        """One class request to interface 0 (request type 0x21 or 0xA1)."""
        raise NotImplementedError
