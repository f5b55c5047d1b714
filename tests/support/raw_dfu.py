"""A host that speaks raw DFU to a virtual unit's bootloader, and a power cut at a chosen flash step."""

from __future__ import annotations

from collections.abc import Callable

from drivers.virtual.dfu_function import DfuFunction, DfuReply
from drivers.virtual.flash import FlashStep, PowerLost
from drivers.virtual.memory import UnitMemory
from drivers.wire.usb import Setup

PAGE = 4096
CutShort = Callable[[UnitMemory, int, Callable[[], object]], None]
"""Runs an action on a unit and takes the power away before flash step ``n``."""


class RawHost:
    """Sends DFU class requests as a host's USB stack does, and nothing more."""

    def __init__(self, function: DfuFunction) -> None:
        self.function = function
        self.seconds = 0.0

    def out(self, request: int, value: int = 0, data: bytes = b"") -> DfuReply:
        return self._do(Setup(0x21, request, value, 0, len(data)), data)

    def get(self, request: int, value: int, length: int) -> DfuReply:
        return self._do(Setup(0xA1, request, value, 0, length), b"")

    def download(self, block: int, data: bytes) -> DfuReply:
        return self.out(1, block, data)

    def upload(self, block: int, length: int) -> DfuReply:
        return self.get(2, block, length)

    def status(self) -> tuple[int, int]:
        """bStatus, bState of GETSTATUS."""
        reply = self.get(3, 0, 6)
        assert len(reply.data) == 6
        assert reply.data[1:4] == bytes(3) or reply.data[4] == 4, "no wait is asked for but while busy"
        assert reply.data[5] == 0
        return reply.data[0], reply.data[4]

    def run(self, block: int, data: bytes) -> tuple[int, int]:
        """One block or command, worked on to its end; the final status."""
        assert not self.download(block, data).stall
        assert self.status() == (0, 4)
        return self.status()

    def erase(self, address: int) -> tuple[int, int]:
        return self.run(0, b"\x41" + address.to_bytes(4, "little"))

    def point(self, address: int) -> tuple[int, int]:
        return self.run(0, b"\x21" + address.to_bytes(4, "little"))

    def write(self, address: int, data: bytes) -> tuple[int, int]:
        assert self.point(address) == (0, 5)
        return self.run(2, data)

    def read(self, address: int, length: int) -> bytes:
        assert self.point(address) == (0, 5)
        self.out(6)
        content = self.upload(2, length).data
        self.out(6)
        return content

    def flash(self, address: int, image: bytes, last: int | None = None) -> None:
        """Erase everything, then write ascending; a page ``last`` is erased first of all and written last."""
        pages = [address + done for done in range(0, len(image), PAGE)]
        first = [last] if last in pages else []
        rest = [p for p in pages if p != last]
        for page in [*first, *rest]:
            assert self.erase(page) == (0, 5)
        for page in [*rest, *first]:
            assert self.write(page, image[page - address : page - address + PAGE]) == (0, 5)

    def _do(self, setup: Setup, data: bytes) -> DfuReply:
        reply = self.function.handle(setup, data)
        self.seconds += reply.seconds
        return reply


class CutAt:
    """A flash fault that takes the power away before the ``n``-th step; also counts steps."""

    def __init__(self, n: int | None = None) -> None:
        self.n, self.steps = n, 0

    def __call__(self, step: FlashStep) -> None:
        if self.steps == self.n:
            raise PowerLost(f"power cut at {step}")
        self.steps += 1


MakeHost = Callable[..., RawHost]
"""``dfu(memory, bootloader=3200)``: a host on a unit in DFU mode."""
MakeCut = Callable[..., CutAt]
