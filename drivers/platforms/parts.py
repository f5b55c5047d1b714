"""What a platform is made of: memories and their regions, slots for modules, fields, features of its bootloaders."""

from __future__ import annotations

from dataclasses import dataclass, field

from .kinds import Reports, Via, WritePolicy
from .versions import OsRange, OsVersion


@dataclass(frozen=True, slots=True)
class Region:
    """A range of one memory, what it holds and what a host may do to it."""

    name: str
    alt: int
    start: int
    end: int
    write: WritePolicy
    modules: tuple[tuple[int, int], ...] = ()  # (function, index) pairs that live here
    exists: OsRange = field(default_factory=OsRange)
    also_erase: tuple[int, ...] = ()  # pages elsewhere that become stale with a write here
    largest: int | None = None  # bytes of the largest file it takes, if it is where files of applications are kept

    @property
    def size(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class FlashTiming:
    """Typical operation times of one flash part, in seconds (data sheets; reference firmware-and-dfu 8.3)."""

    erase_s: float  # one sector
    program_bytes: int
    program_s: float  # for ``program_bytes``
    erase_kib_s: float = 0.0  # besides, for each KiB of a sector

    def erasing(self, size: int) -> float:
        """Return how long it takes to erase a sector of ``size`` bytes."""
        return self.erase_s + self.erase_kib_s * size / 1024

    def programming(self, length: int) -> float:
        """Return how long it takes to program ``length`` bytes."""
        return -(-length // self.program_bytes) * self.program_s


# a co-processor behind a serial line: "minutes" for a whole image (reference firmware-and-dfu 5.4), here two
NCP_TIMING = FlashTiming(erase_s=0.05, program_bytes=256, program_s=0.035)


@dataclass(frozen=True, slots=True)
class Memory:
    """One alternate setting in DFU mode; ``start``/``end`` are the addresses DfuSe uses for it."""

    alt: int
    name: str
    start: int
    end: int
    sectors: tuple[
        tuple[int, int], ...
    ]  # (count, bytes each) from `start` on: what one erase takes, of the part itself
    layout: str  # the memory map string of an unprotected unit
    timing: FlashTiming | None = None  # None: nobody waits for it

    def sector(self, address: int) -> range:
        """Return the addresses of the sector that holds ``address``; raises `ValueError` outside the memory."""
        start = self.start
        for count, size in self.sectors:
            if start <= address < start + count * size:
                first = address - (address - start) % size
                return range(first, first + size)
            start += count * size
        raise ValueError(f"{self.name} has no address {address:#010x}")

    def sector_starts(self, start: int, end: int) -> list[int]:
        """Return the start of each sector that [``start``, ``end``) touches, ascending; raises `ValueError`."""
        starts: list[int] = []
        while start < end:
            sector = self.sector(start)
            starts.append(sector.start)
            start = sector.stop
        return starts


@dataclass(frozen=True, slots=True)
class ModuleSlot:
    """Where one kind of module belongs, and how it behaves there."""

    name: str
    function: int
    index: int
    start: int
    max_size: int
    via: Via
    prefix_offset: int | None = None  # None: known only from the file, 0 or behind a vector table
    drop_prefix: bool = False
    legacy_index: int | None = None
    legacy_start: int | None = None
    reports: Reports = Reports.HASH
    end: int = 0  # end of the area it may occupy, exclusive; 0 in the text: start + max_size
    info_at: int | None = None  # address of the block that names its build
    is_readable: bool = True  # over DFU
    is_checked_at_start: bool = True  # False: whatever boots on top of it does not check its integrity
    erase_first_write_last: int | None = None  # page whose content alone makes a bootloader start the module
    taken_before: OsVersion | None = None  # the Device OS from which on units take it and do not apply it
    is_right_aligned: bool = False  # it ends at `end` and starts wherever its length puts it
    once_ended: tuple[int, OsVersion] | None = None  # where its area ended before that Device OS

    def begin(self, size: int) -> int:
        """Return the address at which a module with ``size`` bytes in flash starts, at its newest place."""
        return self.end - size if self.is_right_aligned else self.start

    def room(self, start: int, device_os: OsVersion | None = None) -> int:
        """Return how many bytes one that starts at ``start`` may have, with the Device OS it belongs to if known."""
        if self.once_ended is not None and device_os is not None and start == self.legacy_start:
            end, until = self.once_ended
            if device_os < until:
                return end - start
        return min(self.max_size, self.end - start)

    def has_prefix_at(self, offset: int) -> bool:
        """Return whether the header of a file for this slot may stand there."""
        return offset in ((0, _SMALL_VECTORS) if self.prefix_offset is None else (self.prefix_offset,))


_SMALL_VECTORS = 0x184
"""Bytes of the vector table of an STM32F2 (reference firmware-and-dfu 3.5)."""


@dataclass(frozen=True, slots=True)
class DctField:
    """A named place in the configuration memory (alternate setting 1)."""

    name: str
    offset: int
    size: int
    writable: bool = False


NEVER = 1 << 16
"""Above every module version, which has 16 bits: no bootloader of the family has the feature."""


@dataclass(frozen=True, slots=True)
class Bootloader:
    """Module version of the first bootloader with each of these features; the TOML omits those no bootloader has.

    Features of all but the oldest family are there from version 0 on.
    """

    resumes_copy: int = NEVER  # finishes an interrupted copy of its successor
    large_user_part: int = NEVER
    protection: int = NEVER
    safe_mode_command: int = NEVER
    system_at_new_start: int = NEVER  # checks there before the legacy start
    protection_string: int = NEVER
    clear_override_command: int = NEVER
    device_id_string: int = 0  # its serial string is the Device ID
    small_letters: int = 0  # ... in small letters
    no_poll_time: int = 0  # asks for no wait while it works on internal flash
    restores_factory_image: bool = False  # without a system part, in place of DFU mode, where the unit keeps one
