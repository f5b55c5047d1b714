"""What LibreOffice makes of our CSV and workbook, and Chromium and Poppler of what is printed: no digit is lost."""

from __future__ import annotations

import csv
import io
import re
import subprocess
from pathlib import Path

import openpyxl
import pytest
import zxingcpp
from conformance.equipment import lacking
from support.journal_story import finished, identified, opened, started, step, unit_id, walked

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.journal import Journal
from station.model import Verdict

pytestmark = pytest.mark.conformance

ICCIDS = ("89310410106543789301", "89883075542405366176", "89000000000000000000", "01234567890123456789")
IMEI, FORMULA = "351271953201989", "=1+1"
AS_SHOWN = "Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,2"
"""LibreOffice's second sheet as it shows its cells: commas, quotes, UTF-8."""
TEXT = 2
"""Of LibreOffice's import: a column of text."""


def _need(*names: str) -> None:
    if missing := lacking(*names):
        pytest.skip(f"this machine lacks {missing}")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """One unit a SIM, of which one failed and came with a name that is a formula."""
    with Journal.open(tmp_path / "data" / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened())
        for number, iccid in enumerate(ICCIDS, 1):
            attempt, verdict = f"a-{number}", Verdict.FAIL if number == 2 else Verdict.PASS
            journal.record(
                started(attempt, number), identified(attempt, number, iccid=iccid, imei=IMEI, name=FORMULA, sku="ä€"),
                step(attempt), finished(attempt, verdict, number, "no answer" if number == 2 else ""),
            )  # fmt: skip
    return tmp_path


def exported(place: Path, name: str, *words: str) -> Path:
    path = place / name
    assert main(["log", "export", "--batch", "B1", "-o", str(path), "--data-dir", str(place / "data"), *words]) == 0
    return path


def converted(path: Path, to: str, *words: str, sheet: str = "") -> Path:
    """Let LibreOffice open a file without a screen and write it, or its ``sheet``, as ``to``."""
    _need("soffice")
    folder = path.with_name("converted")
    command = ["soffice", "--headless", "--norestore", f"-env:UserInstallation={(folder / 'user').as_uri()}", *words]
    done = subprocess.run([*command, "--convert-to", to, "--outdir", folder, path], capture_output=True, text=True)
    made = folder / f"{path.stem}{sheet and '-'}{sheet}.{to.partition(':')[0]}"
    assert made.exists(), done.stdout + done.stderr
    return made


def table(path: Path, name: str | None = None) -> list[dict[str, object]]:
    book = openpyxl.load_workbook(path)
    head, *rows = (book[name] if name else book.worksheets[0]).iter_rows(values_only=True)
    return [dict(zip(map(str, head), row, strict=True)) for row in rows]


def test_the_workbook_shows_every_digit_and_no_apostrophe(place: Path) -> None:
    made = converted(exported(place, "B1.xlsx", "--format", "xlsx"), f"csv:{AS_SHOWN}", sheet="Units")
    shown = list(csv.DictReader(io.StringIO(made.read_text(encoding="utf-8"), newline="")))
    assert [row["ICCID"] for row in shown] == [*ICCIDS]
    assert {(row["IMEI"], row["Device Name"], row["SKU"]) for row in shown} == {(IMEI, FORMULA, "ä€")}
    assert shown[0]["Started"] == "2026-01-05 06:00:00"


def test_csv_for_a_spreadsheet_keeps_every_digit_behind_its_sign(place: Path) -> None:
    filter_ = "--infilter=CSV:59,34,UTF8,1"  # what a German Excel assumes
    made = converted(exported(place, "B1.csv", "--for", "excel", "--locale", "de"), "xlsx", filter_)
    rows = table(made)
    assert [row["ICCID"] for row in rows] == [f"'{iccid}" for iccid in ICCIDS]
    assert {row["Device Name"] for row in rows} == {f"'{FORMULA}"}, "nothing is evaluated"
    assert {row["SKU"] for row in rows} == {"ä€"}


def test_csv_for_a_program_keeps_every_digit_once_its_columns_are_declared(place: Path) -> None:
    path = exported(place, "B1.csv", "--for", "plain")
    count = len(next(csv.reader([path.read_text(encoding="utf-8").splitlines()[0]])))
    columns = "/".join(f"{number}/{TEXT}" for number in range(1, count + 1))
    rows = table(converted(path, "xlsx", f"--infilter=CSV:44,34,UTF8,1,{columns}"))
    assert [row["ICCID"] for row in rows] == [*ICCIDS]
    assert {row["Device Name"] for row in rows} == {FORMULA}


def page_numbers(text: str) -> list[str]:
    """What stands last on each page, without blanks."""
    return ["".join(page.splitlines()[-1].split()) for page in text.split("\f")[:-1]]


def test_the_report_is_printed_with_every_unit_and_figure(place: Path) -> None:
    _need("chromium", "pdftotext")
    path = exported(place, "B1.pdf", "--format", "pdf")
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    assert re.search(r"^\s*3\s+1\s+75\.0 %\s+75\.0 %\s+0\s+0\s+0$", text, re.MULTILINE)
    assert [len(re.findall(unit_id(number), text)) for number in range(1, 5)] == [1, 2, 1, 1]
    assert "4 units seen, 4 judged, 0 retests." in text
    assert "Received by: name, date" in text
    assert page_numbers(text) == ["1/1"]


def test_each_page_of_a_long_report_has_its_number(tmp_path: Path) -> None:
    _need("chromium", "pdftotext")
    with Journal.open(tmp_path / "data" / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened())
        for number in range(1, 121):
            journal.record(*walked(f"a-{number}", number))
    path = exported(tmp_path, "B1.pdf", "--format", "pdf")
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    numbers = page_numbers(text)
    assert len(numbers) > 2
    assert numbers == [f"{number}/{len(numbers)}" for number in range(1, len(numbers) + 1)]


def test_the_codes_of_a_printed_sheet_are_read_from_its_paper(tmp_path: Path) -> None:
    _need("chromium", "pdftotext")  # whose package has pdftoppm, too
    path = tmp_path / "codes.pdf"
    assert main(["barcodes", "--badge", "0417", "--batch", "2026-11-A", "-o", str(path)]) == 0
    grey = subprocess.run(["pdftoppm", "-r", "150", "-gray", path], capture_output=True, check=True).stdout
    kind, width, height, _, dots = re.split(rb"\s", grey, maxsplit=4)
    assert kind == b"P5"
    found = zxingcpp.read_barcodes(memoryview(dots).cast("B", (int(height), int(width))))
    wanted = {"CMD:RETRY", "CMD:LIGHT", "CMD:STOP", "CMD:REPRINT", "OP:0417", "BATCH:2026-11-A"}
    assert {one.text for one in found} == wanted
