"""``station owed``: what is listed, tried and dropped, beside a running station and without one."""

from __future__ import annotations

import contextlib
import datetime
import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.owing import STEPS, device, iccid, owing, serial

from station.cli.main import main
from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.console_events import HandWorkBegun
from station.engine.events import Event, StationStarted
from station.journal import JournalReader
from station.line.owed_orders import OwedOrders
from station.model import Verdict

UNIT = str(device(1))


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = main(("owed", *words))
    out, err = capsys.readouterr()
    return status, out + err


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Name the data directory and a config, whose cloud a test fills in."""
    config = tmp_path / "station.toml"
    config.write_text('[station]\nid = "s"\n')
    monkeypatch.setenv("PARTICLE_TOKEN", "0" * 40)
    return ("--data-dir", str(tmp_path), "--config", str(config))


@contextlib.contextmanager
def left_behind(
    tmp_path: Path,
    count: int = 3,
    *,
    stuck: int = 0,
    hours: float = 0.0,
    steps: tuple[str, ...] = STEPS,
    then: tuple[Event, ...] = (),
) -> Iterator[None]:
    """What a station leaves that owed for ``count`` units and ended; the cloud is served meanwhile."""
    with owing(tmp_path / "journal", count, steps=steps) as shift:
        for number in range(stuck):
            shift.cloud.order_sim(iccid(number), polls=10**6)
        shift.journal.record(*then)
        if hours:
            shift.worker.start()
            shift.clock.sleep(3600 * hours)
        shift.stop()
        (tmp_path / "station.toml").write_text(f'[station]\nid = "s"\n[cloud]\nurl = "{shift.url}"\n')
        token = shift.token.reveal()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("STATION_TEST_TOKEN", token)
            with (tmp_path / "station.toml").open("a") as file:
                file.write('token = "env:STATION_TEST_TOKEN"\n')
            yield
        shift.start()


def test_a_list_says_of_each_unit_what_it_owes_why_and_who_can_mend_it(
    tmp_path: Path, here: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with left_behind(tmp_path, stuck=2, hours=1.0):
        status, text = told(capsys, "list", *here)
        assert status == 0
        assert f"{UNIT}  batch B1  since " in text
        assert f"SIM {iccid(1)} is not active" in text
        assert "nobody: wait" in text
        assert "    after that: final_check\n" in text
        assert str(device(2)) not in text, "it has passed"
        assert "4 steps of 2 units owed. Who can mend it: nobody: wait: 2 units" in text


def test_a_list_in_json_has_one_object_a_step(
    tmp_path: Path, here: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with left_behind(tmp_path, stuck=2, hours=1.0):
        _, text = told(capsys, "list", "--json", UNIT, *here)
        first, second = map(json.loads, text.splitlines())
        assert (first["step"], first["after"], first["mender"]) == ("sim", None, "nobody")
        assert (second["step"], second["after"], second["device_id"]) == ("final_check", "sim", UNIT)
        assert first["tries"] >= 8
        assert first["next_try"] > first["since"]


def test_a_retry_without_a_station_does_the_work_and_ends_with_0(
    tmp_path: Path, here: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with left_behind(tmp_path, steps=("product_add", "name", "final_check")):
        status, text = told(capsys, "retry", "--all", *here)
        assert (status, text.splitlines()[-1]) == (0, "3 of 3 units PASS, 0 still owed")
        with JournalReader(tmp_path / "journal") as journal:
            assert journal.waiting() == 0
            assert {attempt.verdict for attempt in journal.attempts("B1")} == {Verdict.PASS}
        assert told(capsys, "retry", "--all", *here)[0] == 0


def test_a_retry_names_no_unit_passed_that_was_worked_on_by_hand_since(
    tmp_path: Path, here: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    begun = HandWorkBegun(at=datetime.datetime.now(datetime.UTC), slot=1, device_id=UNIT, attempt=None, what="console")
    with left_behind(tmp_path, steps=("product_add", "name", "final_check"), then=(begun,)):
        status, text = told(capsys, "retry", "--all", *here)
        assert (status, text.splitlines()[-1]) == (1, "2 of 3 units PASS, 0 still owed")
        assert f"{UNIT}  YOUR TURN (PASS, worked on by hand since " in text


def test_a_retry_of_one_unit_leaves_the_others_and_tells_what_is_still_owed(
    tmp_path: Path, here: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with left_behind(tmp_path, stuck=3):
        status, text = told(capsys, "retry", UNIT, "--wait", "0", *here)
        assert status == 1
        assert f"{UNIT}  still owes sim: SIM {iccid(1)} is not active" in text
        assert text.splitlines()[-1] == "0 of 1 unit PASS, 1 still owed"
        with JournalReader(tmp_path / "journal") as journal:
            assert journal.waiting() == 10


def test_a_retry_of_a_demos_units_sends_nothing_to_the_real_cloud(
    tmp_path: Path, here: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with owing(tmp_path / "journal", 1) as shift:
        shift.journal.record(StationStarted(at=shift.clock.utc(), station_id="s", slots=(), virtual=True))
        shift.stop()
        status, text = told(capsys, "retry", "--all", *here)
        assert status == 2
        assert "virtual" in text
        assert "nothing was sent" in text
        shift.start()


def test_beside_a_running_station_a_retry_is_its_to_do(
    tmp_path: Path, here: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with owing(tmp_path / "journal", 2) as shift:
        asked: list[tuple[int, str]] = []
        person = threading.Thread(target=lambda: asked.append((main(("owed", "retry", UNIT, *here)), "")))
        person.start()
        orders = OwedOrders(tmp_path / "journal")
        while not orders.are_there:
            person.join(0.05)
            assert person.is_alive()
        (order,) = orders.take()
        person.join()
        assert asked[0][0] == 0
        assert order.attempts == {"a-1"}
        assert "the running station tries 1 unit now" in capsys.readouterr().out
        assert shift.journal.waiting() == 8


@pytest.mark.rule("N6")
def test_what_is_dropped_is_told_first_asked_for_and_never_a_pass(
    tmp_path: Path, here: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with left_behind(tmp_path):
        drop = ("drop", UNIT, "--reason", "lost in\n the mail", "--operator", "0417", *here)
        status, text = told(capsys, *drop)
        assert status == 2
        assert "say --yes" in text
        with JournalReader(tmp_path / "journal") as journal:
            assert journal.waiting() == 12
        status, text = told(capsys, *drop, "--yes")
        assert status == 0
        assert "will never be asked for: product_add, name, sim, final_check" in text
        with JournalReader(tmp_path / "journal") as journal:
            assert journal.waiting() == 8
            dropped = journal.attempt("a-1")
            assert dropped is not None
            assert (dropped.verdict, dropped.failed_step) == (Verdict.ABORTED, "product_add")
            assert dropped.reason == "dropped by 0417: lost in the mail"
            journal.verify()
        assert told(capsys, *drop, "--yes")[0] == 1, "nothing is left to drop"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("retry",), "or --all"),
        (("retry", "--all", "--batch", "B1"), "or --all"),
        (("list", "--batch", "B9"), "no batch B9"),
        (("list", "e00fce68ffffffffffffffff"), "no unit"),
        (("list", "9999"), "no unit"),
        (("drop", UNIT, "--reason", " ", "--operator", "0417"), "--reason"),
        (("drop", UNIT, "--reason", "x", "--operator", "A Name"), "badge"),
        (("drop", UNIT, "--reason", "x"), "--operator"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    words: tuple[str, ...], said: str, tmp_path: Path, here: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with left_behind(tmp_path):
        try:
            status, text = told(capsys, *words, *here)
        except SystemExit as left:
            status, text = int(left.code or 0), capsys.readouterr().err
        assert (status, said in text) == (2, True), text


def test_owed_work_that_was_taken_out_of_the_tables_is_missed(
    tmp_path: Path, here: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with left_behind(tmp_path):
        with contextlib.closing(sqlite3.connect(tmp_path / "journal" / "journal.db", isolation_level=None)) as db:
            db.execute("DELETE FROM outbox WHERE action = 'final_check' AND attempt = 'a-1'")
        status, text = told(capsys, "list", *here)
        assert status == 3
        assert "a-1" in text or UNIT in text


@pytest.mark.rule("N5")
def test_no_token_is_told_when_the_cloud_refuses_it(
    tmp_path: Path, here: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with owing(tmp_path / "journal", 1) as shift:
        shift.cloud.order(Fault(FaultKind.STATUS, status=401, body={"error": "invalid_token"}, times=None))
        token, url = "f00d" * 10, shift.url
        shift.stop()
        (tmp_path / "station.toml").write_text(
            f'[station]\nid = "s"\n[cloud]\nurl = "{url}"\ntoken = "env:STATION_TEST_TOKEN"\n'
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("STATION_TEST_TOKEN", token)
            status, text = told(capsys, "retry", "--all", *here)
            listed = told(capsys, "list", *here)[1]
        assert status == 1
        assert "the account's administrator" in listed
        assert str(serial(0)) in listed or str(device(0)) in listed
        assert token not in text + listed
        shift.start()
