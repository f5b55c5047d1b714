"""Product firmware and Device OS releases of the virtual cloud (reference cloud-api 4.4, 6.2, 6.3; rules D1 to D8)."""

from __future__ import annotations

import pytest
from support.cloud_bench import BORON, PRODUCT
from support.cloud_web import Web

from drivers.virtual import synthetic
from drivers.virtual.world import UnitFacts
from station.cloud.virtual import Quirks

FIRMWARE = f"/v1/products/{PRODUCT}/firmware"
ONE = f"/v1/products/{PRODUCT}/devices/{BORON}"
BINARY = synthetic.application(13, "4.2.0").data


def upload(cloud: Web, version: object, data: bytes = BINARY) -> dict[str, object]:
    form = {"version": str(version), "title": f"v{version}", "description": "of a test"}
    answer: dict[str, object] = cloud("POST", FIRMWARE, data=form, files={"file": ("firmware.bin", data)})
    return answer


def runs(cloud: Web, version: int) -> None:
    """Let the product's Boron come online with a version of the firmware."""
    cloud("POST", f"/v1/products/{PRODUCT}/devices", {"id": str(BORON)})
    cloud.cloud.online(
        UnitFacts(
            device_id=str(BORON), platform_id=13, device_os="4.2.0", is_safe_mode=False, product_id=PRODUCT,
            product_version=version, serial_number="", iccid=None, imei=None, mac=None, claim_code=None,
        )
    )  # fmt: skip


def released(cloud: Web, *versions: int) -> None:
    for version in versions:
        upload(cloud, version)
        runs(cloud, version)


def wanted(cloud: Web) -> object:
    return cloud("GET", ONE)["targeted_firmware_release_version"]


def test_an_uploaded_version_is_listed_described_and_given_back_byte_by_byte(cloud: Web) -> None:
    made = upload(cloud, 3)
    assert (cloud.status, made["version"], made["title"], made["size"]) == (201, 3, "v3", len(BINARY))
    (listed,) = cloud("GET", FIRMWARE)
    assert (listed["product_default"], listed["groups"], listed["device_count"]) == (False, [], 0)
    assert listed["uploaded_on"].endswith("Z")
    cloud("GET", f"{FIRMWARE}/3/binary")
    assert cloud.last.content == BINARY
    assert cloud("PUT", f"{FIRMWARE}/3", {"title": "better"})["title"] == "better"
    runs(cloud, 3)
    assert cloud("GET", f"{FIRMWARE}/3")["device_count"] == 1
    cloud("DELETE", f"{FIRMWARE}/3")
    assert cloud.status == 204
    cloud("GET", f"{FIRMWARE}/3")
    assert cloud.status == 404


@pytest.mark.parametrize("version", [0, 65536, -1, "three", ""])
def test_a_version_is_a_number_from_1_to_65535(cloud: Web, version: object) -> None:
    upload(cloud, version)
    assert cloud.status == 400
    assert cloud("GET", FIRMWARE) == []


@pytest.mark.parametrize(
    "data",
    [b"", b"no firmware", BINARY[:-1], synthetic.application(12, "4.2.0").data],
    ids=["empty", "text", "cut", "argon"],
)
def test_a_file_that_is_no_firmware_of_the_products_platform_is_refused(cloud: Web, data: bytes) -> None:
    upload(cloud, 3, data)
    assert cloud.status == 400


def test_a_version_exists_once(cloud: Web) -> None:
    upload(cloud, 65535)
    upload(cloud, 65535)
    assert cloud.status == 400


def test_a_version_is_released_once_a_unit_has_run_it(cloud: Web) -> None:
    upload(cloud, 3)
    release = {"version": 3, "product_default": True}
    cloud("PUT", f"{FIRMWARE}/release", release)
    assert cloud.status == 400
    runs(cloud, 3)
    cloud("PUT", f"{FIRMWARE}/release", release)
    assert cloud.status == 200
    assert cloud("GET", f"{FIRMWARE}/3")["product_default"] is True
    cloud("PUT", f"{FIRMWARE}/release", {"version": 9, "product_default": True})
    assert cloud.status == 404


def test_mark_then_lock_then_group_then_default_decide_what_a_unit_is_to_run(cloud: Web) -> None:
    released(cloud, 1, 2, 3, 4)
    assert wanted(cloud) is None
    cloud("PUT", f"{FIRMWARE}/release", {"version": 1, "product_default": True})
    assert wanted(cloud) == 1
    cloud("PUT", f"{FIRMWARE}/release", {"version": 2, "groups": ["a"]})
    cloud("PUT", f"{FIRMWARE}/release", {"version": 3, "groups": ["b"]})
    assert wanted(cloud) == 1
    cloud("PUT", ONE, {"groups": ["a", "b"]})
    assert wanted(cloud) == 3
    cloud("PUT", f"{FIRMWARE}/release", {"version": 4, "groups": ["b"]})
    assert wanted(cloud) == 4
    assert cloud("GET", f"/v1/products/{PRODUCT}/groups/b")["group"]["fw_version"] == 4
    cloud("PUT", ONE, {"desired_firmware_version": 1})
    assert wanted(cloud) == 1
    cloud("PUT", ONE, {"development": True})
    assert wanted(cloud) is None
    cloud("PUT", ONE, data={"development": "false", "desired_firmware_version": "null"})
    assert wanted(cloud) == 4


def test_the_default_passes_from_one_version_to_the_next(cloud: Web) -> None:
    released(cloud, 1, 2)
    for version in (1, 2, 1):
        cloud("PUT", f"{FIRMWARE}/release", {"version": version, "product_default": True})
        assert [row["version"] for row in cloud("GET", FIRMWARE) if row["product_default"]] == [version]


def test_a_unit_is_locked_to_a_version_that_exists(cloud: Web) -> None:
    released(cloud, 5)
    cloud("PUT", ONE, {"desired_firmware_version": 6})
    assert cloud.status == 404
    cloud("PUT", ONE, {"desired_firmware_version": 5, "flash": True})
    assert cloud("GET", ONE)["desired_firmware_version"] == 5


def test_the_flag_and_the_date_may_have_their_other_names(cloud: Web) -> None:
    upload(cloud, 3)
    cloud.cloud.quirks = Quirks(firmware_keys={"product_default": "current", "uploaded_on": "uploaded_at"})
    (listed,) = cloud("GET", FIRMWARE)
    assert listed["current"] is False
    assert "uploaded_at" in listed
    assert "product_default" not in listed


def test_device_os_releases_are_listed_newest_first_and_by_internal_number(cloud: Web) -> None:
    listed = cloud("GET", "/v1/device-os/versions?platform_id=13&per_page=100")["versions"]
    assert [row["version"] for row in listed] == list(reversed(synthetic.versions(13)))
    one = listed[0]
    found = cloud("GET", f"/v1/device-os/versions?platform_id=13&internal_version={one['internal_version']}")[
        "versions"
    ]
    assert found == [one]
    targets = cloud("GET", "/v1/build_targets", token="")["targets"]
    assert any(13 in row["platforms"] for row in targets if row["version"] == one["version"])
