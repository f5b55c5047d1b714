"""The configuration area (DCT) of a unit: 8391 bytes at fixed offsets, which a real unit stores in a file.

Not NOR: single bytes can be set to any value and take effect at once. Layout: reference
firmware-and-dfu 2.6 (Gen 3 column), update slots 7.2.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from .flash import ERASED, TIMINGS, FlashFailed, FlashFault, FlashStep, Operation, Score, Who, open_cells
from .layout import Chip, Layout

OTA_FLAG_ON, OTA_FLAG_OFF = b"\xa5", b"\xff"
CLAIMED = b"1"
SETUP_DONE = b"\x01"
FEATURE_ETHERNET = 0x02  # bit of the feature flags; a cleared one enables the feature
_STARTUP_MODE, _LISTENING, _NOT_LISTENING = 18, b"\x01", b"\xff"


class Dct:
    """The configuration area of one unit. Addresses start at 0; a new one is all 0xFF."""

    def __init__(
        self, layout: Layout, path: Path | None = None, score: Score | None = None, fault: FlashFault | None = None
    ) -> None:
        self._layout = layout
        self.score = score or Score(layout)
        self.fault = fault
        self._cells = open_cells(path, bytes([ERASED]) * layout.dct_size)

    @property
    def size(self) -> int:
        """Return the size in bytes: 8391, or more after a write past the end."""
        return self._cells.size

    def read(self, offset: int, length: int) -> bytes:
        """Read at most ``length`` bytes; fewer at the end of the area."""
        return self._cells.read(offset, length)

    def write(self, offset: int, data: bytes, who: Who) -> float:
        """Store ``data``; return the seconds it takes. Raises `ValueError` past 0x4000.

        A write past the end extends the area; the gap is filled with 0xFF.
        """
        if offset < 0 or offset + len(data) > self._layout.dct_limit:
            raise ValueError(f"the configuration area has no bytes {offset:#x} to {offset + len(data):#x}")
        self.score.note(Chip.DCT, Operation.PROGRAM, offset, len(data), who)
        if self.fault is not None:
            self.fault(FlashStep(Chip.DCT, Operation.PROGRAM, who, offset, len(data), 0))
        self._cells.write(self.size, bytes([ERASED]) * (offset - self.size))
        self._cells.write(offset, data)
        return TIMINGS[Chip.DCT].programming(len(data))

    def get(self, name: str) -> bytes:
        field = self._layout.dct_fields[name]
        return self.read(field.offset, field.size)

    def set(self, name: str, value: bytes, who: Who) -> float:
        """Store a whole field, padding ``value`` with 0xFF; return seconds. Raises `ValueError` if it is too long."""
        field = self._layout.dct_fields[name]
        if len(value) > field.size:
            raise ValueError(f"{name} takes {field.size} bytes, got {len(value)}")
        return self.write(field.offset, value.ljust(field.size, bytes([ERASED])), who)

    @property
    def is_claimed(self) -> bool:
        """Return the unit's own claimed bit, which it learned from the cloud."""
        return self.get("claimed") == CLAIMED

    @property
    def is_setup_done(self) -> bool:
        return self.get("setup_done") == SETUP_DONE

    def keep_device_id(self, device_id: str, who: Who) -> None:
        """Copy the Device ID here, unless there is one; a write that fails is tried again at the next boot."""
        if self.get("device_id")[0] == ERASED:
            with contextlib.suppress(FlashFailed):
                self.set("device_id", bytes.fromhex(device_id), who)

    def set_startup_listening(self, is_on: bool, who: Who) -> float:
        """Set the flag that makes the next boot into safe mode enter listening mode; return seconds."""
        return self.write(_STARTUP_MODE, _LISTENING if is_on else _NOT_LISTENING, who)

    def take_startup_listening(self) -> bool:
        """Read and clear that flag, as a boot does."""
        is_on = self.read(_STARTUP_MODE, 1) == _LISTENING
        if is_on:
            with contextlib.suppress(FlashFailed):
                self.set_startup_listening(False, Who.SYSTEM)
        return is_on

    @property
    def ota_flag_is_on(self) -> bool:
        return self.get("ota_update_flag") == OTA_FLAG_ON

    def close(self) -> None:
        self._cells.close()
