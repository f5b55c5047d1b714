"""A unit comes online by itself, if what it holds really works: design 10, reference usb-and-serial 4.8."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.identity import Secret
from drivers.virtual.messages import blob, message, number, text
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.world import AccessPoint, StoredNetwork, World
from drivers.wire.messages.tables import WifiSecurity

REFUSED, INVALID_STATE, INVALID_ARGUMENT = -1200, -210, -270


def _join(ssid: str, password: str, security: int = 3) -> bytes:
    return text(1, ssid) + number(3, security) + message(4, number(1, int(bool(password))) + text(2, password))


@pytest.fixture
def wifi(bench: Any) -> World:
    bench.world.access_points["factory-ap"] = AccessPoint("factory-ap", Secret("hunter2hunter2"))
    return bench.world


def test_a_boron_comes_online_once_its_sim_is_active(bench: Any) -> None:
    spec = bench.spec("boron", "6.2.0")
    unit = bench.plug(spec)
    bench.clock.sleep(60)
    assert bench.cloud.log == []
    bench.cloud.active.add(str(spec.iccid))
    bench.clock.sleep(30)
    assert bench.cloud.log == [("online", unit.device_id)]
    facts = bench.cloud.facts[unit.device_id]
    assert (facts.platform_id, facts.device_os, facts.is_safe_mode) == (13, "6.2.0", False)
    assert (facts.iccid, facts.imei, facts.product_id) == (str(spec.iccid), str(spec.imei), None)
    assert bench.wire().ask(300) == (0, b"\x08\x02")


def test_asking_twice_makes_one_session(bench: Any) -> None:
    spec = bench.spec("boron", "6.2.0")
    bench.cloud.active.add(str(spec.iccid))
    unit = bench.plug(spec)
    bench.wire().ask(301)
    bench.wire().ask(301)
    bench.clock.sleep(60)
    bench.wire().ask(301)
    bench.clock.sleep(60)
    assert bench.cloud.log == [("online", unit.device_id)]
    bench.wire().ask(302)
    bench.clock.sleep(60)
    assert bench.cloud.log[1:] == [("offline", unit.device_id)]


def test_it_goes_offline_when_unplugged_and_when_it_listens(bench: Any) -> None:
    spec = bench.spec("boron", "6.2.0")
    bench.cloud.active.add(str(spec.iccid))
    unit = bench.plug(spec, wait_s=30)
    bench.wire().ask(70)
    assert [word for word, _ in bench.cloud.log] == ["online", "offline"]
    bench.wire().ask(71)
    bench.clock.sleep(30)
    bench.bus.unplug("1-1")
    bench.clock.sleep(1)
    assert [word for word, _ in bench.cloud.log] == ["online", "offline"] * 2
    assert unit.mode is UnitMode.OFF


def test_before_4_0_setup_must_be_done_to_come_online(bench: Any) -> None:
    spec = bench.spec("boron", "3.3.1")
    bench.cloud.active.add(str(spec.iccid))
    bench.plug(spec, wait_s=100)
    assert bench.cloud.log == []


def test_the_right_password_joins_and_the_wrong_one_stores_nothing(bench: Any, wifi: World) -> None:
    unit = bench.plug(bench.spec("argon"))
    wire = bench.wire()
    assert wire.ask(500, _join("factory-ap", "wrong-password")) == (REFUSED, b"")
    assert wire.ask(502) == (0, b"")
    assert unit.score.flash_writes == 0
    start = bench.clock.now()
    assert wire.ask(500, _join("factory-ap", "hunter2hunter2")) == (0, b"")
    assert bench.clock.now() - start > 3
    assert wire.ask(502) == (0, message(1, text(1, "factory-ap") + number(2, 3) + number(3, 1)))
    assert wire.ask(505) == (INVALID_STATE, b"")  # still listening: the trial connection is closed
    assert unit.mode is UnitMode.LISTENING  # a join does not leave it
    wire.ask(71)
    bench.clock.sleep(10)
    assert bench.cloud.log == [("online", unit.device_id)]
    assert wire.ask(505)[1].startswith(text(1, "factory-ap") + blob(2, b"\xa4\xb1\xc1\x02\x03\xff"))


@pytest.mark.parametrize(("ssid", "password"), [("", "x"), ("s" * 33, "x"), ("ok", "p" * 65)])
def test_a_join_with_impossible_names_is_an_invalid_argument(bench: Any, ssid: str, password: str) -> None:
    bench.plug(bench.spec("argon"))
    assert bench.wire().ask(500, _join(ssid, password)) == (INVALID_ARGUMENT, b"")


def test_stored_credentials_are_not_tried(bench: Any, wifi: World) -> None:
    bench.plug(bench.spec("argon", "6.2.0"))
    assert bench.wire().ask(507, _join("factory-ap", "wrong-password")) == (0, b"")
    bench.wire().ask(71)
    bench.clock.sleep(60)
    assert bench.cloud.log == []
    assert bench.wire().ask(300) == (0, b"\x08\x01")  # it keeps trying


def test_an_eleventh_network_replaces_the_last(bench: Any) -> None:
    bench.plug(bench.spec("argon", "6.2.0"))
    for number_ in range(10 + 1):
        bench.wire().ask(507, _join(f"net-{number_}", "password"))
    stored = bench.wire().ask(502)[1]
    assert stored.count(b"net-") == 10
    assert b"net-8" in stored
    assert b"net-9" not in stored
    assert b"net-10" in stored


def test_networks_can_be_removed_and_cleared(bench: Any) -> None:
    known = tuple(StoredNetwork(name, Secret("password"), WifiSecurity.WPA2_PSK) for name in ("a-net", "b-net"))
    unit = bench.plug(bench.spec("argon", "6.2.0", networks=known))
    wire = bench.wire()
    assert wire.ask(503, text(1, "c-net")) == (0, b"")
    assert unit.score.flash_writes == 0
    wire.ask(503, text(1, "a-net"))
    assert b"b-net" in wire.ask(502)[1]
    assert wire.ask(504) == (0, b"")
    assert wire.ask(502) == (0, b"")
    assert unit.score.flash_writes == 2


def test_a_power_cut_during_a_join_stores_nothing(bench: Any, wifi: World) -> None:
    unit = bench.plug(bench.spec("argon"))
    payload = _join("factory-ap", "hunter2hunter2")
    wire = bench.wire()
    wire(f"c0 01 {len(payload):02x} 00 f4 01 40 00")
    wire(f"40 03 00 00 01 00 {len(payload):02x} 00", payload.hex())
    bench.clock.sleep(1)
    bench.bus.unplug("1-1")
    bench.clock.sleep(60)
    bench.bus.plug("1-1", unit)
    bench.clock.sleep(3)
    assert bench.wire().ask(502) == (0, b"")


def test_a_unit_on_disk_is_found_as_it_was_left(bench: Any, wifi: World, tmp_path: Any) -> None:
    spec = bench.spec("argon", "3.3.1")
    unit = VirtualUnit(spec, bench.clock, bench.world, tmp_path)
    bench.bus.plug("1-1", unit)
    bench.clock.sleep(3)
    bench.wire().ask(500, _join("factory-ap", "hunter2hunter2"))
    bench.wire().ask(73, b"\x08\x01")
    bench.bus.unplug("1-1")
    again = VirtualUnit(spec, bench.clock, bench.world, tmp_path)
    assert again.score.flash_writes == 0
    bench.bus.plug("1-1", again)
    bench.clock.sleep(10)
    assert again.mode is UnitMode.NORMAL
    assert bench.cloud.log == [("online", spec.device_id.value)]
    assert (tmp_path / "unit.json").stat().st_mode & 0o077 == 0
