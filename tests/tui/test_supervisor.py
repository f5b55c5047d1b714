"""The supervisor's screens over a real journal: batches, find, owed work, rework, export."""

from __future__ import annotations

import asyncio
import csv
import datetime
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from support.journal_story import unit_id
from support.screen_pilot import on_loop, picture, press, running, scan, tell
from support.screen_story import AT, Story
from support.supervisor import answered, keys, serial, supervised, tell_journal
from textual.widgets import Input, OptionList

from drivers.clock import SimulatedClock
from station.cli.records import JournalRecords
from station.engine import commands as cmd
from station.engine import events as ev
from station.export.table import EXPORTERS
from station.figures import Figures
from station.journal import Journal
from station.model import Batch, ProfileRef
from station.tui.screens.batches import Batches
from station.tui.screens.export import Export
from station.tui.screens.find import Find
from station.tui.screens.life import LifeOf
from station.tui.screens.new_batch import NewBatch
from station.tui.screens.work import Owed, Rework
from station.view.records import Exported, NoRecords, Part, UnitRow
from station.words.languages import languages, load

BACKSTOP_S = 300.0
"""Against a hang, however busy the machine is."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("bench") / "journal"
    tell_journal(directory)
    return directory


@on_loop
async def test_the_chosen_batch_shows_its_figures_takt_time_left_and_what_never_came(told: Path) -> None:
    async with supervised(told) as (_, app, pilot):
        await keys(pilot, "b")
        shown = " ".join(picture(app).split())
        for text in (
            "░░░░░░░░░ B1 WIDGET r7 36/500 PASS FPY 90.0 % open", "PASS 36 of 500", "FAIL 4", "retests 0", "takt 1:00",
            "time left 8 h 36 min", "units came 3 of 5", "2 units never came:", serial(98), serial(99),
        ):  # fmt: skip
            assert text in shown, text
        assert "OLD" in shown
        assert "closed 2026-01-05" in shown


@on_loop
async def test_failures_are_drawn_by_step_slot_and_reason_and_yield_by_the_hour(told: Path) -> None:
    async with supervised(told) as (_, app, pilot):
        await keys(pilot, "b")
        lines = picture(app).splitlines()
        row = next(line for line in lines if "Unit cannot join Wi-Fi." in line)
        assert row.split("│")[-2].split() == ["Wi-Fi", "slot", "3", "Unit", "cannot", "join", "Wi-Fi.", "█" * 16, "4"]
        hour = next(line for line in lines if "05. 06:00" in line)
        assert hour.rstrip("│ ").endswith("40   90.0 %")


@on_loop
async def test_closed_batches_are_chosen_like_open_ones_and_cannot_be_closed_again(told: Path) -> None:
    async with supervised(told) as (story, app, pilot):
        await keys(pilot, "b", "down", "down")
        assert "OLD ─" in picture(app)
        assert "1 of 2" in picture(app)
        await keys(pilot, "c")
        assert isinstance(app.screen, Batches)
        assert story.sent == []


@on_loop
async def test_figures_of_the_chosen_batch_follow_the_bench(told: Path) -> None:
    async with supervised(told) as (_, app, pilot):
        await keys(pilot, "b")
        figures = Figures(units=60, passed=55, failed=5, judged=60, first_passed=55)
        await tell(pilot, app, ev.BatchProgress(at=AT, batch="B1", figures=figures, target=500))
        assert "55/500 PASS" in picture(app)
        await answered(pilot)
        assert isinstance(app.screen, Batches)
        app.screen._is_due()  # half a second later
        await answered(pilot)
        assert "55 of 500" in picture(app)


@on_loop
async def test_a_scanned_batch_is_chosen_and_one_that_is_not_there_stands_in_the_form(told: Path) -> None:
    async with supervised(told) as (story, app, pilot):
        await keys(pilot, "b")
        await scan(pilot, app, "BATCH:OLDER")
        assert story.sent == [cmd.Scan("BATCH:OLDER", None, "batch")]
        await tell(pilot, app, ev.ScanRead(at=AT, shown="OLDER", accepted=True, field="batch"))
        await answered(pilot)
        assert "OLDER ─" in picture(app)
        await tell(pilot, app, ev.ScanRead(at=AT, shown="B7", accepted=True, field="batch"))
        assert isinstance(app.screen, NewBatch)
        await keys(pilot, *"500", "enter")
        assert story.sent[1:] == [cmd.OpenBatch("B7", "boron-product", 500)]
        batch = Batch("B7", ProfileRef("boron-product", 1, "1" * 64), 500)
        await tell(pilot, app, ev.BatchOpened(at=AT, batch=batch, title="WIDGET"))
        assert isinstance(app.screen, Batches), "the form closes when the station has opened it"
        assert next(line for line in picture(app).splitlines() if "▸" in line).split()[3] == "B7"


@on_loop
async def test_a_profile_is_chosen_from_the_list(told: Path) -> None:
    async with supervised(told) as (story, _, pilot):
        await keys(pilot, "b", "n", *"B8", "tab", "down", "enter")
        assert story.sent == [cmd.OpenBatch("B8", "argon-product", None)]


@on_loop
async def test_who_closes_a_batch_is_told_how_many_of_its_units_are_at_work(told: Path) -> None:
    head = ev.Head(at=AT, slot=1, device_id=None, attempt="a-1")
    async with supervised(told) as (story, app, pilot):
        for batch in ("OTHER", "B1"):
            started = ev.AttemptStarted(
                **head, port_path="1-1", batch=batch, profile="boron-product", steps=("identify",)
            )
            await tell(pilot, app, started)
            await keys(pilot, "b", "c")
            assert ("1 at work count in B1." in picture(app)) is (batch == "B1")
            await keys(pilot, "escape", "escape")
        assert story.sent == []


@on_loop
async def test_a_closed_batch_says_the_key_of_its_seal(told: Path) -> None:
    async with supervised(told) as (story, app, pilot):
        await keys(pilot, "b", "c", "y")
        assert story.sent == [cmd.CloseBatch("B1")]
        await tell(
            pilot, app, ev.BatchClosed(at=AT, batch="B1"),
            ev.BatchSealShown(at=AT, batch="B1", key="1a2b-3c4d-5e6f-7a8b"),
        )  # fmt: skip
        assert "Batch B1 is sealed. Key 1a2b-3c4d-5e6f-7a8b." in picture(app)


@pytest.mark.parametrize("wanted", [serial(17), serial(17).lower()[-8:], unit_id(17), f" {unit_id(17)[-6:]} "])
@on_loop
async def test_a_unit_is_found_by_any_identity_or_the_end_of_one(told: Path, wanted: str) -> None:
    async with supervised(told) as (_, app, pilot):
        await keys(pilot, "f")
        app.screen.query_one(Input).value = wanted
        await answered(pilot)
        shown = picture(app)
        assert unit_id(17) in shown
        assert "1 of 1" in shown
        assert unit_id(16) not in shown


@on_loop
async def test_a_unit_nobody_saw_is_not_found(told: Path) -> None:
    async with supervised(told) as (_, app, pilot):
        await keys(pilot, "f", *"ZZZZ")
        assert "No unit has that number." in picture(app)
        await keys(pilot, "enter")
        assert isinstance(app.screen, Find)


@pytest.mark.parametrize(
    ("wanted", "total"), [("FAIL", 4), ("OLD", 1), ("B1 FAIL", 4), ("2026-01-05 06:03..06:05", 2), ("cannot join", 4)]
)
@on_loop
async def test_what_is_no_number_is_found_as_on_the_command_line(told: Path, wanted: str, total: int) -> None:
    async with supervised(told) as (_, app, pilot):
        await keys(pilot, "f")
        app.screen.query_one(Input).value = wanted
        await answered(pilot)
        assert f"1 of {total}" in picture(app)


@on_loop
async def test_a_span_that_is_none_is_said_and_the_next_words_are_searched_for(told: Path) -> None:
    async with supervised(told) as (_, app, pilot):
        await keys(pilot, "f")
        app.screen.query_one(Input).value = "2026-02-31"
        await answered(pilot)
        assert "2026-02-31" in picture(app).splitlines()[-2]
        app.screen.query_one(Input).value = serial(17)
        await answered(pilot)
        assert picture(app).splitlines()[-2].strip() == ""
        assert "1 of 1" in picture(app)


class SlowRecords(NoRecords):
    """Records on a disk that does not answer until ``wakes`` is set."""

    def __init__(self) -> None:
        self.wakes = threading.Event()

    def find(self, _wanted: str, start: int, _count: int) -> Part[UnitRow]:
        self.wakes.wait(BACKSTOP_S)
        return Part((UnitRow("e" * 24, "P044AB9999999", "Boron", AT),), start, 1)


@on_loop
async def test_a_disk_that_does_not_answer_holds_neither_keys_nor_paint() -> None:
    slow, story = SlowRecords(), Story(2)
    app = story.app(records=slow)
    async with running(app, (100, 30)) as pilot:
        await tell(pilot, app, *story.opened())
        await press(pilot, "f", *"abc")
        assert app.screen.query_one(Input).value == "abc"
        await tell(pilot, app, *story.arrives(1), story.ends(1))
        await press(pilot, "escape")
        assert "PASS" in picture(app)
        await press(pilot, "f")
        slow.wakes.set()
        await answered(pilot)
        assert "P044AB9999999" in picture(app)


@on_loop
async def test_a_long_list_is_read_part_by_part_as_it_comes_into_sight(told: Path) -> None:
    async with supervised(told, (80, 24)) as (_, app, pilot):
        await keys(pilot, "f")
        seen = set()
        for _ in range(8):
            seen |= {word for word in picture(app).split() if word.startswith("P044")}
            await keys(pilot, "pagedown")
        assert {serial(number) for number in range(1, 41)} <= seen
        assert "42 of 42" in picture(app)
        await keys(pilot, "ctrl+home")
        assert "1 of 42" in picture(app)
        await keys(pilot, *["down"] * 20)
        assert "21 of 42" in picture(app)


@on_loop
async def test_the_whole_life_of_a_scanned_unit_is_told_at_once(told: Path) -> None:
    async with supervised(told) as (_, app, pilot):
        await keys(pilot, "f")
        await tell(pilot, app, ev.ScanRead(at=AT, shown=serial(13), accepted=True, field="find"))
        await answered(pilot)
        await answered(pilot)
        assert isinstance(app.screen, LifeOf)
        shown = picture(app)
        for text in (
            "P044AB1234513",
            "✖ FAIL",
            "1 ATTEMPT",
            "batch B1",
            "slot 3",
            "the unit cannot join",
            "Wi-Fi",
            "failed",
        ):
            assert text in shown, text
        await press(pilot, "escape")
        assert isinstance(app.screen, Find)


@on_loop
async def test_what_a_unit_owes_stands_in_its_life(told: Path) -> None:
    async with supervised(told) as (_, app, pilot):
        await keys(pilot, "b", "o", "enter")
        shown = picture(app)
        assert "OWES" in shown
        assert "Add to product, Name: nobody: wait" in shown


@on_loop
async def test_owed_work_says_who_can_mend_it_and_is_tried_now_on_a_key(told: Path) -> None:
    async with supervised(told) as (story, app, pilot):
        await keys(pilot, "b", "o")
        assert isinstance(app.screen, Owed)
        row = next(line for line in picture(app).splitlines() if "Add to product +1" in line)
        assert "nobody: wait" in row
        await keys(pilot, "r", "a")
        assert story.sent == [cmd.RetryOwed(("a-owes",)), cmd.RetryOwed()]
        assert "All that is owed is tried now." in picture(app)


@on_loop
async def test_units_to_rework_are_those_whose_last_attempt_failed(told: Path) -> None:
    async with supervised(told) as (_, app, pilot):
        await keys(pilot, "b", "w")
        assert isinstance(app.screen, Rework)
        shown = picture(app)
        assert [line.split()[2 if "▸" in line else 1] for line in shown.splitlines() if "P044" in line] == [
            serial(number) for number in (33, 23, 13, 3)
        ]
        assert "1 of 4" in shown


@pytest.mark.parametrize("language", languages())
@on_loop
async def test_every_format_and_what_it_is_can_be_read_in_every_language(told: Path, language: str) -> None:
    words = load(language, datetime.UTC)
    async with supervised(told, size=(80, 24), words=words) as (_, app, pilot):
        await keys(pilot, "b", "e")
        formats = app.screen.query_one(OptionList)
        listed = [str(one.prompt).partition("  ") for one in formats.options]
        assert [name for name, _, _ in listed] == [one.name for one in EXPORTERS]
        assert not [name for name, _, about in listed if about.strip() != words.format_about(name, "")]
        assert not [name for name, _, about in listed if not about.strip() or "~" in about]
        assert "[Esc]" in picture(app), "the keys stay on a small screen"


@on_loop
async def test_an_export_says_where_it_lies(told: Path, tmp_path: Path) -> None:
    async with supervised(told) as (_, app, pilot):
        await keys(pilot, "b", "e")
        assert isinstance(app.screen, Export)
        app.screen.query_one("#folder", Input).value = str(tmp_path / "new")
        await keys(pilot, "enter")
        path = tmp_path / "new" / "B1.csv"
        assert "41 rows in" in picture(app)
        with path.open(newline="", encoding="utf-8-sig") as file:
            assert len(list(csv.DictReader(file))) == 41
        await keys(pilot, "escape")
        assert isinstance(app.screen, Batches)


class HaltingRecords(JournalRecords):
    """Records whose exports halt at the fourth unit until ``goes_on`` is set."""

    def __init__(self, journal: Journal, folder: Path) -> None:
        super().__init__(journal, folder)
        self.halts, self.goes_on = threading.Event(), threading.Event()

    def export(self, batch: str, name: str, folder: str, went: Callable[[int], None]) -> Exported:
        def halting(units: int) -> None:
            if units == 3:
                self.halts.set()
                self.goes_on.wait(BACKSTOP_S)
            went(units)

        return super().export(batch, name, folder, halting)


@on_loop
async def test_an_export_whose_window_is_closed_leaves_nothing_behind(told: Path, tmp_path: Path) -> None:
    (tmp_path / "B1.csv").write_text("of yesterday")
    made: list[HaltingRecords] = []

    def make(journal: Journal, folder: Path) -> HaltingRecords:
        made.append(HaltingRecords(journal, folder))
        return made[0]

    async with supervised(told, make=make) as (_, app, pilot):
        await keys(pilot, "b", "e")
        app.screen.query_one("#folder", Input).value = str(tmp_path)
        await press(pilot, "enter")
        await asyncio.to_thread(made[0].halts.wait, BACKSTOP_S)
        await press(pilot, "escape")
        made[0].goes_on.set()
        await answered(pilot)
        assert isinstance(app.screen, Batches)
    assert (tmp_path / "B1.csv").read_text() == "of yesterday"


@on_loop
async def test_an_export_that_cannot_be_written_says_why_and_can_be_tried_again(told: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with supervised(told) as (_, app, pilot):
        await keys(pilot, "b", "e")
        field = app.screen.query_one("#folder", Input)
        field.value = str(tmp_path / "file" / "below")
        await keys(pilot, "enter")
        assert "is no folder" in picture(app)
        field.value = str(tmp_path)
        await keys(pilot, "down", "enter")
        assert (tmp_path / "B1.jsonl").read_text().count("\n") == 41


@pytest.mark.parametrize("language", ["en", "de", "zh"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@on_loop
async def test_all_pages_fit_in_every_language(told: Path, language: str, size: tuple[int, int]) -> None:
    words = load(language)
    async with supervised(told, size, words=words) as (_, app, pilot):
        for opened, way_out in (
            (("b",), "page-batches-keys"),
            (("o",), "page-owed-keys"),
            (("escape", "w"), "page-rework-keys"),
        ):
            await keys(pilot, *opened)
            last = picture(app).splitlines()[-1].rstrip()
            assert last.endswith(words.text(way_out).split("  ")[-1].strip())
            assert all(len(line) <= size[0] for line in picture(app).splitlines())


@on_loop
async def test_a_batch_that_is_told_of_after_the_page_was_opened_is_chosen(tmp_path: Path) -> None:
    Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()).close()
    async with supervised(tmp_path / "journal") as (story, app, pilot):
        await keys(pilot, "b")
        assert "No batch is open." in picture(app)
        await tell(pilot, app, ev.BatchOpened(at=AT, batch=Batch("B7", ProfileRef("p", 1, "1" * 64), None), title="W"))
        await keys(pilot, "c", "y")
        assert story.sent == [cmd.CloseBatch("B7")]


@on_loop
async def test_without_a_journal_the_pages_stay_empty() -> None:
    app = Story(1).app()
    async with running(app, (80, 24)) as pilot:
        await keys(pilot, "b")
        assert "No batch is open." in picture(app)
        await keys(pilot, "c", "e", "escape", "f")
        assert "No unit has that number." in picture(app)
