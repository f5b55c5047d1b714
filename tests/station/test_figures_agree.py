"""The figures of a batch are the same on every face and in every file, and those of the raw entries."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.counting import by_hand_since, everywhere, from_entries, run_on, without_unit
from support.demo_run import run_demo
from support.journal_story import by_hand, finished, identified, item, opened, pending, started, walked
from support.known_steps import load_profile

from drivers.clock import SimulatedClock
from station.demo import DemoOptions
from station.demo.troubles import TROUBLES, deal
from station.engine.events import Event
from station.figures import Figures
from station.journal import Journal, JournalReader
from station.model import Outcome, Verdict
from station.paths import find_profile


def check(data: Path, batch: str, capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    """Compare all that is told of ``batch`` with what its entries say, and return that."""
    true = from_entries(data, batch)
    told = everywhere(data, batch, run_on(data, capsys))
    assert all(told.values())
    assert {
        place: figures for place, figures in told.items() if figures != {name: true[name] for name in figures}
    } == {}
    return true


def in_b2(*events: Event) -> tuple[Event, ...]:
    first, *rest = events
    assert first.attempt is not None
    return (started(first.attempt, int((first.device_id or "0")[8:], 16), batch="B2"), *rest)


def scripted(directory: Path, station: str) -> None:
    """Record re-tests, rework, a unit in two batches, set aside, stopped, unsure, abandoned, never identified."""
    with Journal.open(directory / "journal", station, SimulatedClock()) as journal:
        journal.record(opened(), opened("B2", "argon-product", None))
        journal.record(*walked("good", 1), *walked("good-again", 1))
        journal.record(*walked("bad", 2, Verdict.FAIL), *walked("bad-again", 2, Verdict.FAIL), *walked("mended", 2))
        journal.record(*walked("worn", 3), *walked("broken", 3, Verdict.FAIL))
        journal.record(*pending("late", "product_add", unit=4), *pending("waits", "product_add", unit=5))
        journal.record(*pending("refused", "product_add", unit=6), *pending("dropped", "product_add", unit=7))
        journal.settle(item("late", unit=4), Outcome.DONE, "", "read back")
        journal.settle(item("refused", unit=6), Outcome.FAILED, "the cloud refuses it", "")
        journal.drop(["dropped"], "scrapped")
        journal.record(*walked("pulled", 8, Verdict.ABORTED), *walked("cable", 9, Verdict.ERROR), *walked("fine", 9))
        journal.record(*walked("failed", 10, Verdict.FAIL), *walked("unsure", 10, Verdict.ERROR))
        journal.record(*walked("other", 11, Verdict.FAIL), *in_b2(*walked("other-again", 11)))
        journal.record(*in_b2(*walked("elsewhere", 1, Verdict.ABORTED)))
        journal.record(started("nobody", None), finished("nobody", Verdict.ERROR, None))
        journal.record(started("named-late", None), identified("named-late", 12), finished("named-late", unit=12))
        journal.record(started("killed", 13))
    with Journal.open(directory / "journal", station, SimulatedClock()) as journal:  # "killed" is abandoned
        journal.record(started("running", 14), *walked("first", 15, Verdict.FAIL), started("again", 15))


def test_all_places_tell_the_figures_of_a_batch_with_every_kind_of_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scripted(tmp_path, "bench-1")
    assert check(tmp_path, "B1", capsys) == {
        "units": 15, "passed": 5, "pending": 1, "failed": 4, "aborted": 2, "error": 2, "judged": 10,
        "first_passed": 5, "retests": 4,
    }  # fmt: skip
    assert check(tmp_path, "B2", capsys) == {
        "units": 2, "passed": 1, "pending": 0, "failed": 0, "aborted": 1, "error": 0, "judged": 1,
        "first_passed": 1, "retests": 0,
    }  # fmt: skip


def test_work_by_hand_since_a_verdict_moves_no_figure_and_every_place_counts_it_beside_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only a walk moves a figure. What is handed on as good, lists and passports, leaves those units out."""
    scripted(tmp_path, "bench-1")
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()):  # nothing runs any more
        before, run = from_entries(tmp_path, "B1"), run_on(tmp_path, capsys)
    assert set(by_hand_since(tmp_path, "B1", run).values()) == {0}
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(by_hand(5), by_hand(9), by_hand(12), by_hand(2), *walked("mended-again", 2, Verdict.FAIL))
    true = from_entries(tmp_path, "B1")
    assert true == before | {
        "passed": before["passed"] - 1, "failed": before["failed"] + 1, "retests": before["retests"] + 1
    }  # fmt: skip
    told = everywhere(tmp_path, "B1", run)
    assert told.pop("devices") == {"passed": true["passed"] - 2}
    passports = told.pop("passports")
    assert (passports["passed"], passports["pending"]) == (true["passed"] - 2, true["pending"] - 1)
    assert {place: of for place, of in told.items() if of != {name: true[name] for name in of}} == {}
    beside = by_hand_since(tmp_path, "B1", run)
    assert beside == dict.fromkeys(beside, 3)


@pytest.mark.parametrize(("batch", "attempts"), [("B1", 1), ("B2", 0)])
def test_all_places_tell_the_attempts_of_no_known_unit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], batch: str, attempts: int
) -> None:
    scripted(tmp_path, "bench-1")
    told = without_unit(tmp_path, batch, run_on(tmp_path, capsys))
    assert told == dict.fromkeys(told, attempts)


def test_each_bench_counts_the_units_it_saw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    scripted(one, "bench-1")
    with Journal.open(other / "journal", "bench-2", SimulatedClock()) as journal:
        journal.record(opened(), *walked("bad", 2), *walked("pulled", 8, Verdict.FAIL))
    assert check(one, "B1", capsys)["retests"] == 4
    assert check(other, "B1", capsys) == {
        "units": 2, "passed": 1, "pending": 0, "failed": 1, "aborted": 0, "error": 0, "judged": 2,
        "first_passed": 1, "retests": 0,
    }  # fmt: skip


def test_a_batch_that_judged_no_unit_has_a_dash_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened(), *walked("a", 1, Verdict.ABORTED), *pending("b", "name", unit=2))
    assert check(tmp_path, "B1", capsys)["judged"] == 0
    run = run_on(tmp_path, capsys)
    for told in (
        run("batch", "list"),
        run("stats", "--batch", "B1"),
        run("log", "export", "--batch", "B1", "--format", "html"),
    ):
        assert "–" in told
        assert "0.0 %" not in told


@pytest.fixture(scope="module")
def shift(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """What ``station demo --units 50 --seed 3 --troubles 7`` leaves, the cloud away for its first minutes."""
    data = tmp_path_factory.mktemp("shift")
    profiles = tuple(load_profile(find_profile(name)) for name in ("boron-product", "argon-product"))
    _, tally = run_demo(
        DemoOptions(
            profiles, units=8, seed=3, data_dir=data, once=True, total=50, troubles=7, cloud_down_s=700.0
        )
    )  # fmt: skip
    return data, tally.units


def test_the_story_of_fifty_units_with_seven_kinds_of_trouble_is_told_alike(
    shift: tuple[Path, dict[str, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    data, closing = shift
    with JournalReader(data / "journal") as journal:
        batches = [record.batch.id for record in journal.batches()]
        attempts = [one for batch in batches for one in journal.attempts(batch)]
    figures = [Figures(**check(data, batch, capsys)) for batch in batches]
    total = figures[0] + figures[1]
    assert total.units >= 50
    assert total.retests > 0
    assert total.passed > 40
    assert total.failed > 0
    assert total.error > 0
    assert Verdict.ABORTED in {one.verdict for one in attempts}
    counts = (total.passed, total.pending, total.failed, total.aborted, total.error)
    assert closing == {verdict.name: count for verdict, count in zip(sorted(Verdict), counts, strict=True) if count}
    assert total.units == total.passed + total.pending + total.failed + total.aborted + total.error


def test_kinds_of_trouble_fall_on_different_units_and_on_the_same_for_the_same_seed(tmp_path: Path) -> None:
    def slug_of(number: int) -> str:
        return ("boron", "argon")[number % 2]

    for seed in range(20):
        faults = deal(len(TROUBLES), 50, seed, slug_of)
        assert faults == deal(len(TROUBLES), 50, seed, slug_of)
        assert len({fault.unit for fault in faults}) == len(faults) == len(TROUBLES)
        assert all(
            slug_of(int(one.unit)) == kind.platform for one, kind in zip(faults, TROUBLES, strict=True) if kind.platform
        )
    assert deal(7, 50, 3, slug_of) != deal(7, 50, 4, slug_of)
    assert len(deal(7, 2, 3, slug_of)) == 2
