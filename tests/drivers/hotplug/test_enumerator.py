"""What the enumerator reports for lists of devices that change between polls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from drivers.clock import SimulatedClock
from drivers.errors import LinkError
from drivers.hotplug import Attached, Enumerator, HotplugEvent
from drivers.identity import PortPath
from drivers.transport import UsbCandidate, UsbTransport
from drivers.wire.usb import UsbId

ARGON, ARGON_DFU = UsbId(0x2B04, 0xC00C), UsbId(0x2B04, 0xD00C)


@dataclass(frozen=True)
class Listed:
    """One entry of a listing; opening it is a failure of the test."""

    port_path: PortPath
    usb_id: UsbId
    address: tuple[int, int]

    def open(self) -> UsbTransport:
        raise AssertionError("the enumerator must never open a device")


def listed(port: str, number: int, usb_id: UsbId = ARGON) -> Listed:
    return Listed(PortPath(port), usb_id, (1, number))


class ListedHost:
    """Answers each poll with the next listing; the last one stays."""

    def __init__(self, listings: Iterable[list[UsbCandidate] | LinkError]) -> None:
        self.listings = list(listings)

    def candidates(self) -> list[UsbCandidate]:
        now = self.listings.pop(0) if len(self.listings) > 1 else self.listings[0]
        if isinstance(now, LinkError):
            raise now
        return now


def told(events: list[HotplugEvent]) -> list[tuple[str, str]]:
    return [
        ("+", str(event.candidate.port_path)) if isinstance(event, Attached) else ("-", str(event.port_path))
        for event in events
    ]


def poll_all(listings: list[list[UsbCandidate] | LinkError]) -> tuple[list[HotplugEvent], list[str]]:
    events: list[HotplugEvent] = []
    failures: list[str] = []
    host = ListedHost(listings)
    enumerator = Enumerator(host, SimulatedClock(), events.append, on_failure=lambda error: failures.append(str(error)))
    for _ in range(len(listings)):
        enumerator.poll()
    return events, failures


def test_arrivals_and_departures_are_told_once() -> None:
    events, _ = poll_all([[], [listed("1-1", 5)], [listed("1-1", 5), listed("1-2", 6)], [listed("1-2", 6)]])
    assert told(events) == [("+", "1-1"), ("+", "1-2"), ("-", "1-1")]


def test_a_new_address_on_the_same_port_is_a_departure_and_an_arrival() -> None:
    events, _ = poll_all([[listed("1-1", 5)], [listed("1-1", 6, ARGON_DFU)]])
    assert told(events) == [("+", "1-1"), ("-", "1-1"), ("+", "1-1")]
    last = events[-1]
    assert isinstance(last, Attached)
    assert last.candidate.usb_id == ARGON_DFU


@pytest.mark.parametrize("is_old_first", [True, False])
def test_old_and_new_entry_of_one_port_in_one_listing_count_as_the_new_one(is_old_first: bool) -> None:
    old, new = listed("1-1", 5), listed("1-1", 6)
    both = [old, new] if is_old_first else [new, old]
    events, _ = poll_all([[old], [*both], [new]])
    assert told(events) == [("+", "1-1"), ("-", "1-1"), ("+", "1-1")]


def test_a_failing_listing_is_told_once_and_forgets_nothing() -> None:
    broken = LinkError("no bus")
    events, failures = poll_all([[listed("1-1", 5)], broken, broken, [listed("1-1", 5)], broken])
    assert told(events) == [("+", "1-1")]
    assert failures == ["no bus", "no bus"]


def test_it_polls_at_its_interval_until_it_is_stopped() -> None:
    clock = SimulatedClock()
    moments: list[float] = []
    host = ListedHost([[], [], [listed("1-1", 5)]])
    enumerator = Enumerator(host, clock, lambda event: moments.append(clock.now()))
    with clock.registered():
        enumerator.start()
        clock.sleep(3.0)
        enumerator.stop()
        enumerator.stop()
    assert moments == [0.5]
