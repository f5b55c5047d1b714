"""``station slots``: what the slots are bound to, and learning it by plugging in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.clock import SimulatedClock
from drivers.identity import PortPath
from drivers.transport.usb import PyusbHost
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import make_spec
from drivers.virtual.hotplug import VirtualChanges, controllers_of
from drivers.virtual.unit import VirtualUnit
from station.cli.slots import keep, learn, listing
from station.errors import BadInput
from station.model import OffSlot, SlotInfo
from station.settings.config import StationConfig, load_config

WRITTEN = """# the bench by the window
[station]
id = "bench-3" # as on its sign

[slots]
# from the left
1 = "1-1" # wobbly
2 = "1-9"
7 = "1-5" # spare

[cloud]
token = "env:TOKEN"
"""


@pytest.fixture
def bus() -> Iterator[VirtualBus]:
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as made:
        yield made


def host_of(bus: VirtualBus) -> PyusbHost:
    return PyusbHost(VirtualBackend(bus), controller_of=controllers_of(bus))


def plug(bus: VirtualBus, port: str, number: int = 1) -> None:
    bus.plug(port, VirtualUnit(make_spec("argon", 5, number), bus.clock))


def learning(
    bus: VirtualBus, numbers: list[int], hands: Callable[[], None], path: Path, *, within: float = 300.0
) -> None:
    """Learn while ``hands`` plug in; give up after ``within`` seconds, as Ctrl-C would."""
    ends = bus.clock.now() + within
    thread = bus.clock.thread("hands", hands)
    learn(
        numbers, host_of(bus), bus.clock, VirtualChanges(bus), lambda number, port: keep(path, number, port),
        lambda: bus.clock.now() >= ends,
    )  # fmt: skip
    thread.join()


def in_turn(bus: VirtualBus, *ports: str) -> Callable[[], None]:
    """Hands that plug a unit into one port after the other, and leave them there."""

    def hands() -> None:
        for number, port in enumerate(ports, 10):
            bus.clock.sleep(20.0)
            plug(bus, port, number)

    return hands


def test_each_unit_plugged_in_makes_its_port_the_next_slot_and_comments_stay(bus: VirtualBus, tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    path.write_text(WRITTEN)
    learning(bus, [1, 2, 3], in_turn(bus, "1-4.1", "1-4.2", "1-5"), path)
    assert path.read_text() == WRITTEN.replace('"1-1"', '"virtual-1-usb-0:4.1"').replace(
        '"1-9"', '"virtual-1-usb-0:4.2"'
    ).replace('7 = "1-5" # spare\n', '3 = "virtual-1-usb-0:5"\n')
    assert load_config(path).slots == (
        SlotInfo(1, "virtual-1-usb-0:4.1"), SlotInfo(2, "virtual-1-usb-0:4.2"), SlotInfo(3, "virtual-1-usb-0:5"),
    )  # fmt: skip


def test_a_file_that_is_missing_is_made(bus: VirtualBus, tmp_path: Path) -> None:
    path = tmp_path / "new" / "station.toml"
    learning(bus, [4], in_turn(bus, "1-2"), path)
    assert load_config(path).slots == (SlotInfo(4, "virtual-1-usb-0:2"),)


def test_units_that_were_there_and_ports_learnt_already_do_not_count(bus: VirtualBus, tmp_path: Path) -> None:
    plug(bus, "1-1")
    bus.clock.sleep(20.0)

    def hands() -> None:
        in_turn(bus, "1-2")()  # slot 1
        bus.clock.sleep(20.0)
        bus.unplug("1-2")
        in_turn(bus, "1-2")()  # the same port again
        bus.unplug("1-1")
        in_turn(bus, "1-1")()  # slot 2: the unit that was there at first

    path = tmp_path / "station.toml"
    learning(bus, [1, 2], hands, path)
    assert load_config(path).slots == (SlotInfo(1, "virtual-1-usb-0:2"), SlotInfo(2, "virtual-1-usb-0:1"))


def test_what_was_learnt_stays_when_it_is_ended_early(bus: VirtualBus, tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    learning(bus, [1, 2], in_turn(bus, "1-2"), path, within=60.0)
    assert load_config(path).slots == (SlotInfo(1, "virtual-1-usb-0:2"),)


def test_a_file_that_is_no_configuration_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    path.write_text("[slots]\n1 = 7\n")
    with pytest.raises(BadInput, match="line 2"):
        keep(path, 1, PortPath("virtual-1-usb-0:2"))
    assert path.read_text() == "[slots]\n1 = 7\n"


def test_a_controller_with_too_many_slots_is_told_and_slots_out_of_service_do_not_count() -> None:
    slots = tuple(SlotInfo(number, f"pci-0000:00:14.0-usb-0:{number}") for number in range(1, 26))
    assert [line for line in listing(StationConfig(slots=slots), []) if "25 slots behind 0 hubs" in line]
    spared = StationConfig(slots=slots, off=(OffSlot(25, "bent pin"),))
    assert not [line for line in listing(spared, []) if "endpoints" in line]


def test_the_list_shows_slots_strangers_and_who_is_bound_to_a_bus_number(bus: VirtualBus) -> None:
    for number, port in enumerate(("1-1", "1-2", "1-6"), 1):
        plug(bus, port, number)
    bus.clock.sleep(20.0)
    config = StationConfig(slots=(SlotInfo(1, "1-1"), SlotInfo(2, "virtual-1-usb-0:2"), SlotInfo(3, "1-7")))
    lines = list(listing(config, host_of(bus).candidates()))
    assert [" ".join(line.split()) for line in lines[:4]] == [
        "slot 1 1-1 Argon in application mode",
        "slot 2 virtual-1-usb-0:2 Argon in application mode",
        "slot 3 1-7",
        "no slot virtual-1-usb-0:6 Argon in application mode",
    ]
    assert "slots 1, 3: the ports begin with a bus number" in lines[4]
    assert lines[4].endswith("station slots learn 1 3")
