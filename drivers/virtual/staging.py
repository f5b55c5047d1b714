"""What reset does with updates that wait: records made by the system that ran before, and a slot with its flag set.

Shared by the families whose first stage copies a bootloader and survives power cuts while it does. Reference
firmware-and-dfu 4.6, 5.4, 7.2.
"""

from __future__ import annotations

import contextlib

from ..platforms import ModuleFunction
from . import update_slots
from .boot_report import Effort
from .dct import OTA_FLAG_OFF
from .flash import FlashFailed, Who
from .inventory import Found
from .memory import UnitMemory
from .update_check import records_in_slot


def apply_bootloader(memory: UnitMemory, effort: Effort) -> bool:
    """Let the first stage finish the copy of a bootloader, which survives power cuts; a reset follows."""
    for number, record in update_slots.pending(memory).items():
        if record.function == ModuleFunction.BOOTLOADER:
            effort.seconds += update_slots.apply(memory, number, record)
            return True
    return False


def stage_slot(memory: UnitMemory, system: Found, effort: Effort) -> bool:
    """Act on the OTA flag: clear it, and make records of a good module in the slot; a reset follows if so.

    What cannot be stored is left to a later boot: a flag that stays on, or a unit without records that just runs.
    """
    if not memory.dct.ota_flag_is_on:
        return False
    _, records = records_in_slot(memory, system)
    with contextlib.suppress(FlashFailed):
        effort.seconds += memory.dct.set("ota_update_flag", OTA_FLAG_OFF, Who.SYSTEM)
        if records:
            effort.seconds += update_slots.store(memory, records, Who.SYSTEM)
            return True
    return False
