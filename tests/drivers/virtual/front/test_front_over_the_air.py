"""Updates over the air, from the unit's side: they need a session, and take the way of any other update."""

from __future__ import annotations

import pytest

from drivers.identity import Secret
from drivers.virtual import synthetic
from drivers.virtual.flash import Who
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.world import AccessPoint, Delivery, StoredNetwork

from .conftest import FrontBench

ONLINE_S = 30.0


def app(platform_id: int, version: int, *, size: int = 40_000) -> bytes:
    return synthetic.application(platform_id, "6.2.0", product_version=version, seed=f"v{version}", size=size).data


def argon(bench: FrontBench) -> VirtualUnit:
    bench.world.access_points["home"] = AccessPoint("home", Secret("a long password"))
    spec = bench.spec("argon", setup_done=True, networks=(StoredNetwork("home", Secret("a long password")),))
    return bench.plug(spec, wait_s=ONLINE_S)


def boron(bench: FrontBench) -> VirtualUnit:
    spec = bench.spec("boron", setup_done=True)
    bench.cloud.active.add(str(spec.iccid))
    return bench.plug(spec, wait_s=ONLINE_S)


def delivered(bench: FrontBench, unit: VirtualUnit, module: bytes) -> list[tuple[float, Delivery]]:
    """Send a module, and note what is told of it from then on, with the seconds since."""
    told: list[tuple[float, Delivery]] = []
    begun = bench.clock.now()
    bench.cloud.ends[unit.device_id].deliver(module, lambda how: told.append((bench.clock.now() - begun, how)))
    return told


def sessions(bench: FrontBench) -> int:
    return sum(what == "online" for what, _ in bench.cloud.log)


@pytest.mark.parametrize(("make", "platform_id", "bytes_per_s"), [(argon, 12, 20_000), (boron, 13, 3_000)])
def test_a_unit_loads_an_application_down_restarts_and_runs_it(
    make: object, platform_id: int, bytes_per_s: float, bench: FrontBench
) -> None:
    unit = make(bench)  # type: ignore[operator]
    assert bench.cloud.facts[unit.device_id].product_version is None
    module = app(platform_id, 9)
    told = delivered(bench, unit, module)
    was = unit.presence
    bench.clock.sleep(90.0)
    (_, started), (took_s, success) = told
    assert (started, success) == (Delivery.STARTED, Delivery.SUCCESS)
    assert len(module) / bytes_per_s <= took_s <= len(module) / bytes_per_s + 2.0
    assert unit.presence is not was, "it restarted"
    assert unit.mode is UnitMode.NORMAL
    assert unit.memory.holds(module)
    assert bench.cloud.facts[unit.device_id].product_version == 9
    assert sessions(bench) == 2
    assert unit.score.flash_writes == 0, "no host wrote anything"
    assert any(who is Who.AIR for who, _, _ in unit.score.operations)


def test_a_unit_that_is_unplugged_meanwhile_is_what_it_was(bench: FrontBench) -> None:
    unit = boron(bench)
    before = bench.cloud.facts[unit.device_id]
    told = delivered(bench, unit, app(13, 9))
    bench.clock.sleep(5.0)
    bench.bus.unplug("1-1")
    bench.bus.plug("1-1", unit)
    bench.clock.sleep(ONLINE_S)
    assert [how for _, how in told] == [Delivery.STARTED], "a session that ended tells nothing more"
    assert unit.mode is UnitMode.NORMAL
    assert bench.cloud.facts[unit.device_id] == before
    assert sessions(bench) == 2


@pytest.mark.parametrize("damage", ["cut", "bit", "platform"])
def test_what_is_no_module_for_it_is_refused_and_changes_nothing(damage: str, bench: FrontBench) -> None:
    unit = boron(bench)
    good = app(13, 9, size=4_000)
    bad = {"cut": good[:-100], "bit": good[:2_000] + b"\x00" + good[2_001:], "platform": app(12, 9, size=4_000)}[damage]
    told = delivered(bench, unit, bad)
    bench.clock.sleep(ONLINE_S)
    assert [how for _, how in told] == [Delivery.STARTED, Delivery.FAILED]
    assert (unit.mode, sessions(bench)) == (UnitMode.NORMAL, 1)
    told = delivered(bench, unit, good)
    bench.clock.sleep(ONLINE_S)
    assert [how for _, how in told] == [Delivery.STARTED, Delivery.SUCCESS], "the next one is taken"


def test_listening_ends_the_session_and_what_it_was_sent(bench: FrontBench) -> None:
    unit = boron(bench)
    told = delivered(bench, unit, app(13, 9))
    bench.clock.sleep(2.0)
    assert bench.wire().ask(70) == (0, b"")
    bench.clock.sleep(60.0)
    assert [how for _, how in told] == [Delivery.STARTED]
    assert (unit.mode, sessions(bench)) == (UnitMode.LISTENING, 1)


def test_an_update_over_usb_takes_the_place_of_one_over_the_air_and_not_the_reverse(bench: FrontBench) -> None:
    unit = boron(bench)
    told = delivered(bench, unit, app(13, 9))
    bench.clock.sleep(2.0)
    wire = bench.wire()
    assert wire.ask(250, bytes.fromhex("08a01f"))[0] == 0  # START of 4000 bytes
    bench.clock.sleep(3.0)
    assert [how for _, how in told] == [Delivery.STARTED, Delivery.FAILED]
    told = delivered(bench, unit, app(13, 9))
    bench.clock.sleep(60.0)
    assert [how for _, how in told] == [Delivery.FAILED]
    assert (unit.mode, sessions(bench)) == (UnitMode.NORMAL, 1)


def test_the_cloud_lets_the_unit_show_itself(bench: FrontBench) -> None:
    unit = boron(bench)
    end = bench.cloud.ends[unit.device_id]
    shown = []
    for is_on in (True, False):
        end.signal(is_on)
        bench.clock.sleep(1.0)
        shown.append(unit._software.is_rainbow)  # type: ignore[union-attr]
    assert shown == [True, False]
    bench.bus.unplug("1-1")
    bench.clock.sleep(1.0)
    end.signal(True)  # nobody is there


def test_the_handshake_says_what_the_unit_holds_and_what_it_lacks(bench: FrontBench) -> None:
    good = boron(bench)
    facts = bench.cloud.facts[good.device_id]
    assert facts.functions == ("digitalread", "digitalwrite", "analogread", "analogwrite")
    assert (facts.device_os, facts.missing) == ("6.2.0", ())
    assert {one.kind for one in facts.modules} >= {(2, 0), (4, 1), (5, 2), (8, 0)}
    assert len(facts.app_hash) == 64
    bench.bus.unplug("1-1")
    modules = (*(file.data for file in synthetic.release(13, "6.2.0")), synthetic.application(13, "6.3.4").data)
    spec = bench.spec("boron", number=2, setup_done=True, modules=modules)
    bench.cloud.active.add(str(spec.iccid))
    unit = bench.plug(spec, wait_s=ONLINE_S)
    facts = bench.cloud.facts[unit.device_id]
    assert (unit.mode, facts.is_safe_mode, facts.functions) == (UnitMode.SAFE, True, ())
    assert [(one.kind, one.version) for one in facts.missing] == [((4, 1), 6305)]
