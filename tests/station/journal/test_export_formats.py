"""Workbook, JUnit, steps and lists: each read back by a reader of its own, and all of them say the same."""

from __future__ import annotations

import csv
import datetime
import html.parser
import io
import re
import zipfile
from typing import Any

import junitparser
import openpyxl
import pytest
from support.journal_story import AT, finished, identified, opened, pending, started, step, unit_id

from station.export import EXPORTERS, export, find_exporter
from station.export import workbook as workbook_module
from station.journal import Journal
from station.local_time import moment
from station.model import Outcome, Verdict

ICCID = "89310410106543789301"
FORMULA = "=HYPERLINK(1)\x07 <&> 8.96E+19"


@pytest.fixture
def told(journal: Journal) -> Journal:
    """Unit 1 passes at once, 2 fails and passes, 3 fails twice of the same, 4 is set aside, 5 was never identified."""
    journal.record(opened(), *walk("a-1", 1, Verdict.PASS, iccid=ICCID), *walk("a-2", 2, Verdict.FAIL, reason=FORMULA))
    journal.record(*walk("a-3", 2, Verdict.PASS), *walk("a-4", 3, Verdict.FAIL), *walk("a-5", 3, Verdict.FAIL))
    journal.record(*pending("a-6", "device_os", unit=4))
    journal.record(started("a-7", None), finished("a-7", Verdict.ERROR, None, "silent"))
    return journal


def walk(attempt: str, unit: int, verdict: Verdict, reason: str = "no", **facts: str) -> list[Any]:
    outcome = Outcome.FAILED if verdict is Verdict.FAIL else Outcome.DONE
    return [
        started(attempt, unit), identified(attempt, unit, serial=f"P044AB000000{unit}", **facts),
        step(attempt, "identify", Outcome.ALREADY, 1.0), step(attempt, outcome=outcome),
        finished(attempt, verdict, unit, "" if verdict is Verdict.PASS else reason),
    ]  # fmt: skip


def written(journal: Journal, name: str, *, all_attempts: bool = False) -> tuple[int, Any]:
    exporter = find_exporter(name)
    file = io.BytesIO() if exporter.is_binary else io.StringIO(newline="")
    count = export(journal, "B1", file, exporter, all_attempts=all_attempts)
    return count, io.BytesIO(file.getvalue()) if exporter.is_binary else file.getvalue()  # type: ignore[arg-type]


def sheet(book: openpyxl.Workbook, name: str) -> list[dict[str, Any]]:
    head, *rows = book[name].iter_rows(values_only=True)
    return [dict(zip(map(str, head), row, strict=True)) for row in rows]


def workbook(journal: Journal, *, all_attempts: bool = False) -> openpyxl.Workbook:
    _, file = written(journal, "xlsx", all_attempts=all_attempts)
    return openpyxl.load_workbook(file)


def test_a_workbook_keeps_every_number_of_an_identity_and_every_time(told: Journal) -> None:
    units = sheet(workbook(told), "Units")
    assert [unit["Device ID"] for unit in units] == [unit_id(1), unit_id(2), unit_id(3), unit_id(4), None]
    assert units[0]["ICCID"] == ICCID
    assert units[0]["Started"] == AT.replace(tzinfo=None)
    assert (units[0]["Slot"], units[0]["Seconds"]) == (3, 9.25)
    assert [unit["Result"] for unit in units] == ["PASS", "PASS", "FAIL", "SET ASIDE", "CHECK STATION"]


def test_nothing_in_a_workbook_is_evaluated(told: Journal) -> None:
    book = workbook(told, all_attempts=True)
    assert sheet(book, "Units")[1]["Reason"] == "=HYPERLINK(1)  <&> 8.96E+19"
    assert {cell.data_type for of in book for row in of.iter_rows() for cell in row} <= {"s", "n", "d"}


def test_the_summary_of_a_workbook_is_what_the_journal_counts(told: Journal) -> None:
    summary = list(workbook(told)["Summary"].iter_rows(values_only=True))
    shown = {row[0]: row[1] for row in summary[: [row[0] for row in summary].index(None)]}
    figures, record = told.figures("B1"), told.batch("B1")
    assert record is not None
    assert shown == {
        "Batch": "B1", "Profile": "boron-product revision 7", "Profile Released By": None,
        "Opened (UTC)": record.opened_at.replace(tzinfo=None), "Closed (UTC)": None, "Units Ordered": 10,
        "Units": figures.units, "PASS": 2, "FAIL": 1, "SET ASIDE": 1, "STOPPED": 0, "CHECK STATION": 0, "Judged": 3,
        "Passed first time": 1, "Retests": 2, "FPY": figures.first_pass_yield, "Final yield": figures.final_yield,
        "Attempts on no known unit": 1, "Worked on by hand since": 0,
    }  # fmt: skip
    hour = AT.replace(tzinfo=None, minute=0, second=0)
    (head,) = [at for at, row in enumerate(summary) if row[0] == "Hour (UTC)"]
    assert summary[head][:4] == ("Hour (UTC)", "Units judged", "Passed first time", "FPY")
    assert summary[head + 1][:4] == (hour, 3, 1, pytest.approx(1 / 3))


def test_rows_that_no_figure_counts_are_told_beside_the_figures(told: Journal) -> None:
    count, text = written(told, "html")
    assert count == told.figures("B1").units + 1
    assert "4 units seen, 3 judged, 2 retests. 1 attempt on no known unit, listed below, not counted.</p>" in text


def test_a_workbook_draws_the_yield_and_what_units_failed_of(told: Journal) -> None:
    _, file = written(told, "xlsx")
    with zipfile.ZipFile(file) as parts:
        charts = [parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/charts/chart")]
    assert [title for chart in charts for title in re.findall(r"<a:t>(.*?)</a:t>", chart)] == [
        "First verdicts by the hour", "Why attempts failed: step and slot",
    ]  # fmt: skip


def test_failures_of_one_kind_stand_together_the_most_frequent_first(told: Journal) -> None:
    failed = sheet(workbook(told), "Failures")
    assert [(one["Result"], one["Step"], one["Attempts"], one["Units"]) for one in failed] == [
        ("FAIL", "device_os", 3, 2), ("CHECK STATION", "device_os", 1, 0),
    ]  # fmt: skip
    assert [one["Cumulative"] for one in failed] == [0.75, 1.0]
    assert failed[0]["Example"] == "no"


def test_steps_and_values_of_a_workbook_are_those_of_the_steps_export(told: Journal) -> None:
    book = workbook(told, all_attempts=True)
    count, text = written(told, "steps", all_attempts=True)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    steps = sheet(book, "Steps")
    assert count == len(rows) == len(steps) == 11
    assert [(one["Attempt"], one["Step"], one["Outcome"]) for one in steps] == [
        (row["Attempt"], row["Step"], row["Outcome"]) for row in rows
    ]
    assert all(isinstance(one["Started"], datetime.datetime) for one in steps)
    values = sheet(book, "Measurements")
    assert [(one["Name"], one["Value"], one["Min"], one["Max"]) for one in values[:2]] == [
        ("download", 1, 0, 60), ("download", 2.5, 0, 60),
    ]  # fmt: skip


def test_seconds_of_a_workbook_are_numbers(told: Journal) -> None:
    (first, *_) = sheet(workbook(told), "Units")
    assert (first["Seconds"], first["identify s"], first["device_os s"]) == (9.25, 1, 2.5)


def test_what_a_sheet_cannot_hold_is_said_in_the_summary(told: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_module, "MOST_ROWS", 5)
    book = workbook(told)
    assert sheet(book, "Steps") == [], "a part of them would look like all"
    assert len(sheet(book, "Measurements")) == 4
    notes = [str(row[0]) for row in book["Summary"].iter_rows(values_only=True)]
    assert "Steps: 11 rows, which a sheet cannot hold; export them with --format steps or jsonl" in notes
    assert "Measurements: 3 more rows than a sheet can hold; export them with --format steps or jsonl" in notes


def test_a_disk_that_is_full_is_told_by_its_own_error(told: Journal) -> None:
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match="No space left"):
        export(told, "B1", full, find_exporter("xlsx"))


def test_junit_has_a_suite_a_unit_and_a_case_a_step(told: Journal) -> None:
    count, text = written(told, "junit", all_attempts=True)
    suites = list(junitparser.JUnitXml.fromstring(text.encode()))
    assert count == len(suites) == 7
    assert [(one.name, one.tests, one.failures, one.errors, one.skipped) for one in suites[:2]] == [
        ("P044AB0000001", 2, 0, 0, 0), ("P044AB0000002", 2, 1, 0, 0),
    ]  # fmt: skip
    (case,) = [case for case in suites[1] if case.name == "device_os"]
    assert [type(one) for one in case.result] == [junitparser.Failure]
    assert suites[5].skipped == 1, "what is owed is not judged yet"


class Page(html.parser.HTMLParser):
    """The tags of a page, and its tables as rows of cells below the heading before each."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.tables: dict[str, list[list[str]]] = {"": []}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not {name for name, _ in attrs} & {"src", "href"}, "the page needs no other file"
        if tag == "h2":
            self.tables[""] = []
        elif tag == "tr":
            self.tables[""].append([])
        elif tag in ("td", "th"):
            self.tables[""][-1].append("")

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] == ["h2"] and data.strip():
            self.tables[data] = self.tables[""]
        elif self.tables[""] and self.tables[""][-1]:
            self.tables[""][-1][-1] += data.strip("\n")


def test_the_report_lists_every_unit_once_and_those_that_did_not_pass_apart(told: Journal) -> None:
    count, text = written(told, "html")
    tables = Page(text).tables
    units = [row[:2] + row[-1:] for row in tables["Units"][1:]]
    assert count == len(units) == 5
    assert units[:2] == [["P044AB0000001", unit_id(1), "PASS"], ["P044AB0000002", unit_id(2), "PASS"]]
    assert [row[1:3] for row in tables["Units that did not pass"][1:]] == [
        [unit_id(3), "FAIL"], [unit_id(4), "SET ASIDE"], ["not identified", "CHECK STATION"],
    ]  # fmt: skip
    assert [row[:4] for row in tables["Why attempts failed, most frequent first"][1:]] == [
        ["device_os", "3", "FAIL", "3"], ["device_os", "3", "CHECK STATION", "1"],
    ]  # fmt: skip


def test_the_report_says_which_entries_it_was_made_from(told: Journal) -> None:
    _, text = written(told, "html")
    verified = told.verify()
    assert f"journal entry {verified.entries}, hash <span class='id'>{verified.hash}<" in text
    assert "<b>33.3 %</b>FPY" in text
    assert "by the key" not in text, "no key was made to tell of it"


def test_the_report_has_the_fingerprint_of_the_key_so_that_paper_brings_it_to_who_checks(told: Journal) -> None:
    told.close_batch("B1")
    (seal,) = told.verify().sealed
    record = told.batch("B1")
    assert record is not None
    assert record.closed_at is not None
    assert f"{moment(record.opened_at)}, closed {moment(record.closed_at)}<br>" in written(told, "html")[1]
    assert f"by the key <span class='id'>{seal.fingerprint}</span>" in written(told, "html")[1]


def test_nothing_a_unit_says_is_taken_for_a_part_of_the_report(told: Journal) -> None:
    told.record(*walk("a-8", 5, Verdict.FAIL, reason="<script>alert(1)</script> & \x1b[2J"))
    page = Page(written(told, "html")[1])
    assert "script" not in page.tags
    assert "<script>alert(1)</script> &  [2J" in str(page.tables["Units that did not pass"])


def test_the_lists_name_the_units_that_passed(told: Journal) -> None:
    assert written(told, "devices") == (2, f"{unit_id(1)}\n{unit_id(2)}\n")
    assert written(told, "iccids") == (1, f"{ICCID}\n")


@pytest.mark.parametrize("exporter", EXPORTERS, ids=lambda one: one.name)
def test_every_format_says_in_one_line_what_it_is(exporter: Any) -> None:
    assert 10 < len(exporter.help) < 80
