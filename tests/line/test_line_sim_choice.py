"""Units with two SIMs, and cards that are taken out and put in: told before any write, and by whom it is mended."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BORON, DEVELOPER, PRODUCTS, Recipe, line_bench, replace
from support.sim_cards import ELECTRON, SIMS, electron, sim_of

from drivers.identity import Iccid
from drivers.platforms import Kind, Platform, platforms
from drivers.virtual.factory import make_spec
from drivers.virtual.sims import SimStore, change_card, use_holder
from drivers.virtual.synthetic import versions
from drivers.wire.control.tables import RequestType
from drivers.wire.messages.tables import SimType
from station.engine.events import UnitIdentified
from station.model import Verdict

CARD = Iccid.parse("89014103211118510720")
WITH_CHOICE = [row for row in platforms() if row.capabilities.ever(Kind.REQUEST, RequestType.GET_ACTIVE_SIM)]
every_choice = pytest.mark.parametrize("row", WITH_CHOICE, ids=lambda row: row.slug)


def plain(row: Platform, **more: object) -> Recipe:
    """A profile that writes no firmware."""
    return Recipe(row.slug, device_os=None, has_application=False, wifi=False, **more)  # type: ignore[arg-type]


@every_choice
@pytest.mark.parametrize("card", [CARD, None], ids=["a card", "no card"])
def test_a_unit_that_uses_the_sim_in_its_holder_is_told_before_any_write(
    row: Platform, card: Iccid | None, tmp_path: Path
) -> None:
    with line_bench(tmp_path, plain(row)) as bench:
        unit = bench.unit(row.slug, 1, versions(row.id)[-1], setup_done=True)
        use_holder(unit, card)
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "sim_external" if card else "sim_missing")
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)


@every_choice
def test_which_sim_a_unit_uses_is_known_of_it(row: Platform, tmp_path: Path) -> None:
    with line_bench(tmp_path, plain(row)) as bench:
        walk = bench.walk(bench.unit(row.slug, 1, versions(row.id)[-1], setup_done=True))
        assert walk.verdict is Verdict.PASS, walk.finished
        told = walk.of(UnitIdentified)[-1]
        assert isinstance(told, UnitIdentified)
        assert ("active_sim", "internal") in {(fact.name, fact.value) for fact in told.facts}


def test_a_developer_unit_with_a_sim_of_another_carrier_is_stopped_too(tmp_path: Path) -> None:
    recipe = replace(DEVELOPER, platform="boron")
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        use_holder(unit, CARD)
        assert bench.walk(unit).finished.sentence == "sim_external"


def test_a_profile_without_the_sim_step_takes_whatever_sim_its_units_use(tmp_path: Path) -> None:
    recipe = replace(BORON, more="[steps.sim]\nenabled = false")
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        use_holder(unit, CARD)
        assert bench.walk(unit).verdict is Verdict.PASS


def test_a_unit_that_arrived_in_dfu_is_told_when_it_runs(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit("boron", 1)
        use_holder(unit, CARD)
        unit.press_mode_button()
        bench.plug(unit)
        finished = bench.wait_finished()
        assert (finished.verdict, finished.sentence) == (Verdict.FAIL, "sim_external")
        assert SIMS not in bench.cloud.writes


@pytest.mark.rule("H11")
def test_the_sim_choice_is_among_what_a_button_held_too_long_resets(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        use_holder(unit, CARD)
        assert bench.walk(unit).finished.sentence == "sim_external"
        bench.plug(unit)
        bench.sleep(5.0)
        unit.hold_mode_button(13.0)
        bench.sleep(14.0)
        assert SimStore(unit.memory).active is SimType.INTERNAL
        bench.unplug()
        bench.sleep(2.0)
        assert bench.walk(unit).verdict is Verdict.PASS, "the sentence said so"


# --- cards of Electrons ------------------------------------------------------------------------------


@pytest.mark.rule("A10")
def test_a_unit_whose_card_is_taken_out_changed_and_put_back_stays_itself(tmp_path: Path) -> None:
    with line_bench(tmp_path, ELECTRON) as bench:
        unit = electron(bench)
        own = sim_of(unit)
        assert bench.walk(unit).verdict is Verdict.PASS
        change_card(unit, None)
        missing = bench.walk(unit)
        assert (missing.verdict, missing.finished.sentence) == (Verdict.FAIL, "sim_missing")
        assert missing.cloud_writes == 0
        bench.cloud.register_sim(CARD)
        change_card(unit, CARD)
        assert bench.walk(unit).verdict is Verdict.PASS
        change_card(unit, own)
        assert bench.walk(unit).verdict is Verdict.PASS
        assert bench.cloud.writes[SIMS] == 2, "the first one never left the product"
        with bench.reader() as journal:
            for number in (own, CARD):
                assert {one.device_id for one in journal.find(str(number))} == {unit.device_id}


def test_a_sim_that_reports_no_number_is_no_unit_of_another_number(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit(spec=replace(make_spec("boron", 7, 1, "6.3.4", setup_done=True), iccid=None))
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "sim_missing")
        assert bench.cloud.device(unit.spec.device_id)["product_id"] != PRODUCTS["boron"]  # type: ignore[index]


def test_a_sim_that_the_cloud_saw_last_in_another_unit_judges_nobody_and_is_on_record(tmp_path: Path) -> None:
    """A card may be moved, and the cloud shows its new unit only once that was online."""
    with line_bench(tmp_path, BORON) as bench:
        unit, other = bench.finished_unit(BORON, 1), bench.finished_unit(BORON, 2)
        assert bench.walk(unit).steps["sim"].proof.endswith(" s"), "it was never seen elsewhere"
        bench.cloud.edit_device(unit.spec.device_id, iccid=None)
        bench.cloud.edit_device(other.spec.device_id, iccid=str(unit.spec.iccid))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS
        assert walk.steps["sim"].proof.endswith(f"; the cloud saw it last in {other.device_id}")
