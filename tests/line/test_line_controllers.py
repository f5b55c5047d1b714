"""Slots stay where they are when two controllers change their bus numbers between two starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import ARGON, LineBench, line_bench

from drivers.virtual.bus import VirtualBus
from station.engine.events import AttemptStarted, UnitArrived, UnmappedPort
from station.model import Verdict


def slot_of_port(number: int) -> str:
    """Slot 1 is port 3 of the first controller, slot 2 port 3 of the second one."""
    return f"virtual-{number}-usb-0:3"


def boot_again(bench: LineBench, second: VirtualBus) -> None:
    """Restart the computer: this time the other controller answers first."""
    bench.stop()
    bench.bus.number, second.number = second.number, bench.bus.number
    bench.start(*bench.recipes)


@pytest.mark.parametrize("swaps", [False, True], ids=["as before", "numbers swapped"])
def test_two_controllers_that_swap_their_bus_numbers_keep_their_slots(tmp_path: Path, swaps: bool) -> None:
    with line_bench(tmp_path, ARGON, slots=2) as bench, VirtualBus(bench.clock, 2, "virtual-2") as second:
        bench.buses, bench.port_of, bench.names_controllers = (bench.bus, second), slot_of_port, True
        units = [bench.finished_unit(ARGON, number) for number in (1, 2)]
        bench.restart()
        if swaps:
            boot_again(bench, second)
        since = bench.mark()
        for bus, unit in zip(bench.buses, units, strict=True):
            bus.plug("1-3", unit)
        for slot, unit in enumerate(units, 1):
            finished = bench.wait_finished(slot, since=since)
            assert (finished.verdict, finished.device_id) == (Verdict.PASS, unit.device_id)
        ports = {e.slot: e.port_path for _, e in bench.events[since:] if isinstance(e, UnitArrived | AttemptStarted)}
        assert ports == {1: slot_of_port(1), 2: slot_of_port(2)}
        bench.stop()


def test_a_slot_bound_by_an_old_bus_number_still_gets_its_unit_and_tells_the_port_by_its_controller(
    tmp_path: Path,
) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        bench.names_controllers = True
        bench.restart()
        assert bench.walk(bench.finished_unit(ARGON)).started.port_path == "virtual-1-usb-0:1"


def test_a_unit_on_an_unknown_port_is_named_by_its_controller(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        bench.names_controllers = True
        bench.restart()
        bench.bus.plug("1-2.4", bench.unit("argon"))
        found = bench.wait_for(UnmappedPort)
        assert isinstance(found, UnmappedPort)
        assert found.port_path == "virtual-1-usb-0:2.4"
