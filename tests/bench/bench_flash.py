"""Flash time beside the floor: what the unit itself needs to erase, program and receive the bytes. Simulated time.

The clock is simulated and the units have the timing of real ones, so the figures are the same on every machine. The
floor has two columns: for writing alone, and with every byte read back once, which nobody who verifies can avoid.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from support.device_bench import DeviceBench, device_bench, image

from drivers.devices.flashing import plan_write
from drivers.platforms import Platform, Via, platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import VirtualUnit
from drivers.wire.dfu.tables import TRANSFER_SIZE
from drivers.wire.image.host import Image
from drivers.wire.usb import CONTROL_BYTES_PER_S, CONTROL_TRANSFER_S

Say = Callable[[str], None]
WALKED = {
    "photon": ("1.5.2", "2.3.1"), "electron": ("2.3.1", "3.3.1"), "argon": ("3.3.1", "6.3.4"),
    "boron": ("3.3.1", "6.3.4"), "tracker": ("3.3.1", "6.3.4"), "p2": ("5.3.2", "6.3.4"), "msom": ("5.5.0", "6.3.4"),
}  # fmt: skip


@pytest.fixture
def bench() -> Iterator[DeviceBench]:
    with device_bench() as made:
        yield made


@dataclass
class Floor:
    """Seconds that the unit needs whatever a host does."""

    write_s: float = 0.0
    read_s: float = 0.0
    operations: int = 0
    size: int = 0

    def add(self, unit: VirtualUnit, part: Image) -> None:
        """Add what ``part`` costs on what the unit holds now; blank pages need no erase, heads of older images do."""
        row, chip = unit.spec.platform, unit.memory.internal
        timing = row.memory(0).timing
        assert timing is not None
        start, end = part.flash_address, part.flash_address + len(part.flash_bytes)
        sectors = [row.memory(0).sector(page) for page in row.memory(0).sector_starts(start, end)]
        sectors += [row.memory(0).sector(page) for page in plan_write(part).stale]
        erased = [sector for sector in sectors if not chip.is_blank(sector.start, len(sector))]
        blocks = -(-(end - start) // TRANSFER_SIZE)
        moved_s = (end - start) / CONTROL_BYTES_PER_S + blocks * CONTROL_TRANSFER_S
        self.write_s += sum(timing.erasing(len(sector)) for sector in erased)
        self.write_s += timing.programming(end - start) + moved_s
        self.read_s += moved_s
        self.operations += len(erased) + blocks
        self.size += end - start


def parts(row: Platform, version: str) -> Iterator[Image]:
    """Yield the modules of a release that go over DFU, and an application."""
    for file in (*synthetic.release(row.id, version), synthetic.application(row.id, version, size=30_000)):
        made = image(file)
        slot = row.slot(made.function, made.index)
        if slot is not None and slot.via is Via.DFU:
            yield made


@pytest.mark.parametrize("slug", WALKED)
def test_flash_time_beside_its_floor(slug: str, bench: DeviceBench, say: Say) -> None:
    row, (held, wanted) = platform_by_slug(slug), WALKED[slug]
    unit = bench.plug(make_spec(slug, 7, 1, held, setup_done=True, arrives=BootRequest.DFU))
    device, floor = bench.device(), Floor()
    device.identify(bench.within(10.0))
    took = {"write": 0.0, "verify": 0.0, "again": 0.0}
    for part in parts(row, wanted):
        dfu = device.dfu(bench.within(3600.0))
        floor.add(unit, part)
        moments = [bench.clock.now()]
        for act in (lambda: dfu.write_module(part), lambda: dfu.verify(part), lambda: dfu.held(part)):  # noqa: B023
            act()
            moments.append(bench.clock.now())
        for name, (begin, end) in zip(took, itertools.pairwise(moments), strict=True):
            took[name] += end - begin
    flash_s = took["write"] + took["verify"]
    say(
        f"{slug:9}{held:>6} -> {wanted:6}{floor.size:9,} bytes  floor {floor.write_s:6.2f} s: write"
        f" {took['write'] / floor.write_s:.3f}, with verify {flash_s / floor.write_s:.3f};"
        f"  floor with read-back {floor.write_s + floor.read_s:6.2f} s:"
        f" {flash_s / (floor.write_s + floor.read_s):.3f}"
    )
    assert unit.score.forbidden == []
