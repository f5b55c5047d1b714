"""The configuration area (DCT) of a unit: 8391 bytes at fixed offsets, kept as a file by the unit itself.

Not NOR: bytes can be set at will, one at a time, and take effect at once. Layout: reference
firmware-and-dfu 2.6 (Gen 3 column), update slots 7.2.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from .flash import ERASED, TIMINGS, FlashFailed, FlashFault, FlashStep, Operation, Score, Who, open_cells
from .layout import DCT_LIMIT, DCT_SIZE, Chip

FIELDS: dict[str, tuple[int, int]] = {  # name -> (offset, size)
    "system_flags": (0, 32),
    "version": (32, 2),
    "device_private_key_tcp": (34, 1216),
    "device_public_key_tcp": (1250, 384),
    "static_ip_config": (1634, 24),
    "ota_update_flag": (1753, 1),
    "feature_flags": (1754, 4),
    "country_code": (1758, 4),
    "claim_code": (1762, 63),
    "claimed": (1825, 1),
    "ssid_prefix": (1826, 26),
    "device_code": (1852, 6),
    "version_string": (1858, 32),
    "dns_names": (1890, 128),
    "server_public_key_tcp": (2082, 768),
    "flash_modules": (2852, 100),
    "product_store": (2952, 24),
    "antenna_selection": (2976, 1),
    "cloud_transport": (2977, 1),
    "device_public_key_udp": (2978, 128),
    "device_private_key_udp": (3106, 192),
    "server_public_key_udp": (3298, 192),
    "server_address_udp": (3490, 128),
    "device_id": (3618, 12),
    "radio_flags": (3630, 1),
    "mode_button_mirror": (3631, 32),
    "led_mirror": (3663, 96),
    "led_theme": (3759, 64),
    "eap_config": (3823, 4296),
    "device_secret": (8119, 15),
    "setup_done": (8134, 1),
    "ncp_id": (8135, 4),
    "power_config": (8139, 32),
    "radio_antenna": (8171, 1),
}
OTA_FLAG_ON, OTA_FLAG_OFF = b"\xa5", b"\xff"
CLAIMED = b"1"
SETUP_DONE = b"\x01"
_STARTUP_MODE, _LISTENING, _NOT_LISTENING = 18, b"\x01", b"\xff"


class Dct:
    """The configuration area of one unit. Addresses run from 0; a new one is all ones."""

    def __init__(self, path: Path | None = None, score: Score | None = None, fault: FlashFault | None = None) -> None:
        self.score = score or Score()
        self.fault = fault
        self._cells = open_cells(path, bytes([ERASED]) * DCT_SIZE)

    @property
    def size(self) -> int:
        """8391, or more after somebody wrote past the end."""
        return self._cells.size

    def read(self, offset: int, length: int) -> bytes:
        """At most ``length`` bytes: fewer where the area ends."""
        return self._cells.read(offset, length)

    def write(self, offset: int, data: bytes, who: Who) -> float:
        """Store ``data``; return the seconds it takes. Raises `ValueError` past 0x4000.

        Written past its end the area grows, filled with ones.
        """
        if offset < 0 or offset + len(data) > DCT_LIMIT:
            raise ValueError(f"the configuration area has no bytes {offset:#x} to {offset + len(data):#x}")
        self.score.note(Chip.DCT, Operation.PROGRAM, offset, len(data), who)
        if self.fault is not None:
            self.fault(FlashStep(Chip.DCT, Operation.PROGRAM, who, offset, len(data), 0))
        self._cells.write(self.size, bytes([ERASED]) * (offset - self.size))
        self._cells.write(offset, data)
        return TIMINGS[Chip.DCT].programming(len(data))

    def get(self, name: str) -> bytes:
        offset, size = FIELDS[name]
        return self.read(offset, size)

    def set(self, name: str, value: bytes, who: Who) -> float:
        """Store a whole field; a shorter ``value`` is filled up with ones."""
        offset, size = FIELDS[name]
        if len(value) > size:
            raise ValueError(f"{name} takes {size} bytes, got {len(value)}")
        return self.write(offset, value.ljust(size, bytes([ERASED])), who)

    @property
    def is_claimed(self) -> bool:
        """The unit's own opinion, learned from the cloud."""
        return self.get("claimed") == CLAIMED

    @property
    def is_setup_done(self) -> bool:
        return self.get("setup_done") == SETUP_DONE

    def set_startup_listening(self, is_on: bool, who: Who) -> float:
        """The flag that makes the next start in safe mode a listening one; return seconds."""
        return self.write(_STARTUP_MODE, _LISTENING if is_on else _NOT_LISTENING, who)

    def take_startup_listening(self) -> bool:
        """Read that flag as a start does: it holds once."""
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
