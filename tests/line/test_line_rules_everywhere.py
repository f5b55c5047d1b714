"""Rules about a unit's numbers, modes and place, on every platform they name: rows are taken from the platform table.

A platform that is added to the table is walked here without another line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from line_bench import ME, PASSWORD, PRODUCTS, SSID, LineBench, Recipe, Walk, line_bench, replace
from support.odd_rates import UsualRates

from drivers.identity import DeviceId, Iccid, MacAddress, Secret, SerialNumber
from drivers.platforms import Kind, OsVersion, Platform, platforms
from drivers.virtual import synthetic
from drivers.virtual.dct import FEATURE_ETHERNET
from drivers.virtual.factory import UnitSpec, make_spec
from drivers.virtual.families import family_of
from drivers.virtual.flash import Who
from drivers.virtual.world import StoredNetwork
from drivers.wire.control.tables import RequestType
from station.engine.events import HandsNeeded, StepFinished, StepProgress, UnitIdentified
from station.model import Verdict
from station.settings.sku import SKU_ROWS, minimum_for_serial

EVERY = platforms()
CELLULAR = [row for row in EVERY if row.has_cellular]


def each(rows: Iterable[Platform], where: Callable[[Platform], bool] = lambda row: True) -> pytest.MarkDecorator:
    """Run a test for every one of ``rows`` with that property; there must be one."""
    chosen = [row for row in rows if where(row)]
    assert chosen
    return pytest.mark.parametrize("row", chosen, ids=lambda row: row.slug)


def newest(row: Platform) -> str:
    return synthetic.versions(row.id)[-1]


def plain(row: Platform, **more: object) -> Recipe:
    """A profile that writes no firmware: its units are read, added to their product and checked."""
    return Recipe(row.slug, device_os=None, has_application=False, wifi=False, **more)  # type: ignore[arg-type]


def spec_of(row: Platform, number: int = 1, device_os: str = "", **changed: object) -> UnitSpec:
    return dataclasses.replace(make_spec(row.slug, 7, number, device_os or newest(row), setup_done=True), **changed)  # type: ignore[arg-type]


def facts(walk: Walk) -> set[tuple[str, str]]:
    """Name and value of all that was told of the unit."""
    found = walk.of(UnitIdentified)[-1]
    assert isinstance(found, UnitIdentified)
    return {(fact.name, fact.value) for fact in found.facts}


def scanned(bench: LineBench, spec: UnitSpec, *labels: str) -> Walk:
    """Walk a unit whose label reads so, one scan after the other."""
    since = bench.mark()
    bench.plug(bench.unit(spec=spec))
    for label in labels:
        bench.scan_when_asked(label, since=since)  # asked once, however often it is scanned
        bench.sleep(5.0)
    return bench.told(bench.wait_finished())


# --- serial numbers ---------------------------------------------------------------------------------


@pytest.mark.rule("A3")
@each(EVERY, lambda row: make_spec(row.slug, 7, 1, newest(row)).serial is not None)
def test_a_serial_number_scanned_in_small_letters_is_the_units(row: Platform, tmp_path: Path) -> None:
    with line_bench(tmp_path, plain(row, label=True)) as bench:
        spec = spec_of(row)
        walk = scanned(bench, spec, str(spec.serial).lower())
        assert walk.verdict is Verdict.PASS, walk.finished
        assert (bench.cloud.device(spec.device_id) or {})["name"] == str(spec.serial)


@pytest.mark.rule("A4")
@each(EVERY, lambda row: not row.has_serial_numbers)
def test_a_unit_that_never_got_a_serial_number_is_called_by_its_device_id(row: Platform, tmp_path: Path) -> None:
    with line_bench(tmp_path, plain(row)) as bench:
        spec = spec_of(row, serial=None)
        walk = bench.walk(bench.unit(spec=spec))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert "serial" not in {name for name, _ in facts(walk)}
        assert (bench.cloud.device(spec.device_id) or {})["name"] == f"{row.slug}-{str(spec.device_id)[-6:]}"


# --- modem and SIM ----------------------------------------------------------------------------------

NUMBERS = {"8988307001234567890": "", "89883070012345678901": "F", "898830700123456789012": ""}
"""ICCIDs of 19, 20 and 21 digits, and the filler a modem puts behind one."""


@pytest.mark.rule("A8")
@each(CELLULAR)
def test_an_iccid_of_19_to_21_digits_is_read_without_its_filler(row: Platform, tmp_path: Path) -> None:
    with line_bench(tmp_path, plain(row)) as bench:
        for number, (digits, filler) in enumerate(NUMBERS.items(), 1):
            spec = spec_of(row, number, iccid=Iccid(digits + filler))
            bench.register(replace(spec, iccid=Iccid(digits)))
            walk = bench.walk(bench.unit(spec=spec, is_known=False))
            assert walk.verdict is Verdict.PASS, walk.finished
            assert {value for name, value in facts(walk) if name == "iccid"} == {digits}


@pytest.mark.rule("A9")
@each(CELLULAR)
def test_the_card_of_another_sim_stops_a_unit_before_any_write(row: Platform, tmp_path: Path) -> None:
    with line_bench(tmp_path, plain(row, label=True)) as bench:
        card = "89014103211118510720"
        walk = scanned(bench, spec_of(row), card, card)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "wrong_label")
        assert (bench.flash_writes, bench.cloud_writes) == (0, 0)


@pytest.mark.rule("A10")
@each(CELLULAR)
def test_a_unit_with_another_sim_is_the_same_unit(row: Platform, tmp_path: Path) -> None:
    with line_bench(tmp_path, plain(row)) as bench:
        spec, other = spec_of(row), spec_of(row, 2).iccid
        assert bench.walk(bench.unit(spec=spec)).verdict is Verdict.PASS
        swapped = bench.walk(bench.unit(spec=replace(spec, iccid=other)))
        assert swapped.verdict is Verdict.PASS, swapped.finished
        assert {("imei", str(spec.imei)), ("iccid", str(other))} <= facts(swapped)
        with bench.reader() as journal:
            known = journal.known_facts(str(spec.device_id))
        assert (known["imei"], known["iccid"]) == (str(spec.imei), str(other))


EARLY = [row for row in CELLULAR if not row.has_serial_numbers]
"""Electrons: some have the sticker of their modem in place of one of their own."""


@pytest.mark.rule("A11")
@pytest.mark.parametrize("device_os", ["0.5.5", "1.4.4", "3.3.1"])
@each(EARLY)
def test_a_label_of_fifteen_digits_is_the_imei_and_tells_whose_it_is(
    row: Platform, device_os: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, plain(row, label=True)) as bench:
        spec = spec_of(row, 1, device_os, serial=None)
        walk = scanned(bench, spec, str(spec.imei))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert "serial" not in {name for name, _ in facts(walk)}
        with bench.reader() as journal:
            found = journal.find(str(spec.imei))
        assert [one.device_id for one in found] == [str(spec.device_id)]


@pytest.mark.rule("A11")
@each(EARLY)
def test_the_imei_of_another_modem_is_another_units_label(row: Platform, tmp_path: Path) -> None:
    with line_bench(tmp_path, plain(row, label=True)) as bench:
        other = "490154203237518"
        walk = scanned(bench, spec_of(row, serial=None), other, other)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "wrong_label")
        assert f"imei {other}" in walk.finished.reason
        assert (bench.flash_writes, bench.cloud_writes) == (0, 0)


@pytest.mark.rule("A12")
@each(CELLULAR)
def test_a_barred_modem_with_an_active_sim_is_no_matter_of_its_sim(row: Platform, tmp_path: Path) -> None:
    with line_bench(tmp_path, plain(row, online=True)) as bench:
        spec = spec_of(row)
        bench.world.barred.add(str(spec.imei))
        for sim in (spec.iccid, spec_of(row, 2).iccid):
            walk = bench.walk(bench.unit(spec=replace(spec, iccid=sim)))
            assert (walk.verdict, walk.finished.failed_step) == (Verdict.ERROR, "online"), walk.finished
            assert walk.finished.sentence == "not_online_sim_active"
            for said in (f"SIM {sim} is active", "another SIM does not help", str(spec.imei)):
                assert said in walk.finished.reason


# --- MAC addresses ----------------------------------------------------------------------------------


@pytest.mark.rule("A13")
@each(EVERY)
def test_a_mac_address_is_missed_where_there_is_wifi_and_a_request_tells_it_and_nowhere_else(
    row: Platform, tmp_path: Path
) -> None:
    is_told = row.has_mac and row.knows_request(RequestType.GET_INTERFACE, OsVersion.parse(newest(row)))
    with line_bench(tmp_path, plain(row)) as bench:
        with_one = bench.walk(bench.unit(spec=spec_of(row, 1)))
        assert with_one.verdict is Verdict.PASS, with_one.finished
        assert ("mac" in {name for name, _ in facts(with_one)}) is row.has_mac
        without = bench.walk(bench.unit(spec=spec_of(row, 2, mac=None)))
        assert without.verdict is (Verdict.FAIL if is_told else Verdict.PASS), without.finished
        assert without.finished.sentence == ("identity_missing" if is_told else "pass")


def _has_ethernet(row: Platform) -> bool:
    """Return whether a wing with a chip of its own may sit on it: its address then is nobody's (usb-and-serial 1.3)."""
    return family_of(row.id).ethernet_mac is not None and not row.is_named_by_mac


@pytest.mark.rule("A14")
@each(EVERY, _has_ethernet)
def test_two_units_with_wings_of_one_mac_address_are_two_units(row: Platform, tmp_path: Path) -> None:
    wing_of = family_of(row.id).ethernet_mac
    assert wing_of is not None
    with line_bench(tmp_path, plain(row), slots=2) as bench:
        one, two = (spec_of(row, number, has_ethernet=True) for number in (1, 2))
        ids = [str(spec.device_id) for spec in (one, two)]
        two = replace(two, device_id=DeviceId.parse(ids[1][:12] + ids[0][12:]))
        wing = wing_of(str(one.device_id), one.mac)
        assert wing_of(str(two.device_id), two.mac) == wing
        for spec in (one, two):
            unit = bench.unit(spec=spec)
            first, *others = unit.memory.dct.get("feature_flags")
            looks_for_it = bytes([first & ~FEATURE_ETHERNET, *others])
            unit.memory.dct.set("feature_flags", looks_for_it, Who.FACTORY)
            walk = bench.walk(unit)
            assert walk.verdict is Verdict.PASS, walk.finished
            assert not any(MacAddress.parse(value) == wing for name, value in facts(walk) if name == "mac")


# --- the owner in an old unit's memory --------------------------------------------------------------


@pytest.mark.rule("B4")
@pytest.mark.parametrize("is_told", [True, False])
@each(EVERY, lambda row: row.family == "stm32" and row.has_wifi)
def test_what_a_unit_says_of_its_owner_changes_nothing(row: Platform, is_told: bool, tmp_path: Path) -> None:
    with line_bench(tmp_path, plain(row, claim=True)) as bench:
        nobodys, foreign = (spec_of(row, number, claimed=is_told) for number in (1, 2))
        walk = bench.walk(bench.unit(spec=nobodys))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert (bench.cloud.device(nobodys.device_id) or {})["owner"] == ME
        unit = bench.unit(spec=foreign)
        bench.cloud.edit_device(foreign.device_id, owner="somebody@example.org", product_id=PRODUCTS[row.slug])
        assert bench.walk(unit).finished.sentence == "owner_other"


# --- which unit, which mode -------------------------------------------------------------------------


@pytest.mark.rule("H2")
@each(EVERY)
def test_a_unit_that_takes_anothers_place_in_the_middle_is_noticed(row: Platform, tmp_path: Path) -> None:
    with line_bench(tmp_path, plain(row)) as bench:
        first, second = (bench.unit(spec=spec_of(row, number)) for number in (1, 2))
        bench.plug(first)
        bench.wait_for(StepFinished, step="identify")
        bench.unplug()
        bench.plug(second)
        ended = bench.wait_finished()
        assert (ended.device_id, ended.verdict) == (first.device_id, Verdict.ABORTED)
        own = bench.wait_finished(since=bench.place_of(ended) + 1)
        assert (own.device_id, own.verdict) == (second.device_id, Verdict.PASS), own


def _old_serial(row: Platform) -> SerialNumber | None:
    """Return a serial number of a SKU that may run Device OS 3 (D9)."""
    made = make_spec(row.slug, 7, 1, "3.1.0").serial
    old = next(
        (one for one in SKU_ROWS if one.platform_id == row.id and not minimum_for_serial(one.serial_prefix)), None
    )
    return SerialNumber.parse(old.serial_prefix + str(made)[4:]) if old else made


@pytest.mark.rule("H11")
@each(EVERY, lambda row: row.setup_done_before is not None and {"3.1.0", "3.3.1"} <= {*synthetic.versions(row.id)})
def test_what_a_button_held_too_long_wiped_is_set_again(row: Platform, tmp_path: Path) -> None:
    """The operator holds MODE until the unit has forgotten its networks and that it was set up, then does it right."""
    recipe = Recipe(row.slug, device_os="3.3.1")
    networks = (StoredNetwork(SSID, Secret(PASSWORD)),) if recipe.has_wifi else ()
    with line_bench(tmp_path, recipe) as bench:
        bench.open_port = UsualRates.opener(bench.bus)
        spec = spec_of(row, 1, "3.1.0", networks=networks, serial=_old_serial(row))
        unit = bench.unit(spec=spec, faults=("at=request:50,do=stall,times=4",))
        bench.plug(unit)
        bench.wait_for(HandsNeeded, sentence="dfu_by_hand")
        unit.hold_mode_button(13.0)
        bench.sleep(14.0)
        assert not unit.memory.dct.is_setup_done
        unit.press_mode_button()
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.PASS, finished
        outcomes = bench.told(finished).outcomes
        assert outcomes["setup_done"] == "done"
        assert outcomes.get("wifi") == ("done" if recipe.has_wifi else None)
        assert unit.memory.dct.is_setup_done


# --- a SIM that is missing --------------------------------------------------------------------------


@pytest.mark.rule("H12")
@pytest.mark.parametrize("device_os", ["0.6.4", "1.4.4", "3.3.1"])
@pytest.mark.parametrize("is_unasked", [True, False])
@each(EVERY, lambda row: row.capabilities.ever(Kind.FIELD, "listening.sim"))
def test_a_unit_that_listens_unasked_is_said_to_miss_its_sim(
    row: Platform, is_unasked: bool, device_os: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, plain(row)) as bench:
        spec = spec_of(row, 1, device_os)
        unit = bench.unit(spec=replace(spec, iccid=None) if is_unasked else spec)
        bench.plug(unit)
        finished = bench.wait_finished()
        warned = {event.say.key for event in bench.told(finished).of(StepProgress)}  # type: ignore[attr-defined]
        assert ("check_sim" in warned) is is_unasked
        assert finished.verdict is (Verdict.FAIL if is_unasked else Verdict.PASS), finished
