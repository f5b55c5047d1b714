"""What a bench without a screen prints, and that whoever reads it can neither stall nor break it."""

from __future__ import annotations

import datetime
import io
import json
import os
import threading
from dataclasses import replace

import pytest
from support.spoken import in_english

from station import headless
from station.engine.console_events import ConsoleOpened, HandWorkBegun
from station.engine.events import (
    AttemptFinished,
    Event,
    HandsNeeded,
    StationNote,
    StationStarted,
    StepHeld,
    StepProgress,
    UnmappedPort,
    VerdictRevised,
)
from station.headless import Printer, Tally, as_json
from station.model import SlotInfo, Verdict
from station.words.say import Say

AT = datetime.datetime(2026, 1, 5, 6, 0, tzinfo=datetime.UTC)


def port(number: int) -> Event:
    return UnmappedPort(at=AT, port_path=f"1-{number}")


def test_every_event_is_one_json_line_in_order_but_progress() -> None:
    out = io.StringIO()
    printer = Printer(out, as_json)
    printer(port(1))
    printer(StepProgress(at=AT, slot=1, step="device_os", share=0.5))
    printer(port(2))
    printer.close()
    assert [json.loads(line)["port_path"] for line in out.getvalue().splitlines()] == ["1-1", "1-2"]


def test_a_reader_who_stalls_never_stalls_who_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headless, "MAX_WAITING", 100)
    reading, writing = os.pipe()
    with os.fdopen(reading) as reader:
        with os.fdopen(writing, "w") as out:
            printer = Printer(out, in_english)
            for number in range(5000):  # far more than a pipe holds: one that waited would wait for ever
                printer(port(number))
            told = [""]
            while "9999" not in told[-1]:  # now somebody reads: sooner or later there is room again
                told.append(next(reader))
                printer(port(9999))
            rest = threading.Thread(target=lambda: told.extend(reader))
            rest.start()
            printer.close()
        rest.join()
    assert any("events were not printed" in line for line in told)


def writers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "printer"]


def test_a_reader_who_leaves_ends_the_writing_and_nothing_else() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    others = writers()
    with os.fdopen(writing, "w") as out:
        printer = Printer(out, in_english)
        (own,) = set(writers()) - set(others)
        for number in range(10):
            printer(port(number))
        printer.close()
        assert not own.is_alive()
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())  # what the buffer still holds has to go somewhere


def test_a_full_disk_is_told_at_the_end() -> None:
    with open("/dev/full", "w") as out:
        printer = Printer(out, in_english)
        printer(port(1))
        with pytest.raises(OSError, match="No space left"):
            printer.close()
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def test_what_never_told_its_device_id_is_no_unit_and_nothing_that_passed() -> None:
    tally = Tally()
    tally(AttemptFinished(at=AT, slot=1, device_id="1" * 24, attempt="a-1", verdict=Verdict.PASS))
    assert tally.exit_status == 0
    tally(AttemptFinished(at=AT, slot=2, attempt="a-2", verdict=Verdict.ERROR))
    assert (tally.units, tally.exit_status) == ({"PASS": 1}, 1)


@pytest.mark.parametrize(("verdicts", "status"), [([Verdict.PASS], 0), ([Verdict.PASS, Verdict.PENDING], 1), ([], 0)])
def test_the_exit_status_is_that_of_the_last_verdicts(verdicts: list[Verdict], status: int) -> None:
    tally = Tally()
    for slot, verdict in enumerate(verdicts, 1):
        tally(AttemptFinished(at=AT, slot=slot, device_id=f"{slot:024x}", attempt=f"a-{slot}", verdict=Verdict.ERROR))
        tally(AttemptFinished(at=AT, slot=slot, device_id=f"{slot:024x}", attempt=f"b-{slot}", verdict=verdict))
    assert tally.exit_status == status
    assert sum(tally.units.values()) == len(verdicts)


@pytest.mark.parametrize(
    ("cloud", "said"), [(None, "cloud was not asked yet"), (True, "cloud answers"), (False, "cloud does not answer")]
)
def test_the_first_line_says_where_this_is_and_what_is_known_of_the_cloud(cloud: bool | None, said: str) -> None:
    slots, waits = (SlotInfo(1), SlotInfo(2)), "watches every USB port and waits for a unit"
    started = StationStarted(at=AT, station_id="bench-3", slots=slots, cloud=cloud)
    assert (in_english(started) or "").endswith(f"station   station bench-3: 2 slots; {said}; {waits}")
    for speed, pace in ((1.0, ""), (6.0, ", time 6 times as fast"), (None, ", simulated time")):
        virtual = replace(started, virtual=True, speed=speed)
        assert (in_english(virtual) or "").endswith(f"2 slots, VIRTUAL units{pace}; {said}; {waits}")


@pytest.mark.parametrize(
    ("ports", "said"),
    [
        ((None, None), "watches every USB port and waits for a unit"),
        (("1-1.4", None), "watches USB port 1-1.4 and waits for a unit"),
        (("1-1.4", "2-3"), "watches USB ports 1-1.4, 2-3 and waits for a unit"),
    ],
)
def test_the_first_line_says_which_ports_are_watched(ports: tuple[str | None, ...], said: str) -> None:
    slots = tuple(SlotInfo(number, port) for number, port in enumerate(ports, 1))
    assert (in_english(StationStarted(at=AT, station_id="bench-3", slots=slots)) or "").endswith(f"; {said}")


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (StepHeld(at=AT, slot=2, step="identify", say=Say("scanner_busy"), before=2),
         "slot 2    identify WAITS: Another slot has the scanner. Wait. It goes on by itself. 2 before it."),
        (HandWorkBegun(at=AT, slot=2, what="dfu"),
         "slot 2    Somebody works on this unit by hand: it has to be walked again."),
        (ConsoleOpened(at=AT, slot=2), "slot 2    Its console is open."),
        (HandsNeeded(at=AT, slot=2, step="", say=Say("no_batch")),
         "slot 2    YOUR TURN: No batch is open. Call supervisor."),
        (StepHeld(at=AT, slot=2, step="name", say=Say("cloud_hold")),
         "slot 2    name WAITS: Cloud does not answer. Wait. It goes on by itself."),
        (HandsNeeded(at=AT, slot=2, step="dfu", say=Say("dfu_by_hand", button="MODE"), led="blinking yellow"),
         "slot 2    YOUR TURN: Hold MODE. Tap RESET. Let go at YELLOW. (blinking yellow)"),
        (AttemptFinished(at=AT, slot=1, verdict=Verdict.ERROR, seconds=9.04, reason="no answer"),
         "slot 1    CHECK STATION in 9.0 s: no answer"),
        (AttemptFinished(at=AT, slot=1, verdict=Verdict.PENDING, seconds=9.04), "slot 1    SET ASIDE in 9.0 s"),
        (VerdictRevised(at=AT, device_id="e" * 24, verdict=Verdict.FAIL, reason="not a member"),
         f"station   {'e' * 24} is now FAIL: not a member"),
    ],
)  # fmt: skip
def test_lines_for_people_use_the_words_of_the_screen(event: Event, said: str) -> None:
    assert (in_english(event) or "").partition("  ")[2] == said


SLY = "\x1b[2J\u202eSSAP\x9b\x07\n"


def test_what_a_unit_says_moves_no_cursor_and_turns_no_reading_order() -> None:
    event = AttemptFinished(at=AT, slot=1, device_id="e" * 24, attempt="a-1", verdict=Verdict.FAIL, reason=SLY)
    words, line = in_english(event), as_json(event)
    assert words is not None
    assert words.isprintable()
    assert "SSAP" in words
    assert line is not None
    assert line.isprintable()
    assert line.isascii()
    assert json.loads(line)["reason"] == SLY


def test_a_writing_that_cannot_go_on_is_told_at_the_end_whatever_the_cause() -> None:
    printer = Printer(io.TextIOWrapper(io.BytesIO(), encoding="ascii"), in_english)
    printer(AttemptFinished(at=AT, slot=1, attempt="a-1", verdict=Verdict.FAIL, reason="voilà"))
    with pytest.raises(UnicodeEncodeError):
        printer.close()


def test_a_note_is_said_and_fails_nothing() -> None:
    note = StationNote(at=AT, reason="the product takes in whatever device names it")
    assert in_english(note) == "06:00:00 UTC  station   note: the product takes in whatever device names it"
    tally = Tally()
    tally(note)
    assert (tally.exit_status, tally.exit_status_of_screen) == (0, 0)
