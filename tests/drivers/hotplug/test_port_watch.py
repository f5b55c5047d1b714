"""What a slot can learn from its port while units come, go and are announced to."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from drivers.clock import Deadline, SimulatedClock
from drivers.errors import Cancelled, DeadlineExceeded
from drivers.hotplug import PortWatch
from drivers.identity import PortPath
from drivers.transport import UsbTransport
from drivers.wire.usb import Mode, UsbId

BORON, DFU = UsbId(0x2B04, 0xC00D), UsbId(0x2B04, 0xD00D)
PORT = PortPath("1-4")


@dataclass(frozen=True)
class Arrived:
    address: tuple[int, int]
    usb_id: UsbId = BORON
    port_path: PortPath = PORT

    def open(self) -> UsbTransport:
        raise AssertionError("a watch never opens a device")


def test_generation_counts_arrivals_only() -> None:
    watch = PortWatch(PortPath("1-4"), SimulatedClock())
    assert (watch.current, watch.generation) == (None, 0)
    watch.attached(Arrived((1, 7)))
    watch.detached()
    assert (watch.current, watch.generation) == (None, 1)
    watch.attached(Arrived((1, 8)))
    assert watch.generation == 2


def test_a_restart_is_expected_inside_the_block_and_until_its_deadline() -> None:
    clock = SimulatedClock()
    watch = PortWatch(PortPath("1-4"), clock)
    with clock.registered():
        assert not watch.is_restart_expected
        with watch.expecting("update", Deadline.after(clock, 60.0)), watch.expecting("dfu", Deadline.after(clock, 2.0)):
            assert watch.expected_reason == "dfu"
            clock.sleep(2.5)
            assert watch.expected_reason == "update"
            clock.sleep(60.0)
            assert not watch.is_restart_expected
    assert watch.expected_reason is None


def test_waiting_ends_with_the_arrival_that_was_asked_for() -> None:
    clock = SimulatedClock()
    watch = PortWatch(PortPath("1-4"), clock)

    def bus() -> None:
        clock.sleep(1.0)
        watch.attached(Arrived((1, 8)))
        clock.sleep(1.0)
        watch.detached()
        clock.sleep(1.0)
        watch.attached(Arrived((1, 9), DFU))

    with clock.registered():
        clock.thread("bus", bus)
        found = watch.wait_for(lambda c: c.usb_id.mode is Mode.DFU, Deadline.after(clock, 10.0))
        assert (found.address, clock.now()) == ((1, 9), 3.0)


def test_waiting_for_the_old_entry_to_go_takes_a_new_address_as_gone() -> None:
    clock = SimulatedClock()
    watch = PortWatch(PortPath("1-4"), clock)
    watch.attached(Arrived((1, 8)))

    def bus() -> None:
        clock.sleep(1.5)
        watch.attached(Arrived((1, 9)))

    with clock.registered():
        clock.thread("bus", bus)
        watch.wait_gone((1, 8), Deadline.after(clock, 5.0))
        assert clock.now() == 1.5


def test_waiting_ends_at_its_deadline_or_when_cancelled() -> None:
    clock = SimulatedClock()
    watch = PortWatch(PortPath("1-4"), clock)
    stop = clock.token()

    def operator() -> None:
        clock.sleep(4.0)
        stop.cancel()

    with clock.registered():
        with pytest.raises(DeadlineExceeded, match="1-4"):
            watch.wait_for(lambda c: True, Deadline.after(clock, 2.0))
        assert clock.now() == 2.0
        clock.thread("operator", operator)
        with pytest.raises(Cancelled):
            watch.wait_for(lambda c: True, Deadline.after(clock, 60.0), stop)
        assert clock.now() == 6.0
