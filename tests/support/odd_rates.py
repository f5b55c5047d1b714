"""A serial port of a kernel that knows the usual line rates only, and one whose application floods it."""

from __future__ import annotations

from typing import Any

from drivers.virtual.bus import VirtualBus
from drivers.virtual.serial_side import VirtualSerial


class UsualRates(VirtualSerial):
    """A port that refuses other rates than 9600, as pyserial reports it (`ValueError`)."""

    def _reconfigure_port(self, force_update: bool = False) -> None:
        if (asked := self.baudrate) != 9600:
            self._baudrate = 9600  # what the line still has
            raise ValueError(f"Failed to set custom baud rate ({asked}): [Errno 22] Invalid argument")
        super()._reconfigure_port(force_update)

    @classmethod
    def opener(cls, bus: VirtualBus) -> Any:
        """Return what opens a port of ``bus``."""
        return lambda device: cls(bus, device, timeout=None)


class Flooded(VirtualSerial):
    """A port on which the application prints line after line, between and before what the console says."""

    LINE = b"tick 0123456789 abcdefghijklmnopqrstuvwxyz\r\n"

    def read(self, size: int = 1) -> bytes:
        self._flood = bytearray(getattr(self, "_flood", b"")) or bytearray(self.LINE * 400)
        piece = bytes(self._flood[:size])
        self._flood = self._flood[size:]
        if not self._flood:
            piece += super().read(size)
        return piece

    @property
    def in_waiting(self) -> int:
        return len(getattr(self, "_flood", b"")) or super().in_waiting

    @classmethod
    def opener(cls, bus: VirtualBus) -> Any:
        """Return what opens a port of ``bus``."""
        return lambda device: cls(bus, device, timeout=None)
