"""The virtual unit's own map of a Gen 3 unit's memories: where modules live, and what no host may ever touch.

Own tables on purpose: were they shared with `drivers.guard` or `drivers.platforms`, a wrong row there could
not be noticed here. Reference firmware-and-dfu 2.3, 2.5, 2.6.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

PAGE = 4096
INTERNAL_BASE, INTERNAL_SIZE = 0x0000_0000, 0x10_0000
EXTERNAL_BASE, EXTERNAL_SIZE = 0x8000_0000, 0x40_0000
DCT_SIZE, DCT_LIMIT = 8391, 0x4000

SOFTDEVICE_START, SOFTDEVICE_END = 0x01000, 0x27000
SYSTEM_START, SYSTEM_LEGACY_START, SYSTEM_END = 0x28000, 0x30000, 0xB4000
USER_START, USER_LEGACY_START, USER_END = 0xB4000, 0xD4000, 0xF4000
BOOTLOADER_START, BOOTLOADER_END = 0xF4000, 0x10_0000

OTA_SLOT, OTA_SLOT_LEGACY = 0x8024_C000, 0x8028_9000
OTA_SLOT_LENGTH = 1500 * 1024
OTA_SLOT_MOVED = 5500  # first system module version that reads its update from OTA_SLOT


class Chip(enum.StrEnum):
    """The memories of a unit; each is one file on disk."""

    INTERNAL = "internal-flash"
    EXTERNAL = "external-flash"
    DCT = "dct"
    NETWORK = "network"  # the Wi-Fi store; on a real unit a file in the external flash
    NCP = "ncp"  # flash of the network co-processor


@dataclass(frozen=True, slots=True)
class Region:
    """``start`` to ``end`` (exclusive) of one memory. ``host_may_write`` is about raw writes over DFU."""

    name: str
    start: int
    end: int
    host_may_write: bool


_INTERNAL = (
    Region("mbr", 0x00000, 0x01000, False),
    Region("softdevice", SOFTDEVICE_START, SOFTDEVICE_END, True),
    Region("mbr-parameter-page", 0x27000, 0x28000, False),
    Region("system-part1", SYSTEM_START, SYSTEM_END, True),
    Region("user-part", USER_START, USER_END, True),
    Region("bootloader", BOOTLOADER_START, BOOTLOADER_END, False),
)
_EXTERNAL = (
    Region("filesystem", 0x8000_0000, 0x8020_0000, False),
    Region("factory-user-part", 0x8020_0000, 0x8024_0000, False),
    Region("reserved", 0x8024_0000, OTA_SLOT, False),
    Region("ota-slot", OTA_SLOT, 0x8040_0000, True),
)
_DCT = (
    Region("before-ota-flag", 0, 1753, False),
    Region("ota-flag", 1753, 1754, True),
    Region("feature-flags", 1754, 1762, False),
    Region("claim-code", 1762, 1825, True),
    Region("claimed-to-device-secret", 1825, 8134, False),
    Region("setup-done", 8134, 8135, True),
    Region("after-setup-done", 8135, DCT_LIMIT, False),
)
REGIONS: dict[Chip, Sequence[Region]] = {
    Chip.INTERNAL: _INTERNAL,
    Chip.EXTERNAL: _EXTERNAL,
    Chip.DCT: _DCT,
    Chip.NETWORK: (Region("network-store", 0, 1 << 20, False),),
    Chip.NCP: (Region("ncp-firmware", 0, 1 << 20, False),),
}


def regions_touched(chip: Chip, address: int, length: int) -> list[Region]:
    """Every region that ``length`` bytes from ``address`` reach into."""
    return [r for r in REGIONS[chip] if r.start < address + length and address < r.end]
