"""Too many units on one USB controller are said before they fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from drivers.clock import SimulatedClock
from drivers.virtual.bus import VirtualBus
from drivers.virtual.descriptors import ENDPOINT
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import VirtualUnit
from station.line.bus_budget import UNIT_ENDPOINTS, overfull
from station.uncertain import CONTROLLER_ENDPOINTS

ONE, OTHER = "pci-0000:00:14.0", "pci-0000:03:00.0"


def behind_hubs(controller: str, units: int, ports_of_a_hub: int = 4) -> Iterator[str]:
    """Ports of units behind as few hubs as take them."""
    for number in range(units):
        yield f"{controller}-usb-0:{number // ports_of_a_hub + 1}.{number % ports_of_a_hub + 1}"


def test_a_controller_with_room_is_not_mentioned() -> None:
    assert list(overfull(behind_hubs(ONE, 20))) == []


def test_a_controller_asked_for_too_much_is_named_with_what_it_is_asked_for() -> None:
    (told,) = overfull([*behind_hubs(ONE, 24), *behind_hubs(OTHER, 8)])
    assert told.startswith(f"{ONE}: 24 slots behind 6 hubs need {24 * 4 + 6 * 2} endpoints, expected at most 96")


def test_two_controllers_take_what_one_does_not() -> None:
    assert list(overfull([*behind_hubs(ONE, 16), *behind_hubs(OTHER, 16)])) == []


def test_every_hub_on_the_way_counts_once() -> None:
    straight = [f"{ONE}-usb-0:{n}" for n in range(1, 25)]
    assert list(overfull(straight)) == [], "24 units without a hub fit exactly"
    assert len(list(overfull([*straight[1:], f"{ONE}-usb-0:1.2.3"]))) == 1


def test_a_port_named_by_its_bus_counts_for_that_bus() -> None:
    (told,) = overfull(f"3-{n}" for n in range(1, 26))
    assert told.startswith("bus 3: 25 slots")


@pytest.mark.parametrize("platform", ["photon", "argon", "boron", "p2"])
def test_a_unit_needs_the_endpoints_its_own_descriptor_lists(platform: str) -> None:
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        bus.plug("1-1", VirtualUnit(make_spec(platform, 7, 1), clock))
        clock.sleep(30.0)
        (shown,) = bus.shown()
        raw, at, found = shown.presence.descriptors.configuration, 0, 1  # endpoint 0 is in no descriptor
        while at < len(raw):
            found += raw[at + 1] == ENDPOINT
            at += raw[at]
        assert found == UNIT_ENDPOINTS
    assert CONTROLLER_ENDPOINTS // UNIT_ENDPOINTS == 24
