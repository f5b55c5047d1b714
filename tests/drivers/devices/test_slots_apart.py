"""USB work of one slot never waits for another's: each takes as long as if it were alone.

A lock held over a transfer would stop the simulated clock, which then writes down where every thread is.
"""

from __future__ import annotations

from collections.abc import Callable

from support.device_bench import DeviceBench, application

from drivers.devices import DfuDevice
from drivers.errors import DriverError
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec

NEW = application("6.3.4", size=30_000)


def in_dfu(bench: DeviceBench, number: int, *faults: str) -> DfuDevice:
    port = f"1-{number}"
    bench.plug(make_spec("boron", 7, number, "3.3.1", setup_done=True, arrives=BootRequest.DFU), *faults, port=port)
    device = bench.device(port)
    device.identify(bench.within(10.0))
    return device.dfu(bench.within(300.0))


def at_once(bench: DeviceBench, work: dict[int, Callable[[], None]]) -> dict[int, float]:
    """Run every slot's ``work`` in a thread of its own; return the simulated seconds each took."""
    took: dict[int, float] = {}

    def run(number: int) -> None:
        begin = bench.clock.now()
        work[number]()
        took[number] = bench.clock.now() - begin

    threads = [bench.clock.thread(f"slot-{number}", lambda number=number: run(number)) for number in work]  # type: ignore[misc]
    for thread in threads:
        thread.join()
    return took


def flash(dfu: DfuDevice) -> None:
    dfu.write_module(NEW)
    dfu.verify(NEW)


def alone_s(bench: DeviceBench) -> float:
    dfu = in_dfu(bench, 9)
    return at_once(bench, {9: lambda: flash(dfu)})[9]


def test_eight_units_are_flashed_in_the_time_of_one(bench: DeviceBench) -> None:
    alone = alone_s(bench)
    units = {number: in_dfu(bench, number) for number in range(1, 9)}
    took = at_once(bench, {number: lambda dfu=dfu: flash(dfu) for number, dfu in units.items()})  # type: ignore[misc]
    assert {round(seconds - alone, 6) for seconds in took.values()} == {0.0}


def test_a_unit_that_hangs_holds_up_nobody_else(bench: DeviceBench) -> None:
    alone = alone_s(bench)
    sick, well = in_dfu(bench, 1, "at=dfu-write:3,do=hang"), in_dfu(bench, 2)

    def gives_up() -> None:
        sick.deadline = bench.within(60.0)
        try:
            flash(sick)
        except DriverError:
            return
        raise AssertionError("a unit that hangs cannot be flashed")

    took = at_once(bench, {1: gives_up, 2: lambda: flash(well)})
    assert round(took[2] - alone, 6) == 0.0
    assert took[1] > took[2]
