"""A bench whose config names no port: each new port takes the next free slot, and keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from line_bench import BORON, LineBench, line_bench

from station.engine.events import CommandRefused, UnitArrived, UnitLeft, UnmappedPort
from station.model import Verdict

FAR_PORTS = ("1-3.4", "1-7", "1-2")


@contextmanager
def portless(directory: Path, slots: int) -> Iterator[LineBench]:
    with line_bench(directory, BORON, slots=slots) as bench:
        bench.stop()
        bench.unbound = frozenset(range(1, slots + 1))
        bench.start(BORON)
        yield bench


def arrivals(bench: LineBench) -> list[tuple[int, str]]:
    """Slot and port of each unit that came; it may have restarted there."""
    seen = [(event.slot, event.port_path) for _, event in bench.events if isinstance(event, UnitArrived)]
    return [one for at, one in enumerate(seen) if seen[at - 1 : at] != [one]]


def test_ports_take_the_slots_in_the_order_units_come_to_them(tmp_path: Path) -> None:
    with portless(tmp_path, 3) as bench:
        for number, port in enumerate(FAR_PORTS, 1):
            bench.bus.plug(port, bench.finished_unit(BORON, number))
            bench.wait_for(UnitArrived, slot=number, port_path=port)
        assert [bench.wait_finished(number).verdict for number in (1, 2, 3)] == [Verdict.PASS] * 3
        assert list(dict.fromkeys(arrivals(bench))) == list(enumerate(FAR_PORTS, 1))
        assert not any(isinstance(event, UnmappedPort) for _, event in bench.events)


def test_a_port_keeps_its_slot_for_the_next_unit(tmp_path: Path) -> None:
    with portless(tmp_path, 3) as bench:
        for number, port in ((1, "1-2"), (2, "1-7"), (3, "1-2")):
            mark = bench.mark()
            bench.bus.plug(port, bench.finished_unit(BORON, number))
            arrived = bench.wait_for(UnitArrived, port_path=port, since=mark)
            assert bench.wait_finished(arrived.slot, since=mark).verdict is Verdict.PASS
            bench.bus.unplug(port)
            bench.wait_for(UnitLeft, port_path=port, since=mark)
        assert arrivals(bench) == [(1, "1-2"), (2, "1-7"), (1, "1-2")]
        assert not any(isinstance(event, CommandRefused) for _, event in bench.events)


def test_a_unit_beyond_the_last_slot_is_told_and_left_alone(tmp_path: Path) -> None:
    with portless(tmp_path, 1) as bench:
        bench.bus.plug("1-2", bench.finished_unit(BORON, 1))
        extra = bench.unit(number=2)
        bench.bus.plug("1-7", extra)
        assert bench.wait_for(UnmappedPort).port_path == "1-7"  # type: ignore[attr-defined]
        assert bench.wait_finished(1).verdict is Verdict.PASS
        assert arrivals(bench) == [(1, "1-2")]
        assert (extra.transfers["control"], extra.score.flash_writes) == (0, 0)


def test_a_bench_that_names_one_port_binds_none_by_itself(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=2) as bench:
        bench.stop()
        bench.unbound = frozenset({2})
        bench.start(BORON)
        bench.bus.plug("1-9", bench.finished_unit(BORON))
        assert bench.wait_for(UnmappedPort).port_path == "1-9"  # type: ignore[attr-defined]
        assert arrivals(bench) == []
