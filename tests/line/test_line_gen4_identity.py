"""Gen 4 units say their MAC address three times, in Device ID, serial number and interface list: all have to agree.

One that differs is asked again, and judged only when it differs again (design 2.1; reference usb-and-serial 1.3, 9.4).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from line_bench import LineBench, Recipe, Walk, line_bench
from support.hostile_unit import HostileUnit, Lies

from drivers.identity import MacAddress, SerialNumber
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.control_service import Outcome
from drivers.virtual.factory import UnitSpec, make_spec
from station.engine.events import UnitIdentified
from station.model import Verdict

RECIPE = Recipe("p2", device_os=None, application=synthetic.application(32, "6.3.4", seed="story"))


def walk(bench: LineBench, spec: UnitSpec, *faults: str) -> Walk:
    return bench.walk(bench.unit(spec=spec, faults=faults))


def facts(walked: Walk) -> set[tuple[str, str]]:
    found = walked.of(UnitIdentified)[-1]
    assert isinstance(found, UnitIdentified)
    return {(fact.name, fact.source) for fact in found.facts}


def test_all_three_agree_and_each_says_where_it_came_from(tmp_path: Path) -> None:
    with line_bench(tmp_path, RECIPE) as bench:
        walked = walk(bench, make_spec("p2", 7, 1, "6.3.4"))
        assert walked.verdict is Verdict.PASS, walked.finished
        assert {("mac", "Device ID"), ("mac", "request 401"), ("serial", "request 21")} <= facts(walked)


def test_a_unit_in_dfu_tells_its_mac_by_its_device_id(tmp_path: Path) -> None:
    with line_bench(tmp_path, Recipe("p2")) as bench:
        walked = bench.walk(bench.unit("p2", 1, "6.3.4", arrives=BootRequest.DFU))
        assert walked.verdict is Verdict.PASS, walked.finished
        first = walked.of(UnitIdentified)[0]
        assert isinstance(first, UnitIdentified)
        assert ("mac", "Device ID") in {(fact.name, fact.source) for fact in first.facts}


@pytest.mark.rule("A13")
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"serial": SerialNumber.parse("P046AB926000001")}, "cannot be that of"),
        ({"mac": MacAddress.parse("94:94:4a:00:00:01")}, "by request 401"),
    ],
    ids=["serial number", "MAC address"],
)
def test_a_value_that_differs_every_time_fails_before_any_write(
    changed: dict[str, object], words: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, RECIPE) as bench:
        spec = dataclasses.replace(make_spec("p2", 7, 1, "6.3.4"), **changed)  # type: ignore[arg-type]
        walked = walk(bench, spec)
        assert (walked.verdict, walked.finished.sentence) == (Verdict.FAIL, "numbers_differ")
        assert words in walked.finished.reason
        assert (walked.flash_writes, walked.cloud_writes) == (0, 0)


def once(old: bytes, new: bytes) -> Callable[[Outcome], Outcome]:
    """Exchange bytes of the first reply that holds them."""
    said: list[bytes] = []

    def lie(outcome: Outcome) -> Outcome:
        if said or old not in outcome.data:
            return outcome
        said.append(outcome.data)
        return dataclasses.replace(outcome, data=outcome.data.replace(old, new))

    return lie


@pytest.mark.rule("A13")
@pytest.mark.parametrize("kind", [20, 21, 401])
def test_a_value_that_differs_once_is_asked_again(kind: int, tmp_path: Path) -> None:
    spec = make_spec("p2", 7, 1, "6.3.4")
    changed = {
        20: (str(spec.device_id).encode(), b"0a10aced202194944a000001"),
        21: (str(spec.serial).encode(), b"P046AB926000001"),
        401: (bytes.fromhex(str(spec.mac).replace(":", "")), bytes.fromhex("94944a000001")),
    }
    with line_bench(tmp_path, RECIPE) as bench:
        unit = HostileUnit(spec, bench.clock, Lies(requests={kind: once(*changed[kind])}), bench.world)
        bench.register(spec)
        bench.adopt(unit)
        walked = bench.walk(unit)
        assert walked.verdict is Verdict.PASS, walked.finished


@pytest.mark.rule("A13")
@pytest.mark.parametrize("slug", ["p2", "msom"])
def test_a_unit_that_shows_no_mac_address_fails_although_its_device_id_has_one(slug: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, Recipe(slug)) as bench:
        spec = dataclasses.replace(make_spec(slug, 7, 1, "6.3.4"), mac=None)
        walked = bench.walk(bench.unit(spec=spec))
        assert (walked.verdict, walked.finished.sentence) == (Verdict.FAIL, "identity_missing")
        assert (walked.flash_writes, walked.cloud_writes) == (0, 0)


def test_a_unit_whose_serial_number_was_never_programmed_is_named_without_it(tmp_path: Path) -> None:
    """Its answer is -250, which means anything elsewhere: here it is believed when it says so twice."""
    with line_bench(tmp_path, RECIPE) as bench:
        unit = bench.unit(spec=dataclasses.replace(make_spec("p2", 7, 1, "6.3.4"), serial=None))
        walked = bench.walk(unit)
        assert walked.verdict is Verdict.PASS, walked.finished
        assert walked.steps["identify"].seconds < 8
        record = bench.cloud.device(unit.spec.device_id)
        assert record is not None
        assert record["name"] == f"p2-{unit.device_id[-6:]}"


def test_a_tracker_m_is_compared_though_its_mac_is_nobodys_business(tmp_path: Path) -> None:
    recipe = Recipe("trackerm", device_os=None, application=synthetic.application(28, "6.3.4", seed="story"))
    with line_bench(tmp_path, recipe) as bench:
        walked = bench.walk(bench.unit("trackerm", 1, "6.3.4"))
        assert walked.verdict is Verdict.PASS, walked.finished
        assert not any(name == "mac" for name, _ in facts(walked))
        other = dataclasses.replace(make_spec("trackerm", 7, 2, "6.3.4"), serial=SerialNumber.parse("TRMKAB926000001"))
        assert bench.walk(bench.unit(spec=other)).finished.sentence == "numbers_differ"
