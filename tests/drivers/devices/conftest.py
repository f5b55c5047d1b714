"""The bench every test of this room gets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.device_bench import DeviceBench

from drivers.clock import SimulatedClock
from drivers.virtual.bus import VirtualBus


@pytest.fixture
def bench() -> Iterator[DeviceBench]:
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        made = DeviceBench(clock, bus)
        made.enumerator.start()
        yield made
        made.enumerator.stop()
        assert bus.failures == []
