"""Units of every age are brought into every mode by command where one works, and say when hands are needed."""

from __future__ import annotations

import pytest
from support.device_bench import DeviceBench
from support.odd_rates import Flooded, UsualRates

from drivers.devices import Goal, ParticleDevice
from drivers.errors import NeedsHands, RateRefused, Swapped
from drivers.platforms import OsVersion, Platform, platform_by_slug, platforms
from drivers.transport.serialport import PyserialHost
from drivers.virtual import synthetic
from drivers.virtual.factory import make_spec
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.world import StoredNetwork
from drivers.wire.messages.tables import WifiSecurity
from drivers.wire.usb import Mode


def ages(row: Platform) -> list[str]:
    """The oldest, a middle and the newest Device OS of a platform, and the last one without requests."""
    made = synthetic.versions(row.id)
    mute = [one for one in made if row.requests_since is not None and OsVersion.parse(one) < row.requests_since]
    return list(dict.fromkeys((made[0], *mute[-1:], made[len(made) // 2], made[-1])))


EVERY = [pytest.param(row.slug, age, id=f"{row.slug}-{age}") for row in platforms() for age in ages(row)]
MUTE = [("photon", "0.4.9"), ("photon", "0.5.5"), ("p1", "0.7.0"), ("electron", "0.6.4"), ("argon", "0.8.0-rc.27")]
NETWORK = StoredNetwork("bench-net", None, WifiSecurity.NONE)


def held(bench: DeviceBench, slug: str, device_os: str, *faults: str) -> tuple[VirtualUnit, ParticleDevice]:
    """A unit that was set up, so that it runs its application wherever its Device OS allows that."""
    row = platform_by_slug(slug)
    networks = (NETWORK,) if row.has_wifi else ()
    is_set_up = row.setup_done_before is not None
    unit = bench.plug(make_spec(slug, 7, 1, device_os, setup_done=is_set_up, networks=networks), *faults)
    return unit, bench.device()


def without_odd_rates(bench: DeviceBench) -> None:
    ports = VirtualPorts(bench.bus)
    bench.serial_host = PyserialHost(ports.list, UsualRates.opener(bench.bus))


@pytest.mark.rule("H1")
@pytest.mark.rule("H3")
@pytest.mark.parametrize(("slug", "device_os"), EVERY)
def test_a_unit_listens_comes_back_shows_dfu_and_comes_back(bench: DeviceBench, slug: str, device_os: str) -> None:
    unit, device = held(bench, slug, device_os)
    bench.clock.sleep(10.0)
    began = unit.mode
    by_hand: list[Goal] = []

    def reach(goal: Goal) -> None:
        try:
            device.reach(goal, bench.within(120.0))
        except NeedsHands:
            by_hand.append(goal)
            unit.hold_mode_button() if goal is Goal.LISTENING else unit.press_mode_button()
            device.await_mode(goal, bench.within(60.0))

    reach(Goal.LISTENING)
    assert unit.mode is UnitMode.LISTENING
    assert str(device.identify(bench.within(60.0))) == unit.device_id
    assert str(device.os_version(bench.within(30.0))) == device_os
    if began is UnitMode.NORMAL:
        assert device.leave_listening(bench.within(30.0))
        assert unit.mode is UnitMode.NORMAL
    reach(Goal.DFU)
    assert (unit.mode, device.mode) == (UnitMode.DFU, Mode.DFU)
    device.leave_dfu(bench.within(60.0))
    assert device.mode is Mode.APPLICATION
    assert str(device.device_id) == unit.device_id
    oldest = OsVersion.parse(device_os) < OsVersion.parse("0.5.0")
    assert by_hand == ([Goal.LISTENING] if oldest and began is UnitMode.NORMAL else [])
    assert unit.score.flash_writes == 0


@pytest.mark.parametrize(("slug", "device_os"), MUTE)
def test_a_unit_without_requests_is_sent_none(bench: DeviceBench, slug: str, device_os: str) -> None:
    unit, device = held(bench, slug, device_os)
    device.identify(bench.within(90.0)) if slug == "argon" else None
    for goal in (Goal.DFU, Goal.SAFE, Goal.RESTART):
        device.reach(Goal.DFU, bench.within(90.0))
        device.leave_dfu(bench.within(60.0))
        if goal is not Goal.SAFE:
            device.reach(goal, bench.within(90.0))
    assert [line for line in bench.trace if line.startswith("request ") and "sent" in line] == []
    assert unit.device_id


@pytest.mark.rule("H3")
@pytest.mark.parametrize("refusal", ["do=stall,times=4", "do=reject,code=-130,times=9", "do=reject,code=0,times=3"])
def test_a_unit_that_does_not_obey_the_request_obeys_the_line_rate(bench: DeviceBench, refusal: str) -> None:
    unit, device = held(bench, "boron", "6.3.4", f"at=request:50,{refusal}")
    device.identify(bench.within(10.0))
    device.reach(Goal.DFU, bench.within(120.0))
    assert unit.mode is UnitMode.DFU
    assert any("request 50 did not work" in line for line in bench.trace)


@pytest.mark.rule("H3")
def test_a_computer_that_refuses_the_rate_is_named_and_hands_are_asked_for(bench: DeviceBench) -> None:
    without_odd_rates(bench)
    unit, device = held(bench, "boron", "6.3.4", "at=request:50,do=stall,times=4")
    device.identify(bench.within(10.0))
    with pytest.raises(RateRefused, match="this computer cannot set 14400 baud"):
        device.touch(14400, bench.within(10.0))
    with pytest.raises(NeedsHands, match="14400 baud: this computer cannot set 14400 baud") as refused:
        device.reach(Goal.DFU, bench.within(120.0))
    assert "let go when the light blinks yellow" in str(refused.value)
    assert (refused.value.goal, len(refused.value.tried)) == ("dfu", 2)
    bench.bus.at(7.0, unit.press_mode_button)
    device.await_mode(Goal.DFU, bench.within(60.0))
    assert unit.mode is UnitMode.DFU


@pytest.mark.rule("H1")
def test_an_application_that_never_listens_takes_hands_from_6_0_on(bench: DeviceBench) -> None:
    unit, device = held(bench, "boron", "6.3.4", "at=request:70,do=reject,code=-130,times=2")
    device.identify(bench.within(10.0))
    with pytest.raises(NeedsHands, match="28800 baud: its firmware has none"):
        device.reach(Goal.LISTENING, bench.within(60.0))
    bench.bus.at(5.0, unit.hold_mode_button)
    device.await_mode(Goal.LISTENING, bench.within(60.0))
    assert unit.mode is UnitMode.LISTENING


def test_safe_mode_by_the_console_where_there_is_no_request(bench: DeviceBench) -> None:
    unit, device = held(bench, "photon", "0.7.0")
    device.reach(Goal.LISTENING, bench.within(60.0))
    device.reach(Goal.SAFE, bench.within(60.0))
    assert unit.report is not None
    assert unit.report.mode.value == "safe"


@pytest.mark.parametrize(("slug", "device_os"), [("boron", "6.3.4"), ("photon", "0.5.5"), ("electron", "1.0.1")])
def test_a_unit_whose_application_floods_the_port_is_identified_and_held(
    bench: DeviceBench, slug: str, device_os: str
) -> None:
    ports = VirtualPorts(bench.bus)
    bench.serial_host = PyserialHost(ports.list, Flooded.opener(bench.bus))
    unit, device = held(bench, slug, device_os)
    assert str(device.identify(bench.within(90.0))) == unit.device_id
    device.reach(Goal.LISTENING, bench.within(90.0))
    with device.console(bench.within(90.0)) as console:
        assert console.identify().device_id == unit.spec.device_id
    device.reach(Goal.DFU, bench.within(90.0))
    assert unit.mode is UnitMode.DFU


def test_a_unit_with_the_serial_string_of_all_others_is_the_one_of_its_port(bench: DeviceBench) -> None:
    unit, device = held(bench, "photon", "0.5.5")
    other = bench.plug(make_spec("photon", 7, 2, "0.5.5"), port="1-2")
    assert str(device.identify(bench.within(90.0))) == unit.device_id
    assert device.id_source == "console i"
    second = bench.device("1-2")
    assert str(second.identify(bench.within(90.0))) == other.device_id
    device.reach(Goal.DFU, bench.within(90.0))
    device.leave_dfu(bench.within(90.0))
    assert str(device.identify(bench.within(90.0))) == unit.device_id


def test_a_unit_swapped_for_one_with_the_same_serial_string_is_noticed_by_the_console(bench: DeviceBench) -> None:
    held(bench, "photon", "0.5.5")
    device = bench.device()
    device.identify(bench.within(90.0))
    bench.bus.unplug("1-1")
    bench.clock.sleep(2.0)
    bench.plug(make_spec("photon", 7, 2, "0.5.5"))
    with pytest.raises(Swapped), device.console(bench.within(90.0)) as console:
        console.identify()
