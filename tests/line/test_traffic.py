"""The traffic oracle notices what it is there for: writes unannounced, sent twice, or confirmed and never made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from line_bench import BORON, PRODUCTS, LineBench, line_bench
from support.traffic import CloudCall, Line, Module, Story, UnitWrite, faults_of

from drivers.virtual.flash import Operation, Touch, Who
from drivers.virtual.header import SYSTEM, USER
from drivers.virtual.layout import PAGE, Chip, layout_of
from station.cloud import api
from station.cloud.client import CloudClient
from station.cloud.virtual import FaultKind, SeenRequest
from station.engine.records import WriteIntended

LAYOUT = layout_of(13)
SYSTEM_START, SYSTEM_LEGACY_START = LAYOUT.places[SYSTEM].starts
USER_START = LAYOUT.start(USER)
UNIT = "e00fce68" + "0" * 16
OTHER = "e00fce68" + "1" * 16
APP = "app.bin"
FILES = {APP: (Module(USER_START, USER_START + 3 * PAGE, "user-part"),)}
PRODUCT = "/v1/products/20001/devices"
PRODUCT_ROUTE = "/v1/products/:p/devices"


def intended(what: str = f"{APP} over DFU", *, target: str = "unit", step: str = "firmware", unit: str = UNIT) -> Line:
    return Line("WriteIntended", unit, step, target, what)


def confirmed(line: Line) -> Line:
    return Line("WriteConfirmed", line.device_id, line.step, line.target, line.what)


def dfu(address: int, length: int = PAGE, operation: Operation = Operation.PROGRAM, unit: str = UNIT) -> UnitWrite:
    return UnitWrite(unit, Touch(Chip.INTERNAL, operation, Who.DFU, address, length))


def control(chip: Chip, address: int, length: int = 1) -> UnitWrite:
    return UnitWrite(UNIT, Touch(chip, Operation.PROGRAM, Who.CONTROL, address, length))


def call(
    method: str, path: str, route: str, body: dict[str, object] | None = None, status: int = 200,
    harm: FaultKind | None = None,
) -> CloudCall:  # fmt: skip
    is_write = method != "GET"
    seen = SeenRequest(1, "", method, path, f"{method} {route}", body or {}, "me", status, is_write, is_write)
    return CloudCall(seen, harm)


def claim(status: int = 200, harm: FaultKind | None = None, unit: str = UNIT) -> CloudCall:
    return call("POST", "/v1/devices", "/v1/devices", {"id": unit}, status, harm)


def named(name: str = "one") -> CloudCall:
    return call("PUT", f"{PRODUCT}/{UNIT}", f"{PRODUCT_ROUTE}/:id", {"name": name})


def look(unit: str = UNIT, status: int = 200, harm: FaultKind | None = None) -> CloudCall:
    return call("GET", f"{PRODUCT}/{unit}", f"{PRODUCT_ROUTE}/:id", None, status, harm)


APP_LINE = intended()
SETUP_LINE = intended("set setup-done", step="setup_done")
CLAIM_LINE = intended(f"claim {UNIT}", target="cloud", step="claim")
NAME_LINE = intended(f"name {UNIT} one", target="cloud", step="name")
SECOND_NAME_LINE = intended(f"name {UNIT} two", target="cloud", step="name")
SIM_LINE = intended("activate SIM 8934", target="cloud", step="sim")
OVER = Line("UnitIdentified", UNIT)
SETUP_DONE = LAYOUT.dct_fields["setup_done"].offset
SETUP_BYTE = control(Chip.DCT, SETUP_DONE)
ACTIVATION = call("PUT", "/v1/sims/8934", "/v1/sims/:iccid", {"action": "activate"})

CONFIRMED_RESTART = intended("restart into DFU", step="dfu")
GOOD: dict[str, Story] = {
    "a module over DFU": [APP_LINE, dfu(USER_START, operation=Operation.ERASE), dfu(USER_START), confirmed(APP_LINE)],
    "the system part goes invalid first": [APP_LINE, dfu(SYSTEM_LEGACY_START, operation=Operation.ERASE)],
    "a configuration byte": [SETUP_LINE, SETUP_BYTE, confirmed(SETUP_LINE)],
    "a restart writes nothing": [CONFIRMED_RESTART, confirmed(CONFIRMED_RESTART)],
    "a claim": [look(), CLAIM_LINE, claim(), confirmed(CLAIM_LINE), look()],
    "a claim of a unit that is not online yet": [CLAIM_LINE, claim(404), claim(404), claim(), confirmed(CLAIM_LINE)],
    "a request the busy cloud put off": [CLAIM_LINE, claim(429), claim(), confirmed(CLAIM_LINE)],
    "a claim without an answer, read and sent again": [CLAIM_LINE, claim(502), look(), CLAIM_LINE, claim()],
    "a SIM": [SIM_LINE, ACTIVATION, confirmed(SIM_LINE)],
    "two units side by side": [
        CLAIM_LINE, intended(f"claim {OTHER}", target="cloud", step="claim", unit=OTHER), claim(unit=OTHER), claim(),
    ],
    "a name that changed": [NAME_LINE, named(), SECOND_NAME_LINE, named("two")],
    "a claim the cloud refused, announced anew": [CLAIM_LINE, claim(404), CLAIM_LINE, claim(), confirmed(CLAIM_LINE)],
}  # fmt: skip
BAD: dict[str, tuple[Story, str]] = {
    "a page nobody announced": ([dfu(USER_START)], "was not announced"),
    "a page before its line": ([dfu(USER_START), APP_LINE], "was not announced"),
    "a page after the confirmation": ([APP_LINE, dfu(USER_START), confirmed(APP_LINE), dfu(USER_START)], "was not"),
    "a page after a new look at it": ([APP_LINE, dfu(USER_START), OVER, dfu(USER_START)], "was not announced"),
    "a page of another unit": ([APP_LINE, dfu(USER_START, unit=OTHER)], "was not announced"),
    "a page beyond the module": ([APP_LINE, dfu(USER_START + 3 * PAGE)], "announced was"),
    "content of the system part under an application": ([APP_LINE, dfu(SYSTEM_START)], "announced was"),
    "an erase elsewhere": ([APP_LINE, dfu(0x1000, operation=Operation.ERASE)], "announced was"),
    "a page under a line about something else": ([SETUP_LINE, dfu(USER_START)], "announced was"),
    "another configuration byte": ([SETUP_LINE, control(Chip.DCT, SETUP_DONE - 1)], "announced was"),
    "a file nobody knows": ([intended("x.bin over DFU"), dfu(USER_START)], "announced was"),
    "confirmed and never written": ([APP_LINE, confirmed(APP_LINE)], "no such write was ever seen"),
    "confirmed and never sent": ([CLAIM_LINE, confirmed(CLAIM_LINE)], "no such write was ever seen"),
    "confirmed and never announced": ([confirmed(CLAIM_LINE)], "never announced"),
    "a claim nobody announced": ([claim()], "was not announced"),
    "a claim before its line": ([claim(), CLAIM_LINE], "was not announced"),
    "a claim announced for another unit": ([CLAIM_LINE, claim(unit=OTHER)], "was not announced"),
    "a name announced as a claim": ([CLAIM_LINE, named()], "was not announced"),
    "a name sent twice in one": ([NAME_LINE, named(), look(), named()], "was announced once, and is sent again"),
    "a claim sent again unread": ([CLAIM_LINE, claim(502), CLAIM_LINE, claim()], "nobody read"),
    "a claim sent again after a read that never arrived": (
        [CLAIM_LINE, claim(502), look(harm=FaultKind.DROP_AFTER), CLAIM_LINE, claim()], "nobody read",
    ),
    "a claim sent again after a read that failed": (
        [CLAIM_LINE, claim(harm=FaultKind.DROP_AFTER), look(status=503), CLAIM_LINE, claim()], "nobody read",
    ),
    "a claim sent again after a look at a neighbour": (
        [CLAIM_LINE, claim(502), look(OTHER), CLAIM_LINE, claim()], "nobody read",
    ),
    "an activation asked for twice": ([SIM_LINE, ACTIVATION, SIM_LINE, ACTIVATION], "nobody read 8934"),
}  # fmt: skip


@pytest.mark.rule("N1")
@pytest.mark.rule("N2")
@pytest.mark.parametrize("story", GOOD.values(), ids=GOOD)
def test_writes_that_were_announced_and_read_back_are_no_fault(story: Story) -> None:
    assert faults_of(story, FILES) == []


@pytest.mark.rule("N1")
@pytest.mark.rule("N2")
@pytest.mark.parametrize(("story", "words"), BAD.values(), ids=BAD)
def test_a_write_that_was_not_announced_or_not_read_back_is_found(story: Story, words: str) -> None:
    (fault,) = faults_of(story, FILES)
    assert words in fault


# --- on a bench ---------------------------------------------------------------------------------------


def rename_past_the_journal(bench: LineBench) -> None:
    unit = bench.finished_unit(BORON)
    bench.walk(unit)
    stray = CloudClient(bench.cloud.base_url, lambda: bench.token, bench.clock)
    stray.run(api.change(unit.spec.device_id, {"name": "stray"}, PRODUCTS["boron"]))
    stray.close()


def erase_past_the_journal(bench: LineBench) -> None:
    """A page that may be written, while another module is announced."""
    unit = bench.unit()
    bench.plug(unit)
    bench.wait_for(WriteIntended, target="unit")
    unit.memory.flash(Chip.EXTERNAL).erase_page(0x8030_0000, Who.DFU)
    bench.wait_finished()


def erase_with_a_line_that_is_not_on_the_disk(bench: LineBench) -> None:
    unit = bench.unit()
    told = WriteIntended(
        at=bench.clock.utc(), device_id=unit.device_id, attempt="1", step="firmware", target="unit",
        what=f"{BORON.files()[-1].name} over DFU",
    )  # fmt: skip
    bench.station.bus.publish(told)
    unit.memory.internal.erase_page(USER_START, Who.DFU)


@pytest.mark.rule("N1")
@pytest.mark.parametrize(
    ("story", "fault"),
    [
        (rename_past_the_journal, r"PUT .* was not announced"),
        (erase_past_the_journal, r"erase of 4096 bytes at 0x80300000 .*: announced was '.*bootloader"),
        (erase_with_a_line_that_is_not_on_the_disk, r"erase .* was not announced"),
    ],
)
def test_a_write_past_the_journal_ends_a_story_badly(
    story: Callable[[LineBench], None], fault: str, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match=fault):
        told(story, tmp_path)


def told(story: Callable[[LineBench], None], tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        story(bench)
