"""Estimates how long a plan takes, from the platform's flash timing and the speed of USB. Pure.

Data sheet values (reference firmware-and-dfu 8), no measurement: good for telling a shift from a coffee break.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from drivers.platforms import NCP_TIMING, Memory, ModuleFunction, OsVersion, Platform, Via
from drivers.wire.dfu.tables import TRANSFER_SIZE
from drivers.wire.image.host import Image
from drivers.wire.messages.modules import ModuleInfo
from drivers.wire.usb import CONTROL_BYTES_PER_S, CONTROL_TRANSFER_S

from .modules import BOOTLOADER, held_modules
from .plan import PlannedWrite, UpdatePlan

RESTART_S = 3.5
"""From asking for a restart until the unit is there again: 1 s, then 1 to 5 s (8.1)."""
_TRANSFERS_A_BLOCK = 8  # of a DFU write: a look whether it is blank, erase and data with two statuses each, its reading
_TRANSFERS_A_CHUNK = 3  # of a control request: begin it, ask for its result, its data
_CHUNK = 1024  # bytes, what units ask for (5.3)
_OLD_POLL_S = 0.05  # a block: each operation of a bootloader that asks for a pause takes 50 ms (1.3)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds. ``writes``: of each write of the plan, its restart included if it has one of its own; ``assets``: of all
    files of the application; ``visit``: into DFU mode and back.
    """

    writes: tuple[float, ...]
    visit: float
    assets: float

    @property
    def total(self) -> float:
        return sum(self.writes) + self.visit + self.assets


def estimate(plan: UpdatePlan, held: Iterable[ModuleInfo] = (), assets: Iterable[Image] = ()) -> Estimate:
    """Estimate how long it takes to carry ``plan`` out on a unit that holds ``held``, as far as that is known.

    ``assets``: the files of its application, as modules. Writes that reading back may spare count in full.
    """
    row, bootloader = plan.platform, held_modules(held).get(BOOTLOADER)
    asks_for_pauses = bootloader is not None and bootloader.version < row.bootloader.no_poll_time
    names = {f"asset {one.name}" for one in plan.assets}
    return Estimate(
        writes=tuple(_write(row, write, plan.device_os, asks_for_pauses) for write in plan.writes),
        visit=2 * RESTART_S if plan.dfu_visit else 0.0,
        assets=sum(_sent(row, one, plan.device_os) + RESTART_S for one in assets if one.name in names),
    )


def _write(row: Platform, write: PlannedWrite, device_os: OsVersion | None, asks_for_pauses: bool) -> float:
    if write.way is Via.DFU:
        return _over_dfu(row, write.image, asks_for_pauses)
    return _sent(row, write.image, device_os) + _applied(row, write.image) + RESTART_S


def _over_dfu(row: Platform, image: Image, asks_for_pauses: bool) -> float:
    """Erase, program, and read back."""
    size = len(image.flash_bytes)
    blocks = -(-size // TRANSFER_SIZE)
    small = blocks * (_TRANSFERS_A_BLOCK * CONTROL_TRANSFER_S + (_OLD_POLL_S if asks_for_pauses else 0.0))
    return _flashed(row.memory(0), image.start, size) + 2 * size / CONTROL_BYTES_PER_S + small


def _sent(row: Platform, image: Image, device_os: OsVersion | None) -> float:
    """Into the update slot, as control requests."""
    slot = row.ota_slot(device_os) if device_os is not None else None
    memory = row.memory(slot.alt if slot is not None else 0)
    size = len(image.data)
    chunks = -(-size // _CHUNK) * _TRANSFERS_A_CHUNK * CONTROL_TRANSFER_S
    start = slot.start if slot is not None else memory.start
    return _flashed(memory, start, size) + size / CONTROL_BYTES_PER_S + chunks


def _applied(row: Platform, image: Image) -> float:
    """From the update slot to its place."""
    if image.function == ModuleFunction.NCP:  # there by a serial line
        return NCP_TIMING.programming(len(image.data))
    return _flashed(row.memory(0), image.start, len(image.data))


def _flashed(memory: Memory, start: int, size: int) -> float:
    timing = memory.timing
    if timing is None:
        return 0.0
    sectors = (len(memory.sector(at)) for at in memory.sector_starts(start, start + size))
    return sum(map(timing.erasing, sectors)) + timing.programming(size)
