"""Virtual units by their names: whatever the text says, the unit is found that way, on every platform."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.clock import SimulatedClock
from drivers.errors import DriverError
from drivers.platforms import platforms
from drivers.virtual import synthetic
from drivers.virtual.bus import VirtualBus
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.starts import NamedUnit, Start
from drivers.virtual.unit import UnitMode, VirtualUnit

MODES = {
    Start.NORMAL: UnitMode.NORMAL,
    Start.LISTENING: UnitMode.LISTENING,
    Start.SAFE: UnitMode.SAFE,
    Start.DFU: UnitMode.DFU,
    Start.DARK: UnitMode.DEAD,
    Start.FLOODING: UnitMode.NORMAL,
    Start.SELFTEST: UnitMode.NORMAL,
}


@pytest.mark.parametrize("start", Start)
@pytest.mark.parametrize("slug", [row.slug for row in platforms()])
def test_a_unit_of_every_platform_is_found_as_it_is_named(slug: str, start: Start) -> None:
    made = synthetic.versions(NamedUnit.parse(slug, "6.3.4").spec(1, 1).platform_id)
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        for number, device_os in enumerate((made[0], made[-1]), 1):
            unit = VirtualUnit(NamedUnit(slug, device_os, start).spec(1, number, setup_done=True), clock)
            bus.plug(f"1-{number}", unit)
            clock.sleep(20.0)
            assert unit.mode is MODES[start], (device_os, unit.report)


@pytest.mark.parametrize("text", ["photon@0.5.5", "photon2@6.3.4", "p2@6.3.4:listening", "xenon@1.5.2:dark"])
def test_a_name_is_read_back_as_written(text: str) -> None:
    assert str(NamedUnit.parse(text, "6.3.4")) == text


@pytest.mark.parametrize(("text", "device_os"), [("boron", "6.3.4"), ("photon", "3.3.1"), ("boron:dfu", "6.3.4")])
def test_a_name_without_a_device_os_has_the_usual_or_the_newest(text: str, device_os: str) -> None:
    assert NamedUnit.parse(text, "6.3.4").device_os == device_os


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("spoon", "platform 'spoon' is not one of"),
        ("boron@", "is not written like 6.2.0"),
        ("photon@6.3.4", "hold one of 0.4."),
        ("boron:asleep", "a unit is found normal, listening, safe, dfu, dark, flooding, selftest; not 'asleep'"),
        ("boron:", "not ''"),
    ],
)
def test_a_name_of_no_unit_is_refused_with_what_may_be_written(text: str, sentence: str) -> None:
    with pytest.raises(DriverError, match=sentence):
        NamedUnit.parse(text, "6.3.4")


@pytest.mark.parametrize(("device_os", "while_listening"), [("1.0.1", False), ("6.1.0", False), ("6.3.4", True)])
def test_an_application_floods_an_open_port_until_listening_mode_stops_its_only_thread(
    device_os: str, while_listening: bool
) -> None:
    slug = "photon" if device_os == "1.0.1" else "boron"
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        unit = VirtualUnit(NamedUnit(slug, device_os, Start.FLOODING).spec(1, 1, setup_done=True), clock)
        bus.plug("1-1", unit)
        clock.sleep(20.0)
        ports = VirtualPorts(bus)
        with ports.open(ports.list()[0].device) as port:
            port.timeout = 1.0
            assert b"tick 0123456789" in port.read(10_000)
            unit.hold_mode_button()
            clock.sleep(4.0)
            port.reset_input_buffer()
            assert (b"tick" in port.read(1000)) is while_listening
        unit_mode = unit.mode
    assert unit_mode is UnitMode.LISTENING


def test_buttons_are_held_each_time_a_kept_unit_is_plugged_in(tmp_path: Path) -> None:
    clock = SimulatedClock()
    for start in (Start.NORMAL, Start.DFU, Start.SAFE):
        with clock.registered(), VirtualBus(clock) as bus:
            unit = VirtualUnit(NamedUnit("boron", "6.3.4", start).spec(1, 1, setup_done=True), clock, None, tmp_path)
            bus.plug("1-1", unit)
            clock.sleep(20.0)
            assert unit.mode is MODES[start]
