"""A unit of any platform in DFU mode directly below the write guard, and what is thrown at it.

`BareUnit` is the virtual bootloader without a bus: a transport whose transfers may get lost. It keeps the unit's own
score, and beside it judges every operation by what the modules with a permit may touch.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from drivers.errors import Stalled, TransferFailed
from drivers.guard import WriteGuard
from drivers.identity import PortPath
from drivers.platforms import ModuleSlot, Platform, Via, platforms
from drivers.transport.guarded import GuardedTransport
from drivers.virtual.families import family_of
from drivers.virtual.flash import Operation, Touch, Who
from drivers.virtual.layout import Chip
from drivers.virtual.memory import UnitMemory
from drivers.wire.image.host import Image
from drivers.wire.usb import Mode, Setup, UsbId

TOP, PAGE = 0xFFFF_FFFF, 4096
NEWEST_BOOTLOADER = {"stm32": 1006, "nrf": 3200, "rtl": 3200}
OLDEST_BOOTLOADER = {"stm32": 3, "nrf": 101, "rtl": 1007}


@dataclass
class BareUnit:
    """A `UsbTransport` onto the DFU function of a virtual unit. ``mishap``: what becomes of the next transfer."""

    row: Platform
    is_old: bool = False
    maps: Mapping[int, str] = field(default_factory=dict)  # alternate setting -> what it says in place of its map
    mishap: str = ""  # "", "before" (never arrives), "after" (arrives, its answer does not)
    permitted: list[Image] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.memory = UnitMemory(self.row.id)
        self.memory.score.on_host_write = self._judge
        version = (OLDEST_BOOTLOADER if self.is_old else NEWEST_BOOTLOADER)[self.row.family]
        family = family_of(self.row.id)
        self.function = family.dfu_function(self.memory, version, False)
        self.shown = family.dfu_descriptors(self.row, "0" * 24, version, False)
        self.guard = WriteGuard(self.row)
        self._downloaded = b""

    def guarded(self) -> GuardedTransport:
        return GuardedTransport(self, self.guard)

    @contextlib.contextmanager
    def permits(self, images: Sequence[Image]) -> Iterator[None]:
        """Open a permit for each of ``images``; raises `WriteRefused`."""
        with contextlib.ExitStack() as stack:
            for one in images:
                stack.enter_context(self.guard.permit(one))
            self.permitted = list(images)
            yield
        self.permitted = []

    # --- a transport ---

    @property
    def port_path(self) -> PortPath:
        return PortPath("1-1")

    @property
    def usb_id(self) -> UsbId:
        return UsbId.of(Mode.DFU, self.row.id)

    def control(self, setup: Setup, data: bytes = b"", *, timeout_s: float = 5.0) -> bytes:
        mishap, self.mishap = self.mishap, ""
        if mishap == "before":
            raise TransferFailed("lost on its way to the unit")
        reply = self._answer(setup, data)
        if mishap == "after":
            raise TransferFailed("lost on its way back")
        return reply[: setup.length]

    def _answer(self, setup: Setup, data: bytes) -> bytes:
        if setup.request_type & 0x60 == 0:
            if setup.request == 9:
                self.function.set_configuration()
            elif setup.request == 11 and not self.function.set_interface(setup.value):
                raise Stalled("no such memory")
            return b""
        if setup.request == 1:
            self._downloaded = data
        answer = self.function.handle(setup, data)
        if answer.leaving:  # it restarts, and comes back in DFU mode
            self.function.set_configuration()
        if answer.stall:
            raise Stalled("refused")
        return answer.data

    def string(self, index: int) -> str:
        text = self.shown.strings.get(index)
        if text is None:
            raise Stalled("no such string")
        raw = self.shown.configuration
        by_string = {raw[at + 8]: raw[at + 3] for at in _descriptors(raw) if raw[at + 1] == 4}
        return self.maps.get(by_string.get(index, -1), text)

    def serial_string(self) -> str:
        return self.shown.serial

    def configuration_descriptor(self) -> bytes:
        return self.shown.configuration

    def claim(self, interface: int) -> None:
        pass

    def set_alternate(self, interface: int, alternate: int) -> None:
        self.control(Setup(0x01, 11, alternate, interface, 0))

    def close(self) -> None:
        pass

    # --- the judge: it knows modules and memories, and not how the guard decides ---

    def _judge(self, touch: Touch) -> None:
        if touch.who is Who.DFU and not any(self._may(touch, image) for image in self.permitted):
            permits = [one.describe() for one in self.permitted]
            self.wrong.append(f"{touch} with {len(self._downloaded)} bytes sent and permits for {permits}")

    def _may(self, touch: Touch, image: Image) -> bool:
        if touch.chip is not Chip.INTERNAL:
            return False
        start, content = image.flash_address, image.flash_bytes
        if touch.operation is Operation.PROGRAM:  # a Gen 2 unit fills the last word with ones, which change nothing
            at, sent = touch.address - start, self._downloaded
            return at >= 0 and content[at : at + len(sent)] == sent and 0 <= touch.length - len(sent) < 4
        sectors = self.row.memory(0).sector_starts(start, start + len(content))
        stale = {page for region in self.row.regions if region.start == start for page in region.also_erase}
        return touch.address in {*sectors, *stale}

    def check(self) -> None:
        """Fail unless every operation so far was one of a module with a permit, and none on a forbidden page."""
        assert self.memory.score.forbidden == [], self.memory.score.forbidden[0]
        assert self.wrong == [], self.wrong[0]


def _descriptors(raw: bytes) -> Iterator[int]:
    at = 0
    while at < len(raw):
        yield at
        at += raw[at]


# --- modules ----------------------------------------------------------------------------------------


def module(
    row: Platform, *, kind: tuple[int, int], start: int, size: int, platform_id: int | None = None, flags: int = 0,
    prefix_at: int = 0, length: int | None = None, version: int = 9999,
) -> bytes:  # fmt: skip
    """A file right in every checksum and free in everything else. ``length``: what its header says, if not ``size``."""
    size = max(size, prefix_at + 24 + 44)
    data = bytearray(random.Random(size).randbytes(min(size, 64)).ljust(size, b"\x5a"))
    data[:prefix_at] = struct.pack("<I", 0x20040000).ljust(prefix_at, b"\0")[:prefix_at]
    end = (start + (size if length is None else length) - 4) & TOP
    prefix = struct.pack(
        "<IIBBHHBBQ", start & TOP, end, 0, flags, version, row.id if platform_id is None else platform_id, *kind, 0
    )
    data[prefix_at : prefix_at + 24] = prefix
    if flags & 0x10:  # extensions behind the header: an end, and nothing else
        data[prefix_at + 24 : prefix_at + 28] = struct.pack("<HH", 0, 4)
    data[-44:-38] = b"\xff\xff\xff\xff\0\0"
    data[-6:-4] = struct.pack("<H", 40)
    data[-38:-6] = hashlib.sha256(data[:-38]).digest()
    data[-4:] = zlib.crc32(data[:-4]).to_bytes(4, "big")
    return bytes(data)


def right_module(row: Platform, slot: ModuleSlot, size: int) -> bytes:
    """A module of ``size`` bytes for its newest place."""
    return module(row, **truth(row, slot, size) | {"size": size + 24 * slot.drop_prefix})


def dfu_slots(row: Platform) -> list[ModuleSlot]:
    return [slot for slot in row.modules if slot.via is Via.DFU]


def edges(row: Platform) -> list[int]:
    """Addresses around everything that lies in a unit's memories, and around the end of what a pointer can hold."""
    places = {edge for region in row.regions for edge in (region.start, region.end)}
    places |= {edge for memory in row.memories for edge in (memory.start, memory.end)}
    fields = {one.offset for one in row.dct_fields}
    around = {(place + by) & TOP for place in places for by in (-PAGE, -4, 0, 4, PAGE)}
    return sorted({*around, *fields, TOP, TOP - PAGE + 1, 0x8000_0000})


def truth(row: Platform, slot: ModuleSlot, size: int) -> dict[str, Any]:
    """What `module` is told for a file that has its place in ``slot``."""
    usual = slot.prefix_offset if slot.prefix_offset is not None else 0x184
    return {
        "kind": (slot.function, slot.index), "size": size, "start": slot.begin(size), "platform_id": row.id,
        "flags": int(slot.drop_prefix), "prefix_at": usual, "length": None,
    }  # fmt: skip


def lies(row: Platform, slot: ModuleSlot) -> dict[str, list[Any]]:
    """What a header may say in place of each of those."""
    room = slot.room(slot.start)
    return {
        "kind": [*((one.function, one.index) for one in row.modules), (3, 0), (4, 9), (6, 0), (9, 0), (255, 255)],
        "size": [room - 4, room, room + 4, room + 24, room + 28, room + PAGE],
        "start": [slot.legacy_start or 0, *edges(row)],
        "platform_id": [one.id for one in platforms()] + [0, 0xFFFF],
        "flags": [0, 1, 2, 4, 8, 0x10, 0x11, 0x20, 0xFF],
        "prefix_at": [0, 4, 0x20, 0x184, 0x200],
        "length": [4996, 5004, 40, -4, 1 << 31],
    }


def single_lies(row: Platform, slot: ModuleSlot) -> Iterator[dict[str, Any]]:
    """Every file for ``slot`` with one lie, as `module` is told it; a size that lies begins where it would fit."""
    for what, values in lies(row, slot).items():
        for value in values:
            right = truth(row, slot, value if what == "size" else 5000)
            yield right | ({} if what == "size" else {what: value})


@st.composite
def forged(draw: st.DrawFn, row: Platform) -> bytes:
    """A file for ``row`` that is right but for two lies in its header."""
    slot = draw(st.sampled_from([*dfu_slots(row), *row.modules]))
    told, wrong = truth(row, slot, 5000), lies(row, slot)
    for what in draw(st.lists(st.sampled_from(sorted(wrong)), min_size=1, max_size=2, unique=True)):
        told[what] = draw(st.sampled_from(wrong[what]))
    return module(row, **told)
