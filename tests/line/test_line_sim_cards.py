"""Plastic SIM cards in Electrons: each is imported by its own number, once, and the card scanned is the one in it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from line_bench import BORON, ME, PRODUCTS, LineBench, Walk, line_bench, replace
from support.sim_cards import ELECTRON, SCANNED, SIMS, electron, sim_of, switch_off, switch_on

from drivers.identity import Iccid
from drivers.virtual.unit import VirtualUnit
from station.cloud.virtual import Quirks
from station.cloud.virtual.faults import Fault, FaultKind
from station.cloud.virtual.sims import SimClass
from station.engine.commands import Scan
from station.engine.events import HandsNeeded, ScanRead, VerdictRevised
from station.engine.records import UnitFacts
from station.errors import BadInput
from station.model import IdentityFact, Outcome, Verdict
from station.settings.sku import SKU_ROWS, SimForm, sim_form

CARDS = [row for row in SKU_ROWS if row.sim_form is SimForm.CARD]
OTHER_CARD = Iccid.parse("89014103211118510720")


def passed(walk: Walk) -> Walk:
    assert walk.verdict is Verdict.PASS, walk.finished
    return walk


@pytest.mark.rule("G2")
@pytest.mark.parametrize("model", [*(row.serial_prefix for row in CARDS), ""])
def test_a_card_is_imported_once_by_the_number_that_the_modem_reads(model: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, ELECTRON) as bench:
        unit = electron(bench, model=model)
        walk = passed(bench.walk(unit))
        assert walk.outcomes["sim"] == "done"
        imports = [one for one in bench.cloud.requests() if one.route == SIMS]
        assert [one.body for one in imports] == [{"sims": [str(sim_of(unit))]}]
        assert bench.cloud.sim_status(sim_of(unit)) == "active"
        assert bench.walk(unit).outcomes["sim"] == "already"
        assert bench.cloud.writes[SIMS] == 1


@pytest.mark.rule("G1")
@pytest.mark.parametrize("model", ["E31K", "P029", "E40T", "P036"])
def test_an_electron_with_a_soldered_sim_is_only_looked_at(model: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, ELECTRON) as bench:
        spec = electron(bench, model=model).spec
        bench.cloud.edit_device(spec.device_id, iccid=str(spec.iccid))
        bench.cloud.edit_sim(sim_of(bench.units[0]), is_plastic=0)
        passed(bench.walk(bench.units[0]))
        assert SIMS not in bench.cloud.writes


def test_a_unit_without_a_number_has_a_card_where_some_of_its_platform_have() -> None:
    assert sim_form("", 10) is sim_form("X99KAB123456789", 10) is SimForm.CARD
    assert sim_form("", 13) is sim_form("", 15) is sim_form("E31KAB123456789", 10) is SimForm.BUILT_IN


@pytest.mark.rule("G3")
def test_unit_and_card_are_paired_by_what_the_modem_reads(tmp_path: Path) -> None:
    with line_bench(tmp_path, ELECTRON) as bench:
        units = [electron(bench, number) for number in (1, 2)]
        for unit in units:
            passed(bench.walk(unit))
        with bench.reader() as journal:
            for unit in units:
                assert [one.device_id for one in journal.find(str(sim_of(unit)))] == [unit.device_id]


def test_cards_imported_before_the_shift_are_only_looked_at(tmp_path: Path) -> None:
    with line_bench(tmp_path, ELECTRON) as bench:
        unit = electron(bench)
        bench.cloud.edit_sim(sim_of(unit), product_id=PRODUCTS["electron"], status="active")
        assert passed(bench.walk(unit)).outcomes["sim"] == "already"
        assert SIMS not in bench.cloud.writes


@pytest.mark.rule("A10")
def test_a_card_that_is_swapped_between_two_walks_is_imported_for_the_same_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path, ELECTRON) as bench:
        unit = electron(bench)
        passed(bench.walk(unit))
        bench.cloud.register_sim(OTHER_CARD)
        walk = passed(bench.walk(bench.unit(spec=replace(unit.spec, iccid=OTHER_CARD), is_known=False)))
        assert walk.outcomes["sim"] == "done"
        assert [one.body["sims"] for one in bench.cloud.requests() if one.route == SIMS] == [
            [str(sim_of(unit))], [str(OTHER_CARD)],
        ]  # fmt: skip
        with bench.reader() as journal:
            assert journal.known_facts(unit.device_id)["iccid"] == str(OTHER_CARD)
            assert {one.device_id for one in journal.find(str(sim_of(unit)))} == {unit.device_id}


@pytest.mark.rule("G10")
@pytest.mark.parametrize("recipe", [ELECTRON, BORON], ids=["card", "soldered"])
def test_a_sim_in_the_sandbox_of_the_team_moves_into_the_product_without_a_release(
    recipe: object, tmp_path: Path
) -> None:
    with line_bench(tmp_path, recipe) as bench:  # type: ignore[arg-type]
        unit = electron(bench) if recipe is ELECTRON else bench.finished_unit(BORON)
        bench.cloud.edit_sim(sim_of(unit), username=ME, status="active", activations=1)
        passed(bench.walk(unit))
        assert not [one for one in bench.cloud.requests() if one.method == "DELETE"]


@pytest.mark.rule("N2")
@pytest.mark.parametrize("lost", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER])
def test_an_import_of_a_card_whose_answer_got_lost_is_decided_by_a_look(lost: FaultKind, tmp_path: Path) -> None:
    with line_bench(tmp_path, ELECTRON) as bench:
        bench.cloud.order(Fault(lost, SIMS))
        passed(bench.walk(electron(bench)))
        assert bench.cloud.effects[SIMS] == 1


@pytest.mark.rule("G7")
def test_a_card_that_takes_its_time_frees_the_slot_and_turns_green_later(tmp_path: Path) -> None:
    with line_bench(tmp_path, ELECTRON) as bench:
        unit = electron(bench)
        bench.cloud.order_sim(sim_of(unit), polls=22)
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.PENDING, "sim_pending")
        assert walk.steps["sim"].seconds == pytest.approx(300, abs=20)
        bench.wait_for(VerdictRevised, attempt=walk.finished.attempt, within=4 * 3600, verdict=Verdict.PASS)
        assert bench.cloud.writes[SIMS] == 1


@pytest.mark.rule("G6")
@pytest.mark.parametrize(("model", "budget_s"), [("P035", 120), ("E35K", 300)])
def test_a_slot_waits_for_a_card_as_long_as_its_class_takes(model: str, budget_s: float, tmp_path: Path) -> None:
    with line_bench(tmp_path, ELECTRON) as bench:
        unit = electron(bench, model=model)
        bench.cloud.order_sim(sim_of(unit), polls=10**6)
        assert bench.walk(unit).steps["sim"].seconds == pytest.approx(budget_s, abs=35)


@pytest.mark.rule("G9")
@pytest.mark.parametrize(
    "told",
    [{"activations": 1, "deactivations": 1}, {"activations": 1}, {"first_activated_on": "2026-01-01T00:00:00+00:00"}],
    ids=["switched off once", "activated once", "active once"],
)
def test_a_sim_that_was_active_before_gets_the_longer_budget(told: dict[str, object], tmp_path: Path) -> None:
    with line_bench(tmp_path, ELECTRON) as bench:
        unit = electron(bench, model="P035")
        bench.cloud.edit_sim(sim_of(unit), **told)
        bench.cloud.order_sim(sim_of(unit), polls=10**6)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PENDING
        assert walk.steps["sim"].seconds == pytest.approx(600, abs=35)


@pytest.mark.rule("G8")
@pytest.mark.parametrize("sim_class", SimClass)
def test_a_sim_of_every_class_that_is_switched_on_again_is_waited_for(sim_class: SimClass, tmp_path: Path) -> None:
    """And to take it back would cost the line hours: nobody does."""
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        bench.cloud.edit_sim(sim_of(unit), speed=sim_class.word)
        switch_off(bench, unit)
        switch_on(bench, unit)
        walk = bench.walk(unit)
        if walk.verdict is Verdict.PENDING:
            assert sim_class is SimClass.SOMETIMES_SLOW
            bench.wait_for(VerdictRevised, attempt=walk.finished.attempt, within=4 * 3600, verdict=Verdict.PASS)
        else:
            passed(walk)


@pytest.mark.rule("G2")
def test_an_import_that_takes_its_time_in_the_background_is_waited_for_and_not_sent_again(tmp_path: Path) -> None:
    with line_bench(tmp_path, ELECTRON) as bench:
        bench.cloud.quirks = Quirks(sim_import_s=150.0)
        walk = passed(bench.walk(electron(bench)))
        assert walk.steps["sim"].seconds == pytest.approx(160, abs=20)
        assert bench.cloud.writes[SIMS] == 1


def test_an_import_that_is_not_done_when_the_slot_is_freed_is_still_waited_for(tmp_path: Path) -> None:
    with line_bench(tmp_path, ELECTRON) as bench:
        bench.cloud.quirks = Quirks(sim_import_s=1800.0)
        walk = bench.walk(electron(bench))
        assert walk.verdict is Verdict.PENDING
        bench.wait_for(VerdictRevised, attempt=walk.finished.attempt, within=4 * 3600, verdict=Verdict.PASS)
        assert bench.cloud.writes[SIMS] == 1


def test_what_the_carrier_does_late_to_a_second_import_is_not_taken_for_its_first_failure(tmp_path: Path) -> None:
    with line_bench(tmp_path, ELECTRON) as bench:
        unit = electron(bench)
        bench.cloud.order_sim(sim_of(unit), failures=1)
        bench.cloud.quirks = Quirks(sim_import_s=20.0)
        passed(bench.walk(unit))
        assert bench.cloud.writes[SIMS] == 2


# --- the station away from the cloud, and many at once ----------------------------------------------


def test_cards_set_aside_while_the_cloud_was_away_are_imported_together(tmp_path: Path) -> None:
    with line_bench(tmp_path, ELECTRON) as bench:
        passed(bench.walk(electron(bench, 99)))
        bench.restart()
        bench.cloud.down_for(3000)
        walks = [bench.walk(electron(bench, number)) for number in range(1, 11)]
        assert {walk.verdict for walk in walks} == {Verdict.PENDING}
        for walk in walks:
            bench.wait_for(VerdictRevised, attempt=walk.finished.attempt, within=7200, verdict=Verdict.PASS)
        bodies = [one.body["sims"] for one in bench.cloud.requests() if one.route == SIMS]
        sizes = [len(body) for body in bodies if isinstance(body, list)]
        assert (sizes[0], sum(sizes[1:])) == (1, 10)
        assert max(sizes) >= 5, "those that became due together"


def test_a_card_whose_import_is_in_vain_is_asked_for_once_whoever_asks_how_often(tmp_path: Path) -> None:
    with line_bench(tmp_path, ELECTRON) as bench:
        passed(bench.walk(electron(bench, 99)))
        bench.restart()
        bench.cloud.down_for(600)
        walk = bench.walk(electron(bench, 1, is_card_known=False))
        assert "sim" in walk.with_outcome(Outcome.DEFERRED)
        bench.sleep(6 * 3600.0)
        assert bench.cloud.writes[SIMS] == 2, "one for each unit"


# --- the scan of the card ---------------------------------------------------------------------------


def scanned(bench: LineBench, unit: VirtualUnit, *texts: str) -> Walk:
    since = bench.mark()
    bench.plug(unit)
    bench.wait_for(HandsNeeded, since=since, sentence="scan_card")
    for text in texts:
        bench.sleep(5.0)
        bench.command(Scan(text))
    finished = bench.wait_finished(since=since)
    bench.unplug()
    bench.sleep(2.0)
    return bench.told(finished)


@pytest.mark.rule("A9")
@pytest.mark.parametrize("filler", ["", "F", " "])
def test_the_card_of_the_sim_in_the_unit_is_taken(filler: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, SCANNED) as bench:
        unit = electron(bench)
        walk = passed(scanned(bench, unit, f"{sim_of(unit)}{filler}"))
        told = [fact for event in walk.events if isinstance(event, UnitFacts) for fact in event.facts]
        assert IdentityFact("iccid", str(sim_of(unit)), "card") in told


@pytest.mark.rule("A9")
def test_the_same_other_card_twice_stops_the_unit_before_any_write(tmp_path: Path) -> None:
    with line_bench(tmp_path, SCANNED) as bench:
        unit = electron(bench)
        walk = scanned(bench, unit, str(OTHER_CARD), str(OTHER_CARD))
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "wrong_card")
        for number in (OTHER_CARD, sim_of(unit)):
            assert str(number) in walk.finished.reason
        assert (bench.flash_writes, bench.cloud_writes) == (0, 0)


@pytest.mark.rule("A9")
def test_another_card_once_and_things_that_are_no_card_are_asked_for_again(tmp_path: Path) -> None:
    with line_bench(tmp_path, SCANNED) as bench:
        unit = electron(bench)
        walk = passed(scanned(bench, unit, str(OTHER_CARD), unit.label, str(unit.spec.imei), str(sim_of(unit))))
        read = [event for event in walk.of(ScanRead) if isinstance(event, ScanRead)]
        assert [(event.sentence, event.accepted) for event in read] == [
            ("card_differs", False), ("not_the_card", False), ("not_the_card", False), ("", True),
        ]  # fmt: skip


def test_the_card_of_a_unit_that_passed_is_said_to_be_that(tmp_path: Path) -> None:
    with line_bench(tmp_path, SCANNED) as bench:
        first, second = electron(bench, 1), electron(bench, 2)
        passed(scanned(bench, first, str(sim_of(first))))
        walk = passed(scanned(bench, second, str(sim_of(first)), str(sim_of(first)), str(sim_of(second))))
        read = [event.sentence for event in walk.of(ScanRead) if isinstance(event, ScanRead)]
        assert read == ["label_of_passed", "label_of_passed", ""]


def test_a_card_that_nobody_scans_judges_no_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path, SCANNED) as bench:
        bench.plug(electron(bench))
        finished = bench.wait_finished()
        assert (finished.verdict, finished.sentence) == (Verdict.ERROR, "label_not_scanned")


@pytest.mark.parametrize("model", ["E31K", "P029"])
def test_a_unit_with_a_soldered_sim_is_not_asked_for_a_card(model: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, SCANNED) as bench:
        bench.plug(electron(bench, model=model))
        bench.sleep(30.0)
        assert not [event for _, event in bench.events if isinstance(event, HandsNeeded)]


def test_the_card_scanned_as_the_label_is_not_asked_for_again(tmp_path: Path) -> None:
    with line_bench(tmp_path, replace(SCANNED, label=True)) as bench:
        unit = electron(bench)
        bench.plug(unit)
        bench.scan_when_asked(str(sim_of(unit)))
        assert bench.wait_finished().verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("recipe", "named"),
    [(BORON, "Boron"), (dataclasses.replace(ELECTRON, skus=("E310KIT",)), "E310KIT")],
    ids=["platform", "SKU"],
)
def test_a_profile_whose_units_take_no_card_asks_for_none(recipe: object, named: str) -> None:
    asking = dataclasses.replace(recipe, more="[sim]\nscan = true")  # type: ignore[type-var]
    with pytest.raises(BadInput, match=rf"\[sim\] scan.*{named}"):
        asking.profile()  # type: ignore[attr-defined]
