"""Test records as OpenHTF 1.6.3 itself reads, judges and writes them, in an environment of its own."""

from __future__ import annotations

import io
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conformance.equipment import lacking, openhtf_python
from support.journal_story import finished, identified, opened, pending, started, step, unit_id

from drivers.clock import SimulatedClock
from station.export import export, find_exporter
from station.journal import Journal
from station.model import Measurement, Outcome, Verdict

pytestmark = pytest.mark.conformance

READER = Path(__file__).with_name("openhtf_reader.py")
VALUES = (
    Measurement("vbat", 3.3, "V", 3.6, 4.2, is_out=True),
    Measurement("rssi", -61.5, "dBm", low=-80.0),
    Measurement("offset", 2, "A", high=3),
    Measurement("exact", 5, "widgets", 5, 5),
    Measurement("fw", "v1.2", wanted="/v1\\..*/"),
    Measurement("mode", "idle", wanted="idle"),
    Measurement("seen", "anything", wanted="any value"),
)


@pytest.fixture
def told(tmp_path: Path) -> list[dict[str, Any]]:
    """Records of a unit that failed and passed, one set aside, one stopped and one that nobody could identify."""
    if missing := lacking("openhtf"):
        pytest.skip(f"this machine lacks {missing}")
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(
            opened(), started("a-1"), identified("a-1", serial="P044AB1234567"),
            step("a-1", "identify", Outcome.ALREADY), step("a-1", "dfu", Outcome.SKIPPED),
            replace(step("a-1", "app_test", Outcome.FAILED), measurements=VALUES, proof="", reason="vbat 3.3 V"),
            finished("a-1", Verdict.FAIL, reason="vbat 3.3 V"),
            started("a-2"), identified("a-2", serial="P044AB1234567"), step("a-2"), step("a-2"), finished("a-2"),
            *pending("a-3", "product_add", unit=2), started("a-4", 3), step("a-4", "wifi", Outcome.ABORTED),
            finished("a-4", Verdict.ABORTED, 3, "pulled"), started("a-5", None), step("a-5", "identify", Outcome.ERROR),
            finished("a-5", Verdict.ERROR, None, "silent"),
        )  # fmt: skip
        file = io.StringIO()
        assert export(journal, "B1", file, find_exporter("openhtf"), all_attempts=True) == 5
    path = tmp_path / "records.jsonl"
    path.write_text(file.getvalue(), encoding="utf-8")
    done = subprocess.run([openhtf_python(), "-I", READER, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_openhtf_writes_every_record_again_as_it_was(told: list[dict[str, Any]]) -> None:
    assert [one["is_same"] for one in told] == [True] * 5
    assert [one["written"]["outcome"] for one in told] == ["FAIL", "PASS", None, "ABORTED", "ERROR"]
    assert told[2]["written"]["metadata"]["verdict"] == "PENDING"


def test_its_validators_judge_every_value_as_the_station_did(told: list[dict[str, Any]]) -> None:
    values = told[0]["written"]["phases"][2]["measurements"]
    assert {name: one["outcome"] for name, one in values.items()} == {
        one.name: "FAIL" if one.is_out else "PASS" for one in VALUES
    }
    assert {name: one["measured_value"] for name, one in values.items()} == {one.name: one.value for one in VALUES}
    assert values["vbat"]["validators"] == ["3.6 <= x <= 4.2"]
    assert values["vbat"]["units"] == {"name": "volt", "code": "VLT", "suffix": "V"}


def test_its_converter_makes_manufacturing_events_of_all_that_ended(told: list[dict[str, Any]]) -> None:
    events = [one["event"] for one in told if "event" in one]
    assert [one["serial"] for one in events] == ["P044AB1234567", "P044AB1234567", unit_id(3), "a-5"]
    assert [one["phases"] for one in events] == [
        ["identify", "dfu", "app_test"], ["device_os", "device_os"], ["wifi"], ["identify"],
    ]  # fmt: skip
    assert events[0]["measurements"] == 2 + len(VALUES)
    assert [one["failures"] for one in events] == [["device_os", "vbat"], [], ["device_os"], ["device_os"]]


def test_a_phase_begins_and_ends_when_its_step_did(told: list[dict[str, Any]]) -> None:
    first = told[0]["written"]
    phase = first["phases"][0]
    assert phase["end_time_millis"] - phase["start_time_millis"] == 2500
    assert first["start_time_millis"] + 2000 == phase["end_time_millis"]
