"""Requests about a product's customers and about claim codes, as values (reference cloud-api 2.3, 5.3, 5.4). Pure.

A customer's token is a kind of its own: only the requests here take one, and no request of a product or of an account
can be made to bear it. Used on any other route it stores an owner of the wrong kind (E14).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from drivers.identity import DeviceId, Secret

from . import api
from .answers import ClaimAnswer
from .body import Answer, Fields
from .call import Bearer, Call, Effect, ProductRef, product_path
from .errors import BadAnswer, RateLimited
from .evidence import Route

CLAIM_CODE_SIZE = 63
"""Characters of a claim code (reference cloud-api 5.3)."""


MAX_CLIENTS = 1000


class ClientSecret(Secret):
    """What an OAuth client of a product shows as its password."""

    called = "client secret"


class CustomerToken(Secret):
    """A token of a product's customer: good for claiming as that customer, and for nothing else (K3 E14)."""


class ClaimCode(Secret):
    """What a unit hands in when it connects, to become its bearer's."""


class LoginsLocked(RateLimited):
    """Ten refusals in a row lock the whole site out of logging in (reference cloud-api 2.1)."""


@dataclass(frozen=True, slots=True)
class ProductClient:
    """An OAuth client of a product; the vendor's own, or one of another product, knows no customer of it (K5)."""

    id: str
    secret: ClientSecret

    @property
    def fields(self) -> Mapping[str, str | Secret]:
        return {"grant_type": "client_credentials", "client_id": self.id, "client_secret": self.secret}


def product_clients(ref: ProductRef) -> Call[tuple[str, ...]]:
    """Ask for the ids of a product's OAuth clients; their secrets are shown to nobody again."""

    def reader(answer: Answer) -> tuple[str, ...]:
        rows = Fields(answer.body, "clients").get("clients")
        if not isinstance(rows, list) or len(rows) > MAX_CLIENTS:
            raise BadAnswer(f"clients: the cloud sent no list of at most {MAX_CLIENTS}; try again later")
        return tuple(Fields(row, "client").text("id", required=True) for row in rows)

    what = f"list the OAuth clients of product {ref}"
    return Call(Route.CLIENTS, "GET", f"{product_path(ref)}/clients", what, reader)


def create_customer(ref: ProductRef, email: str, client: ProductClient) -> Call[CustomerToken]:
    """Create a customer without a password, and return a token of theirs. Refused if there is one already."""
    return Call(
        Route.CUSTOMERS, "POST", f"{product_path(ref)}/customers",
        f"create a customer of product {ref} with the client {client.id}", _token,
        Effect.ONCE, form={**client.fields, "email": email, "no_password": "true"}, bearer=Bearer.NOBODY,
    )  # fmt: skip


def customer_token(email: str, client: ProductClient) -> Call[CustomerToken | None]:
    """Return a further token of a customer; None if the client's product has no such customer.

    Raises `LoginsLocked` after too many refusals, which is no reason to ask the cloud less of anything else.
    """
    what = f"ask for a token of a customer with the client {client.id}"

    def reader(answer: Answer) -> CustomerToken | None:
        if answer.status == 429:
            raise LoginsLocked(f"{what}: too many logins from this site were refused; they are locked for half an hour")
        return None if answer.status == 400 else _token(answer)

    return Call(
        Route.CUSTOMER_TOKEN, "POST", "/oauth/token", what, reader, Effect.ONCE,
        form={**client.fields, "scope": f"customer={email}"}, bearer=Bearer.NOBODY, accepts=frozenset({400, 429}),
    )  # fmt: skip


def _token(answer: Answer) -> CustomerToken:
    return CustomerToken(Fields(answer.body, "token of a customer").text("access_token", required=True))


def customer_claim_code(ref: ProductRef, token: CustomerToken, client: ProductClient) -> Call[ClaimCode]:
    """Take a claim code of a customer of product ``ref``: another product's customer is refused (K5)."""
    return Call(
        Route.CUSTOMER_CODE, "POST", f"{product_path(ref)}/device_claims",
        f"take a claim code of product {ref} for a customer of the client {client.id}",
        _code, Effect.ONCE, {}, bearer=token,
    )  # fmt: skip


def claim_code() -> Call[ClaimCode]:
    """Take a claim code of the station's account, for a unit in no product."""
    return Call(Route.CLAIM_CODE, "POST", "/v1/device_claims", "take a claim code", _code, Effect.ONCE, {})


def _code(answer: Answer) -> ClaimCode:
    """A unit keeps `CLAIM_CODE_SIZE` characters of any code, so one of another length would never be known again."""
    text = Fields(answer.body, "claim code").text("claim_code", required=True)
    if len(text) != CLAIM_CODE_SIZE or not text.isascii():
        raise BadAnswer(f"claim code: it has {len(text)} characters, expected {CLAIM_CODE_SIZE}; retry later")
    return ClaimCode(text)


def claim_as_customer(device_id: DeviceId, token: CustomerToken) -> Call[ClaimAnswer]:
    """Make the customer the owner. The unit has to be a member of the customer's own product, and online (5.1)."""
    return replace(api.claim(device_id), bearer=token)
