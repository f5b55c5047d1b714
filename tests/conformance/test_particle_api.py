"""The vendor's JavaScript client, unmodified, against the virtual cloud: every call a line or a rework bench makes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

import pytest
from conformance.cloud_clients import ParticleApi
from support.cloud_bench import ARGON, BORON, BORON_ICCID, BORON_SERIAL, ME, PRODUCT
from support.cloud_web import PASSWORD

from drivers.identity import Secret
from drivers.virtual import synthetic
from drivers.virtual.world import UnitFacts
from station.cloud.virtual import VirtualCloud

pytestmark = pytest.mark.conformance

OTP_SECRET = "JBSWY3DPEHPK3PXP"
DEVICE = {"deviceId": str(BORON), "product": PRODUCT}
MakeApi = Callable[..., ParticleApi]


@pytest.fixture
def make_api(cloud: VirtualCloud) -> Iterator[MakeApi]:
    made: list[ParticleApi] = []

    def make(**options: object) -> ParticleApi:
        made.append(ParticleApi(cloud, **options))
        return made[-1]

    yield make
    for api in made:
        api.close()


@pytest.fixture
def api(make_api: MakeApi, cloud: VirtualCloud) -> ParticleApi:
    return make_api(auth=cloud.create_token(ME).reveal())


def connect(cloud: VirtualCloud, product_version: int | None = None) -> None:
    """Bring the Boron online."""
    cloud.online(
        UnitFacts(
            device_id=str(BORON), platform_id=13, device_os="4.2.0", is_safe_mode=False, product_id=PRODUCT,
            product_version=product_version, serial_number="", iccid=str(BORON_ICCID), imei=None, mac=None,
            claim_code=None,
        )
    )  # fmt: skip


def test_it_logs_in_looks_who_it_is_and_revokes_its_token(make_api: MakeApi) -> None:
    api = make_api()
    token = api("login", username=ME, password=PASSWORD)["access_token"]
    assert api("getUserInfo", auth=token)["username"] == ME
    assert api("deleteCurrentAccessToken", auth=token) == {"ok": True}
    said = api.call("getUserInfo", auth=token)
    assert (said.status, said.body["error"]) == (401, "invalid_token")
    another = api("login", username=ME, password=PASSWORD, tokenDuration=60)
    assert another["expires_in"] == 60
    assert api("deleteAccessToken", token=another["access_token"]) == {"ok": True}
    wrong = api.call("login", username=ME, password="wrong")
    assert (wrong.status, "User credentials are invalid" in wrong.error) == (400, True)


def test_it_logs_in_with_a_second_factor(make_api: MakeApi, cloud: VirtualCloud) -> None:
    cloud.create_user(ME, otp_secret=Secret(OTP_SECRET))
    api = make_api()
    half = api.call("login", username=ME, password=PASSWORD)
    assert (half.status, half.body["error"]) == (403, "mfa_required")
    late = api.call("sendOtp", mfaToken=half.body["mfa_token"], otp="000000")
    assert late.status == 400
    token = api("sendOtp", mfaToken=half.body["mfa_token"], otp=cloud.one_time_password(ME))["access_token"]
    assert api("getUserInfo", auth=token)["mfa"] == {"enabled": True}


def test_it_adds_lists_reads_changes_and_removes_product_devices(api: ParticleApi) -> None:
    assert api("listProducts")["products"][0]["slug"] == "widget-boron"
    assert api("getProduct", product="widget-boron")["product"]["id"] == PRODUCT
    assert api("addDeviceToProduct", **DEVICE)["updatedDeviceIds"] == [str(BORON)]
    file = f"{BORON_SERIAL}\n{ARGON}\n".encode()
    said = api("addDeviceToProduct", product=PRODUCT, file=file)
    assert (said["existingDeviceIds"], said["invalidDeviceIds"]) == ([str(BORON_SERIAL)], [str(ARGON)])
    listed = api("listDevices", product=PRODUCT, deviceId=str(BORON)[:12], perPage=5, page=1)
    assert [row["id"] for row in listed["devices"]] == [str(BORON)]
    assert listed["meta"]["total_pages"] == 1
    assert api("renameDevice", name="P044", **DEVICE)["name"] == "P044"
    assert api("setDeviceNotes", notes="a note", **DEVICE)["notes"] == "a note"
    assert api("markAsDevelopmentDevice", development=True, **DEVICE)["development"] is True
    device = api("getDevice", **DEVICE)
    assert (device["name"], device["notes"], device["development"]) == ("P044", "a note", True)
    assert api("removeDevice", **DEVICE) == {}
    gone = api.call("removeDevice", **DEVICE)
    assert (gone.status, gone.body["error"]) == (404, "Device not found for this product")


def test_it_denies_a_quarantined_device_and_approves_it(api: ParticleApi, cloud: VirtualCloud) -> None:
    cloud.edit_device(BORON, product_id=PRODUCT, quarantined=1)
    assert api("removeDevice", deny=True, **DEVICE) == {}
    assert api("getDevice", **DEVICE)["denied"] is True
    assert api("addDeviceToProduct", **DEVICE)["updated"] == 1
    assert api("getDevice", **DEVICE)["quarantined"] is False


def test_it_claims_asks_for_a_transfer_and_unclaims_both_ways(api: ParticleApi, cloud: VirtualCloud) -> None:
    assert api.call("claimDevice", deviceId=str(BORON)).body["errors"] == [["Core isn't online", 404]]
    connect(cloud)
    assert api("claimDevice", deviceId=str(BORON))["ok"] is True
    assert [row["id"] for row in api("listDevices")] == [str(BORON)]
    assert api("renameDevice", deviceId=str(BORON), name="mine")["name"] == "mine"
    assert api("getDevice", deviceId="mine")["id"] == str(BORON)
    assert api("signalDevice", deviceId=str(BORON), signal=True)["signaling"] is True
    assert api("removeDevice", deviceId=str(BORON)) == {"ok": True}
    api("addDeviceToProduct", **DEVICE)
    cloud.edit_device(BORON, owner="stranger@example.com")
    foreign = api.call("claimDevice", deviceId=str(BORON))
    assert (foreign.status, foreign.body["errors"]) == (403, ["That belongs to someone else."])
    assert api("claimDevice", deviceId=str(BORON), requestTransfer=True)["transfer_id"]
    assert api("removeDeviceOwner", **DEVICE) == {"ok": True}
    assert api("claimDevice", deviceId=str(BORON))["ok"] is True


def test_it_reads_lists_and_releases_sims(api: ParticleApi, cloud: VirtualCloud) -> None:
    connect(cloud)
    api("addDeviceToProduct", **DEVICE)
    assert [row["_id"] for row in api("listSIMs", product=PRODUCT, deviceId=str(BORON))["sims"]] == [str(BORON_ICCID)]
    usage = api("getSIMDataUsage", product=PRODUCT, iccid=str(BORON_ICCID))["usage_by_day"]
    assert usage[0]["mbs_used"] > 0
    assert api("getFleetDataUsage", product=PRODUCT)["total_active_sim_cards"] == 1
    assert api.call("checkSIM", iccid=str(BORON_ICCID)).status == 403
    released = api.call("removeSIM", product=PRODUCT, iccid=str(BORON_ICCID))
    assert (released.status, released.error) == (202, "")


def test_it_uploads_releases_and_downloads_firmware_and_locks_a_device_to_it(
    api: ParticleApi, cloud: VirtualCloud
) -> None:
    binary = synthetic.application(13, "4.2.0").data
    api("addDeviceToProduct", **DEVICE)
    made = api("uploadProductFirmware", product=PRODUCT, file=binary, version=3, title="three", description="")
    assert made["version"] == 3
    connect(cloud, product_version=3)
    assert api("releaseProductFirmware", product=PRODUCT, version=3, product_default=True)["ok"] is True
    (listed,) = api("listProductFirmware", product=PRODUCT)
    assert (listed["product_default"], listed["device_count"]) == (True, 1)
    assert base64.b64decode(api("downloadProductFirmware", product=PRODUCT, version=3)) == binary
    assert api("lockDeviceProductFirmware", desiredFirmwareVersion=3, flash=False, **DEVICE)["id"] == str(BORON)
    assert api("getDevice", **DEVICE)["desired_firmware_version"] == 3
    api("unlockDeviceProductFirmware", **DEVICE)
    assert api("getDevice", **DEVICE)["desired_firmware_version"] is None


def test_it_makes_clients_customers_and_claim_codes(api: ParticleApi, make_api: MakeApi) -> None:
    client = api("createOAuthClient", name="shop", type="installed", product=PRODUCT)["client"]
    shop = make_api(clientId=client["id"], clientSecret=client["secret"])
    token = shop("createCustomer", email="c@example.net", password="pw", product=PRODUCT)["access_token"]
    assert len(shop("getClaimCode", product=PRODUCT, auth=token)["claim_code"]) == 63
    refused = api.call("getClaimCode", product=PRODUCT)
    assert refused.status == 403
    assert shop("login", username="c@example.net", password="pw")["access_token"]
    assert api("getUserInfo", auth=shop("loginAsClientOwner")["access_token"])["username"] == ME
    assert api("getClaimCode", iccid=str(BORON_ICCID))["claim_code"] == str(BORON_ICCID)
    assert api("listOAuthClients", product=PRODUCT)["clients"] == [
        {"id": client["id"], "name": "shop", "type": "installed"}
    ]
    assert api("deleteOAuthClient", product=PRODUCT, clientId=client["id"]) == {}


def test_it_reads_teams_serial_numbers_releases_and_configuration(api: ParticleApi) -> None:
    api("addDeviceToProduct", **DEVICE)
    assert api("inviteTeamMember", product=PRODUCT, username="second@example.com")["ok"] is True
    assert len(api("listTeamMembers", product=PRODUCT)["team"]) == 2
    assert api("removeTeamMember", product=PRODUCT, username="second@example.com") == {}
    assert api("lookupSerialNumber", serialNumber=str(BORON_SERIAL))["deviceID"] == str(BORON)
    versions = api("listDeviceOsVersions", platformId=13, perPage=100)["versions"]
    newest = api("getDeviceOsVersion", platformId=13, version="latest")
    assert newest["version"] == versions[0]["version"]
    assert newest["modules"][0]["prefixInfo"]["platformID"] == 13
    assert api("listBuildTargets")["targets"]
    config = {"location": {"interval_max": 900}}
    api("setProductDeviceConfiguration", product=PRODUCT, deviceId=str(BORON), config=config)
    assert api("getProductDeviceConfiguration", **DEVICE)["configuration"]["current"] == config


def test_it_hears_events_of_a_product_as_they_happen(api: ParticleApi, cloud: VirtualCloud) -> None:
    api("addDeviceToProduct", **DEVICE)
    api("listen", product=PRODUCT, name="spark/status")
    connect(cloud)
    (event,) = api("heard", count=1)
    assert (event["name"], event["data"], event["coreid"]) == ("spark/status", "online", str(BORON))


def test_it_publishes_to_its_own_stream(api: ParticleApi) -> None:
    api("listen", deviceId="mine")
    assert api("publishEvent", name="batch/over", data="42", isPrivate=True) == {"ok": True}
    assert api("heard", count=1)[0]["data"] == "42"
