"""The figures of a batch as each face and file tells them, and counted again from the raw entries of the journal."""

from __future__ import annotations

import csv
import datetime
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
from junitparser import JUnitXml

from station.cli.main import main
from station.cli.records import JournalRecords
from station.engine.events import BatchOpened
from station.export import verifier
from station.journal import JOURNAL_FILE, JournalReader
from station.view.bars import header
from station.view.batches import figures
from station.view.look import UNICODE
from station.view.reduce import replay
from station.view.state import BenchState
from support.spoken import ENGLISH

NAMES = ("units", "passed", "pending", "failed", "aborted", "error", "judged", "first_passed", "retests")
_UNIT = re.compile(r"[0-9a-f]{24}|[A-Z0-9]{15}")
_FORMATS = ("csv", "jsonl", "xlsx", "html", "devices", "junit", "openhtf", "passports")
Told = dict[str, int]
Run = Callable[..., str]
"""Runs a verb on the data directory and returns what it prints."""


def from_entries(data: Path, batch: str) -> Told:
    """Count ``batch`` from nothing but the entries, in their order, by the words of the design's page."""
    with closing(sqlite3.connect(data / "journal" / JOURNAL_FILE)) as db:
        entries = [(kind, json.loads(body)) for kind, body in db.execute("SELECT kind, body FROM entries ORDER BY seq")]
    batch_of: dict[str, str] = {}
    unit_of: dict[str, str | None] = {}
    ends: dict[str, str] = {}
    for kind, told in entries:
        attempt = told.get("attempt")
        if kind == "AttemptStarted":
            batch_of[attempt], unit_of[attempt] = told["batch"], told["device_id"]
        elif attempt in batch_of and kind in ("UnitIdentified", "AttemptFinished"):
            unit_of[attempt] = told["device_id"] or unit_of[attempt]
        if kind in ("AttemptFinished", "VerdictRevised"):
            ends[attempt] = told["verdict"]
        elif kind == "AttemptAbandoned":
            ends[attempt] = "ERROR"
    lives: dict[str, list[str]] = {}
    for attempt, name in batch_of.items():
        unit = unit_of[attempt]
        if name == batch and unit is not None:
            lives.setdefault(unit, []).extend(ends[attempt] for _ in (1,) if attempt in ends)
    judged = {unit: [end for end in life if end in ("PASS", "FAIL")] for unit, life in lives.items()}
    last = [life[-1] for life in lives.values() if life]
    return _told(
        len(lives), *(last.count(word) for word in ("PASS", "PENDING", "FAIL", "ABORTED", "ERROR")),
        sum(bool(ends) for ends in judged.values()), sum(ends[:1] == ["PASS"] for ends in judged.values()),
        sum(max(len(ends) - 1, 0) for ends in judged.values()),
    )  # fmt: skip


def _told(*figures: int) -> Told:
    return dict(zip(NAMES, figures, strict=True))


def everywhere(data: Path, batch: str, run: Run) -> dict[str, Told]:
    """Return the figures each place tells, as far as it tells them, by the name of the place."""
    exported = {kind: _export(data, batch, run, kind) for kind in _FORMATS}
    suites = JUnitXml.fromstring(exported["junit"])
    stats = json.loads(run("stats", "--batch", batch, "--json").splitlines()[0])
    return {
        "header": _header(data, batch),
        "batch list": _line(next(line for line in run("batch", "list").splitlines() if line.startswith(f"{batch} "))),
        "stats": _line(run("stats", "--batch", batch).splitlines()[0]),
        "stats --json": {name: stats[name] for name in NAMES},
        "log export": _line(run("log", "export", "--batch", batch, "-o", str(data / "again.csv")).splitlines()[1]),
        "csv": _rows(list(csv.DictReader(io.StringIO(exported["csv"].decode("utf-8-sig"), newline="")))),
        "xlsx rows": _sheet(exported["xlsx"]),
        "xlsx summary": _summary(exported["xlsx"]),
        "html": _report(exported["html"].decode()),
        "devices": {"passed": len(exported["devices"].split())},
        "junit": {"units": sum(_UNIT.fullmatch(suite.name or "") is not None for suite in suites)},
        "openhtf": _rows(list(map(_record_row, exported["openhtf"].decode().splitlines()))),
        "passports": _passports(exported["passports"]),
        "jsonl": _rows(list(map(_json_row, exported["jsonl"].decode().splitlines()))),
    }  # fmt: skip


def without_unit(data: Path, batch: str, run: Run) -> Told:
    """Return how many attempts of no known unit each place tells of, by the name of the place."""
    exported = {kind: _export(data, batch, run, kind).decode("utf-8-sig") for kind in ("csv", "jsonl", "html")}
    summary = openpyxl.load_workbook(io.BytesIO(_export(data, batch, run, "xlsx")))["Summary"]
    listed = re.split(r"\n(?=\S)", run("batch", "list").partition(f"{batch}  ")[2])[0]
    with JournalReader(data / "journal") as journal:
        story = JournalRecords(journal, data).story(batch)
    assert story is not None
    page = "\n".join("".join(piece.text for piece in line) for line in figures(story, 60, ENGLISH, UNICODE))
    return {
        "batches page": _attempts(r"without unit +(\d+) attempt", page),
        "batch list": _attempts(_ENDED, listed),
        "stats": _attempts(_ENDED, run("stats", "--batch", batch)),
        "stats --json": json.loads(run("stats", "--batch", batch, "--json").splitlines()[0])["on_no_unit"],
        "log export": _attempts(_ENDED, run("log", "export", "--batch", batch, "-o", str(data / "again.csv"))),
        "csv": sum(not row["Device ID"] for row in csv.DictReader(io.StringIO(exported["csv"], newline=""))),
        "jsonl": sum(not json.loads(line).get("device_id") for line in exported["jsonl"].splitlines()),
        "xlsx summary": next(
            int(str(row[1])) for row in summary.iter_rows(values_only=True) if row[0] == "Attempts on no known unit"
        ),
        "html": _attempts(r"(\d+) attempts? on no known unit", exported["html"]),
    }


def by_hand_since(data: Path, batch: str, run: Run) -> Told:
    """Return how many units, worked on by hand since their verdict, each place tells of, by the name of the place."""
    exported = {kind: _export(data, batch, run, kind) for kind in ("csv", "jsonl", "html", "xlsx", "junit", "openhtf")}
    summary = openpyxl.load_workbook(io.BytesIO(exported["xlsx"]))["Summary"]
    listed = re.split(r"\n(?=\S)", run("batch", "list").partition(f"{batch}  ")[2])[0]
    rows = list(csv.DictReader(io.StringIO(exported["csv"].decode("utf-8-sig"), newline="")))
    with JournalReader(data / "journal") as journal:
        story = JournalRecords(journal, data).story(batch)
    assert story is not None
    page = "\n".join("".join(piece.text for piece in line) for line in figures(story, 60, ENGLISH, UNICODE))
    html = exported["html"].decode()
    records = [json.loads(line) for line in exported["openhtf"].decode().splitlines()]
    return {
        "batches page": _attempts(r"worked on +(\d+) unit", page),
        "batch list": _attempts(_WORKED_ON, listed),
        "stats": _attempts(_WORKED_ON, run("stats", "--batch", batch)),
        "stats --json": json.loads(run("stats", "--batch", batch, "--json").splitlines()[0])["worked_on"],
        "log export": _attempts(_WORKED_ON, run("log", "export", "--batch", batch, "-o", str(data / "again.csv"))),
        "csv, time": sum(bool(row["By Hand Since"]) for row in rows),
        "csv, result": sum(row["Result"] == "YOUR TURN" for row in rows),
        "jsonl": sum(bool(json.loads(line)["by_hand_since"]) for line in exported["jsonl"].decode().splitlines()),
        "xlsx summary": next(
            int(str(row[1])) for row in summary.iter_rows(values_only=True) if row[0] == "Worked on by hand since"
        ),
        "html": _attempts(_WORKED_ON, html),
        "html, not passed": html.partition("Units that did not pass")[2]
        .partition("</table>")[0]
        .count("by hand since"),
        "junit": exported["junit"].decode().count('type="by_hand"'),
        "openhtf": sum(any(one["code"] == "by_hand" for one in record["outcome_details"]) for record in records),
        "openhtf, result": sum(one["metadata"]["result"] == "YOUR TURN" and not one["outcome"] for one in records),
    }


_WORKED_ON = r"(\d+) units? (?:was|were) worked on by hand since"
_ENDED = r"(\d+) attempts? ended before the unit said who it is"


def _attempts(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    return int(found[1]) if found else 0


def _export(data: Path, batch: str, run: Run, kind: str) -> bytes:
    path = data / f"figures.{kind}"
    run("log", "export", "--batch", batch, "--format", kind, "-o", str(path))
    return path.read_bytes()


def _header(data: Path, batch: str) -> Told:
    at = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)
    with JournalReader(data / "journal") as journal:
        record = journal.batch(batch)
        assert record is not None
        opened = BatchOpened(at=at, batch=record.batch, title=record.title)
        state = replay(BenchState.of([], ENGLISH), [opened, journal.progress(batch, at)])
    text = header(state, 200, UNICODE)
    passed = re.search(r"(\d+)(?:/\d+)? PASS", text)
    assert passed
    figures = state.figures
    assert f"FPY {_share(figures.first_passed, figures.judged)}" in text
    return {"passed": int(passed[1])} | {name: getattr(figures, name) for name in NAMES}


_WORDS = {"PASS": "passed", "FAIL": "failed", "SET ASIDE": "pending", "STOPPED": "aborted", "CHECK STATION": "error"}


def _line(text: str) -> Told:
    """Read ``24/500 PASS, 1 FAIL; FPY 96.0 %, final yield 96.0 %, 1 retest``."""
    told = dict.fromkeys(_WORDS.values(), 0)
    for count, word in re.findall(r"(\d+)(?:/\d+)? (PASS|FAIL|SET ASIDE|STOPPED|CHECK STATION)", text):
        told[_WORDS[word]] = int(count)
    retests = re.search(r"(\d+) retest", text)
    assert retests, text
    return told | {"retests": int(retests[1])}


def _rows(rows: list[dict[str, Any]]) -> Told:
    """Count rows of a table with one unit a row, as somebody with a spreadsheet would."""
    rows = [row for row in rows if row["Device ID"]]
    now = [row["Verdict"] for row in rows]
    judged = [row for row in rows if row["First Judged"]]
    return _told(
        len(rows), *(now.count(word) for word in ("PASS", "PENDING", "FAIL", "ABORTED", "ERROR")), len(judged),
        sum(row["First Judged"] == "PASS" for row in judged), sum(int(row["Judged Attempts"]) - 1 for row in judged),
    )  # fmt: skip


def _json_row(line: str) -> dict[str, Any]:
    told = json.loads(line)
    return {
        "Device ID": told.get("device_id") or "", "Verdict": told.get("verdict") or "",
        "First Judged": next(iter(told["judged"]), ""), "Judged Attempts": len(told["judged"]),
    }  # fmt: skip


def _record_row(line: str) -> dict[str, Any]:
    told = json.loads(line)["metadata"]
    return {
        "Device ID": told["facts"].get("device_id") or "", "Verdict": told["verdict"] or "",
        "First Judged": next(iter(told["judged"]), ""), "Judged Attempts": len(told["judged"]),
    }  # fmt: skip


def _passports(data: bytes) -> Told:
    """Count verdicts; a unit that still runs has no passport."""
    with zipfile.ZipFile(io.BytesIO(data)) as folder:
        said = [verifier.checked_passport(folder.read(name), "")["verdict"] for name in folder.namelist()]
    words = {"PASS": "passed", "PENDING": "pending", "FAIL": "failed", "ABORTED": "aborted", "ERROR": "error"}
    return {name: said.count(word) for word, name in words.items()}


def _sheet(data: bytes) -> Told:
    rows = openpyxl.load_workbook(io.BytesIO(data), read_only=True)["Units"].iter_rows(values_only=True)
    heads = next(rows)
    return _rows([dict(zip(map(str, heads), row, strict=True)) for row in rows])


def _summary(data: bytes) -> Told:
    sheet = openpyxl.load_workbook(io.BytesIO(data))["Summary"]
    told = {str(row[0]): row[1] for row in sheet.iter_rows(values_only=True) if row[0]}
    rows = ("Units", "PASS", "SET ASIDE", "FAIL", "STOPPED", "CHECK STATION", "Judged", "Passed first time", "Retests")
    figures = _told(*(int(str(told[name])) for name in rows))
    share = figures["first_passed"] / figures["judged"] if figures["judged"] else None
    assert told.get("FPY") == share
    return figures


def _report(page: str) -> Told:
    boxes = {name: int(value) for value, name in re.findall(r"<div><b>(\d+)</b>([^<]+)</div>", page)}
    counted = re.search(r"(\d+) units seen, (\d+) judged, (\d+) retest", page)
    assert counted
    told = dict(zip(("units", "judged", "retests"), map(int, counted.groups()), strict=True))
    names = {"FAIL": "failed", "SET ASIDE": "pending", "STOPPED": "aborted", "CHECK STATION": "error"}
    passed = next(value for name, value in boxes.items() if name.startswith("PASS"))
    return told | {"passed": passed} | {names[name]: value for name, value in boxes.items() if name in names}


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def run_on(data: Path, capsys: Any) -> Run:
    """Return what runs verbs on the data directory ``data``."""

    def run(*words: str) -> str:
        assert main([*words, "--data-dir", str(data)]) == 0
        return str(capsys.readouterr().out)

    return run
