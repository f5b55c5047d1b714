"""The write guard under attack: long random streams of transfers against a unit that believes everything."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.dfu_model import PAGE, DfuModel, Stall, Touch, run
from support.guard_bench import OLD_USER, SOFTDEVICE, SYSTEM, USER, Bench, Lost

from drivers.errors import DfuFailed, WriteRefused
from drivers.wire.actions import Operation
from drivers.wire.dfu import host as dfuse
from drivers.wire.dfu import transfers as dfu
from drivers.wire.image.host import Image
from drivers.wire.usb import Setup

SAFE_PAGES = {*range(0x1000, 0x27000, PAGE), *range(0x28000, 0xF4000, PAGE)}
ADDRESSES = st.one_of(
    st.sampled_from(
        (
            *(0, 0x1000, 0x26000, 0x27000, 0x28000, 0x30000, 0x32000, 0x33000, 0xB4000, 0xB5000, 0xB6000, 0xD4000),
            *(0xF3000, 0xF4000, 0xFF000, 8134, 1762, 0x80000000, 0x8024C000, 0xFFFFF000, 0xFFFFFFFC),
        )
    ),
    st.integers(0, 0xFFFFFFFF),
)
MODULES = st.sampled_from((SYSTEM, USER, OLD_USER, SOFTDEVICE))
BLOCKS = st.one_of(st.sampled_from((0, 1, 2, 3, 4, 7, 0xFFFF)), st.integers(0, 0xFFFF))
PAYLOADS = st.one_of(
    st.binary(max_size=12),
    st.builds(lambda m, at, n: m.flash_bytes[at * PAGE :][:n], MODULES, st.integers(0, 3), st.integers(0, PAGE)),
    ADDRESSES.map(dfuse.erase_payload),
    ADDRESSES.map(dfuse.set_address_payload),
    st.just(b"\x01"),
)

Step = Callable[[Bench], object]


def sends(setup: Setup, data: bytes = b"") -> Step:
    return lambda bench: bench.send(setup, data)


def does(make: Callable[[], Operation[object]]) -> Step:
    return lambda bench: bench.run(make())


def goes_wrong(how: str) -> Step:
    return lambda bench: setattr(bench, "mishap", how)


def erases(module: Image, page: int) -> Step:
    return does(lambda: dfuse.erase(module.flash_address + page * PAGE))


def writes(module: Image, page: int, shift: int) -> Step:
    """A page of the module's own bytes, at its place or ``shift`` pages beside it."""
    content = module.flash_bytes[page * PAGE :][:PAGE] or b"?"
    return does(lambda: dfuse.write_block(module.flash_address + (page + shift) * PAGE, content))


def follows(module: Image, page: int) -> Step:
    """A page at its place by its block number, as if the address were still where the module begins."""
    content, start = module.flash_bytes[page * PAGE :][:PAGE] or b"?", module.flash_address
    return does(lambda: dfuse.write_block(start + page * PAGE, content, start))


def recovers(bench: Bench) -> None:
    bench.run(dfuse.settle())
    bench.select(0)


RAW_STEPS: list[Step] = [
    *(
        sends(s)
        for s in (dfu.get_status(), dfu.abort(), dfu.clear_status(), Setup(0xA1, 5, 0, 0, 1), dfu.upload(0, 64))
    ),
    *(sends(dfu.set_interface(a)) for a in (0, 1, 2, 3)),
    *(sends(s) for s in (Setup(0x00, 9, 1, 0, 0), Setup(0x81, 0x0B, 1, 0, 0), Setup(0x80, 9, 1, 0, 0))),
    *(does(o) for o in (dfuse.settle, dfuse.go_idle)),
    *(goes_wrong(how) for how in ("before", "before", "after", "after")),
    lambda bench: bench.reopen(),
    lambda bench: bench.reopen(kernel_resets_alternate=False),
]
STEPS: list[st.SearchStrategy[Step]] = [
    st.sampled_from(RAW_STEPS),
    st.just(recovers),
    ADDRESSES.map(lambda a: does(lambda: dfuse.set_address(a))),
    ADDRESSES.map(lambda a: does(lambda: dfuse.erase(a))),
    st.builds(lambda b, p: sends(Setup(0x21, 1, b, 0, len(p)), p), BLOCKS, PAYLOADS),
    st.builds(erases, MODULES, st.integers(-1, 4)),
    st.builds(writes, MODULES, st.integers(0, 3), st.sampled_from((0, 0, 0, 1, -1))),
    st.builds(follows, MODULES, st.integers(0, 3)),
    st.builds(
        lambda t, r, v, i, d: sends(Setup(t, r, v, i, len(d)), d),
        *(st.sampled_from((0x00, 0x01, 0x21, 0x40, 0x80, 0x81, 0xA1)), st.integers(0, 12), BLOCKS),
        *(st.sampled_from((0, 1, 0x100)), PAYLOADS),
    ),
]


def is_harmless(touch: Touch, permitted: list[Image]) -> bool:
    """The oracle: knows where this unit may be touched, and by which bytes; not how the guard decides."""
    if touch.alternate != 0 or touch.address - touch.address % PAGE not in SAFE_PAGES:
        return False
    if touch.data is None:
        pages = {p for m in permitted for p in range(m.flash_address, m.flash_address + len(m.flash_bytes), PAGE)}
        return touch.address in pages | {0x28000, 0xD4000}
    return any(
        m.flash_bytes[touch.address - m.flash_address :][: len(touch.data)] == touch.data
        for m in permitted
        if touch.address >= m.flash_address
    )


def attack(bench: Bench, permitted: list[Image], steps: list[Step]) -> None:
    with contextlib.ExitStack() as stack:
        for module in permitted:
            stack.enter_context(bench.guard.permit(module))
        for step in steps:
            with contextlib.suppress(WriteRefused, Stall, Lost, DfuFailed):
                step(bench)


LEFT_OVER = [None, (0, dfuse.erase_payload(0)), (2, b"\x01"), (7, b"\0" * 8)]


@settings(max_examples=300)
@given(
    st.lists(MODULES, unique_by=id, max_size=2),
    st.lists(st.one_of(STEPS), max_size=60),
    st.integers(0, 2),
    st.sampled_from([0, 0x30000, 0xF4000, 8134]),
    st.sampled_from(LEFT_OVER),
    st.booleans(),
)
def test_no_stream_of_transfers_touches_a_forbidden_page(
    permitted: list[Image],
    steps: list[Step],
    alternate: int,
    pointer: int,
    left_over: tuple[int, bytes] | None,
    erase_moves_pointer: bool,
) -> None:
    unit = DfuModel(
        alternate=alternate, pointer=pointer, state=3 if left_over else 2, pending=left_over,
        erase_moves_pointer=erase_moves_pointer,
    )  # fmt: skip
    attack(Bench(unit), permitted, steps)
    for touch in unit.touches:
        assert is_harmless(touch, permitted), touch


def random_step(rng: random.Random, permitted: list[Image]) -> Step:
    """Mostly transfers that lead somewhere, so that a long walk gets deep."""
    module = rng.choice((SYSTEM, USER, SOFTDEVICE, *permitted * 4))
    page = rng.randrange(-1, 4)
    address = rng.choice((module.flash_address + page * PAGE, 0, 0x27000, 0xF4000, 8134, 0xFFFFF000, 0x80000000))
    content = module.flash_bytes[max(0, page) * PAGE :][: rng.choice((PAGE, 8))] or b"\x01"
    payload = rng.choice((dfuse.set_address_payload(address), dfuse.erase_payload(address), content, b"\x01"))
    block = rng.choice((0, 0, 2, 2, 3, 4, 1, 0xFFFF))
    return rng.choice(
        (
            *(
                recovers,
                recovers,
                follows(module, max(0, page)),
                erases(module, page),
                writes(module, max(0, page), rng.choice((0, 0, 1, -1))),
            ),
            *(does(lambda: dfuse.set_address(address)), does(lambda: dfuse.erase(address))),
            *(sends(dfu.dnload(block, len(payload)), payload), sends(dfu.dnload(block, len(payload)), payload)),
            *(sends(dfu.get_status()), sends(dfu.set_interface(rng.choice((0, 1, 2)))), rng.choice(RAW_STEPS)),
        )
    )


@pytest.mark.parametrize("seed", range(8))
def test_a_long_walk_touches_no_forbidden_page(seed: int) -> None:
    rng = random.Random(seed)
    unit = DfuModel(erase_moves_pointer=seed >= 4)
    permitted = [[], [SYSTEM], [SYSTEM, SOFTDEVICE], [USER]][seed % 4]
    attack(Bench(unit), permitted, [random_step(rng, permitted) for _ in range(3000)])
    assert len(unit.touches) > 50 or not permitted
    for touch in unit.touches:
        assert is_harmless(touch, permitted), touch


def test_the_attack_does_reach_the_flash() -> None:
    """The property above would be worth nothing if the guard let nothing through."""
    bench = Bench()
    steps = [does(dfuse.settle), sends(dfu.set_interface(0)), does(lambda: dfuse.erase(0x30000))]
    steps.append(does(lambda: dfuse.write_block(0x30000, SYSTEM.flash_bytes[:PAGE])))
    attack(bench, [SYSTEM], steps)
    assert len(bench.unit.touches) == 2
    unguarded = DfuModel()
    run(dfuse.erase(0xF4000), unguarded)
    assert not is_harmless(unguarded.touches[0], [SYSTEM])
