"""The virtual cloud itself: its file, its counters, its server."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
import requests
from support.cloud_bench import ARGON, BORON, BORON_ICCID, ME, PRODUCT, Bench, populate

from drivers.clock import SimulatedClock, SystemClock
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import VirtualUnit
from drivers.virtual.world import CloudLink, SimRegistry, World
from station.cloud import api, sim_api
from station.cloud.client import CloudClient
from station.cloud.virtual import Fault, FaultKind, VirtualCloud
from station.errors import BadInput


def test_a_folder_serves_one_virtual_cloud_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "cloud.sqlite"
    first = VirtualCloud(SystemClock(), path)
    with pytest.raises(BadInput, match=f"{tmp_path} is in use by another virtual cloud; stop that one"):
        VirtualCloud(SystemClock(), path)
    first.close()
    VirtualCloud(SystemClock(), path).close()


def test_a_file_that_is_no_clouds_leaves_its_folder_free(tmp_path: Path) -> None:
    path = tmp_path / "cloud.sqlite"
    path.write_bytes(b"not a database, but long enough to be read as one" * 100)
    for _ in range(2):
        with pytest.raises(BadInput, match="cannot be used"):
            VirtualCloud(SystemClock(), path)


def test_a_cloud_that_was_killed_continues_from_its_file(tmp_path: Path) -> None:
    clock = SimulatedClock()
    with clock.registered():
        first = VirtualCloud(clock, tmp_path / "cloud.sqlite")
        token = populate(first)
        client = CloudClient(first.serve(), lambda: token, clock, rng=random.Random(1))
        client.run(api.add_to_product(PRODUCT, BORON))
        client.run(api.change(BORON, {"name": "kept"}, PRODUCT))
        # no close: what lies in the files at this moment is what a kill leaves
        shutil.copytree(tmp_path, tmp_path / "left", ignore=shutil.ignore_patterns("left"))
        second = VirtualCloud(clock, tmp_path / "left" / "cloud.sqlite")
        again = CloudClient(second.serve(), lambda: token, clock, rng=random.Random(1))
        populate(second)
        device = again.run(api.device_in_product(PRODUCT, BORON))
        assert device is not None
        assert device.name == "kept"
        assert second.writes == {}
        assert second.effects == {"POST /v1/products/:p/devices": 1, "PUT /v1/products/:p/devices/:id": 1}
        for thing in (client, again, first, second):
            thing.close()


def test_the_file_holds_no_token(tmp_path: Path) -> None:
    cloud = VirtualCloud(SystemClock(), tmp_path / "cloud.sqlite")
    token = cloud.create_token(ME)
    assert (tmp_path / "cloud.sqlite").stat().st_mode & 0o077 == 0
    cloud.close()
    assert token.reveal().encode() not in b"".join(f.read_bytes() for f in tmp_path.iterdir())


def test_an_effect_is_committed_before_the_connection_breaks(bench: Bench) -> None:
    bench.cloud.order(Fault(FaultKind.DROP_AFTER))
    url = f"{bench.cloud.base_url}/v1/products/{PRODUCT}/devices"
    with pytest.raises(requests.ConnectionError):
        requests.post(
            url, json={"id": str(BORON)}, headers={"Authorization": f"Bearer {bench.token.reveal()}"}, timeout=60
        )
    assert (bench.cloud.device(BORON) or {})["product_id"] == PRODUCT


def test_while_down_connections_are_refused_and_the_port_stays_the_same(bench: Bench) -> None:
    url = bench.cloud.base_url
    bench.cloud.down_for(30)
    with pytest.raises(requests.ConnectionError, match="refused"):
        requests.get(f"{url}/v1/user", timeout=60)
    bench.clock.sleep(20)
    bench.cloud.down_for(30)
    bench.clock.sleep(20)
    with pytest.raises(requests.ConnectionError, match="refused"):
        requests.get(f"{url}/v1/user", timeout=60)
    bench.clock.sleep(11)
    assert requests.get(f"{url}/v1/user", timeout=60).status_code == 400
    assert bench.cloud.base_url == url


def test_a_cloud_that_starts_down_comes_up_by_itself() -> None:
    clock = SimulatedClock()
    with clock.registered():
        cloud = VirtualCloud(clock)
        cloud.down_for(60)
        url = cloud.serve()
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=60)
        clock.sleep(61)
        assert requests.get(url, timeout=60).status_code == 404
        cloud.close()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", f"/v1/devices/{str(BORON).upper()}", None, 403),
        ("GET", f"/v1/products/{PRODUCT}/devices/{str(BORON).upper()}", None, 404),
        ("PUT", f"/v1/products/{PRODUCT}/devices/{str(BORON).upper()}", {"name": "x"}, 404),
        ("POST", "/v1/devices", {"id": str(BORON).upper()}, 404),
    ],
)
def test_upper_case_ids_match_nothing(bench: Bench, method: str, path: str, body: object, status: int) -> None:
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    answer = raw(bench, method, path, body)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("method", "path", "header", "body", "status", "error"),
    [
        ("GET", "/v1/user", "", None, 400, "invalid_request"),
        ("GET", "/v1/user", "Bearer nonsense", None, 401, "invalid_token"),
        ("POST", "/v1/devices", None, "[]", 400, "invalid_request"),
        ("POST", f"/v1/products/{PRODUCT}/devices", None, "{}", 400, "No device identifiers"),
        ("PUT", "/v1/sims/89011703278123456789", None, '{"action": "eat"}', 400, "Unknown action"),
        ("GET", "/v1/nothing", None, None, 404, "No route: Not Found"),
    ],
)
def test_malformed_requests_are_refused(
    bench: Bench, method: str, path: str, header: str | None, body: str | None, status: int, error: str
) -> None:
    auth = f"Bearer {bench.token.reveal()}" if header is None else header
    answer = requests.request(
        method, bench.cloud.base_url + path, data=body, headers={"Authorization": auth} if auth else {}, timeout=60
    )
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert bench.cloud.effects == {}


def test_a_stranger_to_the_team_sees_no_product(bench: Bench) -> None:
    bench.token = bench.cloud.create_token("stranger@example.com")
    assert raw(bench, "GET", f"/v1/products/{PRODUCT}", None).status_code == 403


def test_faults_hit_the_route_and_count_they_were_ordered_for(bench: Bench) -> None:
    bench.cloud.order(Fault(FaultKind.STATUS, route="GET /v1/user", status=418, times=2, after=1))
    statuses = [raw(bench, "GET", "/v1/user", None).status_code for _ in range(4)]
    assert statuses == [200, 418, 418, 200]
    bench.cloud.order(Fault(FaultKind.STATUS, status=418, times=None))
    assert [raw(bench, "GET", "/v1/user", None).status_code for _ in range(3)] == [418] * 3
    bench.cloud.cancel_faults()
    assert raw(bench, "GET", "/v1/user", None).status_code == 200


def test_pings_and_reads_are_no_writes(bench: Bench) -> None:
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    before = bench.cloud.writes
    bench.client.run(api.ping(BORON, PRODUCT))
    bench.client.run(sim_api.sim(BORON_ICCID, PRODUCT))
    assert bench.cloud.writes == before


def test_it_is_the_cloud_end_of_the_virtual_units(bench: Bench) -> None:
    link: CloudLink = bench.cloud
    sims: SimRegistry = bench.cloud
    link.offline("unknown to the cloud")
    assert sims.is_active(str(BORON_ICCID)) is False
    assert sims.is_active("89000000000000000000") is False


@pytest.mark.rule("B2")
@pytest.mark.rule("G1")
def test_a_virtual_boron_comes_online_once_the_product_add_has_activated_its_sim(bench: Bench) -> None:
    spec = make_spec("boron", seed=1, number=1, device_os="6.3.4")
    bench.cloud.register_unit(spec.device_id, 13, serial=spec.serial, iccid=spec.iccid, imei=spec.imei)
    with VirtualBus(bench.clock) as bus:
        bus.plug("1-1", VirtualUnit(spec, bench.clock, World(sims=bench.cloud, cloud=bench.cloud)))
        bench.clock.sleep(120)
        assert (bench.cloud.device(spec.device_id) or {})["online"] is False
        bench.client.run(api.add_to_product(PRODUCT, spec.device_id))
        bench.clock.sleep(120)
        device = bench.client.run(api.device_in_product(PRODUCT, spec.device_id))
        assert device is not None
        assert (device.online, device.owner, device.system_firmware_version) == (True, "", "6.3.4")
        assert bench.client.run(api.ping(spec.device_id, PRODUCT))
        bus.unplug("1-1")
        bench.clock.sleep(1)
        assert not bench.client.run(api.ping(spec.device_id, PRODUCT))


def test_on_the_machines_clock_a_slow_answer_takes_real_time() -> None:
    clock = SystemClock(speed=2.0)
    cloud = VirtualCloud(clock)
    token = populate(cloud)
    client = CloudClient(cloud.serve(), lambda: token, clock)
    cloud.order(Fault(FaultKind.SLOW, seconds=1.0))
    began = clock.now()
    assert client.run(api.user()).username == ME
    assert clock.now() - began >= 1.0
    assert client.run(api.my_device(ARGON)) is None
    client.close()
    cloud.close()


def raw(bench: Bench, method: str, path: str, body: object) -> requests.Response:
    return requests.request(
        method, bench.cloud.base_url + path, json=body,
        headers={"Authorization": f"Bearer {bench.token.reveal()}"}, timeout=60,
    )  # fmt: skip
