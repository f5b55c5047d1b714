"""Batches asked for by keyboard: opened by the names a supervisor knows, or refused with a sentence and no fault."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import ARGON, BORON, ME, LineBench, Recipe, line_bench, replace
from support.spoken import ENGLISH

from drivers.platforms import Platform, platform_by_slug, platforms
from drivers.virtual import synthetic
from station.engine.commands import CloseBatch, Command, OpenBatch, RetrySlot, SignalUnit
from station.engine.events import (
    AttemptFinished,
    BatchClosed,
    BatchOpened,
    BatchSealShown,
    CommandRefused,
    HandsNeeded,
    StationFault,
)
from station.errors import BadInput
from station.firmware.examples import write_example_files
from station.journal import JournalReader
from station.model import TRIAL, SlotInfo, Verdict
from station.view.look import Look
from station.view.reduce import replay
from station.view.state import BenchState
from station.words.say import Say


def refused(bench: LineBench, command: OpenBatch) -> CommandRefused:
    mark = bench.mark()
    bench.command(command)
    told = [event for _, event in bench.events[mark:]]
    assert not [event for event in told if isinstance(event, StationFault | BatchOpened)]
    (found,) = [event for event in told if isinstance(event, CommandRefused)]
    return found


@pytest.mark.parametrize("name", ["no-such-profile", "boron", "../boron-product", "Widget-Boron"])
def test_a_profile_nobody_knows_is_named_in_the_refusal(name: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        told = refused(bench, OpenBatch("B-2", name))
        assert (told.sentence, told.values) == ("profile_unreleased", (name,))
        assert BORON.id in told.reason
        assert "boron-product" in told.reason


def test_a_batch_does_not_go_on_with_another_text_of_its_profile(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        with pytest.raises(BadInput, match=f"batch {BORON.batch} was opened with .* not with this text"):
            bench.restart(replace(BORON, label=True))
        bench.restart(BORON)


def test_a_batch_of_a_trial_goes_on_as_that_of_a_release_once_there_is_one(tmp_path: Path) -> None:
    held = [TRIAL]
    with line_bench(tmp_path, BORON) as bench:
        bench.settings["gate"] = lambda _journal, _clock: lambda _profile: held[-1]
        recipe = replace(BORON, revision=BORON.revision + 1)
        bench.restart(recipe)
        held.append("0417")
        bench.restart(recipe)
        with bench.reader() as journal:
            known = journal.batch(recipe.batch)
    assert known is not None
    assert known.batch.release == "0417"


def test_a_closed_batch_is_not_opened_again(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.command(CloseBatch(BORON.batch))
        told = refused(bench, OpenBatch(BORON.batch, BORON.id))
        assert (told.sentence, told.values) == ("batch_ended", (BORON.batch,))


def test_a_closed_batch_shows_the_fingerprint_of_the_key_that_sealed_it(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        mark = bench.mark()
        bench.command(CloseBatch(BORON.batch))
        told = [event for _, event in bench.events[mark:] if isinstance(event, BatchClosed | BatchSealShown)]
        assert [type(event) for event in told] == [BatchClosed, BatchSealShown]
        with JournalReader(bench.journal_dir) as journal:
            (seal,) = journal.verify().sealed
        assert isinstance(told[1], BatchSealShown)
        assert (told[1].batch, told[1].key) == (seal.batch, seal.fingerprint)


def test_a_second_batch_for_the_same_platform_is_refused_with_the_name_of_the_first(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, ARGON) as bench:
        told = refused(bench, OpenBatch("B-2", BORON.id))
        assert told.sentence == ""
        assert f"open batch {BORON.batch}" in told.reason


def test_a_shipped_profile_may_be_called_by_its_name(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        write_example_files(bench.firmware_dir)
        bench.cloud.create_product(12345, 13, slug="widget", name="Widget", team=[ME])
        bench.command(CloseBatch(BORON.batch))
        mark = bench.mark()
        bench.command(OpenBatch("B-2", "boron-product", 5))
        opened = bench.wait_for(BatchOpened, since=mark, within=1.0)
        assert isinstance(opened, BatchOpened)
        assert (opened.batch.id, opened.batch.profile.id, opened.batch.target) == ("B-2", "widget-boron", 5)


def test_a_shipped_profile_whose_files_are_missing_is_refused_with_their_names(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        told = refused(bench, OpenBatch("B-2", "boron-product"))
        assert "synthetic-boron" in told.reason


def judged(bench: LineBench) -> list[Verdict]:
    return [event.verdict for _, event in bench.events if isinstance(event, AttemptFinished)]


def between_batches(bench: LineBench) -> None:
    """Close the only batch, then plug in a good unit, which waits."""
    bench.command(CloseBatch(BORON.batch))
    assert bench.unwanted(bench.finished_unit(BORON)).sentence == "no_batch"


def test_a_unit_plugged_in_between_two_batches_waits_and_is_walked_in_the_next_one(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        between_batches(bench)
        assert judged(bench) == []
        with bench.reader() as journal:
            assert journal.attempts(BORON.batch) == (), "nothing was asked of it, so nothing is on record"
        bench.command(OpenBatch("B-2", BORON.id))
        finished = bench.wait_finished()
        assert (finished.verdict, finished.batch) == (Verdict.PASS, "B-2")
        assert len([event for _, event in bench.events if isinstance(event, HandsNeeded)]) == 1


def test_a_unit_that_waited_for_a_batch_and_left_is_nobody_when_one_is_opened(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        between_batches(bench)
        bench.unplug()
        bench.sleep(2.0)
        bench.command(OpenBatch("B-2", BORON.id))
        bench.sleep(30.0)
        assert judged(bench) == []
        assert bench.walk(bench.finished_unit(BORON, 2)).verdict is Verdict.PASS


def test_a_unit_without_a_batch_is_retried_to_the_same_wait_and_signalled_never(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        between_batches(bench)
        bench.command(RetrySlot(1))
        bench.command(SignalUnit(1, on=True))
        refused = bench.wait_for(CommandRefused, slot=1, within=5.0)
        assert isinstance(refused, CommandRefused)
        assert "no batch for Boron is open" in refused.reason
        assert judged(bench) == []
        bench.command(OpenBatch("B-2", BORON.id))
        assert bench.wait_finished().verdict is Verdict.PASS


def test_a_verdict_outlasts_the_end_of_its_batch_and_a_new_one(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.plug(bench.finished_unit(BORON))
        bench.wait_finished()
        bench.command(CloseBatch(BORON.batch))
        bench.command(OpenBatch("B-2", BORON.id))
        bench.sleep(60.0)
        assert judged(bench) == [Verdict.PASS]


def test_a_unit_whose_batch_was_closed_beside_another_waits_for_the_next_one_of_its_own(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, ARGON, slots=2) as bench:
        bench.command(CloseBatch(BORON.batch))
        asked = bench.unwanted(bench.finished_unit(BORON))
        assert (asked.sentence, asked.values) == ("wrong_platform", ("Boron", "Argon"))
        assert bench.walk(bench.finished_unit(ARGON, 2), 2).verdict is Verdict.PASS
        assert judged(bench) == [Verdict.PASS]
        bench.command(OpenBatch("B-2", BORON.id))
        assert bench.wait_finished(1).verdict is Verdict.PASS


def test_a_waiting_unit_says_of_the_batches_that_are_open_now_and_goes_on_in_its_own(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, ARGON, Recipe("bsom")) as bench:
        told: list[HandsNeeded] = []

        def says(command: Command) -> tuple[str, tuple[str, ...]]:
            bench.command(command)
            asked = bench.wait_for(HandsNeeded, since=bench.place_of(told[-1]) + 1, within=5.0)
            assert isinstance(asked, HandsNeeded)
            told.append(asked)
            return asked.sentence, asked.values

        bench.command(CloseBatch(BORON.batch))
        told.append(bench.unwanted(bench.finished_unit(BORON)))
        assert told[0].say == Say("no_profile", found="Boron")
        assert says(CloseBatch(ARGON.batch)) == ("wrong_platform", ("Boron", "B-SoM"))
        assert says(CloseBatch(Recipe("bsom").batch)) == ("no_batch", ())
        assert says(OpenBatch("A-2", ARGON.id)) == ("wrong_platform", ("Boron", "Argon"))
        bench.command(OpenBatch("B-2", BORON.id))
        assert bench.wait_finished().verdict is Verdict.PASS
        bench.command(CloseBatch("A-2"))
        bench.sleep(60.0)
        assert judged(bench) == [Verdict.PASS]


def test_a_unit_that_had_its_verdict_keeps_it_on_the_screen_when_it_is_retried_without_a_batch(tmp_path: Path) -> None:
    """The figure stands in the header; when the batch is there, the retry is made."""
    with line_bench(tmp_path, BORON) as bench:
        bench.plug(bench.finished_unit(BORON))
        bench.wait_finished()
        bench.command(CloseBatch(BORON.batch))
        bench.command(RetrySlot(1))
        bench.wait_for(HandsNeeded, sentence="no_batch", within=5.0)
        state = replay(BenchState.of([SlotInfo(1, "1-1")], ENGLISH), [event for _, event in bench.events])
        assert (state.slots[0].look, state.notice) == (Look.PASS, "No batch is open. Call supervisor.")
        mark = bench.mark()
        bench.command(OpenBatch("B-2", BORON.id))
        assert bench.wait_finished(since=mark).verdict is Verdict.PASS


def test_a_label_of_the_unit_before_is_not_taken_for_that_of_one_that_waits_for_a_batch(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        bench.walk(unit)
        bench.unwanted(bench.unit("argon", 2))
        (runner,) = bench.station.line.runners
        assert runner.names == frozenset()


@pytest.mark.parametrize("row", platforms(), ids=lambda row: row.slug)
def test_a_unit_of_any_platform_waits_for_its_batch_and_passes_in_it(row: Platform, tmp_path: Path) -> None:
    recipe = Recipe(row.slug, device_os=synthetic.usual_version(row.id, "6.3.4"))
    other = ARGON if row.slug == "boron" else BORON
    with line_bench(tmp_path, recipe, other) as bench:
        bench.command(CloseBatch(recipe.batch))
        asked = bench.unwanted(bench.finished_unit(recipe))
        assert (asked.sentence, asked.values) == ("wrong_platform", (row.name, platform_by_slug(other.platform).name))
        bench.command(OpenBatch("late", recipe.id))
        finished = bench.wait_finished()
        assert (finished.verdict, finished.batch) == (Verdict.PASS, "late"), finished.reason
