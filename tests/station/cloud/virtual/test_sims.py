"""SIM cards of the virtual cloud: what changes at once, what takes time, and what never (reference cloud-api 8)."""

from __future__ import annotations

from typing import Any

import pytest
from support.cloud_bench import BORON, BORON_ICCID, ME, PRODUCT
from support.cloud_web import STRANGER, Web

from drivers.identity import Iccid
from station.cloud.virtual import Quirks, SimClass

CARD = Iccid.parse("8934076500002589174")
SIMS = f"/v1/products/{PRODUCT}/sims"


@pytest.fixture
def card(cloud: Web) -> str:
    """A plastic card that was sold by itself."""
    cloud.cloud.register_sim(CARD)
    return str(CARD)


def settled(cloud: Web, path: str, every_s: float = 5.0) -> float:
    """Look at a SIM until no change is in progress; how long that took."""
    begun = cloud.clock.now()
    while cloud("GET", path)["state_change_in_progress"]:
        assert cloud.clock.now() - begun < 7200
        cloud.clock.sleep(every_s)
    return cloud.clock.now() - begun


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"sims": [str(CARD)], "country": "US"}},
        {"data": [("sims[]", str(CARD))]},
        {"files": {"file": ("sims.txt", f"ICCID;box 4\r\n{CARD}; 1\r\n".encode())}},
    ],
)
def test_an_import_is_queued_and_only_the_sim_tells_how_it_ended(cloud: Web, card: str, sent: dict[str, Any]) -> None:
    assert cloud("GET", f"{SIMS}/{card}")["error"] == "SIM card not found"
    assert cloud("POST", SIMS, **sent) == {"ok": True}
    sim = cloud("GET", f"{SIMS}/{card}")
    assert (sim["status"], sim["last_status_change_action"], sim["state_change_in_progress"]) == (
        "inactive", "activate", True
    )  # fmt: skip
    settled(cloud, f"{SIMS}/{card}")
    sim = cloud("GET", f"{SIMS}/{card}")
    assert (sim["status"], sim["activations_count"], sim["product_id"]) == ("active", 1, PRODUCT)
    assert sim["first_activated_on"].endswith("Z")


def test_importing_a_built_in_sim_imports_its_device_too(cloud: Web) -> None:
    cloud("POST", SIMS, {"sims": [str(BORON_ICCID)]})
    assert cloud("GET", f"/v1/products/{PRODUCT}/devices/{BORON}")["iccid"] == str(BORON_ICCID)


def test_a_sim_of_somebody_outside_the_team_stays_theirs_and_nobody_is_told(cloud: Web, card: str) -> None:
    cloud.cloud.edit_sim(CARD, username=STRANGER)
    assert cloud("POST", SIMS, {"sims": [card]}) == {"ok": True}
    cloud("GET", f"{SIMS}/{card}")
    assert cloud.status == 404
    assert "somebody else" in cloud("PUT", f"/v1/sims/{card}", {"action": "activate"})["error"]
    assert cloud.status == 403


def test_a_sim_moves_from_a_sandbox_of_the_team_without_a_release(cloud: Web, card: str) -> None:
    cloud("PUT", f"/v1/sims/{card}", {"action": "activate"})
    settled(cloud, f"/v1/sims/{card}")
    cloud("POST", SIMS, {"sims": [card]})
    sim = cloud("GET", f"{SIMS}/{card}")
    assert (sim["status"], sim["activations_count"]) == ("active", 1)


def test_an_activation_that_runs_already_is_answered_408(cloud: Web, card: str) -> None:
    cloud("PUT", f"/v1/sims/{card}", {"action": "activate"})
    assert cloud.status == 200
    cloud("PUT", f"/v1/sims/{card}", {"action": "activate"})
    assert cloud.status == 408
    settled(cloud, f"/v1/sims/{card}")
    cloud("PUT", f"/v1/sims/{card}", {"action": "activate"})
    assert cloud.status == 200
    assert cloud("GET", f"/v1/sims/{card}")["activations_count"] == 1


def test_an_import_works_in_the_background_and_shows_only_when_it_is_done(cloud: Web, card: str) -> None:
    cloud.cloud.quirks = Quirks(sim_import_s=90.0)
    for _ in range(2):
        assert cloud("POST", SIMS, {"sims": [card, str(BORON_ICCID)]}) == {"ok": True}
    cloud("GET", f"{SIMS}/{card}")
    assert cloud.status == 404
    assert cloud("GET", SIMS)["sims"] == []
    cloud.clock.sleep(89)
    cloud("GET", f"{SIMS}/{card}")
    assert cloud.status == 404
    cloud.clock.sleep(2)
    assert {row["_id"] for row in cloud("GET", SIMS)["sims"]} == {card, str(BORON_ICCID)}
    settled(cloud, f"{SIMS}/{card}")
    sim = cloud("GET", f"{SIMS}/{card}")
    assert (sim["status"], sim["activations_count"]) == ("active", 1)
    assert (cloud.cloud.device(BORON) or {})["product_id"] == PRODUCT


def test_an_import_in_the_background_takes_nothing_from_another_product(cloud: Web, card: str) -> None:
    cloud.cloud.quirks = Quirks(sim_import_s=90.0)
    cloud("POST", SIMS, {"sims": [card]})
    cloud.cloud.edit_sim(CARD, product_id=PRODUCT + 1)
    cloud.clock.sleep(100)
    cloud("GET", f"{SIMS}/{card}")
    assert cloud.status == 404


@pytest.mark.parametrize(
    ("sim_class", "first_s", "again_s"),
    [
        (SimClass.FAST, (3, 10), (3, 10)),
        (SimClass.GENERALLY_FAST, (45, 60), (60, 80)),
        (SimClass.SOMETIMES_SLOW, (20, 60), (2400, 3600)),
    ],
)
def test_each_class_takes_its_time_the_first_time_and_again(
    cloud: Web, sim_class: SimClass, first_s: tuple[float, float], again_s: tuple[float, float]
) -> None:
    cloud.cloud.register_sim(CARD, sim_class=sim_class)
    path = f"{SIMS}/{CARD}"
    cloud("POST", SIMS, {"sims": [str(CARD)]})
    first = settled(cloud, path)
    cloud("PUT", path, {"action": "deactivate"})
    settled(cloud, path)
    sim = cloud("GET", path)
    assert (sim["status"], sim["deactivations_count"]) == ("deactivated", 1)
    cloud("PUT", path, {"action": "reactivate"})
    again = settled(cloud, path, again_s[1] / 50 + 1)
    assert cloud("GET", path)["status"] == "active"
    assert first_s[0] <= first <= first_s[1]
    assert again_s[0] <= again <= again_s[1]


def test_a_deactivated_sim_is_not_activated_by_another_import(cloud: Web, card: str) -> None:
    cloud("POST", SIMS, {"sims": [card]})
    settled(cloud, f"{SIMS}/{card}")
    cloud("PUT", f"{SIMS}/{card}", {"action": "deactivate"})
    settled(cloud, f"{SIMS}/{card}")
    cloud("POST", SIMS, {"sims": [card]})
    settled(cloud, f"{SIMS}/{card}")
    sim = cloud("GET", f"{SIMS}/{card}")
    assert (sim["status"], sim["activations_count"]) == ("deactivated", 1)


@pytest.mark.parametrize("head", ["/v1/sims", SIMS])
def test_a_release_of_an_active_sim_is_pending_and_then_it_is_nobodys(cloud: Web, card: str, head: str) -> None:
    if head == SIMS:
        cloud("POST", SIMS, {"sims": [card]})
    else:
        cloud("PUT", f"{head}/{card}", {"action": "activate"})
    settled(cloud, f"{head}/{card}")
    for _ in range(2):
        cloud("DELETE", f"{head}/{card}")
        assert cloud.status == 202
    cloud.clock.sleep(10)
    cloud("GET", f"{head}/{card}")
    assert cloud.status == 404
    cloud("DELETE", f"{head}/{card}")
    assert cloud.status == 404
    cloud("PUT", f"/v1/sims/{card}", {"action": "activate"})
    assert cloud.status == 200


def test_a_sim_that_never_was_active_is_released_at_once(cloud: Web, card: str) -> None:
    cloud.cloud.order_sim(CARD, failures=1)
    cloud("POST", SIMS, {"sims": [card]})
    settled(cloud, f"{SIMS}/{card}")
    assert cloud("GET", f"{SIMS}/{card}")["last_status_change_action_error"] == "yes"
    cloud("DELETE", f"{SIMS}/{card}")
    assert cloud.status == 204


def test_sims_are_listed_by_page_and_by_device_and_the_filter_by_iccid_does_nothing(cloud: Web, card: str) -> None:
    cloud("POST", SIMS, {"sims": [card, str(BORON_ICCID)]})
    assert cloud("GET", SIMS)["meta"]["total"] == 2
    assert cloud("GET", f"{SIMS}?iccid={card}")["meta"]["total"] == 2
    assert [row["_id"] for row in cloud("GET", f"{SIMS}?deviceId={BORON}")["sims"]] == [str(BORON_ICCID)]
    assert len(cloud("GET", f"{SIMS}?per_page=1&page=2")["sims"]) == 1
    assert cloud("GET", "/v1/sims")["sims"] == []


def test_a_network_check_is_pending_first_and_complete_ten_seconds_later(cloud: Web) -> None:
    cloud("POST", f"/v1/products/{PRODUCT}/devices", {"id": str(BORON)})
    cloud.cloud.edit_device(BORON, is_connected=1)
    path = f"{SIMS}/{BORON_ICCID}/status"
    said = cloud("GET", path)
    assert (cloud.status, said["meta"]["state"], said["sim_status"]["connected"]) == (202, "pending", None)
    cloud.clock.sleep(10)
    said = cloud("GET", path)
    assert (cloud.status, said["meta"]["state"], said["sim_status"]["connected"]) == (200, "complete", True)
    cloud.clock.sleep(171)
    assert cloud("GET", path)["meta"]["state"] == "pending"


def test_head_tells_without_a_body_whether_a_sim_is_free(cloud: Web, card: str) -> None:
    cloud("HEAD", f"/v1/sims/{card}")
    assert cloud.status == 204
    cloud("HEAD", "/v1/sims/8934076500002589175")
    assert cloud.status == 404
    cloud.cloud.edit_sim(CARD, username=STRANGER)
    cloud("HEAD", f"/v1/sims/{card}")
    assert (cloud.status, cloud.last.content) == (403, b"")


def test_a_sim_of_one_owner_is_hidden_from_another(cloud: Web, card: str) -> None:
    cloud("PUT", f"/v1/sims/{card}", {"action": "activate"})
    assert cloud("GET", f"/v1/sims/{card}")["owner"] == ME
    stranger = cloud.as_user(STRANGER)
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/status"), ("GET", "/data_usage")):
        stranger(method, f"/v1/sims/{card}{path}")
        assert stranger.status == 403
