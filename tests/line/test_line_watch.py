"""What the bench says before it costs units: a disk that fills up, and a slot that drifts."""

from __future__ import annotations

from pathlib import Path

from line_bench import BORON, LineBench, line_bench

from station.engine.events import StationNote
from station.journal.watch import LOW_BYTES


def notes(bench: LineBench, since: int = 0) -> list[str]:
    return [event.reason for _, event in bench.events[since:] if isinstance(event, StationNote)]


def test_a_disk_that_fills_is_told_of_once_before_it_is_full_and_again_when_it_was_emptied(tmp_path: Path) -> None:
    free = 10 * LOW_BYTES
    with line_bench(tmp_path, BORON) as bench:
        bench.settings = {"free_bytes": lambda _directory: free}
        bench.restart(BORON)
        mark = bench.mark()
        for left, told in ((LOW_BYTES - 1, 1), (LOW_BYTES // 2, 1), (10 * LOW_BYTES, 1), (LOW_BYTES // 10, 2)):
            free = left
            bench.walk(bench.finished_unit(BORON))
            assert len([note for note in notes(bench, mark) if "MB are left on the disk" in note]) == told


def test_a_station_that_starts_on_a_full_disk_says_so_at_once(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.settings = {"free_bytes": lambda _directory: 7 << 20}
        mark = bench.mark()
        bench.restart(BORON)
        bench.wait_for(StationNote, since=mark)
        assert notes(bench, mark)[0].startswith("only 7 MB are left on the disk of ")


def test_a_disk_nobody_can_ask_about_keeps_no_unit_from_its_walk(tmp_path: Path) -> None:
    def broken(_directory: Path) -> int:
        raise OSError("no such device")

    with line_bench(tmp_path, BORON) as bench:
        bench.settings = {"free_bytes": broken}
        bench.restart(BORON)
        assert bench.walk(bench.finished_unit(BORON)).verdict.name == "PASS"
        assert notes(bench) == []
