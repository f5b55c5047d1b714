"""How fast drivers and virtual units talk in one process, in wall time. Reported, not asserted (`make bench`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from support.device_bench import DeviceBench, device_bench

from drivers.virtual.factory import make_spec
from drivers.wire import requests
from drivers.wire.control import host as control
from drivers.wire.control.host import ControlExchange

Report = Callable[[str, str], None]
ROUNDS = 3_000


@pytest.fixture
def bench() -> Iterator[DeviceBench]:
    with device_bench() as made:
        yield made


def per_second(act: Callable[[], object], rounds: int = ROUNDS) -> str:
    begin = time.perf_counter()
    for _ in range(rounds):
        act()
    return f"{rounds / (time.perf_counter() - begin):,.0f} /s"


def test_transfers(bench: DeviceBench, report: Report) -> None:
    bench.plug(make_spec("boron", 1, 1, "6.3.4"))
    current = bench.watch("1-1").current
    assert current is not None
    transport = current.open()
    setup = control.raw_device_id()
    report("raw control transfers, host and unit in one process", per_second(lambda: transport.control(setup)))
    transport.close()


def test_requests(bench: DeviceBench, report: Report) -> None:
    bench.plug(make_spec("boron", 1, 1, "6.3.4"))
    device = bench.device()
    device.identify(bench.within(10.0))
    ask = requests.get_serial_number()
    report("control requests (serial number)", per_second(lambda: device.ask(ask), ROUNDS // 10))
    report("module info", per_second(lambda: device.ask(requests.get_module_info()), ROUNDS // 100))


def test_exchange_alone(report: Report) -> None:
    report("control exchanges built, no unit", per_second(lambda: ControlExchange(20, b"").next()))


def test_polling(bench: DeviceBench, report: Report) -> None:
    for number in range(8):
        bench.plug(make_spec("boron", 1, number + 1, "6.3.4"), port=f"1-{number + 1}")
    report("polls of a bus with 8 units", per_second(bench.host.candidates, ROUNDS // 10))
