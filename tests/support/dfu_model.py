"""A deliberately simple DFU unit for tests of the host side, written from the reference alone.

It shares nothing with the host's state machines or with the virtual units, and it is *sloppier* than a
real bootloader: it ignores the direction bit, takes commands of any length and lets addresses wrap,
because the write guard must hold against a unit that believes everything. Reference firmware-and-dfu 1.
"""

from __future__ import annotations

import hashlib
import random
import zlib
from dataclasses import dataclass, field

from drivers.wire.actions import Answer, Operation, T, Transfer, Wait
from drivers.wire.usb import Setup

IDLE, SYNC, BUSY, DNLOAD_IDLE, MANIFEST_SYNC, MANIFEST, UPLOAD_IDLE, ERROR = 2, 3, 4, 5, 6, 7, 9, 10
PAGE = 4096
INTERNAL_SIZE = 0x100000


class Stall(Exception):
    """The unit refused the transfer."""


@dataclass(frozen=True)
class Touch:
    """One erase (``data`` is None) or write the unit has executed."""

    alternate: int
    address: int
    data: bytes | None


@dataclass
class DfuModel:
    """State of one unit. ``touches`` is the whole truth about its memories."""

    commands: bytes = b"\x00\x21\x41\xfa\xfb"
    busy_polls: int = 0  # extra GETSTATUS replies that say dfuDNBUSY
    bad_pages: set[int] = field(default_factory=set)  # erases and writes there fail
    erase_moves_pointer: bool = False  # as on Gen 2
    state: int = IDLE
    status: int = 0
    alternate: int = 0
    pointer: int = 0
    pending: tuple[int, bytes] | None = None
    touches: list[Touch] = field(default_factory=list)
    memory: bytearray = field(default_factory=lambda: bytearray(b"\x5a" * INTERNAL_SIZE))
    _busy_left: int = 0

    def transfer(self, setup: Setup, data: bytes = b"") -> bytes:
        """One control transfer; raises `Stall`."""
        kind = setup.request_type & 0x7F
        if kind & 0x60 == 0:
            return self._standard(setup)
        handlers = {
            1: lambda: self._dnload(setup.value, data),
            2: lambda: self._upload(setup.value, setup.length),
            3: self._get_status,
            4: self._clear_status,
            5: lambda: bytes([self.state]),
            6: self._abort,
        }
        if kind != 0x21 or setup.request not in handlers:
            raise self._fail()
        return handlers[setup.request]()

    def _standard(self, setup: Setup) -> bytes:
        if setup.request == 0x0B:
            if setup.value > 2:
                raise Stall
            self.alternate = setup.value
        elif setup.request == 0x09:
            self.state, self.status, self.pointer, self.pending = IDLE, 0, 0, None
        return b""

    def _fail(self, status: int = 0x0E) -> Stall:
        self.state, self.status, self.pending = ERROR, status, None
        return Stall()

    def _dnload(self, block: int, data: bytes) -> bytes:
        if self.state not in (IDLE, DNLOAD_IDLE):
            raise self._fail()
        if data:
            self.pending, self.state = (block, data), SYNC
        else:
            self.state = MANIFEST_SYNC
        return b""

    def _get_status(self) -> bytes:
        if self.state == MANIFEST_SYNC:
            self.state = MANIFEST
        elif self.state == SYNC:
            self._busy_left = self.busy_polls
            self._execute()
            return bytes([0, 0, 0, 0, BUSY, 0])
        elif self._busy_left:
            self._busy_left -= 1
            return bytes([0, 0, 0, 0, BUSY, 0])
        return bytes([self.status, 0, 0, 0, self.state, 0])

    def _clear_status(self) -> bytes:
        if self.state != ERROR:
            raise self._fail()
        self.state, self.status = IDLE, 0
        return b""

    def _abort(self) -> bytes:
        if self.state not in (IDLE, SYNC, DNLOAD_IDLE, MANIFEST_SYNC, UPLOAD_IDLE):
            raise self._fail()
        self.state, self.pending = IDLE, None
        return b""

    def _upload(self, block: int, length: int) -> bytes:
        if self.state not in (IDLE, UPLOAD_IDLE) or block == 1:
            raise self._fail()
        self.state = UPLOAD_IDLE
        if block == 0:
            self.state = IDLE
            return self.commands[:length]
        address = self.pointer + (block - 2) * PAGE
        return bytes(self.memory[address : address + length])

    def _execute(self) -> None:
        assert self.pending is not None
        (block, data), self.pending = self.pending, None
        self.state = DNLOAD_IDLE
        address = int.from_bytes(data[1:5], "little")
        if block == 0 and data[0] == 0x21:
            self.pointer = address
        elif block == 0 and data[0] == 0x41:
            self.pointer = address if self.erase_moves_pointer else self.pointer
            self._erase(address if len(data) > 1 else 0)
        elif block == 0:
            self._fail(0x0F)
        else:
            self._write((self.pointer + (block - 2) * PAGE) & 0xFFFFFFFF, data)

    def _erase(self, address: int) -> None:
        page = address - address % PAGE
        self.touches.append(Touch(self.alternate, page, None))
        if page in self.bad_pages:
            self._fail()
        elif self.alternate == 0 and page < INTERNAL_SIZE:
            self.memory[page : page + PAGE] = b"\xff" * PAGE

    def _write(self, address: int, data: bytes) -> None:
        self.touches.append(Touch(self.alternate, address, data))
        if address - address % PAGE in self.bad_pages:
            self._fail()
        elif self.alternate == 0 and address + len(data) <= INTERNAL_SIZE:
            old = self.memory[address : address + len(data)]
            self.memory[address : address + len(data)] = bytes(a & b for a, b in zip(old, data, strict=True))


def run(operation: Operation[T], unit: DfuModel) -> T:
    """Carry a pure operation out on ``unit``; waits cost nothing."""
    reply: bytes | Answer | None = None
    while True:
        try:
            step = next(operation) if reply is None else operation.send(reply)
        except StopIteration as end:
            return end.value
        reply = b"" if isinstance(step, Wait) else _answer(step, unit)


def _answer(step: Transfer, unit: DfuModel) -> bytes | Answer:
    try:
        return unit.transfer(step.setup, step.data)
    except Stall:
        return Answer.STALL


def make_module(
    function: int,
    index: int,
    start: int,
    size: int,
    *,
    version: int = 1,
    platform_id: int = 12,
    flags: int = 0,
    prefix_offset: int = 0,
    seed: int = 1,
) -> bytes:
    """A module file of ``size`` bytes in the real format with seeded content and a right CRC."""
    data = bytearray(random.Random(seed).randbytes(size))
    if prefix_offset:  # a vector table, which begins with a stack pointer into RAM
        data[:prefix_offset] = (0x20040000).to_bytes(4, "little") + bytes(prefix_offset - 4)
    end = start + size - 4
    header = start.to_bytes(4, "little") + end.to_bytes(4, "little") + bytes([0, flags])
    header += version.to_bytes(2, "little") + platform_id.to_bytes(2, "little") + bytes([function, index]) + bytes(8)
    data[prefix_offset : prefix_offset + 24] = header
    data[-44:-38] = b"\xff\xff\xff\xff\0\0"
    data[-6:-4] = (40).to_bytes(2, "little")
    data[-38:-6] = hashlib.sha256(data[:-38]).digest()
    data[-4:] = zlib.crc32(data[:-4]).to_bytes(4, "big")
    return bytes(data)
