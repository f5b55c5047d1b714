"""The write guard under attack on every platform: forged modules, streams of raw transfers, maps that lie.

The judges are the virtual unit's own score and `BareUnit`, which knows what each permit covers. ``make attack`` makes
many more examples than a usual run (`support.attack_size`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from support.attack_bench import PAGE, BareUnit, dfu_slots, edges, forged, module, right_module, single_lies
from support.attack_size import attack
from support.reference_files import needs_reference, reference

from drivers.clock import Deadline, SimulatedClock
from drivers.devices.dfu import DfuDevice
from drivers.errors import BadImage, DriverError, WriteRefused
from drivers.guard import WriteGuard
from drivers.platforms import Platform, platforms
from drivers.transport.guarded import GuardedTransport
from drivers.wire.dfu import host as dfuse
from drivers.wire.dfu import transfers as dfu
from drivers.wire.image.host import Image, parse_image
from drivers.wire.usb import Setup

ROWS = platforms()
each_platform = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.slug)


# --- modules that lie ---------------------------------------------------------------------------------


def safe_ranges(row: Platform) -> list[range]:
    told = reference("dfu-segments.json")["platforms"][row.slug]["dfuSafeRanges"]
    return [range(int(start, 16), int(end, 16)) for start, end in told]


def check_permit(row: Platform, raw: bytes) -> bool:
    """Return whether a file earns a permit, which then covers nothing but its own bytes in a place for its kind."""
    try:
        image = parse_image(raw, "forged.bin")
        permit = WriteGuard(row).allow_module(image)
    except (BadImage, WriteRefused):
        return False
    slot = row.slot(image.function, image.index)
    assert slot is not None
    assert (image.platform_id, slot.via) == (row.id, "dfu")
    assert permit.alternate == 0
    assert (permit.start, permit.content) == (image.start, raw[24:] if slot.drop_prefix else raw)
    sectors = [row.memory(0).sector(page) for page in permit.pages]
    for safe in safe_ranges(row), [range(one.start, one.end) for one in row.regions if one.write == "dfu"]:
        assert any(permit.start in one and permit.end - 1 in one for one in safe)
        assert all(any(s.start in one and s.stop - 1 in one for one in safe) for s in sectors)
    return True


@needs_reference
@each_platform
def test_no_single_lie_earns_a_permit_outside_of_what_the_reference_calls_safe(row: Platform) -> None:
    made = [check_permit(row, module(row, **told)) for slot in dfu_slots(row) for told in single_lies(row, slot)]
    assert 0 < sum(made) < len(made) / 4


@needs_reference
@each_platform
@attack(10)
@given(st.data())
def test_no_two_lies_earn_a_permit_outside_of_what_the_reference_calls_safe(row: Platform, data: st.DataObject) -> None:
    event("permitted" if check_permit(row, data.draw(forged(row))) else "refused")


@each_platform
def test_what_every_slot_takes_does_earn_one(row: Platform) -> None:
    """The property above would be worth nothing if nothing ever passed."""
    for slot in dfu_slots(row):
        for size in (5000, slot.max_size):
            permit = WriteGuard(row).allow_module(parse_image(right_module(row, slot, size), "right.bin"))
            assert (permit.start, permit.end - permit.start) == (slot.begin(size), size)


# --- streams of transfers ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One thing a host does; ``what`` is for a failing example."""

    what: str
    do: Callable[[BareUnit, GuardedTransport], object] = field(repr=False)


def send(wire: GuardedTransport, setup: Setup, data: bytes = b"", *, is_stubborn: bool = True) -> None:
    """Do one transfer; a stubborn host goes on whatever came of it."""
    with contextlib.suppress(DriverError) if is_stubborn else contextlib.nullcontext():
        wire.control(setup, data)


def run_raw(wire: GuardedTransport, payload: bytes, block: int = 0, *, is_stubborn: bool = True) -> None:
    """Send a block or a command, and ask twice for the status, which has it worked on."""
    send(wire, Setup(0x21, 1, block, 0, len(payload)), payload, is_stubborn=is_stubborn)
    for _ in range(2):
        send(wire, dfu.get_status(), is_stubborn=is_stubborn)


def rescue(wire: GuardedTransport, alternate: int = 0) -> None:
    send(wire, dfu.abort())
    send(wire, dfu.get_status())
    with contextlib.suppress(DriverError):
        wire.set_alternate(0, alternate)


def reopened(unit: BareUnit, *, is_reset: bool) -> None:
    """Another handle knows nothing of what the last one did; the kernel may have selected the first memory."""
    unit.guard.forget()
    if is_reset:
        unit.function.set_interface(0)


RESCUE = Step("rescue", lambda unit, wire: rescue(wire))
CONFUSIONS = [
    RESCUE,
    Step("new handle", lambda unit, wire: reopened(unit, is_reset=False)),
    Step("new handle and memory", lambda unit, wire: reopened(unit, is_reset=True)),
    Step("next is lost", lambda unit, wire: setattr(unit, "mishap", "before")),
    Step("next answer is lost", lambda unit, wire: setattr(unit, "mishap", "after")),
]
ODD = [
    dfu.get_status(), dfu.abort(), dfu.clear_status(), Setup(0xA1, 5, 0, 0, 1), Setup(0x00, 9, 1, 0, 0),
    Setup(0x01, 11, 2, 0, 0), Setup(0x21, 0, 1000, 0, 0), Setup(0x21, 3, 0, 0, 0), Setup(0xA1, 1, 2, 0, 64),
    Setup(0x41, 1, 2, 0, 0), Setup(0x21, 1, 2, 1, 0), dfu.upload(0, 64), dfu.upload(2, 64), dfu.upload(1, 64),
]  # fmt: skip
BLOCKS = st.one_of(st.sampled_from([0, 1, 2, 3, 4, 0xFFFF, 0x8000]), st.integers(0, 0xFFFF))


@st.composite
def steps(draw: st.DrawFn, row: Platform, images: list[Image]) -> Step:
    """One thing a confused or hostile host does; what leads somewhere comes oftener."""
    kind = draw(st.sampled_from([*["module"] * 8, *["confusion"] * 3, "memory", "command", "block", "odd"]))
    if kind == "module" and images:
        return draw(_of_a_module(draw(st.sampled_from(images))))
    if kind == "confusion":
        return draw(st.sampled_from(CONFUSIONS))
    if kind == "memory":
        alternate = draw(st.sampled_from([0, 0, 0, 1, 2, 4]))
        return Step(f"memory {alternate}", lambda unit, wire: rescue(wire, alternate))
    if kind == "command":
        code = draw(st.sampled_from([0x21, 0x21, 0x41, 0x92, 0xFA, 0xFB]))
        address = draw(st.one_of(st.sampled_from(edges(row)), st.integers(0, 0xFFFF_FFFF)))
        command = bytes([code]) + address.to_bytes(4, "little")[: draw(st.sampled_from([4, 4, 4, 0, 3]))]
        return Step(command.hex(" "), lambda unit, wire: run_raw(wire, command))
    if kind == "block":
        payload = draw(st.sampled_from([b"", b"\x01", b"\xa5", b"\0" * 8, b"\xff" * PAGE, b"\0" * 4097]))
        block = draw(BLOCKS)
        return Step(f"{len(payload)} bytes as block {block}", lambda unit, wire: run_raw(wire, payload, block))
    raw = draw(st.sampled_from(ODD))
    return Step(str(raw), lambda unit, wire: send(wire, raw))


@st.composite
def _of_a_module(draw: st.DrawFn, image: Image) -> Step:
    """Erase or write a page of a module with a permit: at its place or beside it, whole or not, by any block number."""
    content, start = image.flash_bytes, image.flash_address
    page = draw(st.sampled_from([0, 1, len(content) // PAGE, -1]))
    shift = draw(st.sampled_from([*[0] * 8, PAGE, -PAGE, 4, -4, 0x20000, 1 << 28]))
    address = (start + page * PAGE + shift) & 0xFFFF_FFFF
    what = f"page {page} of {image.name} at {address:#x}"
    if draw(st.booleans()):
        return Step(f"erase {what}", lambda unit, wire: run_raw(wire, dfuse.erase_payload(address)))
    piece = content[max(0, page) * PAGE :][: draw(st.sampled_from([PAGE, PAGE, 8, 1, PAGE - 1]))] or b"?"
    block = draw(st.sampled_from([2, 2, 2, draw(BLOCKS)]))
    pointer = (address - (block - 2) * PAGE) & 0xFFFF_FFFF if draw(st.booleans()) else address
    is_rescued, is_set = draw(st.sampled_from([True, True, False])), draw(st.sampled_from([True, True, True, False]))

    def write(unit: BareUnit, wire: GuardedTransport) -> None:
        if is_rescued:
            rescue(wire)
        if is_set:
            run_raw(wire, dfuse.set_address_payload(pointer))
        run_raw(wire, piece, block)

    how = f"{len(piece)} bytes, block {block} from {pointer:#x}{'' if is_set else ' of before'}"
    return Step(f"write {what}: {how}", write)


def two_modules(row: Platform) -> list[Image]:
    """A short and a longer module of two kinds, for their own places."""
    slots = dfu_slots(row)
    sizes = (PAGE + 100, 3 * PAGE)
    made = [right_module(row, slot, size) for slot, size in zip((slots[0], slots[-1]), sizes, strict=True)]
    return [parse_image(raw, f"right-{at}.bin") for at, raw in enumerate(made)]


LEFT_OVER = [b"", dfuse.erase_payload(0), dfuse.erase_payload(0x0800_0000), b"\x01"]
"""What an earlier host has sent and not asked to be done."""


@each_platform
@attack(15)
@given(st.data())
def test_no_stream_of_transfers_touches_a_page_without_a_permit_for_these_bytes(
    row: Platform, data: st.DataObject
) -> None:
    images = two_modules(row)
    permitted = data.draw(st.sampled_from([images, images[:1], images[1:], []]))
    unit = BareUnit(row, is_old=data.draw(st.booleans()))
    left_over = data.draw(st.sampled_from(LEFT_OVER))
    unit.function.set_interface(data.draw(st.integers(0, 2)))
    if left_over:
        unit.function.handle(dfu.dnload(data.draw(st.sampled_from([0, 2])), len(left_over)), left_over)
    script = data.draw(st.lists(steps(row, permitted), min_size=12, max_size=40))
    wire = unit.guarded()
    if data.draw(st.sampled_from([True, True, True, False])):
        rescue(wire)
    with unit.permits(permitted):
        for step in script:
            step.do(unit, wire)
    event("something was written" if unit.memory.score.flash_writes else "nothing was written")
    unit.check()


@each_platform
def test_a_host_that_does_it_right_is_let_through(row: Platform) -> None:
    for image in two_modules(row):
        unit = BareUnit(row)
        wire = unit.guarded()
        rescue(wire)
        with unit.permits([image]):
            for page in row.memory(0).sector_starts(image.flash_address, image.flash_address + len(image.flash_bytes)):
                run_raw(wire, dfuse.erase_payload(page), is_stubborn=False)
            for at in range(0, len(image.flash_bytes), PAGE):
                run_raw(wire, dfuse.set_address_payload(image.flash_address + at), is_stubborn=False)
                run_raw(wire, image.flash_bytes[at : at + PAGE], 2, is_stubborn=False)
        assert unit.memory.internal.read(image.flash_address, len(image.flash_bytes)) == image.flash_bytes
        unit.check()


@each_platform
def test_after_an_erase_the_address_has_to_be_set_again(row: Platform) -> None:
    """A Gen 2 unit points at what it erased last: the block would land there (its commands share one pointer)."""
    for image in two_modules(row):
        unit = BareUnit(row)
        wire = unit.guarded()
        rescue(wire)
        with unit.permits([image]):
            run_raw(wire, dfuse.set_address_payload(image.flash_address + PAGE), is_stubborn=False)
            run_raw(wire, dfuse.erase_payload(image.flash_address), is_stubborn=False)
            with pytest.raises(WriteRefused):
                run_raw(wire, image.flash_bytes[PAGE:][:PAGE], 2, is_stubborn=False)
        unit.check()


@each_platform
def test_the_judge_sees_what_an_unguarded_host_does(row: Platform) -> None:
    """The bootloader of each family lets a host erase what nobody may touch; only a Gen 2 one refuses the lowest."""
    unit = BareUnit(row)
    (image, *_) = two_modules(row)
    with unit.permits([image]):
        unit.control(dfu.dnload(0, 5), dfuse.erase_payload(row.memory(0).end - PAGE))
        unit.control(dfu.get_status())
    assert len(unit.wrong) == 1


# --- maps that lie ---------------------------------------------------------------------------------------


_CHARS = st.sampled_from("/@*,: 0xF19afgKMB\0\x7f\u2066é\uffff")


def maps(row: Platform) -> st.SearchStrategy[str]:
    """What a bootloader may say in place of its memory map: its own text with errors, others', anything."""
    texts = [memory.layout for one in ROWS for memory in one.memories]
    own = row.memory(0).layout
    numbers = st.sampled_from(["0x00000000", "0x08000000", "0xFFFFF000", "0x80000000", "0x1"])
    segments = st.lists(
        st.sampled_from(["1*004Kg", "2048*004Kg", "9999*999Mg", "1*1 g", "16*016Ka", "4*4Ke"]), min_size=1
    )
    return st.one_of(
        st.sampled_from(texts),
        st.builds(lambda base, rows: f"@Internal Flash   /{base}/{','.join(rows)}", numbers, segments),
        st.builds(lambda at, char: own[:at] + char + own[at + 1 :], st.integers(0, len(own) - 1), _CHARS),
        st.builds(lambda at: own[:at], st.integers(0, len(own))),
        st.just("@Internal Flash   /0x00000000/1048576*4096Bg"),
        st.text(_CHARS, max_size=60),
    )


@each_platform
@attack(12)
@given(st.data())
def test_no_memory_map_widens_what_is_written(row: Platform, data: st.DataObject) -> None:
    image = data.draw(st.sampled_from(two_modules(row)))
    unit = BareUnit(row, maps={0: data.draw(maps(row))})
    clock = SimulatedClock()
    with clock.registered():
        device = DfuDevice(unit.guarded(), clock, Deadline.after(clock, 600.0))
        with contextlib.suppress(DriverError):
            device.open()
            unit.permitted = [image]
            device.write_module(image)
            device.verify(image)
            event("written")
    unit.check()
