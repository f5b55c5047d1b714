"""Updates by control request under attack, on every platform: files and lengths that lie, units that lie back.

A host has no address to lie about here: the unit itself decides where a module goes, after its own checks. So the
host refuses what has no place before a byte is sent, and the judge of the rest is the unit's own score.
"""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from support.attack_bench import forged, right_module
from support.attack_size import attack
from support.device_bench import DeviceBench
from support.hostile_unit import HostileUnit, Lies, answering

from drivers.clock import SimulatedClock
from drivers.devices.update import MAX_CHUNK, check_module
from drivers.errors import BadImage, RemoteProtocolError, WriteRefused
from drivers.platforms import Platform, Via, platform_by_slug, platforms
from drivers.virtual import synthetic
from drivers.virtual.boot import BootMode, boot
from drivers.virtual.bus import VirtualBus
from drivers.virtual.control_service import Outcome
from drivers.virtual.factory import make_spec
from drivers.virtual.families import family_of
from drivers.virtual.flash import Operation, Touch, Who
from drivers.virtual.layout import Chip
from drivers.virtual.memory import UnitMemory
from drivers.virtual.messages import number
from drivers.virtual.ota import OtaUpdate
from drivers.wire.control.tables import RequestType
from drivers.wire.image.host import parse_image

ROWS = platforms()
each_platform = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.slug)


# --- what a host sends ---------------------------------------------------------------------------------


@each_platform
@attack(25)
@given(st.data())
def test_only_a_file_with_a_place_is_sent(row: Platform, data: st.DataObject) -> None:
    raw = data.draw(forged(row))
    if not would_send(row, raw):
        event("refused")
        return
    event("sent")
    image = parse_image(raw, "forged.bin")
    if image.function != 9:
        slot = row.slot(image.function, image.index)
        assert slot is not None
        assert slot.via is not Via.NEVER
        assert (image.platform_id, len(raw) <= slot.max_size) == (row.id, True)
        assert bool(image.flags & 1) is slot.drop_prefix
    assert image.is_crc_valid


@each_platform
def test_what_is_burnt_in_is_never_sent_however_plain_it_looks(row: Platform) -> None:
    for slot in row.modules:
        image = parse_image(right_module(row, slot, 5000), f"{slot.name}.bin")
        if slot.via is Via.NEVER:
            with pytest.raises(WriteRefused):
                check_module(row.id, image)
        else:
            check_module(row.id, image)


# --- what a unit takes ---------------------------------------------------------------------------------


def would_send(row: Platform, file: bytes) -> bool:
    try:
        check_module(row.id, parse_image(file, "forged.bin"))
    except (BadImage, WriteRefused):
        return False
    return True


class Victim:
    """A running unit that takes whatever updates come, and remembers what was touched for whom."""

    def __init__(self, row: Platform) -> None:
        self.row, self.touches = row, list[Touch]()
        self.memory = UnitMemory(row.id)
        version = synthetic.usual_version(row.id, {"nrf": "6.2.0", "rtl": "6.2.0"}.get(row.family, "2.3.1"))
        self.memory.install(file.data for file in synthetic.release(row.id, version))
        for address, file in synthetic.burnt_in(row.id):
            self.memory.internal.place(address, file.data)
        self.memory.score.on_host_write = self.touches.append
        self.start()

    def start(self) -> None:
        report = boot(self.memory)
        self.is_dead = report.mode is BootMode.DEAD
        self.update = OtaUpdate(self.memory, report.system_module_version or 0)
        found = family_of(self.row.id).find_system(self.memory)
        end = 0 if found is None else found.end
        self.slot = self.memory.layout.update_slot(report.system_module_version or 0, end)

    def finish(self) -> None:
        """End the update; a unit that took it restarts."""
        self.update.finish()
        if self.update.is_staged:
            self.update.apply()
            self.start()


@each_platform
@attack(6)
@given(st.data())
def test_whatever_is_sent_goes_to_the_update_slot_and_what_we_send_leaves_a_unit_that_starts(
    row: Platform, data: st.DataObject
) -> None:
    unit = Victim(row)
    assert not unit.is_dead
    burnt_in = [(address, unit.memory.internal.read(address, 4096)) for address, _ in synthetic.burnt_in(row.id)]
    sent = list[bytes]()
    for _ in range(data.draw(st.integers(1, 3))):
        file = data.draw(st.one_of(forged(row), st.sampled_from(ROWS).flatmap(forged)))
        sent.append(file)
        size = data.draw(st.sampled_from([len(file)] * 4 + [0, 1, len(file) - 1, len(file) + 1, 1 << 21, 0xFFFF_FFFF]))
        piece = data.draw(st.sampled_from([1024, 4096, 65_000]))
        unit.update.begin(size)
        for at in range(0, len(file), piece):
            unit.update.data(file[at : at + piece])
        if data.draw(st.sampled_from([False, False, True])):
            unit.update.data(b"more than was announced")
        unit.finish()
        if unit.is_dead:
            assert not would_send(row, file)
            break
    check_touches(unit)
    assert unit.memory.score.forbidden == []
    if not all(would_send(row, file) for file in sent):
        return  # a unit takes even what is burnt in, if a foreign host sends it
    never = {one.name for one in row.regions if one.alt == 0 and one.write == "no"} - {"assets", "factory-user-part"}
    assert never.isdisjoint({region for _, region, _ in unit.memory.score.operations})
    assert burnt_in == [(address, unit.memory.internal.read(address, 4096)) for address, _ in burnt_in]


def check_touches(unit: Victim) -> None:
    """A host's bytes lie in an update slot or in the records of updates; nothing reached a place of its own accord."""
    slots = [region for region in unit.row.regions if region.write == "scratch"]
    records = unit.memory.layout.dct_fields["flash_modules"]
    for touch in unit.touches:
        assert touch.who is Who.CONTROL
        if touch.chip is Chip.DCT:
            assert records.offset <= touch.address < records.offset + records.size
        else:
            in_slot = any(one.start <= touch.address < one.end for one in slots)
            beside = unit.slot.chip is touch.chip and 0 <= touch.address - unit.slot.start < unit.slot.length
            assert in_slot or beside, touch


# --- a unit that lies about what it wants ---------------------------------------------------------------


@pytest.mark.parametrize("chunk", [0, MAX_CHUNK + 1, 0xFFFF_FFFF])
@pytest.mark.parametrize("slug", ["photon", "boron", "p2"])
def test_a_unit_that_asks_for_pieces_no_unit_asks_for_gets_none(slug: str, chunk: int) -> None:
    row = platform_by_slug(slug)
    version = synthetic.usual_version(row.id, "6.3.4")
    image = parse_image(synthetic.application(row.id, version, seed="new").data, "app.bin")
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        bench = DeviceBench(clock, bus)
        bench.enumerator.start()
        lies = Lies(requests={RequestType.START_FIRMWARE_UPDATE: answering(Outcome(data=number(1, chunk)))})
        unit = HostileUnit(make_spec(slug, 7, 1, version, setup_done=True), clock, lies)
        bus.plug("1-1", unit)
        bench.watch("1-1").wait_for(lambda candidate: candidate is not None, bench.within(30.0))
        device = bench.device()
        device.identify(bench.within(30.0))
        with pytest.raises(RemoteProtocolError, match="in pieces of"):
            device.update_over_control(image, bench.within(300.0))
        sent = {(region, what) for who, region, what in unit.score.operations if who is Who.CONTROL}
        assert {what for _, what in sent} == {Operation.ERASE}  # of its slot, when it was told of an update
        assert all(region.startswith("ota-slot") for region, _ in sent)
        bench.enumerator.stop()
