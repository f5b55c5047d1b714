"""What the virtual cloud delivers over the air to units that are online (reference cloud-api 4.4; D2 to D5, D8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from support.cloud_bench import ME
from support.cloud_web import Web

from drivers.clock import SimulatedClock
from drivers.virtual import synthetic
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.world import World
from station.cloud.virtual import VirtualCloud
from station.cloud.virtual.events import CloudEvent

PRODUCT = 20001
FIRMWARE = f"/v1/products/{PRODUCT}/firmware"
OTA_S = 60.0
"""More than an update of a small application takes, and coming online again."""


def app(version: int) -> bytes:
    return synthetic.application(13, "6.2.0", product_version=version, seed=f"v{version}", size=8_000).data


@dataclass
class Air:
    """A product of Borons whose firmware is there in the versions 1 to 4, and one unit that runs version 1."""

    web: Web
    bus: VirtualBus
    unit: VirtualUnit
    told: list[CloudEvent]

    @property
    def clock(self) -> SimulatedClock:
        return self.web.clock

    @property
    def cloud(self) -> VirtualCloud:
        return self.web.cloud

    @property
    def path(self) -> str:
        return f"/v1/products/{PRODUCT}/devices/{self.unit.device_id}"

    @property
    def record(self) -> dict[str, object]:
        found: dict[str, object] = self.web("GET", self.path)
        return found

    @property
    def runs(self) -> object:
        """What the cloud says it runs; the unit itself says the same."""
        version = self.record.get("firmware_version")
        assert isinstance(version, int)
        assert self.unit.memory.holds(app(version))
        return version

    def join(self) -> None:
        self.web("POST", f"/v1/products/{PRODUCT}/devices", {"id": self.unit.device_id, "import_sims": True})
        assert self.web.status == 200

    def plug(self, seconds: float = OTA_S) -> None:
        self.bus.plug("1-1", self.unit)
        self.clock.sleep(seconds)

    def reconnect(self, seconds: float = OTA_S) -> None:
        self.bus.unplug("1-1")
        self.clock.sleep(1.0)
        self.plug(seconds)

    def put(self, **fields: object) -> None:
        self.web("PUT", self.path, fields)
        assert self.web.status == 200
        self.clock.sleep(OTA_S)

    def heard(self, prefix: str) -> list[str]:
        return [event.data for event in self.told if event.name.startswith(prefix)]


@pytest.fixture
def air() -> Iterator[Air]:
    clock = SimulatedClock(stall_s=20)
    cloud = VirtualCloud(clock)
    spec = make_spec("boron", 7, 1, "6.2.0")
    modules = (*(file.data for file in synthetic.release(13, "6.2.0")), app(1))
    unit = VirtualUnit(replace(spec, setup_done=True, modules=modules), clock, World((), sims=cloud, cloud=cloud))
    cloud.create_product(PRODUCT, 13, slug="widget", name="Widget", team=[ME])
    cloud.register_unit(spec.device_id, 13, serial=spec.serial, iccid=spec.iccid, imei=spec.imei)
    for version in (1, 2, 3, 4):
        cloud.create_firmware(PRODUCT, version, app(version))
    told: list[CloudEvent] = []
    publish = cloud._hub.publish

    def note(event: CloudEvent) -> None:
        told.append(event)
        publish(event)

    cloud._hub.publish = note  # type: ignore[method-assign]
    with clock.registered(), VirtualBus(clock) as bus:
        cloud.serve()
        yield Air(Web(cloud, clock, cloud.create_token(ME).reveal()), bus, unit, told)
        assert bus.failures == []
        cloud.close()


@pytest.mark.rule("D2")
@pytest.mark.parametrize(("released", "locked"), [(2, None), (4, 3), (3, 1)])
def test_a_unit_that_comes_online_gets_the_version_wanted_of_it_up_or_down(
    released: int, locked: int | None, air: Air
) -> None:
    air.cloud.release_firmware(PRODUCT, released)
    air.join()
    if locked is not None:
        air.put(desired_firmware_version=locked)
    before = air.clock.utc()
    air.plug()
    assert air.runs == (released if locked is None else locked)
    record = air.record
    assert str(record["last_handshake_at"]) > before.isoformat()[:19]
    expected = [] if locked == 1 else ["started", "success"]
    assert air.heard("spark/flash/status") == expected
    handshakes = ["online"] if locked == 1 else ["online", "offline", "online"]
    assert air.heard("spark/status") == handshakes
    assert len(air.heard("spark/device/app-hash")) == (1 if locked == 1 else 2), "told when it changed"


@pytest.mark.rule("D2")
def test_nothing_is_delivered_where_nothing_is_released(air: Air) -> None:
    air.join()
    air.plug()
    assert air.runs == 1
    assert air.heard("spark/flash/status") == []


@pytest.mark.rule("D3")
def test_a_lock_waits_for_the_next_connection_and_comes_at_once_with_flash(air: Air) -> None:
    air.join()
    air.plug()
    air.put(desired_firmware_version=2)
    assert air.runs == 1
    air.reconnect()
    assert air.runs == 2
    air.put(desired_firmware_version=3, flash=True)
    assert air.runs == 3


@pytest.mark.rule("D3")
def test_a_release_waits_for_the_next_connection_and_comes_at_once_if_intelligent(air: Air) -> None:
    air.join()
    air.plug()
    air.web("PUT", f"{FIRMWARE}/release", {"version": 2, "product_default": True})
    air.clock.sleep(OTA_S)
    assert air.runs == 1
    air.reconnect()
    assert air.runs == 2
    air.web("PUT", f"{FIRMWARE}/release", {"version": 3, "product_default": True, "intelligent": True})
    air.clock.sleep(OTA_S)
    assert air.runs == 3


@pytest.mark.rule("F5")
def test_a_group_starts_an_update_at_once(air: Air) -> None:
    air.cloud.release_firmware(PRODUCT, 4, "beta")
    air.join()
    air.plug()
    assert air.runs == 1
    body = {"action": "groups", "devices": [air.unit.device_id], "metadata": {"add": ["beta"], "remove": []}}
    air.web("PUT", f"/v1/products/{PRODUCT}/devices", body)
    air.clock.sleep(OTA_S)
    assert air.runs == 4


def test_a_unit_that_is_online_as_it_is_added_gets_its_firmware_at_once(air: Air) -> None:
    air.cloud.release_firmware(PRODUCT, 2)
    air.cloud.edit_sim(air.unit.spec.iccid, status="active")  # type: ignore[arg-type]
    air.plug()
    air.join()
    air.clock.sleep(OTA_S)
    assert air.runs == 2


@pytest.mark.rule("D8")
def test_a_unit_for_development_is_left_alone_until_its_mark_is_gone(air: Air) -> None:
    air.cloud.release_firmware(PRODUCT, 2)
    air.join()
    air.put(development=True, desired_firmware_version=3)
    air.plug()
    assert air.runs == 1
    air.put(development=False)
    assert air.runs == 3


@pytest.mark.rule("D4")
@pytest.mark.rule("D5")
def test_a_unit_in_safe_mode_gets_the_device_os_its_application_needs(air: Air) -> None:
    air.cloud.create_firmware(PRODUCT, 5, synthetic.application(13, "6.3.4", product_version=5, size=8_000).data)
    air.cloud.release_firmware(PRODUCT, 5)
    air.join()
    air.plug(1200.0)
    assert air.unit.mode is UnitMode.NORMAL
    record = air.record
    assert (record["firmware_version"], record["system_firmware_version"]) == (5, "6.3.4")
    assert len(air.heard("spark/status/safe-mode")) >= 1
    assert air.heard("spark/flash/status").count("failed") == 0
    air.put(desired_firmware_version=1, flash=True)
    assert air.record["system_firmware_version"] == "6.3.4", "never downgraded"


def test_what_does_not_help_is_sent_three_times_only(air: Air) -> None:
    air.cloud.create_firmware(PRODUCT, 9, app(2))  # its file says another version
    air.cloud.release_firmware(PRODUCT, 9)
    air.join()
    air.plug(600.0)
    assert air.heard("spark/flash/status") == ["started", "success"] * 3


def test_an_update_broken_off_begins_again_with_the_next_session(air: Air) -> None:
    air.cloud.release_firmware(PRODUCT, 2)
    air.join()
    air.plug(16.0)
    assert air.heard("spark/flash/status") == ["started"]
    air.reconnect()
    assert air.runs == 2
    assert air.heard("spark/flash/status") == ["started", "started", "success"]


def test_functions_and_signal_are_those_of_a_unit_that_is_online(air: Air) -> None:
    tinker = synthetic.application(13, "6.2.0").data
    air.cloud.create_firmware(PRODUCT, 5, tinker)
    air.unit.memory.install([tinker])
    air.join()
    air.plug()
    assert air.record["functions"] == ["digitalread", "digitalwrite", "analogread", "analogwrite"]
    assert air.web("PUT", f"{air.path}/ping") == {"online": True, "ok": True}
    air.put(signal="1")
    assert air.unit._software.is_rainbow  # type: ignore[union-attr]
    air.bus.unplug("1-1")
    air.clock.sleep(1.0)
    assert air.record["functions"] == []
    assert air.web("PUT", f"{air.path}/ping") == {"online": False, "ok": True}
