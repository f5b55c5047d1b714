"""A hostile unit, label, clock or cloud at the bench: one slot may end badly, nothing else may notice."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from line_bench import BORON, LineBench, line_bench, replace
from support.hostile_unit import HostileUnit, Lies, answering, corrupting, is_service, on

from drivers.identity import DeviceId
from drivers.virtual.control_service import Outcome as Answered
from drivers.virtual.control_service import service_reply
from drivers.virtual.factory import make_spec
from drivers.virtual.messages import blob, fixed32, message, number, text
from drivers.virtual.unit import VirtualUnit
from drivers.wire.control.tables import ServiceStatus
from drivers.wire.image.host import parse_image
from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.events import AttemptFinished, HandsNeeded
from station.export import export
from station.model import Verdict

PENDING = on(is_service(2), lambda: service_reply(ServiceStatus.PENDING))


def hostile(bench: LineBench, lies: Lies, platform: str = "boron", number: int = 1, **settings: Any) -> HostileUnit:
    """A hostile unit the cloud knows."""
    spec = make_spec(platform, 7, number, str(settings.pop("device_os", "3.3.1")), **settings)
    bench.register(spec)
    unit = HostileUnit(spec, bench.clock, lies, bench.world)
    bench.adopt(unit)
    return unit


def finished_settings() -> dict[str, Any]:
    return {"modules": tuple(file.data for file in BORON.files()), "setup_done": True}


# --- one sick unit never delays another ------------------------------------------------------------

SICK: dict[str, Callable[[], Lies]] = {
    "never answers": lambda: Lies(PENDING),
    "babbles": lambda: Lies(console=b"system firmware version: "),
    "garbage": lambda: Lies(corrupting("line", 0.5)),
    "enumerates all the time": lambda: Lies(before_boot=lambda unit: unit.after(0.02, unit.restart)),
}


@pytest.mark.parametrize("sickness", SICK)
def test_a_sick_unit_does_not_delay_its_neighbour(sickness: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=2) as bench:
        alone = bench.walk(bench.unit(number=1), slot=2)
        bench.plug(hostile(bench, SICK[sickness](), number=2), slot=1)
        beside = bench.walk(bench.unit(number=3), slot=2)
        assert (alone.verdict, beside.verdict) == (Verdict.PASS, Verdict.PASS)
        assert abs(beside.seconds - alone.seconds) < 2.0
        bench.unplug(1)
        bench.sleep(20.0)
        told = [event for _, event in bench.events if isinstance(event, AttemptFinished) and event.slot == 1]
        assert told
        assert all(event.verdict is not Verdict.PASS for event in told)


# --- a PASS rests on what was read back --------------------------------------------------------------


def module(function: int, index: int, version: int, *, flags: int, digest: bytes = b"") -> bytes:
    content = number(1, function) + number(2, index) + number(3, version)
    return message(2, content + fixed32(6, flags) + fixed32(7, flags) + (blob(8, digest) if digest else b""))


def claims_release(flags: int) -> Answered:
    """All versions the profile wants, no hash, and only the checks in ``flags`` made."""
    images = [parse_image(file.data, file.name) for file in BORON.release()]
    return Answered(data=b"".join(module(i.function, i.index, i.version, flags=flags) for i in images))


def test_a_unit_that_checked_nothing_does_not_pass_by_its_versions(tmp_path: Path) -> None:
    with line_bench(tmp_path, replace(BORON, has_application=False)) as bench:
        unit = hostile(bench, Lies(requests={90: answering(claims_release(0))}), setup_done=True)
        walk = bench.walk(unit)
        assert walk.verdict is not Verdict.PASS
        assert walk.outcomes.get("device_os") != "already"


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Answered(), "no module at all"),
        (Answered(data=message(2, number(1, 5)) * 8_000), "8000 modules"),
        (Answered(data=b"\xff" * 60_000), "no message"),
        (Answered(-100), "refused"),
    ],
)
def test_module_info_that_says_nothing_never_ends_in_a_pass(reply: Answered, why: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        walk = bench.walk(hostile(bench, Lies(requests={90: answering(reply)}), **finished_settings()))
        assert walk.verdict in (Verdict.FAIL, Verdict.ERROR), why
        assert walk.finished.reason.isprintable()


def other_platform(unit: HostileUnit) -> None:
    if unit.score.flash_writes:
        unit.spec = dataclasses.replace(unit.spec, platform_id=12)


def test_a_unit_that_returns_as_another_platform_loses_its_attempt_and_is_to_be_taken_out(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.plug(hostile(bench, Lies(before_boot=other_platform)))
        first = bench.wait_finished()
        assert (first.verdict, first.sentence) == (Verdict.ABORTED, "swapped")
        bench.wait_for(HandsNeeded, since=bench.place_of(first), sentence="wrong_platform")


@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_unit_answers_a_pass_means_its_flash_is_right(seed: int, tmp_path: Path) -> None:
    """And every attempt ends, the chain holds, no forbidden page is touched: checked when the bench closes."""
    with line_bench(tmp_path, BORON) as bench:
        unit = hostile(bench, Lies(corrupting(f"walk {seed}", (0.0005, 0.01)[seed % 2])))
        walk = bench.walk(unit, within=4000.0)
        if walk.verdict is Verdict.PASS:
            check_flash(unit)


def check_flash(unit: VirtualUnit) -> None:
    for file in BORON.files():
        image = parse_image(file.data, file.name)
        held = unit.memory.internal.read(image.flash_address, len(image.flash_bytes))
        if image.function in (4, 5):  # system part, application
            assert held == image.flash_bytes


# --- words of a unit in files and on screens -----------------------------------------------------------


@pytest.mark.parametrize("serial", ["=1+1|' /C calc'!A0", "[bold]P044[/]", "P044\u202eBA", "\x1b]0;x\x07", "P" * 255])
def test_a_serial_number_that_is_none_fails_in_words_fit_for_any_screen(serial: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        lies = Lies(requests={21: answering(Answered(data=text(1, serial)))})
        walk = bench.walk(hostile(bench, lies, **finished_settings()))
        assert (walk.verdict, walk.cloud_writes, walk.flash_writes) == (Verdict.FAIL, 0, 0)
        assert walk.finished.reason.isprintable()
        out = io.StringIO()
        with bench.reader() as journal:
            export(journal, BORON.batch, out)
        cells = [cell for row in csv.reader(io.StringIO(out.getvalue())) for cell in row]
        assert not any(cell.startswith(("=", "+", "@", "\x1b")) for cell in cells)


def test_two_sources_with_two_device_ids_fail_before_any_write(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        stranger = str(DeviceId("e00fce68" + "1" * 16))
        walk = bench.walk(hostile(bench, Lies(requests={20: answering(Answered(data=text(1, stranger)))})))
        assert (walk.verdict, walk.cloud_writes, walk.flash_writes) == (Verdict.FAIL, 0, 0)


def test_two_units_with_one_device_id_both_fail(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=2) as bench:
        unit = bench.unit()
        twin = VirtualUnit(unit.spec, bench.clock, bench.world)
        bench.adopt(twin)
        bench.plug(unit, 1)
        bench.sleep(8.0)
        bench.plug(twin, 2)
        told = bench.wait_finished(2)
        assert (told.verdict, told.sentence, told.values) == (Verdict.FAIL, "twin", ("1",))
        assert twin.score.flash_writes == 0
        told = bench.wait_finished(1)
        assert (told.verdict, told.sentence, told.values) == (Verdict.FAIL, "twin", ("2",))


def test_a_unit_that_moves_to_another_slot_is_nobodys_twin(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=2) as bench:
        unit = bench.unit()
        bench.plug(unit, 1)
        bench.sleep(8.0)
        bench.unplug(1)
        assert bench.walk(unit, slot=2).verdict is Verdict.PASS
        assert bench.wait_finished(1).verdict is Verdict.ABORTED


# --- the cloud -----------------------------------------------------------------------------------------------

USER, PRODUCT, MEMBER = "GET /v1/user", "GET /v1/products/:p", "GET /v1/products/:p/devices/:id"
HUGE = 10**30
CLAIMED = replace(BORON, claim=True)


def lie(route: str, body: object) -> Fault:
    return Fault(FaultKind.LIE, route, times=None, body=body)


CLOUD_LIES: list[tuple[str, Fault]] = [
    ("a product number of 100 bits", lie(PRODUCT, {"product": {"id": HUGE, "platform_id": 13}})),
    ("a negative product", lie(PRODUCT, {"product": {"id": -1, "platform_id": 13}})),
    ("a platform of 100 bits", lie(PRODUCT, {"product": {"id": 20001, "platform_id": HUGE}})),
    (
        "a half surrogate pair",
        lie(PRODUCT, {"product": {"id": 20001, "platform_id": 13, "name": "\ud800", "slug": "x"}}),
    ),
    ("another device", lie(MEMBER, {"id": "e00fce68" + "2" * 16, "product_id": 20001, "owner": None})),
    ("no object", lie(MEMBER, [[[]]])),
    ("a giant", lie(MEMBER, {"id": "x" * 1_000_000})),
    ("a name that reverses", lie(MEMBER, {"id": "e00fce68" + "2" * 16, "name": "\u202e"})),
]


@pytest.mark.parametrize("fault", [row[1] for row in CLOUD_LIES], ids=[row[0] for row in CLOUD_LIES])
def test_a_cloud_that_lies_costs_one_unit_its_pass_and_the_station_nothing(fault: Fault, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.cloud.order(fault)
        lied_to = bench.walk(bench.finished_unit(BORON, 1))
        assert lied_to.verdict is not Verdict.PASS or "slug" in repr(fault)  # odd letters in a title harm nobody
        assert lied_to.finished.reason.isprintable()
        bench.cloud.cancel_faults()
        bench.sleep(400.0)  # what was owed meanwhile is settled, or refused
        assert bench.walk(bench.finished_unit(BORON, 2)).verdict is Verdict.PASS


def test_a_cloud_that_takes_a_name_and_shows_none_is_blamed_and_not_the_station(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.cloud.order(lie("PUT " + MEMBER.removeprefix("GET "), {"ok": True}))
        told = bench.walk(bench.finished_unit(BORON)).finished
        assert (told.verdict, told.failed_step, told.sentence) == (Verdict.ERROR, "name", "cloud_failed")


def test_an_account_without_a_name_owns_no_unit(tmp_path: Path) -> None:
    """The owner of an unclaimed unit is empty too."""
    with line_bench(tmp_path, CLAIMED) as bench:
        bench.cloud.order(lie(USER, {"username": ""}))
        assert bench.walk(bench.finished_unit(CLAIMED)).verdict is not Verdict.PASS
