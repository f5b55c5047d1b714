"""Stories of hands and scanner in every test run; ``make simulate ARGS=--bench SEEDS=3000`` plays thousands."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BORON, line_bench, replace

from drivers.platforms import platforms
from drivers.virtual.flash import Who
from station.engine.commands import Scan
from station.engine.events import HandsNeeded
from station.model import Verdict

from .__main__ import replay_of
from .bench_play import run_bench
from .bench_story import ACTS, MOMENTS, SCANS, BenchStory, draw_bench
from .witness import Witness

STORIES = 240
AT_ONCE = 12
FOUND = (420,)
"""Seeds beyond those that once found something: a unit that was taken for the one restarted on its port."""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.rule("A5", "H2")
@pytest.mark.parametrize("first", range(1, STORIES, AT_ONCE))
def test_whatever_hands_and_scanner_do_no_good_unit_fails_and_each_ends_pass(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        figures = run_bench(draw_bench(seed))
        assert not figures.violation, f"{figures.violation}\n{replay_of(seed, 'bench')}"


@pytest.mark.rule("H2")
@pytest.mark.parametrize("seed", FOUND)
def test_what_a_story_once_found_stays_mended(seed: int) -> None:
    assert not run_bench(draw_bench(seed)).violation


def test_a_printed_bench_story_reads_back_as_it_was() -> None:
    for seed in range(50):
        story = draw_bench(seed)
        assert BenchStory.from_json(story.to_json()) == story
        assert draw_bench(seed) == story


def test_every_move_moment_scan_and_platform_is_drawn_and_most_walks_are_short() -> None:
    stories = [draw_bench(seed) for seed in range(1000)]
    moves = [move for story in stories for move in story.moves]
    assert {move.act for move in moves} == {"plug", *ACTS}
    assert {move.moment for move in moves} == set(MOMENTS)
    assert {move.text for move in moves} == {"", *SCANS}
    assert {story.lot.platform for story in stories} == {row.slug for row in platforms()}
    assert any(move.typed for move in moves)
    assert any(move.again for move in moves)
    bad = sum(story.is_bad(part.number) for story in stories for part in story.parts)
    assert len(stories) // 10 < bad < len(stories)
    assert sum(story.lot.keeps for story in stories) > len(stories) * 0.8


def test_the_witness_doubts_what_is_written_to_a_unit_whose_label_nobody_showed(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        witness, unit = Witness(bench, labels=True), bench.unit()
        witness.watch(unit)
        witness.scanned(unit)  # before its attempt, whoever that was for
        bench.sleep(1.0)
        witness.plugged(unit, 1)
        bench.walk(unit)
        assert {doubt.split()[0] for doubt in witness.doubts} >= {"dfu", "POST", "PUT"}


def test_the_witness_doubts_nothing_after_the_label_was_shown(tmp_path: Path) -> None:
    recipe = replace(BORON, label=True)
    with line_bench(tmp_path, recipe) as bench:
        witness, unit = Witness(bench, labels=True), bench.unit()
        witness.watch(unit)
        witness.plugged(unit, 1)

        def show() -> None:
            bench.wait_for(HandsNeeded, sentence="scan_label")
            witness.scanned(unit)
            bench.command(Scan(unit.label))

        assert bench.walk(unit, during=show).verdict is Verdict.PASS
        assert witness.doubts == []


def test_the_witness_doubts_what_is_written_to_a_unit_nobody_identified(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        witness, unit = Witness(bench, labels=False), bench.unit()
        witness.watch(unit)
        unit.memory.internal.erase_page(0x30000, Who.DFU)
        bench.traffic.story.clear()  # what no journal announced
        assert len(witness.doubts) == 1
        assert "not identified" in witness.doubts[0]
