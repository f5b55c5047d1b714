"""A technician at the console of a unit: what it says, what is typed, and everything that closes it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
import serial
from line_bench import ARGON, BORON, PASSWORD, SSID, LineBench, Recipe, io_dump, line_bench
from support.odd_rates import Flooded
from support.spoken import ENGLISH

from drivers.virtual.radio import WifiStore
from drivers.virtual.serial_side import VirtualSerial
from drivers.virtual.unit import UnitMode, VirtualUnit
from station.engine.commands import CloseConsole, EnterMode, OpenConsole, RetrySlot, TypeConsole
from station.engine.console import IDLE_S, MAX_LINES_S
from station.engine.console_events import ConsoleClosed, ConsoleLine, ConsoleOpened, HandWorkBegun
from station.engine.events import (
    AttemptFinished,
    AttemptStarted,
    CommandDone,
    CommandRefused,
    Event,
)
from station.export.unit_report import unit_report, write_unit_report
from station.model import SlotInfo, Verdict
from station.view.look import Look
from station.view.reduce import replay
from station.view.state import BenchState


class Hand:
    """A technician at the console of the unit in slot 1."""

    def __init__(self, bench: LineBench, unit: VirtualUnit, finished: AttemptFinished) -> None:
        self.bench, self.unit, self.finished = bench, unit, finished
        self.mark = bench.mark()

    @property
    def mode(self) -> UnitMode:
        return self.unit.mode

    def open(self) -> Event:
        """Open it; return that it is open, or why it is not."""
        self.mark = self.bench.mark()
        self.bench.command(OpenConsole(1, self.finished.attempt or "", self.finished.device_id or ""))
        return self.bench.wait(lambda event: isinstance(event, ConsoleOpened | ConsoleClosed), since=self.mark)

    def types(self, text: str, answer: str) -> ConsoleLine:
        """Type ``text`` and wait for a line with ``answer`` in it."""
        since = self.bench.mark()
        self.bench.command(TypeConsole(1, text))
        said = self.bench.wait(lambda event: isinstance(event, ConsoleLine) and answer in event.text, since=since)
        assert isinstance(said, ConsoleLine)
        return said

    def closed(self) -> ConsoleClosed:
        found = self.bench.wait_for(ConsoleClosed, since=self.mark)
        assert isinstance(found, ConsoleClosed)
        return found

    @property
    def read(self) -> list[str]:
        return [event.text for _, event in self.bench.events[self.mark :] if isinstance(event, ConsoleLine)]


@contextmanager
def at_bench(tmp_path: Path, recipe: Recipe = BORON) -> Iterator[Hand]:
    """A finished unit with its verdict in slot 1."""
    with line_bench(tmp_path, recipe, slots=1) as bench:
        unit = bench.finished_unit(recipe)
        bench.plug(unit)
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.PASS, finished.reason
        bench.sleep(1.0)
        yield Hand(bench, unit, finished)


def test_the_unit_listens_answers_each_key_and_is_left_as_it_was(tmp_path: Path) -> None:
    with at_bench(tmp_path) as hand:
        opened = hand.open()
        assert isinstance(opened, ConsoleOpened), opened
        assert hand.mode is UnitMode.LISTENING
        assert (opened.device_id, opened.attempt) == (hand.unit.device_id, hand.finished.attempt)
        assert hand.types("v", "system firmware version: ").text.endswith(": 6.3.4")
        assert hand.types("i", "Device ID").text == f"Device ID: {hand.unit.device_id}"
        hand.types("m", "Your device MAC address is")
        assert hand.types("s", '"m":[').text.endswith("]}")
        hand.bench.command(CloseConsole(1))
        assert hand.closed().why == "closed"
        hand.bench.sleep(30.0)
        assert hand.mode is UnitMode.NORMAL
        began = [event for _, event in hand.bench.events[hand.mark :] if isinstance(event, AttemptStarted)]
        assert began == []


def test_a_secret_of_the_unit_and_one_that_is_typed_are_masked_and_in_no_record(tmp_path: Path) -> None:
    with at_bench(tmp_path, ARGON) as hand:
        hand.open()
        assert hand.types("i", "Device Secret").text == "Device Secret: ***"
        hand.types("w", "SSID: ")
        hand.types("hidden-net", "Security 0=")
        hand.types("3", "Cipher 1=")
        asked = hand.types("1", "Password: ")
        assert (asked.is_open, asked.asks_secret) == (True, True)
        hand.types("pass of a hand 99", "Password: ***")
        hand.bench.wait(lambda event: isinstance(event, ConsoleLine) and "<3 you!" in event.text, since=hand.mark)
        assert "hidden-net" in [one.ssid for one in WifiStore(hand.unit).networks()]
        hand.bench.command(CloseConsole(1))
        hand.closed()
        hand.bench.stop()
        with hand.bench.reader() as journal:
            told = io_dump(journal)
        kinds = [event.kind for _, event in hand.bench.events]
        assert kinds.count("ConsoleOpened") == told.count("\tConsoleOpened\t") == 1
        for word in ("pass of a hand 99", "hidden-net", "Cipher", "system firmware"):
            assert word not in told
        assert "pass of a hand 99" not in str([event.to_json() for _, event in hand.bench.events])


def test_a_unit_worked_on_by_hand_is_no_pass_on_the_screen_nor_in_its_report_until_it_passes_again(
    tmp_path: Path,
) -> None:
    """Its attempt stays the PASS that it was, and so do the figures of the batch."""
    with at_bench(tmp_path) as hand:
        bench, attempt = hand.bench, hand.finished.attempt or ""

        def shown() -> Look:
            return replay(BenchState.of([SlotInfo(1, "1-1")], ENGLISH), [one for _, one in bench.events]).slots[0].look

        def reported() -> str:
            page = io.StringIO()
            with bench.reader() as journal:
                report = unit_report(journal, attempt, ENGLISH)
                assert report is not None
                write_unit_report(report, page)
            return page.getvalue()

        with bench.reader() as journal:
            before = journal.figures(bench.recipes[0].batch)
        assert shown() is Look.PASS
        assert 'class="chip big pass"' in reported()
        hand.open()
        hand.types("v", "system firmware version: ")
        bench.command(CloseConsole(1))
        hand.closed()
        assert shown() is Look.HANDS
        assert 'class="chip big hands">' in reported()
        assert "YOUR TURN</span> &nbsp;Worked on by hand. Retry it (R).</p>" in reported()
        assert "<th>Attempt ended</th><td>PASS Worked on by hand." in reported()
        with bench.reader() as journal:
            found = journal.attempt(attempt)
            assert found is not None
            assert found.verdict is Verdict.PASS
            assert journal.figures(bench.recipes[0].batch) == before
        assert bench.retry().verdict is Verdict.PASS
        assert shown() is Look.PASS


def test_a_password_that_a_hand_made_wrong_is_found_and_mended_by_the_next_walk(tmp_path: Path) -> None:
    with at_bench(tmp_path, ARGON) as hand:
        hand.open()
        hand.types("w", "SSID: ")
        hand.types(SSID, "Password: ")
        hand.types("wrong password", "<3 you!")
        assert password_of(hand.unit) == "wrong password"
        assert hand.bench.retry().verdict is Verdict.PASS
        assert password_of(hand.unit) == PASSWORD


def password_of(unit: VirtualUnit) -> str:
    """The password stored for the network of the bench."""
    return next(one.password.reveal() for one in WifiStore(unit).networks() if one.ssid == SSID and one.password)


def test_a_walk_closes_the_console_first_and_sees_a_unit_as_any_other(tmp_path: Path) -> None:
    with at_bench(tmp_path) as hand:
        hand.open()
        hand.bench.command(RetrySlot(1))
        finished = hand.bench.wait_finished(since=hand.mark)
        assert finished.verdict is Verdict.PASS
        closed = hand.closed()
        begun = hand.bench.wait_for(AttemptStarted, since=hand.mark)
        assert closed.why == "walk"
        assert hand.bench.place_of(closed) < hand.bench.place_of(begun)


def test_another_command_for_the_unit_closes_the_console_and_is_carried_out(tmp_path: Path) -> None:
    with at_bench(tmp_path) as hand:
        hand.open()
        hand.bench.command(EnterMode(1, "dfu"))
        assert hand.closed().why == "command"
        hand.bench.wait_for(CommandDone, since=hand.mark)
        assert hand.mode is UnitMode.DFU


def test_a_unit_in_dfu_comes_out_of_it_for_its_console_and_keeps_its_verdict(tmp_path: Path) -> None:
    with at_bench(tmp_path) as hand:
        hand.bench.command(EnterMode(1, "dfu"))
        hand.bench.wait_for(CommandDone)
        assert isinstance(hand.open(), ConsoleOpened)
        hand.types("v", "system firmware version: ")
        hand.bench.command(CloseConsole(1))
        assert hand.closed().why == "closed"
        hand.bench.sleep(30.0)
        assert not [event for _, event in hand.bench.events[hand.mark :] if isinstance(event, AttemptStarted)]


def test_a_unit_that_is_pulled_takes_its_console_along_and_is_walked_when_it_comes_back(tmp_path: Path) -> None:
    with at_bench(tmp_path) as hand:
        hand.open()
        hand.bench.unplug()
        assert hand.closed().why == "left"
        hand.bench.plug(hand.unit)
        assert hand.bench.wait_finished(since=hand.mark).verdict is Verdict.PASS


def test_a_unit_that_a_key_restarts_is_walked_like_one_that_was_plugged_in(tmp_path: Path) -> None:
    with at_bench(tmp_path) as hand:
        hand.open()
        hand.bench.command(TypeConsole(1, "L"))
        assert hand.closed().why == "left"
        assert hand.bench.wait_finished(since=hand.mark).verdict is Verdict.PASS


class Silent(VirtualSerial):
    """A port whose driver reads nothing, and reports nothing, once its unit is gone."""

    def read(self, size: int = 1) -> bytes:
        try:
            return super().read(size)
        except serial.SerialException:
            self._bus.clock.sleep(self.timeout or 0.1)
            return b""

    def _reconfigure_port(self, force_update: bool = False) -> None:
        with contextlib.suppress(serial.SerialException):
            super()._reconfigure_port(force_update)


def test_a_unit_swapped_for_another_one_takes_its_console_along_though_the_port_says_nothing(tmp_path: Path) -> None:
    with at_bench(tmp_path) as hand:
        other = hand.bench.finished_unit(BORON, 2)
        hand.bench.open_port = lambda device: Silent(hand.bench.bus, device, timeout=None)
        hand.open()
        hand.bench.unplug()
        hand.bench.sleep(0.3)
        hand.bench.plug(other)
        finished = hand.bench.wait_finished(since=hand.mark, within=IDLE_S / 2)
        assert (finished.verdict, finished.device_id) == (Verdict.PASS, other.device_id)
        assert (hand.closed().why, hand.read) == ("left", [])


def test_a_station_that_stops_closes_the_console_first(tmp_path: Path) -> None:
    with at_bench(tmp_path) as hand:
        hand.open()
        hand.bench.stop()
        assert hand.closed().why == "stopping"
        assert hand.mode is UnitMode.NORMAL


def test_a_console_at_which_nobody_types_is_closed(tmp_path: Path) -> None:
    with at_bench(tmp_path) as hand:
        opened = hand.open()
        hand.bench.sleep(IDLE_S / 2)
        last = hand.types("v", "system firmware version: ")
        hand.bench.sleep(IDLE_S + 1.0)
        closed = hand.closed()
        assert closed.why == "idle"
        assert hand.bench.when(closed) - hand.bench.when(last) == pytest.approx(IDLE_S, abs=2.0)
        assert hand.bench.when(closed) - hand.bench.when(opened) > IDLE_S
        assert hand.mode is UnitMode.NORMAL


def test_no_console_opens_while_the_unit_is_at_work_and_none_without_a_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=1) as bench:
        bench.command(OpenConsole(1))
        assert [event.why for _, event in bench.events if isinstance(event, ConsoleClosed)] == ["empty"]
        bench.plug(bench.unit("boron"))
        bench.wait_for(AttemptStarted)
        bench.command(OpenConsole(1))
        assert [event.why for _, event in bench.events if isinstance(event, ConsoleClosed)] == ["empty", "busy"]
        assert bench.wait_finished().verdict is Verdict.PASS


def test_a_unit_whose_serial_port_cannot_be_opened_has_no_console_and_no_record_of_one(tmp_path: Path) -> None:
    with at_bench(tmp_path) as hand:
        hand.bench.open_port = _broken
        closed = hand.open()
        assert isinstance(closed, ConsoleClosed), closed
        assert closed.why == "failed"
        assert closed.reason
        hand.bench.sleep(5.0)
        assert hand.mode is UnitMode.NORMAL
        with hand.bench.reader() as journal:
            kinds = [row.kind for row in journal.entries()]
        assert (kinds.count("HandWorkBegun"), kinds.count("ConsoleOpened")) == (1, 0)  # it was made to listen for it


def _broken(device: str) -> NoReturn:
    raise OSError(5, f"{device} cannot be opened")


def test_another_unit_than_the_one_on_the_screen_is_not_typed_into(tmp_path: Path) -> None:
    with at_bench(tmp_path) as hand:
        hand.bench.command(OpenConsole(1, "", "e00fce68" + "0" * 16))
        closed = hand.closed()
        assert closed.why == "failed"
        assert f"is {hand.unit.device_id}, not" in closed.reason
        assert hand.mode is UnitMode.NORMAL
        assert not any(isinstance(event, HandWorkBegun) for _, event in hand.bench.events)


@pytest.mark.parametrize("text", ["a\x01", "\x02", "a\nb", "x" * 255, "ü" * 128])
def test_what_is_not_printable_or_too_long_is_refused_and_not_sent(tmp_path: Path, text: str) -> None:
    with at_bench(tmp_path) as hand:
        hand.open()
        hand.bench.command(TypeConsole(1, text))
        refused = hand.bench.wait_for(CommandRefused, since=hand.mark)
        assert isinstance(refused, CommandRefused)
        assert "printable lines" in refused.reason
        hand.types("v", "system firmware version: ")
        assert len(hand.read) == 1


def test_an_application_that_prints_without_end_is_shown_in_part_and_the_rest_counted(tmp_path: Path) -> None:
    with at_bench(tmp_path) as hand:
        flooded = Flooded.opener(hand.bench.bus)
        hand.bench.open_port = flooded
        hand.open()
        hand.bench.sleep(5.0)
        hand.bench.command(CloseConsole(1))
        assert hand.closed().why == "closed"
        lines = [event for _, event in hand.bench.events[hand.mark :] if isinstance(event, ConsoleLine)]
        assert 0 < len(lines) < 7 * MAX_LINES_S
        assert sum(event.skipped for event in lines) > 0
