"""Faults of the virtual cloud: which request they hit, and who answers in its place (reference cloud-api 14.1)."""

from __future__ import annotations

import pytest
import requests
from support.cloud_bench import ARGON, BORON, ME, PRODUCT
from support.cloud_web import Web

from station.cloud.virtual import Fault, FaultKind, Who
from station.cloud.virtual.faults import parse_fault


@pytest.mark.parametrize(
    ("who", "header"),
    [(Who.PORTAL, "Location"), (Who.FIREWALL, "Server"), (Who.PROXY, "Proxy-Authenticate"), (Who.BALANCER, "Server")],
)
def test_whoever_answers_in_the_clouds_place_has_pages_of_its_own(cloud: Web, who: Who, header: str) -> None:
    cloud.cloud.order(Fault(FaultKind.HTML, who=who, status=who.status))
    cloud("GET", "/v1/user")
    assert (cloud.status, cloud.last.headers["Content-Type"]) == (who.status, "text/html")
    assert header in cloud.last.headers
    assert "X-Request-Id" not in cloud.last.headers
    assert cloud("GET", "/v1/user")["username"] == ME


def test_a_fault_hits_the_device_it_names(cloud: Web) -> None:
    cloud.cloud.edit_device(BORON, owner=ME)
    cloud.cloud.edit_device(ARGON, owner=ME)
    cloud.cloud.order(Fault(FaultKind.STATUS, route="GET", path=str(ARGON), status=503, times=None))
    for _ in range(2):
        cloud("GET", f"/v1/devices/{BORON}")
        assert cloud.status == 200
        cloud("GET", f"/v1/devices/{ARGON}")
        assert cloud.status == 503


def test_an_answer_that_breaks_off_comes_after_the_work(cloud: Web) -> None:
    cloud.cloud.order(Fault(FaultKind.TRUNCATE))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        cloud("POST", f"/v1/products/{PRODUCT}/devices", {"id": str(BORON)})
    assert (cloud.cloud.device(BORON) or {})["product_id"] == PRODUCT


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("429;POST /v1/products;times=3;retry-after=30",
         Fault(FaultKind.STATUS, "POST /v1/products", times=3, status=429, retry_after="30")),
        ("drop-after;times=0", Fault(FaultKind.DROP_AFTER, times=None)),
        ("slow;GET /v1/user;seconds=70;after=2", Fault(FaultKind.SLOW, "GET /v1/user", seconds=70.0, after=2)),
        ("portal", Fault(FaultKind.HTML, status=302, who=Who.PORTAL)),
        (f"lie;POST /v1/devices;path={BORON}", Fault(FaultKind.LIE, "POST /v1/devices", path=str(BORON))),
    ],
)  # fmt: skip
def test_a_fault_is_read_from_text(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize("text", ["", "sometimes", "429;times=often", "429;colour=red", "4290", "429;kind=x"])
def test_a_text_that_is_no_fault_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"STATUS\|KIND|invalid literal"):
        parse_fault(text)
