"""Four units through the whole line: in process, and once through the command line in another process."""

from __future__ import annotations

import csv
import io
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from line_bench import ARGON, BORON, io_dump, line_bench, replace

from station.engine.events import AttemptFinished, AttemptStarted, Event, UnitIdentified, WireTraced
from station.export import export
from station.model import Verdict

VENDOR_COLUMNS = [
    "Device ID", "Device Name", "ICCID", "IMEI", "Serial", "SKU", "Wi-Fi MAC Address", "Groups", "Owner",
    "Device OS Version", "Product ID", "Platform ID", "Platform Name", "Firmware Version",
]  # fmt: skip
OUR_COLUMNS = [
    "Batch", "Attempt", "Slot", "Operator", "Profile Released By", "Lots", "Protection Intended",
    "Protection Observed", "Started", "Finished", "Seconds", "Verdict",
    "Result", "First Judged", "Judged Attempts", "Failed Step", "Reason", "By Hand Since",
]  # fmt: skip


PLAIN = replace(ARGON, online=False)
"""A second batch, of another platform, whose profile keeps no secrets."""


def bare(cell: str) -> str:
    return cell.removeprefix("'")


@pytest.mark.rule("A7")
def test_the_demo_command_takes_two_borons_and_two_argons_to_pass_and_exports_them(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    data = tmp_path / "data"
    demo = subprocess.run(
        [
            sys.executable, "-m", "station", "--log", "debug", "demo", "--headless", "--json", "--once", "--trace",
            "--units", "4", "--seed", "7", "--export", str(out), "--data-dir", str(data),
        ],
        capture_output=True, text=True,
    )  # fmt: skip
    assert demo.returncode == 0, demo.stderr[-2000:]

    events = [json.loads(line) for line in demo.stdout.splitlines()]
    finished = [event for event in events if event["kind"] == "AttemptFinished"]
    assert [event["verdict"] for event in finished] == ["PASS"] * 4
    identified = {event["device_id"]: event["platform"] for event in events if event["kind"] == "UnitIdentified"}
    batches: dict[str, list[str]] = {}
    for event in finished:
        batches.setdefault(event["batch"], []).append(identified[event["device_id"]])
    assert sorted(batches.values()) == [["Argon", "Argon"], ["Boron", "Boron"]]
    assert events[-1]["kind"] == "BatchSummary"
    assert events[-1]["units"] == {"PASS": 4}
    assert events[-1]["flash_writes"] > 0
    assert events[-1]["cloud_writes"] == 8  # each unit was added and named
    assert any(event["kind"] == "WireTraced" for event in events)

    rows = list(csv.DictReader(io.StringIO(out.read_bytes().decode())))
    homes = {path.parent.name: json.loads(path.read_text()) for path in (data / "units").glob("*/unit.json")}
    assert {bare(row["Device ID"]) for row in rows} == set(homes)
    for row in rows:
        _check_row(row, homes[bare(row["Device ID"])])

    dump = subprocess.run(
        [sys.executable, "-m", "station", "log", "dump", "--data-dir", str(data)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert dump.returncode == 0
    assert len(dump.stdout.splitlines()) > 100
    everything = demo.stdout + demo.stderr + out.read_text(encoding="utf-8") + dump.stdout
    for home in homes.values():
        assert home["mobile_secret"] not in everything
    assert "demo-password" not in everything


def _check_row(row: dict[str, str], unit: dict[str, str]) -> None:
    columns = list(row)
    assert columns[: len(VENDOR_COLUMNS)] == VENDOR_COLUMNS
    assert columns[len(VENDOR_COLUMNS) : len(VENDOR_COLUMNS) + len(OUR_COLUMNS)] == OUR_COLUMNS
    steps = [name for name in columns[len(VENDOR_COLUMNS) + len(OUR_COLUMNS) :] if ": " not in name]
    assert steps.pop() == "Out of Limits"
    assert steps[:2] == ["identify", "identify s"]
    assert steps[1::2] == [f"{name} s" for name in steps[::2]]

    assert bare(row["Serial"]) == unit["serial"]
    assert bare(row["Device Name"]) == unit["serial"]  # F3
    assert bare(row["Device OS Version"]) == "6.3.4"
    assert (row["Verdict"], row["Failed Step"], row["Reason"]) == ("PASS", "", "")
    assert row["Firmware Version"] == "7"
    if unit["platform_id"] == 13:
        assert bare(row["Platform Name"]).lower() == "boron"
        assert row["ICCID"] == f"'{unit['iccid']}"  # a bare 20-digit number would become 8.98E+19
        assert row["IMEI"] == f"'{unit['imei']}"
        assert (row["Product ID"], row["Platform ID"]) == ("12345", "13")
        assert row["sim"] == "already"
        assert row["wifi"] == ""
    else:
        assert bare(row["Platform Name"]).lower() == "argon"
        assert bare(row["Wi-Fi MAC Address"]) == unit["mac"]
        assert (row["ICCID"], row["IMEI"]) == ("", "")
        assert (row["Product ID"], row["Platform ID"]) == ("12346", "12")
        assert row["wifi"] == "done"


def test_four_units_at_once_pass_each_in_its_batch(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, ARGON, slots=4) as bench:
        for slot, platform in enumerate(("boron", "argon", "boron", "argon"), start=1):
            bench.plug(bench.unit(platform, slot), slot)
        ends = [bench.wait_finished(slot) for slot in range(1, 5)]
        assert [end.verdict for end in ends] == [Verdict.PASS] * 4
        assert [end.batch for end in ends] == [BORON.batch, ARGON.batch] * 2


def test_every_attempt_is_journalled_before_the_first_write_to_its_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        counted: list[int] = []

        def count(event: Event) -> None:
            if isinstance(event, AttemptStarted):
                with bench.reader() as journal:
                    assert journal.attempt(event.attempt or "") is not None
                counted.append(bench.flash_writes)

        bench.station.bus.subscribe(count)
        assert bench.walk(bench.unit()).verdict is Verdict.PASS
        assert counted == [0]


def test_the_slot_goes_green_only_after_the_verdict_was_committed(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        committed: list[Verdict | None] = []

        def look(event: Event) -> None:
            if isinstance(event, AttemptFinished):
                with bench.reader() as journal:
                    found = journal.attempt(event.attempt or "")
                    committed.append(found.verdict if found else None)

        bench.station.bus.subscribe(look)
        bench.walk(bench.finished_unit(BORON))
        assert committed == [Verdict.PASS]


@pytest.mark.rule("A7")
@pytest.mark.rule("N5")
def test_secrets_stand_in_no_event_log_trace_export_or_journal_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The label is scanned and the console read, so that the secret really passes through the station."""
    caplog.set_level(logging.DEBUG)
    recipe = replace(BORON, label=True)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(device_os="4.1.0")
        mark = bench.mark()
        bench.plug(unit)
        bench.scan_when_asked(unit.label, since=mark)
        assert bench.wait_finished(since=mark).verdict is Verdict.PASS
        assert any(isinstance(event, WireTraced) for _, event in bench.events)
        identified = next(event for _, event in bench.events if isinstance(event, UnitIdentified))
        bench.stop()

        text = io.StringIO()
        with bench.reader() as journal:
            export(journal, recipe.batch, text)
            bench.check_no_secret(io_dump(journal))
        bench.check_no_secret(text.getvalue())
        bench.check_no_secret(caplog.text)
        bench.check_no_secret(repr(identified))
        for file in bench.journal_dir.iterdir():
            bench.check_no_secret(file.read_bytes().decode("latin-1"))


def test_a_name_that_looks_like_a_formula_stays_text_in_the_export(tmp_path: Path) -> None:
    recipe = replace(BORON, name="=HYPERLINK({serial})")
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        assert bench.walk(unit).verdict is Verdict.PASS
        bench.stop()
        text = io.StringIO()
        with bench.reader() as journal:
            export(journal, recipe.batch, text)
        row = next(csv.DictReader(io.StringIO(text.getvalue())))
        assert row["Device Name"] == f"'=HYPERLINK({unit.spec.serial})"
        assert row["ICCID"] == f"'{unit.spec.iccid}"
        assert len(bare(row["ICCID"])) == 20


def test_a_mobile_secret_is_kept_only_where_the_profile_says_so_and_told_to_nobody(tmp_path: Path) -> None:
    recipe = replace(BORON, keep_secret=True)
    with line_bench(tmp_path, recipe, PLAIN) as bench:
        keeping, plain = bench.finished_unit(recipe), bench.finished_unit(PLAIN, 2)
        for unit in (keeping, plain):
            assert bench.walk(unit).verdict is Verdict.PASS
        bench.walk(keeping)
        assert bench.station.journal.mobile_secret(keeping.device_id) == keeping.spec.mobile_secret
        assert bench.station.journal.mobile_secret(plain.device_id) is None
        bench.stop()
        with bench.reader() as journal:
            text = io.StringIO()
            export(journal, [recipe.batch, PLAIN.batch], text)
            bench.check_no_secret(text.getvalue())
        listened = [event for _, event in bench.events if isinstance(event, WireTraced) and "console i" in event.line]
        # read twice alike, for no check digit proves it; once it is kept, nobody makes the unit listen for it again
        assert len(listened) == 2
