"""Ports that a technician's verbs watch: what arrives, leaves and restarts is seen when the system says so."""

from __future__ import annotations

import argparse

import pytest

from drivers.clock import SimulatedClock
from drivers.host.hotplug_events import system_changes
from drivers.hotplug.enumerator import POLL_INTERVAL_S
from drivers.transport.serialport import PyserialHost
from drivers.transport.usb import PyusbHost
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import make_spec
from drivers.virtual.hotplug import VirtualChanges
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.unit import VirtualUnit
from station.cli.identify import place
from station.cli.looking import Place, Ports

EVENT_S = 0.02


@pytest.mark.parametrize("has_events", [True, False])
def test_a_restart_is_seen_at_its_event_and_else_by_the_next_poll(has_events: bool) -> None:
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        seen, shown = list[float](), list[float]()
        bus.plug("1-1", unit := VirtualUnit(make_spec("boron", 7, 1, "6.3.4", setup_done=True), clock))
        ports = VirtualPorts(bus)
        here = Place(
            PyusbHost(VirtualBackend(bus)), PyserialHost(ports.list, ports.open), clock,
            VirtualChanges(bus) if has_events else None,
        )  # fmt: skip
        with Ports(here, lambda _: seen.append(clock.now())) as watched:
            watched.wait(1)
            bus.listen(lambda _: shown.append(clock.now()) if unit.presence is not None else None)
            for restart in (1, 2, 3):
                clock.sleep(0.1 * restart)  # no moment a poll falls on by chance
                bus.unplug("1-1")
                clock.sleep(1.0)
                bus.plug("1-1", unit)
                clock.sleep(10.0)
        late = [at - first for at, first in zip(seen[1:], shown, strict=True)]
        assert max(late) <= (EVENT_S if has_events else POLL_INTERVAL_S + EVENT_S)
        assert (max(late) > EVENT_S) is not has_events


def test_this_computer_tells_of_changes_where_it_can() -> None:
    with place(argparse.Namespace(virtual=[], usb=None)) as here:
        assert type(here.changes) is type(system_changes())
