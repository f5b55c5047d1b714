"""Exports: right columns, one row a unit, safe in a spreadsheet, no secret anywhere."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.export_story import second_batch
from support.journal_story import at, finished, identified, item, opened, pending, started, step, unit_id, walked

from drivers.clock import SimulatedClock
from drivers.identity import MobileSecret, Secret
from station.engine.events import AttemptStarted
from station.engine.records import CredentialWritten, UnitFacts
from station.errors import BadInput, JournalError
from station.export import JSONL, export, write_dump
from station.export.batch_log import batch_log
from station.export.cells import Cells, guarded, unguarded
from station.journal import Journal
from station.journal.entries import stamped
from station.journal.export_rows import ExportRow, export_rows, in_blocks, merge
from station.model import IdentityFact, Measurement, Outcome, Verdict

VENDOR = (
    "Device ID,Device Name,ICCID,IMEI,Serial,SKU,Wi-Fi MAC Address,Groups,Owner,Device OS Version,"
    "Product ID,Platform ID,Platform Name,Firmware Version"
)
STATION = (
    "Batch,Attempt,Slot,Operator,Profile Released By,Lots,Protection Intended,Protection Observed,Started,Finished,"
    "Seconds,Verdict,Result,"
    "First Judged,Judged Attempts,Failed Step,Reason,By Hand Since"
)
ICCID, IMEI = "89310410106543789301", "352753090041680"


def exported(journal: Journal, batch: str | list[str] = "B1", *, all_attempts: bool = False) -> list[dict[str, str]]:
    file = io.StringIO(newline="")
    count = export(journal, batch, file, all_attempts=all_attempts)
    found = list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))
    assert len(found) == count
    return found


def facts(attempt: str, **values: str) -> UnitFacts:
    read = tuple(IdentityFact(name, value, "cloud") for name, value in values.items())
    return UnitFacts(at=at(3), device_id=unit_id(1), attempt=attempt, facts=read)


@pytest.mark.rule("M2")
def test_a_row_holds_the_vendor_columns_then_ours_then_two_per_step(journal: Journal) -> None:
    journal.record(
        started("a-1"), identified("a-1", serial="P044AB1234567", iccid=ICCID, imei=IMEI, sku="BRN404X"),
        step("a-1"), step("a-1", "wifi", Outcome.SKIPPED, 0.0),
        facts("a-1", name="widget 7", owner="", product_id="12345", platform_id="13", platform_name="Boron",
              device_os="6.3.4", firmware_version="5", groups="a,b"),
        finished("a-1"),
    )  # fmt: skip
    file = io.StringIO(newline="")
    assert export(journal, "B1", file) == 1
    header, _ = file.getvalue().splitlines()
    steps = "identify,identify s,device_os,device_os s,product_add,product_add s,wifi,wifi s"
    of_a_step = "{0}: download (s),{0}: download min,{0}: download max"
    measured = ",".join((*map(of_a_step.format, ("device_os", "wifi")), "Out of Limits"))
    assert header == f"{VENDOR},{STATION},{steps},{measured}"
    (row,) = exported(journal)
    assert {name: unguarded(row[name]) for name in VENDOR.split(",")} == {
        "Device ID": unit_id(1), "Device Name": "widget 7", "ICCID": ICCID, "IMEI": IMEI, "Serial": "P044AB1234567",
        "SKU": "BRN404X", "Wi-Fi MAC Address": "", "Groups": "a,b", "Owner": "", "Device OS Version": "6.3.4",
        "Product ID": "12345", "Platform ID": "13", "Platform Name": "Boron", "Firmware Version": "5",
    }  # fmt: skip
    assert {name: row[name] for name in STATION.split(",")} == {
        "Batch": "B1", "Attempt": "a-1", "Slot": "3", "Operator": "", "Profile Released By": "", "Lots": "",
        "Protection Intended": "", "Protection Observed": "",
        "Started": "2026-01-05T06:00:00.000+00:00",
        "Finished": "2026-01-05T06:00:09.000+00:00", "Seconds": "9.25", "Verdict": "PASS",
        "Result": "PASS", "First Judged": "PASS", "Judged Attempts": "1", "Failed Step": "",
        "Reason": "", "By Hand Since": "",
    }  # fmt: skip
    assert (row["device_os"], row["device_os s"], row["wifi"], row["identify"]) == ("done", "2.5", "skipped", "")
    assert [row[name] for name in measured.split(",")] == ["2.5", "0", "60", "0", "0", "60", ""]


def test_values_of_the_last_try_stand_with_their_limits_and_what_is_out_of_them_is_named(journal: Journal) -> None:
    """As exact as measured, in a batch whose units are not all measured, whatever a unit may have said."""
    first = (Measurement("vbat", 9.0, "V", 3.6, 4.2, is_out=True),)
    last = (
        Measurement("vbat", 3.3100001, "V", 3.6, 4.2, is_out=True),
        Measurement("offset", -0.000012, "A", high=1e-5),
        Measurement("fw", "=1+1", wanted="/v1.*/", is_out=True),
        Measurement("accel", "1E23", wanted="1E23"),
    )
    journal.record(
        started("a-1"), identified("a-1"),
        replace(step("a-1", "app_test", Outcome.FAILED), measurements=first),
        replace(step("a-1", "app_test", Outcome.FAILED), measurements=last),
        finished("a-1", Verdict.FAIL), *walked("b-1", 2),
    )  # fmt: skip
    assert [one.measurements for one in journal.steps("a-1")] == [first, last]
    row, other = exported(journal)
    values = {name.removeprefix("app_test: "): value for name, value in row.items() if name.startswith("app_test: ")}
    assert values == {
        "vbat (V)": "3.3100001", "vbat min": "3.6", "vbat max": "4.2",
        "offset (A)": "-1.2e-05", "offset max": "1e-05",
        "fw": "'=1+1", "fw wanted": "/v1.*/", "accel": "'1E23", "accel wanted": "'1E23",
    }  # fmt: skip
    assert (row["Out of Limits"], other["Out of Limits"], other["app_test: vbat (V)"]) == ("vbat, fw", "", "")


def test_a_unit_has_one_row_its_last_attempt_unless_all_are_wanted(journal: Journal) -> None:
    journal.record(started("a-1"), identified("a-1", device_os="3.3.1"), finished("a-1", Verdict.FAIL, reason="=bad"))
    journal.record(started("a-2"), identified("a-2", device_os="6.3.4"), finished("a-2"))
    journal.record(*walked("b-1", 2), started("a-3"))  # a-3 is still running
    assert [(r["Attempt"], r["Verdict"]) for r in exported(journal)] == [("a-2", "PASS"), ("b-1", "PASS")]
    rows = exported(journal, all_attempts=True)
    assert [(r["Attempt"], r["Verdict"]) for r in rows] == [
        ("a-1", "FAIL"), ("a-2", "PASS"), ("b-1", "PASS"), ("a-3", ""),
    ]  # fmt: skip
    assert [unguarded(r["Device OS Version"]) for r in rows] == ["3.3.1", "6.3.4", "", "6.3.4"]
    assert (rows[0]["Reason"], rows[0]["Failed Step"]) == ("'=bad", "device_os")


def test_an_attempt_on_a_unit_nobody_could_identify_is_a_row_too(journal: Journal) -> None:
    journal.record(*walked("a-1"), started("a-2", None), finished("a-2", Verdict.ERROR, None))
    journal.record(started("a-3", None), finished("a-3", Verdict.ERROR, None))
    assert [(r["Attempt"], r["Device ID"]) for r in exported(journal)] == [
        ("a-1", unit_id(1)), ("a-2", ""), ("a-3", ""),
    ]  # fmt: skip


def test_two_batches_share_one_file_with_the_steps_of_both(journal: Journal) -> None:
    def walk(attempt: str, unit: int, batch: str, *steps: str) -> AttemptStarted:
        return AttemptStarted(
            at=at(), slot=1, device_id=unit_id(unit), attempt=attempt, port_path="1-1", batch=batch, steps=steps
        )

    journal.record(opened("B2", "argon-product"))
    journal.record(walk("a-1", 1, "B1", "identify", "dfu", "sim", "final_check"), step("a-1", "sim"), finished("a-1"))
    journal.record(walk("b-1", 2, "B2", "identify", "dfu", "wifi", "final_check"), step("b-1", "wifi"))
    journal.record(finished("b-1", unit=2))
    rows = exported(journal, ["B1", "B2"])
    assert [r["Batch"] for r in rows] == ["B1", "B2"]
    assert [n for n in rows[0] if n in {"identify", "dfu", "sim", "wifi", "final_check"}] == [
        "identify", "dfu", "wifi", "sim", "final_check",
    ]  # fmt: skip
    assert (rows[0]["sim"], rows[0]["wifi"], rows[1]["wifi"]) == ("done", "", "done")
    assert len(exported(journal, "B2")) == 1


@given(st.lists(st.lists(st.sampled_from("abcdef"), unique=True), max_size=4))
def test_merged_steps_hold_every_step_once(orders: list[list[str]]) -> None:
    names: list[str] = []
    for order in orders:
        merge(names, order)
    assert sorted(names) == sorted({name for order in orders for name in order})


def test_a_row_follows_the_settled_outbox(journal: Journal) -> None:
    journal.record(*pending("a-1", "product_add"))
    assert [(r["Verdict"], r["product_add"]) for r in exported(journal)] == [("PENDING", "deferred")]
    journal.settle(item("a-1"), Outcome.FAILED, "the unit is in product 99", "")
    (row,) = exported(journal)
    assert (row["Verdict"], row["product_add"], row["Failed Step"], row["Reason"]) == (
        "FAIL", "failed", "product_add", "the unit is in product 99",
    )  # fmt: skip


def test_a_row_holds_what_the_cloud_told_of_its_attempt_after_the_unit_had_left(journal: Journal) -> None:
    journal.record(*pending("a-1", "product_add"))
    journal.record(facts("a-1", name="WIDGET-1", product_id="12345", owner="f***@example.com", groups="line-3"))
    journal.settle(item("a-1"), Outcome.DONE, "", "cloud shows product 12345")
    journal.record(*walked("a-2"), facts("a-2", name="RENAMED"))
    first, second = exported(journal, all_attempts=True)
    told = ("Device Name", "Product ID", "Owner", "Groups", "Verdict")
    assert [first[name] for name in told] == ["WIDGET-1", "12345", "f***@example.com", "line-3", "PASS"]
    assert second["Device Name"] == "RENAMED"


def test_an_unknown_batch_is_refused_before_a_line_is_written(journal: Journal) -> None:
    file = io.StringIO()
    with pytest.raises(BadInput, match="no batch 'B9' in this journal; the latest are: B1"):
        export(journal, "B9", file)
    assert file.getvalue() == ""


# --- cells ---


@pytest.mark.parametrize(
    "text",
    [ICCID, IMEI, "1" * 24, "1E23", "1e5", "0123", "6.3.4", "1-2", "3/4/26", "12:30", "3-Mar", "SEP1",
     "mar 4", "TRUE", "false", "4 PM", "=1+1", "=HYPERLINK(\"http://x\")", "+4912", "-1", "@SUM(A1)", "'quoted",
     " =1+1", "\t=1", "\r=1", "＝1", "50%", "$5", "1,000"],
)  # fmt: skip
def test_a_cell_a_spreadsheet_would_change_is_marked(text: str) -> None:
    cell = guarded(text)
    assert cell.startswith("'")
    assert unguarded(cell) == re.sub(r"[\t\r\n]", " ", text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        unit_id(1),
        "12345678901234567890123e",
        "P044AB1234567",
        "widget 7",
        "aa:bb:cc:00:11:22",
        "2026-01-05T06:00:00.000+00:00",
        "Größe",
        "b-1",
    ],
)
def test_a_plain_text_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text


@given(st.text(alphabet="x;='+ \"@", max_size=12))
@example("x;=1+1")
@example("x; @SUM(1)")
@example("x;'=1")
@example(";;-2+3|'cmd'!A0")
@example('x;"=1"')
def test_a_formula_behind_a_semicolon_is_none_where_semicolons_part_cells(text: str) -> None:
    cell = guarded(text)
    assert unguarded(cell) == text
    for part in cell.split(";")[1:]:
        assert part.lstrip(' "')[:1] not in tuple("=+-@＝＋－＠")


@given(st.text(max_size=60))
@example("=cmd|' /C calc'!A0")
@example("''")
def test_every_cell_is_harmless_and_can_be_read_back(text: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerow([guarded(text), "end"])
    ((cell, end),) = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert end == "end"
    assert cell.strip()[:1] not in set("=+-@\t\r")
    assert cell.isprintable()
    assert unguarded(cell) == "".join(c if c.isprintable() else " " for c in text)


@given(st.from_regex(r"[0-9 .,:/%$+-]*[0-9][0-9 .,:/%$+-]*([eE][+-]?[0-9]+)?", fullmatch=True))
def test_whatever_reads_as_a_number_or_date_is_marked(text: str) -> None:
    assert guarded(text).startswith("'")


# --- secrets ---

SECRET, PASSWORD = MobileSecret("ABCDEFGHIJKLMNO"), Secret("correct horse battery")


@pytest.mark.rule("A7")
@pytest.mark.rule("N5")
def test_secrets_are_in_no_export_no_dump_and_no_file_unless_kept_on_purpose(data: Path, clock: SimulatedClock) -> None:
    with Journal.open(data, "bench-1", clock) as journal:
        journal.record(opened(), started("a-1"), identified("a-1", secret=SECRET.reveal()), step("a-1"))
        digest = journal.digest(unit_id(1), "line", PASSWORD)
        journal.record(
            CredentialWritten(at=at(), device_id=unit_id(1), attempt="a-1", ssid="line", digest=digest), finished("a-1")
        )
        outputs = _everything(journal)
    written = b"".join(path.read_bytes() for path in data.iterdir())
    for secret in (SECRET, PASSWORD):
        assert secret.reveal() not in outputs
        assert secret.reveal().encode() not in written


@pytest.mark.rule("A7")
def test_a_kept_mobile_secret_comes_out_only_when_asked_for_and_can_be_forgotten(
    data: Path, clock: SimulatedClock
) -> None:
    with Journal.open(data, "bench-1", clock) as journal:
        journal.record(opened(), *walked("a-1"))
        journal.keep_secret(unit_id(1).upper(), SECRET)
        journal.rebuild()
        assert journal.mobile_secret(unit_id(1)) == SECRET
        assert [row.kind for row in journal.entries()][-1] == "SecretStored"
        assert SECRET.reveal() not in _everything(journal)
        journal.forget_secret(unit_id(1))
        assert journal.mobile_secret(unit_id(1)) is None
    assert SECRET.reveal().encode() not in b"".join(path.read_bytes() for path in data.iterdir())


def _everything(journal: Journal) -> str:
    file = io.StringIO(newline="")
    export(journal, "B1", file, all_attempts=True)
    export(journal, "B1", file, JSONL, all_attempts=True)
    write_dump(journal, file)
    return file.getvalue() + repr(journal.find(unit_id(1)))


# --- digests ---


def test_a_digest_proves_the_same_credentials_on_the_same_unit_and_nothing_else(
    data: Path, clock: SimulatedClock, tmp_path: Path
) -> None:
    with Journal.open(data, "bench-1", clock) as journal:
        first = journal.digest(unit_id(1), "line", PASSWORD)
        assert re.fullmatch(r"[0-9a-f]{64}", first)
        assert journal.digest(unit_id(1).upper(), "line", Secret("correct horse battery")) == first
        others = {
            journal.digest(unit_id(2), "line", PASSWORD),
            journal.digest(unit_id(1), "line2", PASSWORD),
            journal.digest(unit_id(1), "line", Secret("other")),
            journal.digest(unit_id(1), "line", Secret("")),
            journal.digest(unit_id(1), "line", None),
            journal.digest(unit_id(1), "linecorrect", Secret(" horse battery")),
        }
        assert len(others | {first}) == 7
    with Journal.open(data, "bench-1", clock) as journal:
        assert journal.digest(unit_id(1), "line", PASSWORD) == first
    with Journal.open(tmp_path / "other", "bench-2", clock) as other:
        assert other.digest(unit_id(1), "line", PASSWORD) != first


def test_a_damaged_key_is_refused_and_leaves_the_directory_free(data: Path, clock: SimulatedClock) -> None:
    Journal.open(data, "bench-1", clock).close()
    (data / "credential.key").write_bytes(b"short")
    with pytest.raises(JournalError, match="holds 5 bytes, expected 32"):
        Journal.open(data, "bench-1", clock)
    (data / "credential.key").unlink()
    Journal.open(data, "bench-1", clock).close()


# --- the other forms ---


def test_json_lines_hold_each_attempt_with_facts_steps_and_measurements(journal: Journal) -> None:
    journal.record(started("a-1"), identified("a-1", iccid=ICCID), step("a-1"), finished("a-1"), *walked("b-1", 2))
    file = io.StringIO()
    assert export(journal, "B1", file, JSONL) == 2
    first, second = map(json.loads, file.getvalue().splitlines())
    assert (first["device_id"], first["verdict"], first["facts"]["iccid"]) == (unit_id(1), "PASS", ICCID)
    (done,) = first["steps"]
    assert (done["step"], done["outcome"], done["seconds"]) == ("device_os", "done", 2.5)
    assert done["ended"] == "2026-01-05T06:00:02.000+00:00"
    assert done["measurements"] == [
        {"name": "download", "value": 2.5, "unit": "s", "low": 0.0, "high": 60.0, "wanted": "", "is_out": False}
    ]
    assert second["attempt"] == "b-1"


def test_a_dump_has_a_line_for_every_entry_and_ends_with_the_newest_hash(journal: Journal) -> None:
    journal.record(*walked("a-1"))
    file = io.StringIO()
    assert write_dump(journal, file) == 4
    lines = [line.split("\t") for line in file.getvalue().splitlines()]
    assert [(line[0], int(line[1])) for line in lines] == [("bench-1", n) for n in (1, 2, 3, 4)]
    assert lines[-1][-1] == journal.verify().hash
    assert all(json.loads(line[4]) for line in lines)


def test_the_values_of_a_row_are_those_that_each_column_gives(journal: Journal) -> None:
    journal.record(*second_batch())
    with batch_log(journal, "B2", all_attempts=True, secret=lambda unit: f"of {unit}") as log:
        columns, values = log.valued()
        rows = list(log.rows())
        assert len(rows) == 5
        assert [[*told] for told in values(rows)] == [[*map(column.value, rows)] for column in columns]
        assert [column.name for column in columns] == [column.name for column in log.columns()]


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1000])
def test_blocks_hold_all_rows_in_their_order(count: int) -> None:
    blocks = list(in_blocks(range(count)))
    assert [row for block in blocks for row in block] == list(range(count))
    assert all(blocks)


@pytest.mark.parametrize(
    "text",
    ["2026-01-05T06:00:00.000+00:00", "2026-01-05T07:00:00.000+01:00", "2026-01-05T06:00:00Z", "20260105T060000Z"],
)
def test_a_time_is_shown_as_a_station_writes_it_however_the_entry_has_it(text: str) -> None:
    assert stamped(text) == "2026-01-05T06:00:00.000+00:00"


def test_what_a_running_attempt_shows_is_what_is_kept_of_it_when_it_ends(journal: Journal) -> None:
    journal.record(*second_batch())
    before = {row["Attempt"]: row for row in exported(journal, "B2")}
    journal.record(finished("b-5", Verdict.ABORTED, 5))
    after = {row["Attempt"]: row for row in exported(journal, "B2")}
    ends = {"Finished", "Seconds", "Verdict", "Result", "Failed Step"}
    assert {name for name, cell in after["b-5"].items() if cell != before["b-5"][name]} == ends
    assert (after["b-5"]["identify s"], after["b-5"]["identify: volts (V)"]) == ("0.5", "3.3")


def test_more_different_cells_than_are_remembered_are_each_written_as_they_are() -> None:
    cells = Cells(lambda value: f"<{value}>")
    assert [cells[number % 3000] for number in range(9000)] == [f"<{number % 3000}>" for number in range(9000)]
    assert len(cells) < 3000
    assert (cells[None], cells[""]) == ("", "")


@pytest.mark.parametrize(
    ("told", "judged"),
    [
        (None, ()), ("PASS", (Verdict.PASS,)),
        ("12 PASS,101 PASS,9 FAIL", (Verdict.FAIL, Verdict.PASS, Verdict.PASS)),
    ],
)  # fmt: skip
def test_verdicts_are_told_in_their_order_in_whatever_order_sqlite_gives_them(
    told: str | None, judged: tuple[Verdict, ...], journal: Journal
) -> None:
    """Before 3.44 it promises none within group_concat."""
    journal.record(*walked("a-1"))
    with journal.snapshot() as db:
        (row,) = export_rows(db, ("B1",), all_attempts=False, detailed=False)
    assert ExportRow(row.kept, row.told, told, "", None).judged == judged


def test_a_unit_judged_a_dozen_times_shows_every_verdict_the_oldest_first(journal: Journal) -> None:
    verdicts = [Verdict.PASS if number in (3, 11) else Verdict.FAIL for number in range(12)]
    for number, verdict in enumerate(verdicts):
        journal.record(*walked(f"a-{number}", 1, verdict))
    with journal.snapshot() as db:
        rows = list(export_rows(db, ("B1",), all_attempts=True, detailed=False))
    assert [row.judged for row in rows] == [tuple(verdicts)] * 12


def test_tries_are_read_in_blocks_and_not_attempt_by_attempt(journal: Journal) -> None:
    def asked() -> tuple[int, list[str]]:
        statements: list[str] = []
        with journal.snapshot() as db:
            db.set_trace_callback(statements.append)
            steps = [one.step for row in export_rows(db, ("B1",), all_attempts=True) for one in row.steps]
            db.set_trace_callback(None)
        return len(statements), steps

    retried = (step("a-0", "wifi", Outcome.FAILED), step("a-0"), step("a-0", "wifi"))
    journal.record(started("a-0", 9), *retried, finished("a-0", unit=9))
    few, steps = asked()
    assert steps == ["wifi", "device_os", "wifi"]
    for number in range(1, 30):
        journal.record(*walked(f"a-{number}", number + 10))
    many, steps = asked()
    assert steps == ["wifi", "device_os", "wifi"] + ["device_os"] * 29
    assert many == few
