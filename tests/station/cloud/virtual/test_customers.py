"""Claims, transfers, customers and claim codes of the virtual cloud (reference cloud-api 5; rules E, K)."""

from __future__ import annotations

import pytest
from support.cloud_bench import ARGON, BORON, BORON_ICCID, ME, PRODUCT
from support.cloud_web import STRANGER, Web

from drivers.identity import DeviceId
from drivers.virtual.world import UnitFacts
from station.cloud.virtual.claims import CODE_LASTS_S

CUSTOMER = "customer@example.net"
CUSTOMERS = f"/v1/products/{PRODUCT}/customers"


class Shop:
    """A product client, which makes customers and their tokens."""

    def __init__(self, cloud: Web) -> None:
        self.cloud = cloud
        name, secret = cloud.cloud.create_client("shop-1", ME, PRODUCT)
        self.client = {"client_id": name, "client_secret": secret.reveal()}

    def customer(self, email: str = CUSTOMER, **more: object) -> str:
        form = {"grant_type": "client_credentials", "email": email, "no_password": "true"} | self.client | more
        return str(self.cloud("POST", CUSTOMERS, data=form, token="")["access_token"])


@pytest.fixture
def shop(cloud: Web) -> Shop:
    return Shop(cloud)


def connect(
    cloud: Web, device_id: DeviceId, *, claim_code: str | None = None, platform_id: int = 13, **more: object
) -> None:
    """Begin a session of a unit."""
    facts = {
        "device_id": str(device_id), "platform_id": platform_id, "device_os": "3.3.1", "is_safe_mode": False,
        "product_id": None, "product_version": None, "serial_number": "", "iccid": None, "imei": None, "mac": None,
        "claim_code": claim_code,
    }  # fmt: skip
    cloud.cloud.online(UnitFacts(**(facts | more)))  # type: ignore[arg-type]


# --- claims ---


def test_a_claim_by_form_or_json_makes_the_bearer_the_owner(cloud: Web) -> None:
    connect(cloud, ARGON)
    said = cloud("POST", "/v1/devices", data={"id": str(ARGON)})
    assert (said["ok"], said["id"], said["connected"]) == (True, str(ARGON), True)
    assert len(said["user_id"]) == 24
    assert cloud("GET", f"/v1/devices/{ARGON}")["owner"] == ME
    assert cloud("POST", "/v1/devices", {"id": str(ARGON)})["ok"] is True


def test_an_account_that_is_full_claims_nothing_more_outside_products(cloud: Web) -> None:
    cloud.cloud.create_user(ME, device_limit=1)
    connect(cloud, ARGON)
    connect(cloud, BORON)
    cloud("POST", "/v1/devices", {"id": str(ARGON)})
    cloud("POST", "/v1/devices", {"id": str(BORON)})
    assert (cloud.status, "limit" in cloud.last.json()["error"]) == (403, True)
    cloud("POST", f"/v1/products/{PRODUCT}/devices", {"id": str(BORON)})
    assert cloud("POST", "/v1/devices", {"id": str(BORON)})["ok"] is True


def test_a_transfer_is_asked_for_and_happens_when_the_owner_agrees(cloud: Web) -> None:
    cloud.cloud.edit_device(ARGON, owner=STRANGER)
    assert cloud("POST", "/v1/devices", {"id": str(ARGON), "request_transfer": False}) == {
        "ok": False, "errors": ["That belongs to someone else."]
    }  # fmt: skip
    assert cloud.status == 403
    transfer = cloud("POST", "/v1/devices", {"id": str(ARGON), "request_transfer": True})["transfer_id"]
    assert (cloud.cloud.device(ARGON) or {})["owner"] == STRANGER
    cloud.cloud.approve_transfer(transfer)
    assert (cloud.cloud.device(ARGON) or {})["owner"] == ME


# --- customers ---


def test_a_shadow_customer_gets_a_token_and_another_by_scope(cloud: Web, shop: Shop) -> None:
    token = shop.customer()
    again = cloud.login(grant_type="client_credentials", scope=f"customer={CUSTOMER}", **shop.client)["access_token"]
    assert token != again
    (listed,) = cloud("GET", CUSTOMERS)["customers"]
    assert listed["username"] == CUSTOMER
    by_id = cloud.login(grant_type="client_credentials", scope=f"customer={listed['id']}", **shop.client)
    assert by_id["access_token"]
    cloud.login(grant_type="client_credentials", scope="customer=other@example.net", **shop.client)
    assert cloud.status == 400


def test_only_the_products_own_client_makes_customers(cloud: Web, shop: Shop) -> None:
    for client in (
        {"client_id": "particle", "client_secret": "particle"},
        dict(
            zip(
                ("client_id", "client_secret"), ("mine", cloud.cloud.create_client("mine", ME)[1].reveal()), strict=True
            )
        ),
    ):
        cloud("POST", CUSTOMERS, data={"email": CUSTOMER, "no_password": "true"} | client, token="")
        assert (cloud.status, cloud.last.json()["error"]) == (400, "invalid_client")
    assert cloud("GET", CUSTOMERS)["customers"] == []


def test_a_customer_with_a_password_logs_in_by_the_products_client_only(cloud: Web, shop: Shop) -> None:
    shop.customer(no_password="false", password="pw")
    assert cloud.login(username=CUSTOMER, password="pw", **shop.client)["access_token"]
    cloud.login(username=CUSTOMER, password="pw")
    assert cloud.status == 400


def test_a_customer_claims_a_device_of_the_product_that_is_online(cloud: Web, shop: Shop) -> None:
    token = shop.customer()
    cloud("POST", f"/v1/products/{PRODUCT}/devices", {"id": str(BORON)})
    assert cloud("POST", "/v1/devices", {"id": str(BORON)}, token=token)["errors"] == [["Core isn't online", 404]]
    connect(cloud, BORON)
    said = cloud("POST", "/v1/devices", {"id": str(BORON)}, token=token)
    assert (said["ok"], said["product_id"], len(said["customer_id"])) == (True, PRODUCT, 24)
    assert cloud("GET", f"/v1/products/{PRODUCT}/devices/{BORON}")["owner"] == CUSTOMER
    assert [row["id"] for row in cloud("GET", "/v1/devices", token=token)] == [str(BORON)]
    assert cloud("GET", f"/v1/products/{PRODUCT}/devices")["customers"][0]["username"] == CUSTOMER
    assert cloud("POST", "/v1/devices", {"id": str(BORON)})["errors"] == ["That belongs to someone else."]


@pytest.mark.rule("K3")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/v1/products/{PRODUCT}"), ("GET", f"/v1/products/{PRODUCT}/devices"),
        ("POST", f"/v1/products/{PRODUCT}/devices"), ("DELETE", f"/v1/products/{PRODUCT}/devices/{BORON}/owner"),
        ("GET", "/v1/sims"), ("DELETE", f"/v1/sims/{BORON_ICCID}"), ("GET", "/v1/user/search"), ("POST", "/v1/clients"),
        ("GET", "/v1/serial_numbers/P044AB1234567"), ("GET", "/v1/orgs"),
    ],
)  # fmt: skip
def test_a_customer_may_ask_of_no_product_sim_or_account_even_under_the_name_of_a_user(
    cloud: Web, shop: Shop, method: str, path: str
) -> None:
    for email in (CUSTOMER, ME):
        cloud(method, path, {"id": str(BORON)} if method == "POST" else None, token=shop.customer(email))
        assert (cloud.status, cloud.last.json()["error"]) == (403, "Permission denied")


def test_a_device_claimed_with_a_customers_token_outside_its_product_is_seen_by_nobody(cloud: Web, shop: Shop) -> None:
    token = shop.customer()
    connect(cloud, ARGON, platform_id=12)
    assert cloud("POST", "/v1/devices", {"id": str(ARGON)}, token=token)["ok"] is True
    assert cloud("GET", "/v1/devices", token=token) == []
    assert cloud("GET", "/v1/devices") == []
    assert cloud("POST", "/v1/devices", {"id": str(ARGON)})["errors"] == ["That belongs to someone else."]


def test_a_removed_customer_loses_tokens_devices_and_codes_that_wait(cloud: Web, shop: Shop) -> None:
    token = shop.customer()
    cloud("POST", f"/v1/products/{PRODUCT}/devices", {"id": str(BORON)})
    cloud.cloud.edit_device(BORON, owner=CUSTOMER, is_customers=1)
    code = cloud("POST", f"/v1/products/{PRODUCT}/device_claims", {}, token=token)["claim_code"]
    cloud("DELETE", f"{CUSTOMERS}/{CUSTOMER}")
    assert cloud.status == 204
    cloud("GET", "/v1/devices", token=token)
    assert cloud.status == 401
    connect(cloud, BORON, claim_code=code)
    assert "owner" not in cloud("GET", f"/v1/products/{PRODUCT}/devices/{BORON}")
    cloud("DELETE", f"{CUSTOMERS}/{CUSTOMER}")
    assert cloud.status == 404


# --- claim codes ---


def test_a_products_claim_code_is_for_its_customers_token_alone(cloud: Web, shop: Shop) -> None:
    path = f"/v1/products/{PRODUCT}/device_claims"
    cloud("POST", path, {})
    assert cloud.status == 403
    cloud.cloud.create_product(20002, 13, slug="second", name="Second", team=[ME])
    cloud("POST", "/v1/products/20002/device_claims", {}, token=shop.customer())
    assert cloud.status == 403


def test_a_code_is_redeemed_once_by_the_unit_that_connects_with_it(cloud: Web, shop: Shop) -> None:
    token = shop.customer()
    path = f"/v1/products/{PRODUCT}/device_claims"
    code = cloud("POST", path, {}, token=token)["claim_code"]
    assert len(code) == 63
    assert cloud("POST", path, {}, token=token)["claim_code"] != code
    connect(cloud, BORON, claim_code=code)
    device = cloud("GET", f"/v1/products/{PRODUCT}/devices/{BORON}")
    assert (device["owner"], device["product_id"]) == (CUSTOMER, PRODUCT)
    assert cloud("POST", path, {}, token=token)["device_ids"] == [str(BORON)]
    connect(cloud, ARGON, claim_code=code)
    assert "owner" not in (cloud.cloud.device(ARGON) or {})


def test_a_code_that_waited_too_long_makes_nobody_an_owner(cloud: Web, shop: Shop) -> None:
    path, token = f"/v1/products/{PRODUCT}/device_claims", shop.customer()
    codes = [cloud("POST", path, {}, token=token)["claim_code"]]
    cloud.clock.sleep(CODE_LASTS_S - 1)
    codes.append(cloud("POST", path, {}, token=token)["claim_code"])
    cloud.clock.sleep(2)
    cloud("POST", f"/v1/products/{PRODUCT}/devices", {"id": str(BORON)})
    for code, owner in zip(codes, (None, CUSTOMER), strict=True):
        connect(cloud, BORON, claim_code=code)
        assert cloud("GET", f"/v1/products/{PRODUCT}/devices/{BORON}").get("owner") == owner


def test_a_code_is_nothing_to_a_unit_of_another_product_or_platform(cloud: Web, shop: Shop) -> None:
    path, token = f"/v1/products/{PRODUCT}/device_claims", shop.customer()
    code = cloud("POST", path, {}, token=token)["claim_code"]
    connect(cloud, ARGON, platform_id=12, claim_code=code)
    cloud.cloud.create_product(20002, 13, slug="second", name="Second", team=[ME])
    cloud("POST", "/v1/products/20002/devices", {"id": str(BORON)})
    connect(cloud, BORON, claim_code=code)
    assert [(cloud.cloud.device(one) or {}).get("owner") for one in (ARGON, BORON)] == [None, None]
    cloud.cloud.edit_device(BORON, product_id=None)
    connect(cloud, BORON, claim_code=code)
    assert cloud("GET", f"/v1/products/{PRODUCT}/devices/{BORON}")["owner"] == CUSTOMER


def test_outside_products_a_code_is_the_users_and_may_be_the_iccid(cloud: Web) -> None:
    assert cloud("POST", "/v1/device_claims", {"iccid": str(BORON_ICCID)})["claim_code"] == str(BORON_ICCID)
    connect(cloud, BORON, iccid=str(BORON_ICCID))
    assert cloud("GET", f"/v1/devices/{BORON}")["owner"] == ME
    code = cloud("POST", "/v1/device_claims", {})["claim_code"]
    connect(cloud, ARGON, claim_code=code)
    assert cloud("GET", f"/v1/devices/{ARGON}")["owner"] == ME


def test_an_owner_is_not_replaced_by_a_code(cloud: Web) -> None:
    cloud.cloud.edit_device(ARGON, owner=STRANGER)
    connect(cloud, ARGON, claim_code=cloud("POST", "/v1/device_claims", {})["claim_code"])
    assert (cloud.cloud.device(ARGON) or {})["owner"] == STRANGER


# --- quarantine, by what a unit says of itself ---


@pytest.mark.parametrize(("quarantine", "is_held"), [(True, True), (False, False)])
def test_a_unit_that_names_a_product_it_is_not_in_is_held_back_or_added(
    cloud: Web, quarantine: bool, is_held: bool
) -> None:
    cloud.cloud.edit_product(PRODUCT, quarantine=int(quarantine))
    connect(cloud, BORON, product_id=PRODUCT)
    device = cloud("GET", f"/v1/products/{PRODUCT}/devices/{BORON}")
    assert (device["product_id"], device["quarantined"]) == (PRODUCT, is_held)


def test_a_unit_leaves_the_quarantine_when_it_connects_with_other_firmware(cloud: Web) -> None:
    connect(cloud, BORON, product_id=PRODUCT)
    cloud("DELETE", f"/v1/products/{PRODUCT}/devices/{BORON}", {"deny": True})
    connect(cloud, BORON, product_id=PRODUCT)
    assert cloud("GET", f"/v1/products/{PRODUCT}/devices/{BORON}")["denied"] is True
    connect(cloud, BORON, product_id=None)
    cloud("GET", f"/v1/products/{PRODUCT}/devices/{BORON}")
    assert cloud.status == 404


def test_from_device_os_4_on_nothing_is_held_back(cloud: Web) -> None:
    connect(cloud, BORON, product_id=PRODUCT, device_os="4.0.0")
    cloud("GET", f"/v1/products/{PRODUCT}/devices/{BORON}")
    assert cloud.status == 404


def test_a_removed_unit_that_still_runs_product_firmware_comes_back_into_quarantine(cloud: Web) -> None:
    cloud("POST", f"/v1/products/{PRODUCT}/devices", {"id": str(BORON)})
    connect(cloud, BORON, product_id=PRODUCT)
    assert cloud("GET", f"/v1/products/{PRODUCT}/devices/{BORON}")["quarantined"] is False
    cloud("DELETE", f"/v1/products/{PRODUCT}/devices/{BORON}")
    connect(cloud, BORON, product_id=PRODUCT)
    assert cloud("GET", f"/v1/products/{PRODUCT}/devices/{BORON}")["quarantined"] is True
