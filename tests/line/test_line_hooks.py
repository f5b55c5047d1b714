"""Hooks of a MES on the line: told in order and at least once, asked before the first write, and never in the way."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from line_bench import BORON, OTHER_PRODUCT, LineBench, line_bench, replace
from support.mes import Mes

from drivers.identity import Secret
from station.engine.commands import CloseBatch, EnterMode
from station.engine.events import StationFault, StationNote, StepHeld, UnitIdentified
from station.hooks import Hook
from station.hooks.webhook import Webhook
from station.model import Verdict

ALL = frozenset({"unit_arrived", "may_start", "finished", "batch_closed"})
TOLD = ALL - {"may_start"}
RECIPE = replace(BORON, revision=5)


@contextlib.contextmanager
def hooked(
    folder: Path,
    mes: Mes,
    events: frozenset[str] = ALL,
    *,
    holds: bool = False,
    timeout_s: float = 120.0,
    **recipe: Any,
) -> Iterator[LineBench]:
    """A running bench with a webhook to ``mes``."""
    with line_bench(folder, BORON) as bench:
        hook = Hook("mes", events, Webhook(mes.url, Secret("mes-token")), timeout_s, holds)
        bench.settings["hooks"] = lambda _programs: (hook,)
        bench.restart(replace(RECIPE, **recipe))
        yield bench


def answering(answer: bytes, status: int = 200) -> Mes:
    mes = Mes()
    mes.answer = lambda message: (status, answer) if message["event"] == "may_start" else (200, b"")
    return mes


def wait_told(bench: LineBench, mes: Mes, count: int) -> None:
    for _ in range(200):
        if len(mes.told) >= count:
            return
        bench.sleep(1.0)
    raise AssertionError(mes.events)


def test_a_mes_is_asked_and_told_the_life_of_a_unit_and_the_end_of_its_batch(tmp_path: Path) -> None:
    with answering(b'{"start": true}').serving() as mes, hooked(tmp_path, mes) as bench:
        unit = bench.finished_unit(BORON)
        assert bench.walk(unit).verdict is Verdict.PASS
        bench.command(CloseBatch(bench.recipes[0].batch))
        wait_told(bench, mes, 4)
        assert sorted(mes.events) == ["batch_closed", "finished", "may_start", "unit_arrived"]
        assert [event for event in mes.events if event != "may_start"] == ["unit_arrived", "finished", "batch_closed"]
        (asked,), (finished,), (closed,) = mes.of("may_start"), mes.of("finished"), mes.of("batch_closed")
        identity = {"device_id": unit.device_id, "serial": str(unit.spec.serial), "iccid": str(unit.spec.iccid)}
        assert identity.items() <= asked.items()
        assert identity.items() <= finished.items()
        assert (finished["verdict"], finished["slot"], finished["revised"]) == ("PASS", 1, False)
        assert finished["batch"] == asked["batch"] == closed["batch"] == bench.recipes[0].batch
        assert finished["attempt"] == asked["attempt"]
        keys = [message["key"] for message in mes.told]
        assert len(set(keys)) == 4
        assert [header["Idempotency-Key"] for header in mes.headers] == keys
        assert {header["Authorization"] for header in mes.headers} == {"Bearer mes-token"}
        text = json.dumps(mes.told)
        assert "mes-token" not in text
        assert unit.spec.mobile_secret.reveal() not in text


def test_a_unit_that_the_mes_refuses_twice_fails_before_its_first_write_with_its_sentence(tmp_path: Path) -> None:
    mes = answering(b'{"start": false, "reason": "Wrong order 4711\\u001b[31m"}')
    with mes.serving(), hooked(tmp_path, mes) as bench:
        walk = bench.walk(bench.unit())
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.FAIL, "identify")
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)
        assert (walk.finished.sentence, walk.finished.values) == ("hook_refused", ("Wrong order 4711 [31m",))
        assert len(mes.of("may_start")) == 2
        assert len({message["key"] for message in mes.of("may_start")}) == 1


def test_one_refusal_alone_judges_nobody(tmp_path: Path) -> None:
    mes = Mes()
    mes.answer = lambda message: (200, json.dumps({"start": bool(mes.of("may_start"))}).encode())
    with mes.serving(), hooked(tmp_path, mes) as bench:
        assert bench.walk(bench.finished_unit(BORON)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, b"<html><body>Please log in</body></html>"), (200, b"{}"), (200, b'{"start": "no"}'), (200, b"[]"),
        (200, b'{"start": false, "reason": "' + b"x" * 100_000 + b'"}'), (200, b"[" * 10_000),
        (500, b'{"start": false}'), (302, b'{"start": false}'), (200, b"\xff\xfe"),
    ],
)  # fmt: skip
def test_what_is_no_answer_refuses_nobody(tmp_path: Path, status: int, answer: bytes) -> None:
    mes = answering(answer, status)
    with mes.serving(), hooked(tmp_path, mes) as bench:
        assert bench.walk(bench.finished_unit(BORON)).verdict is Verdict.PASS
        noted = bench.wait_for(StationNote)
        assert isinstance(noted, StationNote)
        assert "slot 1 starts without its answer" in noted.reason
        assert len(noted.reason) < 400


def test_a_long_refusal_is_cut_for_the_screen_and_for_the_record(tmp_path: Path) -> None:
    mes = answering(json.dumps({"start": False, "reason": "word " * 2000}).encode())
    with mes.serving(), hooked(tmp_path, mes) as bench:
        walk = bench.walk(bench.unit())
        assert len(walk.finished.values[0]) <= 30
        assert len(walk.finished.reason) < 300


@pytest.mark.parametrize("holds", [False, True])
def test_a_mes_that_is_away_lets_the_unit_start_or_wait_as_the_config_file_says(tmp_path: Path, holds: bool) -> None:
    mes = answering(b'{"start": true}')
    with mes.serving():
        pass
    with hooked(tmp_path, mes, holds=holds) as bench:
        bench.plug(bench.finished_unit(BORON))
        if holds:
            held = bench.wait_for(StepHeld, sentence="hook_hold")
            assert isinstance(held, StepHeld)
            assert held.values == ("mes",)
            bench.sleep(3600.0)
            with mes.serving():
                assert bench.wait_finished().verdict is Verdict.PASS
        else:
            assert bench.wait_finished().verdict is Verdict.PASS


def test_a_unit_that_waited_for_the_mes_is_looked_up_in_the_cloud_all_the_same(tmp_path: Path) -> None:
    mes = answering(b'{"start": true}')
    with mes.serving():
        pass
    with hooked(tmp_path, mes, holds=True) as bench:
        unit = bench.unit()
        bench.cloud.edit_device(unit.spec.device_id, product_id=OTHER_PRODUCT)
        bench.plug(unit)
        bench.wait_for(StepHeld, sentence="hook_hold")
        bench.sleep(3600.0)
        with mes.serving():
            finished = bench.wait_finished()
        assert (finished.verdict, finished.failed_step) == (Verdict.FAIL, "identify")


def test_a_mes_that_answers_too_slowly_does_not_hold_the_unit(tmp_path: Path) -> None:
    gate = threading.Event()
    mes = Mes()
    mes.answer = lambda _message: (200 if gate.wait(120) else 500, b'{"start": false}')
    with mes.serving(), hooked(tmp_path, mes, frozenset({"may_start"}), timeout_s=0.2) as bench:
        assert bench.walk(bench.finished_unit(BORON)).verdict is Verdict.PASS
        gate.set()


@pytest.mark.rule("N1")
def test_what_happened_while_the_mes_was_away_for_an_hour_is_told_in_order_when_it_is_back(tmp_path: Path) -> None:
    mes = Mes()
    with mes.serving():
        pass
    with hooked(tmp_path, mes, TOLD) as bench:
        units = [bench.finished_unit(BORON, number) for number in (1, 2)]
        for unit in units:
            assert bench.walk(unit).verdict is Verdict.PASS
        fault = bench.wait_for(StationFault)
        assert isinstance(fault, StationFault)
        assert "hook mes: http://127.0.0.1" in fault.reason
        bench.sleep(3600.0)
        assert len([event for _, event in bench.events if isinstance(event, StationFault)]) == 1
        with mes.serving():
            wait_told(bench, mes, 4)
        expected = [(event, unit.device_id) for unit in units for event in ("unit_arrived", "finished")]
        assert [(message["event"], message["device_id"]) for message in mes.told] == expected


def test_a_page_in_place_of_an_answer_is_not_taken_for_one(tmp_path: Path) -> None:
    mes = Mes()
    mes.answer = lambda _message: (200, b"<html>portal</html>" if len(mes.told) < 3 else b"")
    with mes.serving(), hooked(tmp_path, mes, TOLD) as bench:
        assert bench.walk(bench.finished_unit(BORON)).verdict is Verdict.PASS
        wait_told(bench, mes, 5)
        assert mes.events == ["unit_arrived"] * 4 + ["finished"]
        assert len({message["key"] for message in mes.told}) == 2


@pytest.mark.rule("N1")
def test_a_station_that_is_killed_before_it_noted_what_was_taken_tells_it_again_under_the_same_key(
    tmp_path: Path,
) -> None:
    mes = Mes()
    with mes.serving(), hooked(tmp_path, mes, TOLD) as bench:

        def kill(message: dict[str, Any]) -> tuple[int, bytes]:
            if message["event"] == "finished" and not bench.is_dead:
                bench.die()
            return 200, b""

        mes.answer = kill
        bench.plug(bench.finished_unit(BORON))
        wait_told(bench, mes, 2)
        bench.bury()
        mes.answer = lambda _message: (200, b"")
        bench.unplug()
        bench.start(*bench.recipes)
        wait_told(bench, mes, 3)
        first, again = mes.of("finished")
        assert first == again


def test_what_is_owed_is_told_when_it_is_settled_as_a_verdict_revised(tmp_path: Path) -> None:
    mes = Mes()
    with mes.serving(), hooked(tmp_path, mes, TOLD, offline="queue") as bench:
        assert bench.walk(bench.finished_unit(BORON)).verdict is Verdict.PASS
        bench.cloud.down_for(600)
        assert bench.walk(bench.finished_unit(BORON, 2)).verdict is Verdict.PENDING
        bench.sleep(1500.0)
        wait_told(bench, mes, 5)
        told = [(message["verdict"], message["revised"]) for message in mes.of("finished")]
        assert told == [("PASS", False), ("PENDING", False), ("PASS", True)]


def test_a_new_hook_is_told_nothing_of_the_past(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.walk(bench.finished_unit(BORON))
        mes = Mes()
        with mes.serving():
            bench.settings["hooks"] = lambda _programs: (Hook("mes", TOLD, Webhook(mes.url)),)
            bench.restart()
            bench.walk(bench.finished_unit(BORON, 2))
            wait_told(bench, mes, 2)
            assert {message["device_id"] for message in mes.told} == {bench.units[1].device_id}


def test_a_unit_that_is_identified_again_when_its_label_was_scanned_is_told_to_have_arrived_once(
    tmp_path: Path,
) -> None:
    mes = Mes()
    with mes.serving(), hooked(tmp_path, mes, TOLD, label=True) as bench:
        unit = bench.finished_unit(BORON)
        walk = bench.walk(unit, during=lambda: bench.scan_when_asked(unit.label))
        assert walk.verdict is Verdict.PASS
        assert len(walk.of(UnitIdentified)) > 1
        wait_told(bench, mes, 2)
        assert mes.events == ["unit_arrived", "finished"]


def test_a_mes_hears_that_a_pass_stands_no_more_when_somebody_works_on_the_unit_and_of_its_next_walk(
    tmp_path: Path,
) -> None:
    mes = Mes()
    with mes.serving(), hooked(tmp_path, mes, frozenset({"finished"})) as bench:
        bench.plug(bench.finished_unit(BORON))
        passed = bench.wait_finished()
        bench.sleep(1.0)
        for _ in range(2):  # told once
            bench.command(EnterMode(1, "safe", passed.attempt or "", passed.device_id or ""))
            bench.sleep(60.0)
        bench.retry()
        wait_told(bench, mes, 3)
        assert [(one["verdict"], one["revised"]) for one in mes.told] == [
            ("PASS", False), ("ABORTED", True), ("PASS", False),
        ]  # fmt: skip
        first, void, again = mes.told
        assert (void["attempt"], void["device_id"], void["batch"]) == (
            first["attempt"], first["device_id"], first["batch"],
        )  # fmt: skip
        assert void["reason"].startswith("worked on by hand since its verdict")
        assert again["attempt"] != first["attempt"]
