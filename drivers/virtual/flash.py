"""Flash memory that behaves like NOR: programming only clears bits, erasing sets a page to 0xFF.

Every operation is written to the file in small steps while it executes, so that a process killed in the
middle leaves a torn page on disk, as a power cut would. No caching: each read goes to the file.
"""

from __future__ import annotations

import enum
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..errors import DriverError
from ..platforms import NCP_TIMING, FlashTiming
from .layout import PAGE, Chip, Layout, Region

ERASED = 0xFF
STEP = 256  # bytes programmed at once


class FlashFailed(DriverError):
    """One erase or program operation failed: worn-out flash, or an injected fault."""


class PowerLost(DriverError):
    """The unit lost power in the middle of a flash operation; what was done so far is in flash."""


class Who(enum.StrEnum):
    """On whose behalf a memory is written."""

    FACTORY = "factory"  # before the unit leaves the factory; not counted
    DFU = "dfu"  # the host, raw, through the bootloader
    CONTROL = "control"  # the host, through a request to the running system
    CONSOLE = "console"  # the host, through the listening-mode console
    BOOT = "boot"  # the bootloader or the MBR, on its own
    SYSTEM = "system"  # Device OS, on its own
    AIR = "air"  # the cloud, through the running system


HOST = frozenset({Who.DFU, Who.CONTROL, Who.CONSOLE})


class Operation(enum.StrEnum):
    """What a flash chip can do."""

    ERASE = "erase"  # one page to 0xFF
    PROGRAM = "program"  # clear bits


@dataclass(frozen=True, slots=True)
class FlashStep:
    """One step of an operation, about to execute: ``done`` of ``length`` bytes from ``address`` are finished."""

    chip: Chip
    operation: Operation
    who: Who
    address: int
    length: int
    done: int


FlashFault = Callable[[FlashStep], None]
"""Called before every step. May raise `FlashFailed` (the operation fails, the unit keeps running),
`PowerLost` (the unit is off), or kill the process."""


TIMINGS: dict[Chip, FlashTiming] = {
    Chip.DCT: FlashTiming(erase_s=0.0, program_bytes=PAGE, program_s=0.02),
    Chip.NETWORK: FlashTiming(erase_s=0.0, program_bytes=PAGE, program_s=0.02),
    Chip.NCP: NCP_TIMING,
}
"""Of the chips that no memory map shows; the others have theirs in the platform's row."""
_NO_TIME = FlashTiming(erase_s=0.0, program_bytes=1, program_s=0.0)


@dataclass(frozen=True, slots=True)
class Touch:
    """One erase or program operation caused by a host, about to execute."""

    chip: Chip
    operation: Operation
    who: Who
    address: int
    length: int


@dataclass(frozen=True, slots=True)
class ForbiddenTouch:
    """A host touched a region that no host may write."""

    chip: Chip
    address: int
    length: int
    who: Who
    region: str


class Score:
    """Counts what was written in one unit, by whom and where, independently of any guard.

    ``layout`` None: for a chip that belongs to no unit and has no named regions.
    """

    def __init__(self, layout: Layout | None = None) -> None:
        self._layout = layout
        self.operations: Counter[tuple[Who, str, Operation]] = Counter()  # (who, region name, operation) -> count
        self.host_pages: dict[Chip, set[int]] = {}  # page addresses a host touched
        self.forbidden: list[ForbiddenTouch] = []  # must stay empty
        self.on_host_write: Callable[[Touch], None] | None = None  # called before the operation executes

    @property
    def flash_writes(self) -> int:
        """Return the number of erase and program operations caused by the host."""
        return sum(n for (who, _, _), n in self.operations.items() if who in HOST)

    def writes_by_region(self) -> dict[str, int]:
        """Count the erase and program operations caused by the host, by name of region."""
        counts: Counter[str] = Counter()
        for (who, region, _), n in self.operations.items():
            if who in HOST:
                counts[region] += n
        return dict(counts)

    def note(self, chip: Chip, operation: Operation, address: int, length: int, who: Who) -> None:
        """Count one operation; called before it executes, so that a torn one counts too."""
        if who is Who.FACTORY:
            return
        known = self._layout.touched(chip, address, length) if self._layout is not None else []
        regions = known or [Region("outside", address, address + length, False)]
        self.operations[who, regions[0].name, operation] += 1
        if who in HOST:
            if self.on_host_write is not None:
                self.on_host_write(Touch(chip, operation, who, address, length))
            first = address - address % PAGE
            self.host_pages.setdefault(chip, set()).update(range(first, address + length, PAGE))
        if who is Who.DFU:
            self.forbidden += [
                ForbiddenTouch(chip, address, length, who, r.name) for r in regions if not r.host_may_write
            ]


class Cells(Protocol):
    """Storage for bytes: a file, or memory of this process."""

    @property
    def size(self) -> int: ...
    def read(self, offset: int, length: int) -> bytes: ...
    def write(self, offset: int, data: bytes) -> None: ...
    def close(self) -> None: ...


class RamCells:
    """Cells in memory, which live until they are closed."""

    def __init__(self, content: bytes) -> None:
        self._bytes = bytearray(content)

    @property
    def size(self) -> int:
        return len(self._bytes)

    def read(self, offset: int, length: int) -> bytes:
        return bytes(self._bytes[offset : offset + length])

    def write(self, offset: int, data: bytes) -> None:
        self._bytes[offset : offset + len(data)] = data

    def close(self) -> None:
        """Free the bytes: a unit is a graph of objects with cycles, and may be collected late."""
        self._bytes = bytearray()


class FileCells:
    """Cells in a file, written through. The file is private to its owner: a DCT holds keys."""

    def __init__(self, path: Path, content: bytes) -> None:
        if not path.exists():
            fresh = path.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_bytes(content)
            fresh.replace(path)  # an incomplete file never has the real name
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)

    @property
    def size(self) -> int:
        return os.fstat(self._file).st_size

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._file, length, offset)

    def write(self, offset: int, data: bytes) -> None:
        os.pwrite(self._file, data, offset)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def open_cells(path: Path | None, content: bytes) -> Cells:
    """Open cells in ``path`` (created with ``content`` if absent), or in memory without a path."""
    return RamCells(content) if path is None else FileCells(path, content)


def _page(address: int) -> range:
    first = address - address % PAGE
    return range(first, first + PAGE)


class NorFlash:
    """One flash chip. Addresses start at ``base``; all methods raise `ValueError` outside the chip.

    ``sector`` returns the addresses that one erase takes.
    """

    def __init__(
        self,
        name: Chip,
        base: int,
        size: int,
        path: Path | None = None,
        score: Score | None = None,
        fault: FlashFault | None = None,
        *,
        sector: Callable[[int], range] = _page,
        timing: FlashTiming | None = None,
    ) -> None:
        self.name, self.base, self.size, self.sector = name, base, size, sector
        self.fault = fault
        self.score = score or Score()
        self._timing = timing or TIMINGS.get(name, _NO_TIME)
        self._cells = open_cells(path, bytes([ERASED]) * size)
        if self._cells.size != size:
            raise DriverError(f"{name} of a virtual unit in {path} has {self._cells.size} bytes, expected {size}")

    @property
    def end(self) -> int:
        return self.base + self.size

    def holds(self, address: int, length: int) -> bool:
        """Return whether the whole range is in this chip."""
        return self.base <= address and length >= 0 and address + length <= self.end

    def read(self, address: int, length: int) -> bytes:
        return self._cells.read(self._offset(address, length), length)

    def program(self, address: int, data: bytes, who: Who) -> float:
        """Clear the bits that are 0 in ``data``; return the seconds a real chip takes."""
        offset = self._offset(address, len(data))
        self.score.note(self.name, Operation.PROGRAM, address, len(data), who)
        done = 0
        while done < len(data):
            self._ask(FlashStep(self.name, Operation.PROGRAM, who, address, len(data), done))
            count = min(STEP - (offset + done) % STEP, len(data) - done)
            self._cells.write(offset + done, _and(self._cells.read(offset + done, count), data[done : done + count]))
            done += count
        return self._timing.programming(len(data))

    def erase_page(self, address: int, who: Who) -> float:
        """Set the page (sector) that holds ``address`` to 0xFF; return the seconds a real chip takes."""
        self._offset(address, 1)
        sector = self.sector(address)
        size, half = len(sector), len(sector) // 2
        self.score.note(self.name, Operation.ERASE, sector.start, size, who)
        for done in (0, half):
            self._ask(FlashStep(self.name, Operation.ERASE, who, sector.start, size, done))
            self._cells.write(sector.start - self.base + done, bytes([ERASED]) * half)
        return self._timing.erasing(size)

    def erase_range(self, address: int, length: int, who: Who) -> float:
        """Erase every page that ``length`` bytes from ``address`` touch."""
        seconds, end = 0.0, address + length
        while address < end:
            seconds += self.erase_page(address, who)
            address = self.sector(address).stop
        return seconds

    def is_blank(self, address: int, length: int) -> bool:
        return self.read(address, length).count(ERASED) == length

    def place(self, address: int, data: bytes) -> None:
        """Store ``data`` as a factory programmer does: not counted, without faults or erase."""
        self._cells.write(self._offset(address, len(data)), data)

    def close(self) -> None:
        self._cells.close()

    def _ask(self, step: FlashStep) -> None:
        if self.fault is not None:
            self.fault(step)

    def _offset(self, address: int, length: int) -> int:
        if not self.holds(address, length):
            raise ValueError(f"{self.name} has no bytes {address:#x} to {address + length:#x}")
        return address - self.base


def _and(old: bytes, new: bytes) -> bytes:
    merged = int.from_bytes(old, "little") & int.from_bytes(new, "little")
    return merged.to_bytes(len(new), "little")
