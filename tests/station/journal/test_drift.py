"""Drift is named before it costs many units, and chance is not: counted over simulated shifts."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.journal_story import finished, identified, opened, started, step, unit_id

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.journal import Journal
from station.journal.drift import ALPHA, LAST, RECENT, Drift, Walked, drifts, recent, tail
from station.journal.watch import EVERY, Watch
from station.model import Outcome, Verdict

SLOTS = 16


def shift(seed: int, units: int, share: float = 0.03, bad: dict[int, float] | None = None,
          slow: dict[int, float] | None = None) -> Iterator[Walked]:  # fmt: skip
    """A shift on sixteen slots: each unit fails with ``share``, or with that of its slot; times scatter by a tenth."""
    chance = random.Random(seed)
    for number in range(units):
        slot = number % SLOTS + 1
        seconds = chance.lognormvariate(0, 0.1) * 20 * (slow or {}).get(slot, 1.0)
        fails = chance.random() < (bad or {}).get(slot, share)
        yield Walked(slot, f"1-{slot}", "B1", f"{seed}-{number}", fails, {} if fails else {"device_os": seconds})


def alarms(walked: Iterator[Walked], every: int = 4) -> list[tuple[int, Drift]]:
    """What a bench names that looks after every few verdicts: at how many units, and what."""
    told: dict[tuple[str, str], tuple[int, Drift]] = {}
    seen: list[Walked] = []
    for one in walked:
        seen.append(one)
        if len(seen) % every == 0:
            for drift in drifts(seen[-RECENT:]):
                told.setdefault((drift.where, drift.step), (len(seen), drift))
    return list(told.values())


@pytest.mark.parametrize("share", [0.0, 0.01, 0.03, 0.10])
def test_a_healthy_bench_is_named_in_at_most_one_of_thirty_shifts(share: float) -> None:
    """480 units a shift, whatever their usual share of failures; a few of the first units say nothing."""
    shifts = 30
    wrong = [seed for seed in range(shifts) if alarms(shift(seed, 480, share), every=16)]
    assert len(wrong) <= 1


def test_a_bad_slot_is_named_before_a_dozen_of_its_units_failed() -> None:
    for seed in range(6):
        (number, drift), *others = alarms(shift(seed, 960, bad={5: 0.5}))
        assert (drift.where, drift.step) == ("slot 5 (port 1-5)", "")
        assert round(drift.value * drift.units) < 12
        assert number < 600
        assert [other.where for _, other in others if other.where != drift.where] == []


def test_a_slow_cable_is_named_by_its_step() -> None:
    ((number, drift),) = alarms(shift(1, 640, slow={9: 1.6}))
    assert (drift.where, drift.step) == ("slot 9 (port 1-9)", "device_os")
    assert 1.4 < drift.value / drift.usual < 1.8
    assert number <= 10 * SLOTS
    assert str(drift).startswith("slot 9 (port 1-9): device_os takes 3")


def test_a_bad_batch_is_named_beside_the_one_before() -> None:
    before = list(shift(1, 200))
    bad = (Walked(one.slot, one.port, "B2", f"b{one.unit}", one.is_bad, one.seconds) for one in shift(2, 64, 0.4))
    assert ("batch B2", "") in {(drift.where, drift.step) for drift in drifts([*before, *bad])}


def test_one_bad_unit_tried_again_and_again_is_one_bad_unit() -> None:
    walked = [*shift(3, 300, 0.0), *(Walked(2, "1-2", "B1", "the same", True, {}) for _ in range(20))]
    assert drifts(walked) == ()


def test_small_counts_say_nothing() -> None:
    def bench(bad: int, others: int) -> tuple[Drift, ...]:
        good = [Walked(2, "", "B", f"good-{number}", False, {}) for number in range(others)]
        return drifts([*good, *(Walked(1, "", "B", f"bad-{number}", True, {}) for number in range(bad))])

    assert bench(bad=2, others=400) == ()
    assert bench(bad=10, others=29) == ()
    assert [drift.where for drift in (*bench(bad=3, others=400), *bench(bad=10, others=30))] == ["slot 1", "slot 1"]
    assert drifts(()) == ()
    assert tail(0, LAST, 0.1) == pytest.approx(1.0)
    assert tail(3, 3, 0.1) == pytest.approx(0.001)
    assert ALPHA < 0.0014


def test_a_slow_step_that_nobody_would_notice_is_not_named() -> None:
    """A step of a tenth of a second that takes twice as long is out of its limits, and of no interest."""
    walked = [
        Walked(one.slot, one.port, one.batch, one.unit, False, {"x": 0.1 * (2 if one.slot == 3 else 1) + number * 1e-6})
        for number, one in enumerate(shift(4, 320, 0.0))
    ]
    assert drifts(walked) == ()


def test_of_two_slots_the_slow_one_is_measured_by_the_other() -> None:
    walked = [
        Walked(slot, f"1-{slot}", "B1", f"{slot}-{number}", False, {"device_os": 20.0 * slot + number * 0.01})
        for number in range(40)
        for slot in (1, 2)
    ]
    assert [drift.where for drift in drifts(walked)] == ["slot 2 (port 1-2)"]


def test_one_slow_try_among_eight_is_not_named() -> None:
    """It is a run of eight that counts, however slow some of them are."""
    usual = [*shift(5, 320, 0.0), *(Walked(3, "1-3", "B1", f"u{n}", False, {"device_os": 20.0}) for n in range(4))]
    slow = [Walked(3, "1-3", "B1", f"s{n}", False, {"device_os": 90.0}) for n in range(8)]
    assert drifts([*usual, *slow[:7]]) == ()
    assert [drift.where for drift in drifts([*usual, *slow])] == ["slot 3 (port 1-3)"]


def test_what_the_journal_has_of_places_is_whom_it_judged_and_how_long_the_good_tries_took(data: Path) -> None:
    with Journal.open(data, "bench-1", SimulatedClock()) as journal:
        journal.record(opened())
        for number, verdict in enumerate((Verdict.PASS, Verdict.FAIL, Verdict.ABORTED, Verdict.ERROR)):
            attempt = f"a-{number}"
            journal.record(started(attempt, number), identified(attempt, number))
            journal.record(step(attempt, "wifi", Outcome.FAILED, 60.0), step(attempt, "wifi", Outcome.DONE, 2.0))
            journal.record(step(attempt, "device_os", Outcome.ALREADY, 0.1), finished(attempt, verdict, number))
        with journal.snapshot() as db:
            walked = recent(db)
    assert [(one.unit, one.is_bad) for one in walked] == [
        (unit_id(0), False), (unit_id(1), True), (unit_id(3), True),
    ]  # fmt: skip
    assert {tuple(one.seconds.items()) for one in walked} == {(("wifi", 2.0),)}


def test_the_verb_tells_it_and_a_script_reads_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened())
        for number in range(80):
            attempt, is_bad = f"a-{number}", number % 8 == 3 and number > 16
            slot = number % 8 + 1
            first = started(attempt, number, seconds=number * 30.0)
            journal.record(replace(first, slot=slot, port_path=f"1-{slot}"))
            journal.record(identified(attempt, number), step(attempt))
            journal.record(finished(attempt, Verdict.FAIL if is_bad else Verdict.PASS, number))
    data = ("--data-dir", str(tmp_path))
    assert main(("stats", "--drift", *data)) == 0
    assert "slot 4 (port 1-4): 8 of the last 10 units failed, elsewhere 0.7 %" in capsys.readouterr().out
    assert main(("stats", "--drift", "--json", *data)) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["where"] for row in rows if "where" in row] == ["slot 4 (port 1-4)"]


def test_the_bench_looks_for_drift_at_every_eighth_verdict_and_tells_it_once(data: Path) -> None:
    with Journal.open(data, "bench-1", SimulatedClock()) as journal:
        watch = Watch(journal, lambda _directory: 1 << 40)
        journal.record(opened())
        told: list[str] = []
        for number in range(80):
            attempt, slot = f"a-{number}", number % 8 + 1
            journal.record(replace(started(attempt, number), slot=slot, port_path=f"1-{slot}"))
            verdict = Verdict.FAIL if slot == 4 and number > 16 else Verdict.PASS
            journal.record(finished(attempt, verdict, number))
            told += [f"{number}: {sentence}" for sentence in watch.look()]
        assert len(told) == 1
        assert "slot 4 (port 1-4): " in told[0]
        assert int(told[0].partition(":")[0]) % EVERY == 0
