"""Customers and claim codes by the client against the virtual cloud (reference cloud-api 5.3, 5.4; rules K3 K5)."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields
from typing import Any

import pytest
from support.cloud_bench import BORON, ME, PRODUCT, Bench
from support.loopback_talker import serving

from drivers.clock import SimulatedClock
from drivers.identity import Secret
from station.cloud import api, customer_api
from station.cloud.answers import ClaimAnswer
from station.cloud.body import Answer
from station.cloud.call import Bearer, Call
from station.cloud.client import CloudClient
from station.cloud.customer_api import ClientSecret, CustomerToken, ProductClient
from station.cloud.errors import BadAnswer, CloudRefused, is_waiting
from station.cloud.evidence import About

CUSTOMER = "customer@example.net"
OTHER_PRODUCT = 20002


def client_of(bench: Bench, product: int | None = PRODUCT, name: str = "shop-1") -> ProductClient:
    client_id, secret = bench.cloud.create_client(name, ME, product)
    return ProductClient(client_id, ClientSecret(secret.reveal()))


def customer(bench: Bench, client: ProductClient, product: int = PRODUCT) -> CustomerToken:
    return bench.client.run(customer_api.create_customer(product, CUSTOMER, client))


def test_a_customer_is_made_without_a_password_and_known_from_then_on(bench: Bench) -> None:
    client = client_of(bench)
    assert bench.client.run(customer_api.customer_token(CUSTOMER, client)) is None
    first = customer(bench, client)
    second = bench.client.run(customer_api.customer_token(CUSTOMER, client))
    assert second is not None
    assert first != second
    with pytest.raises(CloudRefused, match="create a customer of product 20001 with the client shop-1"):
        customer(bench, client)


@pytest.mark.rule("K5")
def test_no_client_but_the_products_own_makes_or_knows_a_customer(bench: Bench) -> None:
    bench.cloud.create_product(OTHER_PRODUCT, 13, slug="second", name="Second", team=[ME])
    for client in (
        ProductClient("particle", ClientSecret("particle")), client_of(bench, None, "mine"),
        client_of(bench, OTHER_PRODUCT, "shop-2"), ProductClient(client_of(bench).id, ClientSecret("wrong")),
    ):  # fmt: skip
        with pytest.raises(CloudRefused) as caught:
            customer(bench, client)
        assert (caught.value.about, is_waiting(caught.value)) == (About.STATION, True)
    assert bench.cloud.effects == {}


@pytest.mark.rule("K5")
def test_claim_code_to_a_product_with_the_wrong_client(bench: Bench) -> None:
    """Another product's client gives good tokens, of the wrong customers: the product gives no code for one."""
    bench.cloud.create_product(OTHER_PRODUCT, 13, slug="second", name="Second", team=[ME])
    other = client_of(bench, OTHER_PRODUCT, "shop-2")
    token = customer(bench, other, OTHER_PRODUCT)
    for wrong in (token, CustomerToken(bench.token.reveal())):
        with pytest.raises(CloudRefused, match="of product 20001 for a customer of the client shop-2") as caught:
            bench.client.run(customer_api.customer_claim_code(PRODUCT, wrong, other))
        assert caught.value.about is About.STATION
    right = client_of(bench)
    code = bench.client.run(customer_api.customer_claim_code(PRODUCT, customer(bench, right), right))
    assert len(code.reveal()) == 63


@pytest.mark.rule("K3", "E14")
def test_no_request_of_a_product_or_an_account_takes_a_customers_token() -> None:
    """By construction: whatever else the client can ask bears the station's token, or none."""
    bench_calls: list[Call[Any]] = [
        api.user(),
        api.product(PRODUCT),
        api.device_in_product(PRODUCT, BORON),
        api.claim(BORON),
    ]
    assert {call.bearer for call in bench_calls} == {Bearer.STATION}
    taking = {
        name for name, made in vars(customer_api).items()
        if callable(made) and getattr(made, "__annotations__", {}).get("token") == "CustomerToken"
    }  # fmt: skip
    assert taking == {"claim_as_customer", "customer_claim_code"}


@pytest.mark.rule("E10")
def test_a_customers_claim_says_only_which_unit_and_bears_the_customers_token(bench: Bench) -> None:
    client = client_of(bench)
    token = customer(bench, client)
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    assert bench.client.run(customer_api.claim_as_customer(BORON, token)) is ClaimAnswer.OFFLINE
    bench.go_online(BORON)
    assert bench.client.run(customer_api.claim_as_customer(BORON, token)) is ClaimAnswer.ACCEPTED
    seen = bench.cloud.requests()[-1]
    assert (seen.route, seen.username, dict(seen.body)) == ("POST /v1/devices", CUSTOMER, {"id": str(BORON)})
    record = bench.client.run(api.device_in_product(PRODUCT, BORON))
    assert record is not None
    assert record.owner == CUSTOMER


def test_a_code_of_the_account_is_for_units_in_no_product(bench: Bench) -> None:
    assert len(bench.client.run(customer_api.claim_code()).reveal()) == 63
    assert bench.cloud.requests()[-1].username == ME


@pytest.mark.parametrize("code", ["", "8" * 20, "c" * 62, "c" * 64, "\N{DEGREE SIGN}" * 63])
def test_a_code_that_no_unit_would_keep_is_no_answer(code: str) -> None:
    answer = Answer(200, {"claim_code": code, "device_ids": []}, is_json=True)
    with pytest.raises(BadAnswer) as caught:
        customer_api.claim_code().read(answer)
    assert not code or code not in str(caught.value)


SECRETS: list[Callable[[ProductClient, CustomerToken], Call[Any]]] = [
    lambda client, _: customer_api.create_customer(PRODUCT, CUSTOMER, client),
    lambda client, _: customer_api.customer_token(CUSTOMER, client),
    lambda client, token: customer_api.customer_claim_code(PRODUCT, token, client),
    lambda _, token: customer_api.claim_as_customer(BORON, token),
]


@pytest.mark.parametrize("made", SECRETS)
def test_no_request_shows_a_secret(made: Callable[[ProductClient, CustomerToken], Call[Any]]) -> None:
    call = made(ProductClient("shop-1", ClientSecret("s3cret-of-client")), CustomerToken("t0ken-of-customer"))
    shown = repr(call) + call.what + call.path + str([getattr(call, one.name) for one in fields(call)])
    assert "s3cret" not in shown
    assert "t0ken" not in shown


def test_somebody_who_quotes_our_form_is_not_repeated() -> None:
    heard: list[bytes] = []

    def quote(connection: socket.socket) -> None:
        while b"no_password" not in (request := b"".join(heard)):
            heard.append(connection.recv(65536))
        body = json.dumps({"ok": False, "error": request.decode().rpartition("\r\n")[2]}).encode()
        connection.sendall(
            b"HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        connection.sendall(body)

    client, clock = ProductClient("shop-1", ClientSecret("s3cret-of-client")), SimulatedClock()
    with (
        serving(quote, heard) as url, clock.registered(),
        closing(CloudClient(url, lambda: Secret("t0ken"), clock)) as asker, pytest.raises(CloudRefused) as caught,
    ):  # fmt: skip
        asker.run(customer_api.create_customer(PRODUCT, CUSTOMER, client))
    assert "client_secret=***" in str(caught.value)
