"""``station log export``: everything at once, secrets on a badge only, and what is told where something is lacking."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from pathlib import Path

import openpyxl
import pytest
from support.house_tools import run_python
from support.journal_story import everything, finished, identified, opened, started, step, unit_id, walked

from drivers.clock import SimulatedClock
from drivers.host.executable import SystemPrograms
from drivers.identity import MobileSecret
from station.cli.main import main
from station.cli.places import key_place
from station.export import EXPORTERS, export, find_exporter, workbook
from station.export.batch_log import batch_log
from station.export.pdf import NoBrowser, write_pdf
from station.journal import Journal, JournalReader
from station.settings.config import load_config

SECRET = "CANARY7SECRET15"
Said = pytest.CaptureFixture[str]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A closed batch and an open one, and the kept secret of one unit; no browser on the path."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    keys = key_place(load_config(None))
    with Journal.open(tmp_path / "data" / "journal", "bench-1", SimulatedClock(), key_place=keys) as journal:
        journal.record(*everything()[:-1], *walked("a-3", 3))
        journal.close_batch("B1")
        journal.record(
            opened("B2"), started("a-8", 8, "B2"), identified("a-8", 8), step("a-8"), finished("a-8", unit=8)
        )
        journal.keep_secret(unit_id(1), MobileSecret(SECRET))
    return tmp_path / "data"


def exported(place: Path, *words: str) -> int:
    return main(["log", "export", *words, "--data-dir", str(place)])


def test_everything_is_every_batch_in_every_format_with_what_checks_it(
    place: Path, tmp_path: Path, capsys: Said
) -> None:
    assert exported(place, "--all", "-o", str(tmp_path / "all")) == 0
    said = capsys.readouterr().out
    assert "without a PDF: a PDF is printed by Chromium" in said
    names = {path.name for path in (tmp_path / "all").iterdir()}
    formats = [one for one in EXPORTERS if one.name != "pdf"]
    assert names == {"dump.txt", "verify_log.py", *(one.file_of(batch) for one in formats for batch in ("B1", "B2"))}
    assert len(names) == 2 + 2 * len(formats)
    packed = [str(tmp_path / "all" / f"{batch}-passports.zip") for batch in ("B1", "B2")]
    program = str(tmp_path / "all" / "verify_log.py")
    checked = run_python("-I", "-S", program, str(tmp_path / "all" / "dump.txt"), *packed)
    assert (checked.returncode, checked.stderr) == (0, "")
    for one in formats:
        file = io.BytesIO() if one.is_binary else io.StringIO(newline="")
        with JournalReader(place / "journal") as journal:
            export(journal, "B1", file, one)
        alone = file.getvalue()
        if one.name != "xlsx":  # it holds the time it was made at
            whole = (tmp_path / "all" / one.file_of("B1")).read_bytes()
            assert whole == (alone if isinstance(alone, bytes) else alone.encode())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name the batches to export with --batch, or all of them with --all"),
        (("--all", "--batch", "B1"), "name the batches to export"),
        (("--all",), "name a folder for them with -o"),
        (("--batch", "B1", "--format", "junit", "--for", "plain"), "are for CSV, --format junit is none"),
        (("--batch", "B1", "--with-secrets"), "say who takes them with --by BADGE"),
        (("--batch", "B1", "--by", "0417"), "it goes with --with-secrets"),
        (("--batch", "B1", "--with-secrets", "--by", "no badge"), "say who takes them with --by BADGE"),
        (("--batch", "B1", "--with-secrets", "--by", "0417", "--format", "html"), "goes with csv, jsonl, xlsx"),
        (("--batch", "B9", "--with-secrets", "--by", "0417"), "there is no batch 'B9'"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_what_to_do(
    words: tuple[str, ...], said: str, place: Path, capsys: Said
) -> None:
    assert exported(place, *words) == 2
    assert said in capsys.readouterr().err
    assert "SecretsTaken" not in kinds(place)


def kinds(place: Path) -> list[str]:
    with JournalReader(place / "journal") as journal:
        return [row.kind for row in journal.entries()]


# --- secrets ---


@pytest.mark.rule("A7")
@pytest.mark.parametrize("exporter", EXPORTERS, ids=lambda one: one.name)
def test_no_format_has_a_secret_that_nobody_asked_for(exporter: object, place: Path) -> None:
    one = find_exporter(exporter.name)  # type: ignore[attr-defined]
    if one.name == "pdf":
        one = find_exporter("html")  # what it prints
    file = io.BytesIO() if one.is_binary else io.StringIO(newline="")
    with JournalReader(place / "journal") as journal:
        export(journal, ["B1", "B2"], file, one, all_attempts=True)
    assert SECRET not in readable(file.getvalue())


def readable(content: str | bytes) -> str:
    """Return all text of an export, also of the files it is packed of."""
    if isinstance(content, str):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as folder:
        return "".join(folder.read(name).decode(errors="replace") for name in folder.namelist())


@pytest.mark.rule("A7")
@pytest.mark.parametrize("form", [one.name for one in EXPORTERS if one.has_secrets])
def test_secrets_go_out_on_a_badge_that_the_journal_names_before(form: str, place: Path, tmp_path: Path) -> None:
    path = tmp_path / f"secret.{form}"
    taken = ("--with-secrets", "--by", "0417")
    assert exported(place, "--batch", "B1", "--format", form, "-o", str(path), *taken) == 0
    assert SECRET in readable(path.read_bytes() if form == "xlsx" else path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with JournalReader(place / "journal") as journal:
        journal.verify()
        last = [*journal.entries()][-1]
    assert (last.kind, json.loads(last.body)["by"], json.loads(last.body)["batches"]) == (
        "SecretsTaken",
        "0417",
        ["B1"],
    )
    assert SECRET not in last.body


@pytest.mark.rule("A7")
def test_among_all_formats_only_those_with_a_place_for_secrets_have_them(place: Path, tmp_path: Path) -> None:
    folder = tmp_path / "all"
    assert exported(place, "--all", "-o", str(folder), "--with-secrets", "--by", "0417") == 0
    told = {path.name for path in folder.iterdir() if SECRET.encode() in path.read_bytes()}
    with zipfile.ZipFile(folder / "B1.xlsx") as book:
        assert any(SECRET.encode() in book.read(name) for name in book.namelist())
    assert told == {"B1.csv", "B1.jsonl"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.glob("B*")} == {0o600}


def test_secrets_wait_for_the_station_to_stop(place: Path, capsys: Said) -> None:
    with Journal.open(place / "journal", "bench-1", SimulatedClock()):
        assert exported(place, "--batch", "B1", "--with-secrets", "--by", "0417") == 3
    assert SECRET not in capsys.readouterr().out


# --- limits ---


def test_more_steps_than_a_sheet_holds_go_to_a_csv_beside(
    place: Path, tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 4)
    assert exported(place, "--batch", "B1", "--all-attempts", "--format", "xlsx", "-o", str(tmp_path / "B1.xlsx")) == 0
    lines = (tmp_path / "B1-steps.csv").read_text().splitlines()
    assert f"B1-steps.csv: {len(lines) - 1} steps, more than a sheet holds" in capsys.readouterr().out
    summary = openpyxl.load_workbook(tmp_path / "B1.xlsx")["Summary"].iter_rows(values_only=True)
    assert any("which a sheet cannot hold" in str(row[0]) for row in summary)


def test_without_a_browser_it_says_what_prints_the_report_and_what_to_do(place: Path) -> None:
    programs = SystemPrograms(environ={"PATH": "/nothing"})
    said = "or write HTML and print that page"
    with (
        JournalReader(place / "journal") as journal,
        batch_log(journal, "B1") as log,
        pytest.raises(NoBrowser, match=said),
    ):
        write_pdf(log, io.BytesIO(), programs)
