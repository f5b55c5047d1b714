"""Devices of the virtual cloud in every association a device can have (reference cloud-api 3, 4)."""

from __future__ import annotations

from typing import Any

import pytest
from support.cloud_bench import ARGON, BORON, BORON_ICCID, BORON_SERIAL, ME, PRODUCT
from support.cloud_web import STRANGER, Web

from drivers.identity import DeviceId, Iccid, SerialNumber
from station.cloud.virtual import Quirks

MEMBERS = f"/v1/products/{PRODUCT}/devices"
ONE = f"{MEMBERS}/{BORON}"


def many(cloud: Web, count: int) -> list[DeviceId]:
    """Register Borons that the product does not have yet."""
    made = [DeviceId.parse(f"e00fce68cccc{number:012x}") for number in range(count)]
    for number, device_id in enumerate(made):
        cloud.cloud.register_unit(device_id, 13, serial=SerialNumber.parse(f"P044CC{number:07}"))
    return made


# --- products ---


def test_products_are_listed_where_they_are(cloud: Web) -> None:
    cloud.cloud.create_product(20002, 12, slug="acme-argon", name="Acme", team=[ME], org="acme")
    cloud.cloud.create_product(20003, 12, slug="not-mine", name="No", team=[STRANGER], org="others")

    def listed(path: str) -> list[str]:
        return [row["slug"] for row in cloud("GET", path)["products"]]

    assert listed("/v1/user/products") == ["widget-boron"]
    assert listed("/v1/products") == ["widget-boron", "acme-argon"]
    assert [org["slug"] for org in cloud("GET", "/v1/orgs")["organizations"]] == ["acme"]
    assert listed("/v1/orgs/acme/products") == ["acme-argon"]
    assert listed("/v1/orgs/others/products") == []


# --- adding ---


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"id": str(BORON)}},
        {"json": {"ids": [str(BORON)]}},
        {"data": {"id": str(BORON)}},
        {"data": [("ids[]", str(BORON))]},
        {"files": {"file": ("devices.txt", f"{BORON}\r\n\r\n".encode(), "text/plain")}},
        {"json": {"id": str(BORON_SERIAL)}},
        {"json": {"id": str(BORON_ICCID)}},
        {"json": {"id": str(BORON).upper()}},
    ],
)
def test_a_device_is_added_by_any_encoding_and_any_of_its_numbers(cloud: Web, sent: dict[str, Any]) -> None:
    assert cloud("POST", MEMBERS, **sent)["updated"] == 1
    assert cloud("GET", ONE)["product_id"] == PRODUCT
    assert cloud("POST", MEMBERS, **sent)["updated"] == 0


@pytest.mark.parametrize("how", ["body", "query"])
def test_devices_are_claimed_on_import_for_a_member_of_the_team(cloud: Web, how: str) -> None:
    where: dict[str, Any] = {"json": {"ids": [str(BORON)], "claim_user": ME}} if how == "body" else {
        "files": {"file": ("devices.txt", str(BORON).encode())}, "params": {"claim_user": ME}
    }  # fmt: skip
    cloud("POST", MEMBERS, **where)
    assert cloud("GET", ONE)["owner"] == ME


def test_a_stranger_is_nobody_to_claim_for_and_an_owner_stays(cloud: Web) -> None:
    cloud("POST", MEMBERS, {"id": str(BORON), "claim_user": STRANGER})
    assert "owner" not in cloud("GET", ONE)
    cloud("POST", f"/v1/products/{PRODUCT}/team", {"username": "second@example.com"})
    cloud("POST", MEMBERS, {"id": str(BORON), "claim_user": ME})
    cloud("POST", MEMBERS, {"id": str(BORON), "claim_user": "second@example.com"})
    assert cloud("GET", ONE)["owner"] == ME


def test_a_full_plan_and_a_paused_product_refuse_the_import_and_change_nothing(cloud: Web) -> None:
    one, two = many(cloud, 2)
    cloud.cloud.edit_product(PRODUCT, device_limit=1)
    assert cloud("POST", MEMBERS, {"ids": [str(one)]})["updated"] == 1
    assert "limit" in cloud("POST", MEMBERS, {"ids": [str(two)]})["error"]
    assert cloud.status == 403
    cloud.cloud.edit_product(PRODUCT, device_limit=None, is_paused=1)
    assert "paused" in cloud("POST", MEMBERS, {"ids": [str(two)]})["error"]
    cloud.cloud.edit_product(PRODUCT, is_paused=0)
    assert cloud("POST", MEMBERS, {"ids": [str(two)]})["updated"] == 1


# --- lists ---


def test_members_are_listed_page_by_page_in_either_spelling(cloud: Web) -> None:
    ids = [str(one) for one in many(cloud, 60)]
    cloud("POST", MEMBERS, {"ids": ids})
    first = cloud("GET", f"{MEMBERS}?sortAttr=deviceId&sortDir=asc")
    assert [row["id"] for row in first["devices"]] == ids[:25]
    assert first["meta"] == {"total_pages": 3, "page": 1, "per_page": 25, "total": 60}
    for spelling in ("per_page", "perPage"):
        page = cloud("GET", f"{MEMBERS}?sortAttr=deviceId&sortDir=desc&page=2&{spelling}=50")
        assert [row["id"] for row in page["devices"]] == ids[9::-1]
    assert cloud("GET", f"{MEMBERS}?page=9")["devices"] == []


def test_members_are_found_by_parts_of_their_texts_by_group_and_by_quarantine(cloud: Web) -> None:
    ids = [str(one) for one in many(cloud, 12)]
    cloud("POST", MEMBERS, {"ids": ids})
    cloud("PUT", MEMBERS, {"action": "groups", "devices": ids[:2], "metadata": {"add": ["pilot"]}})
    cloud("PUT", f"{MEMBERS}/{ids[3]}", {"name": "Weather top"})
    cloud.cloud.edit_device(DeviceId.parse(ids[4]), quarantined=1)

    def found(query: str) -> list[str]:
        return sorted(row["id"] for row in cloud("GET", f"{MEMBERS}?{query}")["devices"])

    assert found("serialNumber=P044CC0000001") == [ids[1]]
    assert found("serialNumber=p044cc000001") == ids[10:12]
    assert found(f"deviceId={ids[7][-6:]}") == [ids[7]]
    assert found("deviceName=weather") == [ids[3]]
    assert found("groups=pilot,other") == ids[:2]
    assert found("quarantined=true") == [ids[4]]
    assert len(found("quarantined=false")) == 11


# --- changes ---


def test_one_put_changes_what_it_names_and_echoes_it(cloud: Web) -> None:
    cloud("POST", MEMBERS, {"id": str(BORON)})
    said = cloud("PUT", ONE, {"name": "P044", "notes": "a note", "development": True})
    assert (said["id"], said["name"], said["notes"], said["development"]) == (str(BORON), "P044", "a note", True)
    device = cloud("GET", ONE)
    assert (device["name"], device["notes"], device["development"]) == ("P044", "a note", True)
    cloud("PUT", ONE, data={"development": "false", "name": "form"})
    device = cloud("GET", ONE)
    assert (device["name"], device["development"]) == ("form", False)


def test_groups_of_one_device_are_replaced_and_by_batch_added(cloud: Web) -> None:
    cloud("POST", MEMBERS, {"id": str(BORON)})
    batch = {"action": "groups", "devices": [str(BORON)], "metadata": {"add": ["a", "b"]}}
    for _ in range(2):
        assert cloud("PUT", MEMBERS, batch) == {"ok": True}
        assert cloud("GET", ONE)["groups"] == ["a", "b"]
    cloud("PUT", MEMBERS, batch | {"metadata": {"add": ["c"], "remove": ["a"]}})
    assert cloud("GET", ONE)["groups"] == ["b", "c"]
    cloud("PUT", ONE, data=[("groups[]", "d"), ("groups[]", "e")])
    assert cloud("GET", ONE)["groups"] == ["d", "e"]
    assert [row["name"] for row in cloud("GET", f"/v1/products/{PRODUCT}/groups")["groups"]] == list("abcde")


def test_a_group_is_made_once_described_counted_and_removed(cloud: Web) -> None:
    path = f"/v1/products/{PRODUCT}/groups"
    made = cloud("POST", path, {"name": "20261122_500", "color": "#ff0000"})["group"]
    assert (cloud.status, made["device_count"], made["color"]) == (201, 0, "#ff0000")
    cloud("POST", path, {"name": "20261122_500"})
    assert cloud.status == 409
    cloud("POST", MEMBERS, {"id": str(BORON)})
    cloud("PUT", ONE, {"groups": ["20261122_500", "kept"]})
    assert cloud("GET", f"{path}/20261122_500")["group"]["device_count"] == 1
    assert [row["name"] for row in cloud("GET", f"{path}?name=2026")["groups"]] == ["20261122_500"]
    cloud("DELETE", f"{path}/20261122_500")
    assert cloud.status == 204
    assert cloud("GET", ONE)["groups"] == ["kept"]
    cloud("GET", f"{path}/20261122_500")
    assert cloud.status == 404


@pytest.mark.parametrize("name", ["Upper", "a b", "", "x" * 65, "ä"])
def test_a_name_that_is_none_for_a_group_is_refused_everywhere(cloud: Web, name: str) -> None:
    cloud("POST", MEMBERS, {"id": str(BORON)})
    cloud("POST", f"/v1/products/{PRODUCT}/groups", {"name": name})
    assert cloud.status == 400
    cloud("PUT", ONE, {"groups": [name]})
    assert cloud.status == 400
    cloud("PUT", MEMBERS, {"action": "groups", "devices": [str(BORON)], "metadata": {"add": [name]}})
    assert cloud.status == 400
    assert cloud("GET", ONE)["groups"] == []


def test_a_unit_that_is_offline_cannot_blink_and_the_cloud_takes_its_time_to_say_so(cloud: Web) -> None:
    cloud.cloud.edit_device(ARGON, owner=ME)
    before = cloud.clock.now()
    said = cloud("PUT", f"/v1/devices/{ARGON}", {"signal": "1"})
    assert (cloud.status, said["errors"][0]["error"]) == (500, "Timed out, didn't hear back from device service")
    assert cloud.clock.now() - before == 30
    cloud.cloud.edit_device(ARGON, is_connected=1)
    assert cloud("PUT", f"/v1/devices/{ARGON}", {"signal": "1"}) == {
        "id": str(ARGON), "connected": True, "signaling": True
    }  # fmt: skip


def test_dates_are_written_as_the_real_cloud_writes_them(cloud: Web) -> None:
    cloud.cloud.edit_device(ARGON, owner=ME, last_heard="2026-05-01T10:00:00.123456+00:00")
    assert cloud("GET", f"/v1/devices/{ARGON}")["last_heard"] == "2026-05-01T10:00:00.123Z"


# --- leaving ---


@pytest.mark.parametrize(("owner", "is_customers"), [(ME, 0), (STRANGER, 0), ("customer@example.com", 1)])
def test_a_product_takes_any_owner_off_and_keeps_the_device_and_its_sim(
    cloud: Web, owner: str, is_customers: int
) -> None:
    cloud("POST", MEMBERS, {"id": str(BORON)})
    cloud.clock.sleep(10)
    cloud.cloud.edit_device(BORON, owner=owner, is_customers=is_customers)
    for _ in range(2):
        assert cloud("DELETE", f"{ONE}/owner") == {"ok": True}
    device = cloud("GET", ONE)
    assert ("owner" in device, device["product_id"]) == (False, PRODUCT)
    assert cloud.cloud.sim_status(BORON_ICCID) == "active"


def test_only_its_owner_gives_up_a_device_outside_products(cloud: Web) -> None:
    cloud.cloud.edit_device(ARGON, owner=ME)
    stranger = cloud.as_user(STRANGER)
    assert stranger("DELETE", f"/v1/devices/{ARGON}")["error"] == "Permission Denied"
    assert cloud("DELETE", f"/v1/devices/{ARGON}") == {"ok": True}
    assert cloud("DELETE", f"/v1/devices/{ARGON}")["error"] == "Permission Denied"
    assert cloud.status == 403


def test_a_removed_device_keeps_a_user_and_loses_a_customer(cloud: Web) -> None:
    for is_customers, owner in ((0, ME), (1, None)):
        cloud("POST", MEMBERS, {"id": str(BORON)})
        cloud.cloud.edit_device(BORON, owner=ME, is_customers=is_customers)
        cloud("DELETE", ONE)
        assert cloud.status == 204
        device = cloud.cloud.device(BORON) or {}
        assert (device["product_id"], device.get("owner")) == (13, owner)
        cloud("DELETE", ONE)
        assert (cloud.status, cloud.last.json()["error"]) == (404, "Device not found for this product")
        cloud.cloud.edit_device(BORON, owner=None, is_customers=0)


def test_the_same_route_denies_a_quarantined_device_by_its_body_and_an_import_approves_it(cloud: Web) -> None:
    cloud.cloud.edit_device(BORON, product_id=PRODUCT, quarantined=1)
    cloud("DELETE", ONE, {"deny": True})
    assert cloud.status == 204
    device = cloud("GET", ONE)
    assert (device["quarantined"], device["denied"]) == (True, True)
    assert cloud("POST", MEMBERS, {"id": str(BORON)})["updatedDeviceIds"] == [str(BORON)]
    device = cloud("GET", ONE)
    assert (device["quarantined"], device["denied"]) == (False, False)
    cloud("DELETE", ONE, {})
    cloud("GET", ONE)
    assert cloud.status == 404


# --- the rest ---


def test_a_search_finds_what_the_caller_may_see(cloud: Web) -> None:
    cloud("POST", MEMBERS, {"id": str(BORON)})
    hits = cloud("GET", f"/v1/user/search?text={str(BORON)[-8:]}&type=device")
    assert [row["id"] for row in hits["devices"]] == [str(BORON)]
    assert [row["slug"] for row in cloud("GET", "/v1/user/search?text=WIDGET")["products"]] == ["widget-boron"]
    assert cloud("GET", f"/v1/user/search?text={BORON_ICCID}&type=sim")["sims"][0]["_id"] == str(BORON_ICCID)
    nothing = cloud.as_user(STRANGER)("GET", "/v1/user/search?text=e")
    assert nothing == {"devices": [], "products": [], "sims": []}


def test_configuration_is_replaced_whole_and_waits_for_a_device_that_is_offline(cloud: Web) -> None:
    path = f"/v1/products/{PRODUCT}/config"
    cloud("POST", MEMBERS, {"id": str(BORON)})
    cloud("PUT", path, {"location": {"interval_max": 900}})
    assert cloud.status == 200
    cloud("PUT", f"{path}/{BORON}", {"location": {"interval_max": 60}})
    assert cloud.status == 202
    cloud("PUT", f"{path}/{BORON}", {"rgb": {"type": "tracker"}})
    assert cloud("GET", f"{path}/{BORON}")["configuration"]["current"] == {"rgb": {"type": "tracker"}}
    assert cloud("GET", path)["configuration"]["current"] == {"location": {"interval_max": 900}}
    assert cloud("GET", path, headers={"Accept": "application/schema+json"})["type"] == "object"
    wrong = cloud("PUT", path, {"location": 5})
    assert (cloud.status, wrong["violations"]) == (422, [{"path": "/location"}])


def test_a_cloud_of_many_machines_shows_a_write_late(cloud: Web) -> None:
    cloud("POST", MEMBERS, {"id": str(BORON)})
    cloud.cloud.quirks = Quirks(lag_s=5)
    cloud("PUT", ONE, {"name": "first"})
    cloud.clock.sleep(3)
    cloud("PUT", ONE, {"name": "second"})
    assert "name" not in cloud("GET", ONE)
    cloud.clock.sleep(2.5)
    assert cloud("GET", ONE)["name"] == "first"
    cloud.clock.sleep(3)
    assert cloud("GET", ONE)["name"] == "second"
    assert cloud("GET", f"{MEMBERS}?deviceName=second")["meta"]["total"] == 1


def test_a_plastic_sim_is_of_no_device_until_one_comes_online_with_it(cloud: Web) -> None:
    electron, card = DeviceId.parse("3d0040000a47343432313031"), Iccid.parse("8934076500002589174")
    cloud.cloud.create_product(20010, 10, slug="widget-electron", name="Electron", team=[ME])
    cloud.cloud.register_unit(electron, 10, iccid=card, is_plastic_sim=True)
    cloud("POST", "/v1/products/20010/devices", {"id": str(electron), "import_sims": True})
    assert "iccid" not in cloud("GET", f"/v1/products/20010/devices/{electron}")
    assert cloud("GET", "/v1/products/20010/sims")["sims"] == []
