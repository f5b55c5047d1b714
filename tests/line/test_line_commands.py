"""How commands reach the station: whoever sends one goes on at once, and it is carried out all the same."""

from __future__ import annotations

import threading
from pathlib import Path

from line_bench import BORON, LineBench, line_bench

from station.engine.commands import CloseBatch, EnterMode, OpenBatch, Scan, SetOperator, SignalUnit
from station.engine.events import (
    AttemptStarted,
    BatchClosed,
    BatchOpened,
    CommandDone,
    CommandRefused,
    Event,
    OperatorChanged,
    StationFault,
)


def operators(bench: LineBench) -> list[str]:
    return [event.operator for _, event in bench.events if isinstance(event, OperatorChanged)]


def test_a_sent_command_is_carried_out_on_another_thread_so_a_screen_never_waits_for_a_disk(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        threads: list[str] = []

        def note(event: Event) -> None:
            if isinstance(event, OperatorChanged):
                threads.append(threading.current_thread().name)

        bench.station.bus.subscribe(note)
        bench.station.send(SetOperator("0001"))
        bench.wait_for(OperatorChanged, operator="0001")
        bench.station.command(SetOperator("0002"))  # whoever can wait has it done when it returns
        assert threads == ["commands", threading.current_thread().name]


def test_a_sender_goes_on_while_a_command_is_still_carried_out(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        may_go_on, held = threading.Event(), []

        def hold(event: Event) -> None:
            if isinstance(event, BatchClosed):
                held.append(may_go_on.wait(60.0))

        bench.station.bus.subscribe(hold)
        bench.station.send(CloseBatch(BORON.batch))
        bench.station.send(OpenBatch("B-2", BORON.id))
        may_go_on.set()
        bench.wait(lambda event: isinstance(event, BatchOpened) and event.batch.id == "B-2", within=5.0)
        assert held == [True], "the sender was not waited with"


def test_sent_commands_are_carried_out_in_the_order_sent(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        badges = [f"{number:04}" for number in range(20)]
        for badge in badges:
            bench.station.send(SetOperator(badge))
        bench.wait_for(OperatorChanged, operator=badges[-1])
        assert operators(bench) == badges


def test_what_was_sent_before_the_station_stops_is_still_done(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        for number in range(20):
            bench.station.send(SetOperator(f"{number:04}"))
        bench.station.send(CloseBatch(BORON.batch))
        bench.stop()
        with bench.reader() as journal:
            closed = journal.batch(BORON.batch)
            assert closed is not None
            assert closed.closed_at is not None


def test_a_command_that_cannot_be_carried_out_is_told_and_the_next_one_is_done(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.station.send(OpenBatch("B-2", "no-such-profile"))
        bench.station.send(SetOperator("0001"))
        refused = bench.wait_for(CommandRefused)
        assert refused.reason.startswith("profile 'no-such-profile'")  # type: ignore[attr-defined]
        assert bench.wait_for(OperatorChanged, operator="0001")


def test_a_command_that_breaks_ends_no_thread(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.station.send(Scan(b"P044"))  # type: ignore[arg-type]
        bench.station.send(SetOperator("0001"))
        assert bench.wait_for(StationFault).reason.startswith("Scan could not be carried out")  # type: ignore[attr-defined]
        assert bench.wait_for(OperatorChanged, operator="0001")


def test_every_press_for_a_light_is_answered(tmp_path: Path) -> None:
    def refused(since: int) -> str:
        return bench.wait_for(CommandRefused, since=since, within=60.0).sentence  # type: ignore[attr-defined]

    with line_bench(tmp_path, BORON) as bench:
        mark = bench.mark()
        bench.command(SignalUnit(1, on=True))
        assert refused(mark) == "nothing_there"
        mark = bench.mark()
        bench.plug(bench.finished_unit(BORON))
        bench.wait_for(AttemptStarted, since=mark)
        bench.command(SignalUnit(1, on=True))
        assert refused(mark) == "slot_at_work"
        bench.wait_finished(since=mark)
        bench.command(SignalUnit(1, on=True))
        assert bench.wait_for(CommandDone, slot=1, did="light-on", since=mark)
        bench.command(EnterMode(1, "dfu"))
        bench.wait_for(CommandDone, slot=1, did="mode", since=mark)
        mark = bench.mark()
        bench.command(SignalUnit(1, on=False))
        told = bench.wait_for(CommandRefused, slot=1, since=mark, within=60.0)
        assert "the light cannot be switched" in told.reason  # type: ignore[attr-defined]
