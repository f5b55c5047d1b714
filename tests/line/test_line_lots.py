"""Lots of parts that are scanned at the bench: what they go to, and that every record after them holds them."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import ARGON, BORON, LineBench, line_bench, replace

from station.engine.commands import RetrySlot, Scan, StopSlot
from station.engine.events import AttemptFinished, AttemptStarted, HandsNeeded, ScanRead, UnitIdentified
from station.engine.records import LotScanned
from station.journal import JournalReader


def scan(bench: LineBench, text: str, slot: int | None = None) -> ScanRead:
    mark = bench.mark()
    bench.command(Scan(text, slot))
    read = bench.wait_for(ScanRead, since=mark)
    assert isinstance(read, ScanRead)
    return read


def lots(bench: LineBench) -> list[tuple[str, ...]]:
    return [attempt.lots for attempt in bench.station.journal.attempts(bench.station.journal.batches()[0].batch.id)]


def test_units_have_the_lots_of_their_batch_from_the_scan_on(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        for text in (None, "LOT:ANT=2231-A", "LOT:SOLDER=7", "]C1lot:ANT=2232-A"):
            if text is not None:
                assert scan(bench, text).say.key == "lot_of_batch"
            bench.walk(bench.finished_unit(BORON))
        assert lots(bench) == [(), ("ANT=2231-A",), ("ANT=2231-A", "SOLDER=7"), ("ANT=2232-A", "SOLDER=7")]
        bench.station.journal.verify()


def test_a_lot_for_one_slot_is_built_into_its_unit_and_stays_there(tmp_path: Path) -> None:
    with line_bench(tmp_path, replace(BORON, label=True), slots=2) as bench:
        units = [bench.finished_unit(BORON, 1), bench.finished_unit(BORON, 2)]
        for slot, unit in enumerate(units, 1):
            bench.plug(unit, slot)
            bench.wait_for(UnitIdentified, slot=slot)
        bench.wait_for(HandsNeeded, sentence="scan_label")
        read = scan(bench, "LOT:BATTERY=B-77", 2)
        assert (read.say.key, read.accepted, read.slot) == ("lot_of_slot", True, 2)
        assert sorted(lots(bench)) == [(), ("BATTERY=B-77",)]
        scan(bench, "LOT:BATTERY=B-78")  # the rest of the batch gets others
        mark = bench.mark()
        bench.command(StopSlot(2))
        bench.wait_for(AttemptFinished, slot=2, since=mark)
        bench.command(RetrySlot(2))
        bench.wait_for(AttemptStarted, slot=2, since=mark)
        bench.wait_for(UnitIdentified, slot=2, since=mark)
        assert lots(bench)[-1] == ("BATTERY=B-77",)


def test_a_lot_scanned_by_mistake_is_taken_out_of_its_batch_or_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path, replace(BORON, label=True)) as bench:
        for text in ("LOT:ANT=1", "LOT:SOLDER=7", "LOT:9", "LOT:-"):
            scan(bench, text)
        read = scan(bench, "LOT:ANT=-")
        assert (read.say.key, read.accepted, read.shown) == ("lot_out", True, "ANT=-")
        bench.plug(bench.finished_unit(BORON), 1)
        bench.wait_for(HandsNeeded, sentence="scan_label")
        scan(bench, "LOT:BATTERY=B-77", 1)
        scan(bench, "LOT:ANT=2", 1)
        assert lots(bench) == [("ANT=2", "BATTERY=B-77", "SOLDER=7")]
        assert scan(bench, "LOT:BATTERY=-", 1).say.key == "lot_out"
        mark = bench.mark()
        bench.command(StopSlot(1))
        bench.wait_for(AttemptFinished, slot=1, since=mark)
        bench.command(RetrySlot(1))
        bench.wait_for(UnitIdentified, slot=1, since=mark)
        assert lots(bench) == [("ANT=2", "SOLDER=7")] * 2
        bench.station.journal.verify()


def test_a_lot_for_an_empty_slot_is_refused(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        read = scan(bench, "LOT:7", 1)
        assert (read.say.key, read.accepted, read.reason) == ("lot_of_no_unit", False, "no unit is known there")


@pytest.mark.parametrize(("asked", "wanted"), [("", "lot_of_no_batch"), ("BATCH:{}", "lot_of_batch")])
def test_of_two_open_batches_a_lot_goes_to_the_one_whose_code_was_scanned(
    asked: str, wanted: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, BORON, ARGON) as bench:
        first, second = (record.batch.id for record in bench.station.journal.batches())
        if asked:
            scan(bench, asked.format(second))
        read = scan(bench, "LOT:7")
        assert (read.say.key, read.accepted) == (wanted, bool(asked))
        told = [event.batch for _, event in bench.events if isinstance(event, LotScanned)]
        assert told == ([second] if asked else [])
        assert first != second


def test_a_batch_that_is_not_open_takes_no_lots(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, ARGON) as bench:
        first, _ = (record.batch.id for record in bench.station.journal.batches())
        assert scan(bench, f"BATCH:{first}").accepted
        assert not scan(bench, "BATCH:LAST-YEAR").accepted
        assert scan(bench, "LOT:7").accepted, "for the batch scanned before"
        assert [event.batch for _, event in bench.events if isinstance(event, LotScanned)] == [first]


def test_a_code_that_names_no_lot_is_refused_as_unreadable(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        for text in ("LOT:", "LOT:=7", "LOT:A=", "LOT:A=B=C", "LOT:a b"):
            assert not scan(bench, text).accepted
        assert not [entry for entry in bench.station.journal.entries() if entry.kind == "LotScanned"]


def test_a_reader_finds_the_lots_after_the_station_stopped(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        scan(bench, "LOT:7")
        bench.plug(bench.finished_unit(BORON))
        bench.wait_for(AttemptFinished)
        place = bench.station.journal.directory
    with JournalReader(place) as journal:
        journal.verify()
        assert [attempt.lots for attempt in journal.attempts(journal.batches()[0].batch.id)] == [("7",)]
