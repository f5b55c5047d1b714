"""One stumble of the bus, or one refusal of the moment, judges nobody: the unit passes all the same.

Here every kind of transfer fails once in a walk; `support.every_transfer` as a program fails every single one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from line_bench import Walk
from support.every_transfer import STUMBLES, Kind, Observer, bench_with, kinds_of_a_walk, walk_that_stumbles
from support.odd_rates import UsualRates

from drivers.virtual.faults import parse_fault
from drivers.virtual.flash import Who
from drivers.virtual.header import USER
from drivers.virtual.layout import layout_of
from drivers.wire.control.tables import Service
from drivers.wire.dfu.tables import DfuRequest
from station.engine.events import HandsDone, HandsNeeded, StepStarted, WireTraced
from station.model import Verdict

UNITS = [
    ("boron", True), ("boron", False), ("argon", True), ("argon", False), ("p2", True), ("msom", False),
    ("photon", True), ("electron", False), ("tracker", True),
]  # fmt: skip
NAMES = [f"{'new' if is_new else 'finished'} {platform}" for platform, is_new in UNITS]
PASSING_CODES = [-100, -110, -140, -150, -160, -210, -221, -230, -240, -250, -260, -1200, -1210]
"""Results about the moment (reference usb-and-serial 4.12)."""

known_kinds = cache(kinds_of_a_walk)


def in_turn(faults: tuple[str, ...], first: int) -> Callable[[int], str]:
    return lambda number: faults[(first + number) % len(faults)]


@pytest.mark.parametrize("first", range(len(STUMBLES)))
@pytest.mark.parametrize(("platform", "is_new"), UNITS, ids=NAMES)
def test_a_unit_passes_though_a_transfer_of_every_kind_fails_once(platform: str, is_new: bool, first: int) -> None:
    """Over all runs every kind fails in every way; no two runs have the same mixture."""
    kinds = frozenset(known_kinds(platform, is_new))
    wrong, hit = walk_that_stumbles(platform, is_new, kinds.__contains__, in_turn(STUMBLES, first))
    assert wrong == ""
    assert len(hit) > 0.85 * len(kinds)  # how often a busy unit is polled differs from walk to walk


@pytest.mark.parametrize("number", range(9))
@pytest.mark.parametrize(("platform", "is_new"), UNITS[::3], ids=NAMES[::3])
def test_a_unit_that_falls_silent_for_six_seconds_passes(platform: str, is_new: bool, number: int) -> None:
    """Longer than a transfer waits; nine kinds of transfers, spread over the walk."""
    kinds = known_kinds(platform, is_new)
    firsts = sorted(kinds.index(kind) + 1 for kind in set(kinds))
    with bench_with(platform, is_new, (f"at=control:{firsts[number * len(firsts) // 9]},do=hang,for=6",)) as (
        bench,
        unit,
    ):
        walk = bench.walk(unit)
    assert walk.verdict is Verdict.PASS, walk.finished


@pytest.mark.parametrize("stumble", ["do=stall", "do=error,lost=request", "do=error,lost=reply"])
@pytest.mark.parametrize("leaving", [3, 1, 6], ids=["GETSTATUS", "DNLOAD", "ABORT"])
def test_a_flashed_unit_whose_way_out_of_dfu_stumbles_passes(leaving: int, stumble: str) -> None:
    """The last transfer of that request before the unit runs again: all its flash was read back before."""
    kinds = known_kinds("boron", True)
    last = max(
        number for number, kind in enumerate(kinds, 1) if (kind.request_type & 0x7F, kind.request) == (0x21, leaving)
    )
    with bench_with("boron", True, (f"at=control:{last},{stumble}",)) as (bench, unit):
        walk = bench.walk(unit)
    assert walk.verdict is Verdict.PASS, walk.finished
    assert unit.faults.happened


@pytest.mark.parametrize(
    ("times", "verdict", "sentence"),
    [(1, Verdict.PASS, "pass"), (4, Verdict.ERROR, "silent")],
    ids=["once", "for good"],
)
@pytest.mark.parametrize("command", [0x21, 0x41], ids=["set-address", "erase"])
@pytest.mark.parametrize("platform", ["photon", "electron"])
def test_a_status_that_is_stalled_after_each_command_of_dfu_fails_no_unit(
    platform: str, command: int, times: int, verdict: Verdict, sentence: str
) -> None:
    with bench_with(platform, True) as (bench, unit):

        def stall(kind: Kind) -> None:
            if (kind.request, kind.before) == (DfuRequest.GETSTATUS, (0x21, DfuRequest.DNLOAD, command)):
                unit.order(parse_fault(f"at=control:{unit.transfers['control'] + 1},do=stall,times={times}"))

        Observer(unit, stall)
        walk = bench.walk(unit)
    assert (walk.verdict, walk.finished.sentence) == (verdict, sentence), walk.finished
    assert unit.faults.happened


@pytest.mark.parametrize("code", PASSING_CODES)
@pytest.mark.parametrize(("platform", "is_new"), UNITS, ids=NAMES)
def test_a_unit_passes_though_it_refuses_every_request_once(platform: str, is_new: bool, code: int) -> None:
    refused: set[int] = set()
    with bench_with(platform, is_new) as (bench, unit):

        def refuse_once(kind: Kind) -> None:
            if (kind.request_type, kind.request) == (0xC0, Service.INIT) and kind.about not in refused:
                refused.add(kind.about)
                number = unit.transfers["control"] + 1
                unit.order(parse_fault(f"at=control:{number},do=reject,code={code}"))

        Observer(unit, refuse_once)
        walk = bench.walk(unit)
    assert walk.verdict is Verdict.PASS, walk.finished
    assert len(refused) >= 6


@pytest.mark.parametrize("request_type", [20, 21, 90, 554])
def test_a_refusal_of_the_moment_that_stands_judges_nobody(request_type: int) -> None:
    with bench_with("boron", False, (f"at=request:{request_type},do=reject,code=-110,times=1000",)) as (bench, unit):
        walk = bench.walk(unit)
    assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "unit_busy"), walk.finished


@pytest.mark.parametrize("times", [3, 6])
@pytest.mark.parametrize(("platform", "is_new"), UNITS, ids=NAMES)
def test_a_unit_passes_though_it_has_no_room_for_its_first_request_for_seconds(
    platform: str, is_new: bool, times: int
) -> None:
    with bench_with(platform, is_new, (f"at=control:1,do=busy,times={times}",)) as (bench, unit):
        walk = bench.walk(unit)
    assert walk.verdict is Verdict.PASS, walk.finished
    assert unit.faults.happened


@pytest.mark.parametrize("request_type", [20, 90, 554])
def test_a_unit_that_never_has_room_for_a_request_judges_nobody(request_type: int) -> None:
    with bench_with("boron", False, (f"at=request:{request_type},do=busy,times=1000",)) as (bench, unit):
        walk = bench.walk(unit)
    assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "unit_busy"), walk.finished


@pytest.mark.parametrize(
    ("code", "twice"),
    [(-1400, Verdict.FAIL), (-1911, Verdict.FAIL), (-120, Verdict.ERROR), (-130, Verdict.ERROR), (-270, Verdict.ERROR)],
)
def test_a_refusal_said_twice_fails_a_unit_if_it_is_about_that_unit_and_not_about_its_firmware(
    code: int, twice: Verdict
) -> None:
    for times, verdict in ((1, Verdict.PASS), (2, twice)):
        with bench_with("boron", False, (f"at=request:90,do=reject,code={code},times={times}",)) as (bench, unit):
            walk = bench.walk(unit)
        assert walk.verdict is verdict, walk.finished


@pytest.mark.parametrize("errno_name", ["eio", "eproto"])
def test_a_unit_whose_every_transfer_fails_is_there_and_is_not_judged(errno_name: str) -> None:
    """The bus still lists it: it was not unplugged, and it is no bad unit either."""
    with bench_with("boron", False, (f"at=control:20,do=error,errno={errno_name},times=1000",)) as (bench, unit):
        walk = bench.walk(unit)
    assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "bad_contact"), walk.finished


def test_a_unit_pulled_while_transfers_fail_was_unplugged() -> None:
    with bench_with("boron", False, ("at=control:20,do=error,times=1000",)) as (bench, unit):
        bench.plug(unit)
        bench.wait(lambda _: unit.transfers["control"] >= 20)
        bench.unplug()
        finished = bench.wait_finished()
    assert (finished.verdict, finished.sentence) == (Verdict.ABORTED, "unplugged_too_early")


def test_an_update_that_is_refused_to_its_end_was_refused_and_not_silent() -> None:
    """Each refusal begins it anew, and time may end at any moment of that."""
    with bench_with("boron", True) as (bench, unit):

        def refuse(kind: Kind) -> None:
            if (kind.request_type, kind.request, kind.about) == (0xC0, Service.INIT, 253):
                unit.order(parse_fault(f"at=control:{unit.transfers['control'] + 1},do=reject,code=-160"))

        Observer(unit, refuse)
        walk = bench.walk(unit, within=3600.0)
    assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "unit_busy"), walk.finished
    assert "FIRMWARE_UPDATE_DATA" in walk.finished.reason


# --- protection -------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [-110, -120, -130, -1400])
def test_a_unit_that_refuses_to_tell_its_protection_is_not_taken_for_unprotected(code: int) -> None:
    """Its Device OS knows the request, so no refusal means "there is none" (reference usb-and-serial 4.1)."""
    with bench_with("boron", False, (f"at=request:76,do=reject,code={code},times=1000",)) as (bench, unit):
        walk = bench.walk(unit)
    assert walk.verdict is Verdict.ERROR, walk.finished
    assert walk.finished.failed_step == "identify"
    assert unit.score.flash_writes == 0


@pytest.mark.parametrize("code", [-110, -120, -1400])
def test_a_protection_that_is_refused_once_is_asked_again(code: int) -> None:
    with bench_with("boron", False, (f"at=request:76,do=reject,code={code}",)) as (bench, unit):
        assert bench.walk(unit).verdict is Verdict.PASS


# --- a unit that vanishes on its way into DFU -------------------------------------------------------


@pytest.mark.parametrize("moment", ["request:50", "request:50+0.5"])
def test_a_unit_that_lost_power_on_its_way_into_dfu_is_asked_again_and_needs_no_hands(moment: str) -> None:
    request, _, later = moment.partition("+")
    with bench_with("boron", True) as (bench, unit):
        if later:
            unit.order(parse_fault(f"at={request},do=slow,by=0.0"))

            def cut(kind: Kind) -> None:
                if (kind.request, kind.about) == (Service.INIT, 50) and kind.request_type == 0xC0 and not times:
                    times.append(bench.clock.now())
                    bench.bus.at(float(later), lambda: unit.pull(2.0))

            times: list[float] = []
            Observer(unit, cut)
        else:
            unit.order(parse_fault(f"at={request},do=powercut,for=2"))
        walk = bench.walk(unit)
    assert walk.verdict is Verdict.PASS, walk.finished
    assert not walk.of(HandsNeeded)
    assert walk.seconds < 120.0


def test_a_unit_pulled_for_good_on_its_way_into_dfu_is_not_waited_for_long() -> None:
    with bench_with("boron", True, ("at=request:50,do=unplug",)) as (bench, unit):
        walk = bench.walk(unit)
    assert (walk.verdict, walk.finished.sentence) == (Verdict.ABORTED, "unplugged_too_early")


def test_a_hand_that_lets_the_button_go_too_early_is_given_another_try() -> None:
    with bench_with("boron", True, ("at=request:50,do=reject,code=-130,times=2",)) as (bench, unit):
        bench.open_port = UsualRates.opener(bench.bus)
        bench.plug(unit)
        asked = bench.wait_for(HandsNeeded, sentence="dfu_by_hand")
        bench.sleep(3.0)
        with unit.condition:
            unit.restart()  # only tapped RESET
        bench.sleep(20.0)
        unit.press_mode_button()
        bench.wait_for(HandsDone, since=bench.place_of(asked))
        assert bench.wait_finished().verdict is Verdict.PASS


# --- what flash holds ------------------------------------------------------------------------------


@pytest.mark.parametrize(("times", "verdict"), [(1, Verdict.PASS), (2, Verdict.FAIL)])
def test_flash_that_reads_back_wrong_is_written_once_more_before_it_judges_the_unit(
    times: int, verdict: Verdict
) -> None:
    """A byte of the application goes wrong after it was written, ``times`` times."""
    spoilt: list[int] = []  # flash writes so far, each time
    begun: list[int] = []
    with bench_with("boron", True) as (bench, unit):

        def spoil_what_was_just_written(kind: Kind) -> None:
            if not any(isinstance(event, StepStarted) and event.step == "firmware" for _, event in bench.events):
                return
            writes = unit.score.flash_writes
            begun.append(writes)
            is_read_back = (kind.request_type, kind.request) == (0xA1, DfuRequest.UPLOAD)
            if is_read_back and writes > (spoilt or begun)[-1 if spoilt else 0] and len(spoilt) < times:
                spoilt.append(writes)
                held = unit.memory.internal.read(layout_of(13).start(USER) + 0x1234, 1)[0]
                unit.memory.internal.program(layout_of(13).start(USER) + 0x1234, bytes([held & held - 1]), Who.FACTORY)

        Observer(unit, spoil_what_was_just_written)
        walk = bench.walk(unit)
    assert len(spoilt) == times
    assert walk.verdict is verdict, walk.finished
    assert walk.finished.sentence == ("pass" if verdict is Verdict.PASS else "verify_failed")


@pytest.mark.parametrize("stumble", ["do=stall", "do=error"])
def test_a_module_is_begun_again_on_a_new_handle_when_the_old_one_does_not_recover(stumble: str) -> None:
    """More failures in a row than one page is worth."""
    kinds = known_kinds("boron", True)
    first_block = next(n for n, kind in enumerate(kinds, 1) if kind.own == (0x21, DfuRequest.DNLOAD, 0x102))
    for times in (10, 25):
        with bench_with("boron", True, (f"at=control:{first_block + 30},{stumble},times={times}",)) as (bench, unit):
            walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, (times, walk.finished)
    assert any("dfu open" in line for line in traced_after_the_first_write(walk)), "it was opened again"


def traced_after_the_first_write(walk: Walk) -> list[str]:
    lines = [event.line for event in walk.events if isinstance(event, WireTraced)]
    return lines[next(n for n, line in enumerate(lines) if line.startswith("dfu write")) :]
