"""Our flashing beside dfu-util and the vendor's library, unmodified: the same bytes, the same unit, the same run.

The units live in real time with real flash timing. What is compared is what the unit saw: the seconds from the first
control transfer of a program to its last before the unit restarts, and how many there were. A program's start is left
out. On a busy machine the seconds are a little longer for everybody.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conformance.bench import ForeignBench
from conformance.clients import DfuUtil, ParticleUsb
from conformance.equipment import lacking
from conformance.kernel import PretendKernel
from support.device_bench import image

from drivers.clock import SystemClock
from drivers.platforms import Via, platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.bus import Presence, VirtualBus
from drivers.virtual.factory import make_spec
from drivers.virtual.synthetic import SyntheticFile
from drivers.virtual.unit import VirtualUnit
from drivers.wire.usb import Setup

Say = Callable[[str], None]
FLASH_ONCE = Path(__file__).parent / "flash_once.py"
HELD = {"photon": "1.5.2", "electron": "1.5.2", "argon": "3.3.1", "p2": "5.3.2", "msom": "5.5.0"}
WANTED = {"photon": "2.3.1", "electron": "2.3.1"}


@pytest.fixture
def bench() -> Iterator[ForeignBench]:
    if missing := lacking("umockdev", "dfu-util", "node", "particle-usb"):
        pytest.skip(f"this machine lacks {missing}")
    clock, kernel = SystemClock(), PretendKernel()
    with VirtualBus(clock) as bus, kernel.showing(bus):
        yield ForeignBench(clock, bus, kernel)
    kernel.close()


@dataclass
class Seen:
    """What a unit sees of one program in one enumeration."""

    transfers: int = 0
    begin: float = 0.0
    end: float = 0.0

    @property
    def seconds(self) -> float:
        return self.end - self.begin


def watching(unit: VirtualUnit, clock: SystemClock) -> Seen:
    """Account for the transfers of ``unit`` from here on, as long as it stays on the bus."""
    seen, presence, original = Seen(), unit.presence, VirtualUnit.control

    def control(of: Presence, setup: Setup, data: bytes, timeout_s: float) -> bytes:
        if of is presence:
            seen.transfers += 1
            seen.begin = seen.begin or clock.now()
        try:
            return original(unit, of, setup, data, timeout_s)
        finally:
            if of is presence:
                seen.end = clock.now()

    unit.control = control  # type: ignore[method-assign, assignment]
    return seen


def part(slug: str, via: Via) -> SyntheticFile:
    """The largest module of the wanted release that goes that way."""
    row = platform_by_slug(slug)
    found = []
    for file in synthetic.release(row.id, WANTED.get(slug, "6.3.4")):
        made = image(file)
        slot = row.slot(made.function, made.index)
        if slot is not None and slot.via is via:
            found.append(file)
    return max(found, key=lambda file: len(file.data))


def ours(bench: ForeignBench, unit: VirtualUnit, file: Path) -> list[float]:
    done = bench.run(sys.executable, FLASH_ONCE, unit.device_id, file)
    assert done.returncode == 0, done.stdout + done.stderr
    return [float(one) for one in done.stdout.strip("[] \n").split(",")]


def plugged(bench: ForeignBench, slug: str, arrives: BootRequest = BootRequest.NORMAL) -> VirtualUnit:
    bench.bus.unplug("1-1")
    return bench.plug("1-1", make_spec(slug, 7, 1, HELD[slug], setup_done=True, arrives=arrives))


@pytest.mark.parametrize("slug", HELD)
def test_over_dfu(slug: str, bench: ForeignBench, tmp_path: Path, say: Say) -> None:
    module = part(slug, Via.DFU)
    file, start = tmp_path / module.name, image(module).flash_address
    file.write_bytes(image(module).flash_bytes)
    unit = plugged(bench, slug, BootRequest.DFU)
    theirs = watching(unit, bench.clock)
    DfuUtil(bench).download(unit, file, start)
    file.write_bytes(module.data)
    unit = plugged(bench, slug, BootRequest.DFU)
    own = watching(unit, bench.clock)
    write_s, _ = ours(bench, unit, file)
    say(
        f"{slug:9}{len(module.data):8,} bytes over DFU: dfu-util {theirs.seconds:6.2f} s, {theirs.transfers} transfers,"
        f" not read back; ours write {write_s:6.2f} s ({write_s / theirs.seconds:.2f} x),"
        f" with verify {own.seconds:6.2f} s ({own.seconds / theirs.seconds:.2f} x), {own.transfers} transfers"
    )


@pytest.mark.parametrize("slug", HELD)
def test_by_control_requests(slug: str, bench: ForeignBench, tmp_path: Path, say: Say) -> None:
    module = part(slug, Via.OTA)
    file = tmp_path / module.name
    file.write_bytes(module.data)
    unit = plugged(bench, slug)
    theirs = watching(unit, bench.clock)
    ParticleUsb(bench)("update", unit.device_id, file)
    unit = plugged(bench, slug)
    own = watching(unit, bench.clock)
    ours(bench, unit, file)
    say(
        f"{slug:9}{len(module.data):8,} bytes by request: particle-usb {theirs.seconds:6.2f} s,"
        f" {theirs.transfers} transfers; ours {own.seconds:6.2f} s ({own.seconds / theirs.seconds:.2f} x),"
        f" {own.transfers} transfers"
    )
