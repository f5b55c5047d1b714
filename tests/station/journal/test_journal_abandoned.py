"""An attempt the station stopped in names the step that was at work, as far as the records tell."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from support.journal_story import at, finished, identified, opened, started, step, unit_id
from support.known_steps import STEPS
from support.spoken import ENGLISH

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.cli.records import JournalRecords
from station.engine.events import Event
from station.engine.records import WriteConfirmed, WriteIntended
from station.export.unit_report import unit_report, write_unit_report
from station.journal import Journal, JournalReader
from station.model import Outcome, Verdict


def intended(name: str, target: str = "unit", *, attempt: str = "a") -> WriteIntended:
    return WriteIntended(
        at=at(), slot=3, device_id=unit_id(1), attempt=attempt, step=name, target=target, what=f"{name} of {target}"
    )


def confirmed(name: str, target: str = "unit") -> WriteConfirmed:
    return WriteConfirmed(
        at=at(), slot=3, device_id=unit_id(1), attempt="a", step=name, target=target, what=f"{name} of {target}"
    )


IDENTIFIED = step("a", "identify", Outcome.ALREADY)


@pytest.mark.parametrize(
    ("told", "at_work"),
    [
        ((), "identify"),
        ((IDENTIFIED,), "device_os"),
        ((IDENTIFIED, intended("device_os")), "device_os"),
        ((IDENTIFIED, intended("product_add", "cloud")), "product_add"),
        ((IDENTIFIED, intended("device_os"), intended("product_add", "cloud")), "device_os"),
        ((IDENTIFIED, intended("product_add", "cloud"), confirmed("product_add", "cloud")), "device_os"),
        ((IDENTIFIED, intended("device_os"), step("a", "device_os", Outcome.ERROR)), "wifi"),
        ((IDENTIFIED, step("a", "device_os"), step("a", "wifi")), "product_add"),
        (tuple(step("a", name) for name in ("identify", "device_os", "product_add", "wifi")), ""),
        ((intended("wifi", attempt="other"),), "identify"),
    ],
)  # fmt: skip
def test_the_step_at_work_is_named(tmp_path: Path, told: tuple[Event, ...], at_work: str) -> None:
    with Journal.open(tmp_path, "bench-1", SimulatedClock(), unit_steps=STEPS.on_unit) as journal:
        journal.record(opened(), started("a"), *told)
    with Journal.open(tmp_path, "bench-1", SimulatedClock(), unit_steps=STEPS.on_unit) as journal:
        (torn,) = journal.abandoned
        assert torn.failed_step == at_work
        journal.rebuild()
        assert (journal.attempt("a") or torn).failed_step == at_work


def test_every_face_says_why_an_attempt_the_station_stopped_in_has_no_wire(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only of that one: an attempt that passed keeps no exchanges either, and there is nothing to explain."""
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened(), started("passed"), identified("passed"), finished("passed", Verdict.PASS))
        journal.record(started("torn"), identified("torn"))
    Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()).close()

    assert main(("log", "find", unit_id(1), "--wire", "--data-dir", str(tmp_path))) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.strip() for line in told if "exchanges" in line] == [
        "no exchanges: they are kept when an attempt ends, and the station was stopped during this one"
    ]
    assert "exchanges" in told[-1], "below the attempt that was stopped"

    with JournalReader(tmp_path / "journal") as reader:
        pages = {}
        for attempt in ("torn", "passed"):
            report = unit_report(reader, attempt, ENGLISH)
            assert report is not None
            write_unit_report(report, file := io.StringIO())
            pages[attempt] = file.getvalue()
        life = JournalRecords(reader, tmp_path).life(unit_id(1))
    said = ENGLISH.text("details-wire-lost")
    assert [attempt for attempt, page in pages.items() if said in page] == ["torn"]
    assert life is not None
    assert [walk.is_wire_lost for walk in life.walks] == [True, False]
