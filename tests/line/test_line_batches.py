"""Batches asked for by keyboard: opened by the names a supervisor knows, or refused with a sentence and no fault."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import ARGON, BORON, ME, LineBench, line_bench

from station.engine.commands import CloseBatch, OpenBatch
from station.engine.events import BatchClosed, BatchOpened, BatchSealShown, CommandRefused, StationFault
from station.firmware.examples import write_example_files
from station.journal import JournalReader


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
