"""Requests of logging in and out, and of what a token may see: how they are sent, how their answers are parsed. Pure.

Facts: reference cloud-api 2 and 3.1. What is typed and what comes back as a token is in a `Secret` from end to end; no
message quotes an answer of these routes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from drivers.identity import Secret

from .answers import MAX_DEVICES, Product, read_product
from .body import MAX_LIST_BYTES, Answer, Fields, clean
from .call import Bearer, Call, Effect, ProductRef, product_path
from .errors import BadAnswer
from .evidence import About, Route

Client = tuple[str, Secret | str]
"""Id and secret of an OAuth client."""
PUBLIC_CLIENT: Client = ("particle", "particle")
"""The client for one's own account (2.1); its secret is none."""
PUBLIC_CLIENTS = frozenset({"particle", "particle-api", "particle-cli", "CLI2"})
"""Clients of the vendor's own tools: a token one of them made is a person's."""
_TOKEN = re.compile(r"[!-~]{1,4096}")


@dataclass(frozen=True, slots=True)
class Granted:
    """A new token. ``lasts_s`` 0: it does not expire; None: the cloud did not say."""

    token: Secret
    lasts_s: int | None


@dataclass(frozen=True, slots=True)
class CodeWanted:
    """The password is right, and a one-time code has to follow with ``mfa_token``."""

    mfa_token: Secret


@dataclass(frozen=True, slots=True)
class Denied:
    """No token. ``code`` is OAuth's word for it; ``invalid_grant``: a wrong password, or a wrong or late code."""

    code: str
    words: str


LoginAnswer = Granted | CodeWanted | Denied


def password_login(username: str, password: Secret, client: Client = PUBLIC_CLIENT) -> Call[LoginAnswer]:
    """Ask for a token with name and password. Ten failures in a row lock the site out for half an hour (2.1)."""
    return _login("log in", {"grant_type": "password", "username": username, "password": password}, client)


def code_login(wanted: CodeWanted, code: Secret, client: Client = PUBLIC_CLIENT) -> Call[LoginAnswer]:
    """Send the one-time code that a password was answered with (2.2)."""
    form: dict[str, str | Secret] = {"grant_type": "urn:custom:mfa-otp", "mfa_token": wanted.mfa_token, "otp": code}
    return _login("log in with a one-time code", form, client)


def client_login(client: Client, customer: str = "") -> Call[LoginAnswer]:
    """Ask for a token of an OAuth client's owner, or of a ``customer`` (e-mail or id) of its product (2.3)."""
    scope = {"scope": f"customer={customer}"} if customer else {}
    return _login("log in as an OAuth client", {"grant_type": "client_credentials", **scope}, client)


def _login(what: str, form: Mapping[str, str | Secret], client: Client) -> Call[LoginAnswer]:
    """A form only (2.1). Each time it is sent it makes one more token, so it is never repeated blindly."""
    return Call(
        Route.LOGIN, "POST", "/oauth/token", what, _read_login, Effect.ONCE, accepts=frozenset({400, 401, 403}),
        form={**form, "client_id": client[0], "client_secret": client[1]}, bearer=Bearer.NOBODY, reads=frozenset(About),
    )  # fmt: skip


def _read_login(answer: Answer) -> LoginAnswer:
    fields = Fields(answer.body, "log in")
    if 200 <= answer.status < 300:
        return Granted(_secret(answer.body, "access_token"), fields.number("expires_in"))
    if answer.status == 403 and fields.has("mfa_token"):
        return CodeWanted(_secret(answer.body, "mfa_token"))
    return Denied(fields.text("error"), answer.words)


def _secret(body: object, name: str) -> Secret:
    value = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise BadAnswer(f"log in: the cloud sent no usable {name}; try again")
    return Secret(value)


def revoke_current() -> Call[None]:
    """Delete the token that sends this, and no other: the rest of the account's are other stations' (2.5)."""
    return Call(
        Route.TOKEN, "DELETE", "/v1/access_tokens/current", "delete the token", lambda _: None, Effect.ONCE,
        accepts=frozenset({404}), reads=frozenset(About),
    )  # fmt: skip


# --- what a token may see ------------------------------------------------------------------------


def user_products() -> Call[tuple[Product, ...]]:
    """Ask for the products of the account itself."""
    return _products("/v1/user/products")


def org_products(org: str) -> Call[tuple[Product, ...]]:
    """Ask for the products of an organisation."""
    return _products(f"/v1/orgs/{org}/products")


def _products(path: str) -> Call[tuple[Product, ...]]:
    def reader(answer: Answer) -> tuple[Product, ...]:
        rows = _rows(answer, "products")
        return tuple(read_product({"product": row}) for row in rows)

    return Call(Route.PRODUCTS, "GET", path, "list the products", reader, most_bytes=MAX_LIST_BYTES)


def orgs() -> Call[tuple[str, ...]]:
    """Ask for the organisations whose member the account is, by their slugs."""

    def reader(answer: Answer) -> tuple[str, ...]:
        rows = _rows(answer, "organizations")
        return tuple(Fields(row, "organisation").text("slug", required=True) for row in rows)

    return Call(Route.ORGS, "GET", "/v1/orgs", "list the organisations", reader)


def team(ref: ProductRef) -> Call[tuple[str, ...]]:
    """Ask for the accounts in a product's team, API users among them."""

    def reader(answer: Answer) -> tuple[str, ...]:
        return tuple(clean(Fields(row, "team").text("username")) for row in _rows(answer, "team"))

    return Call(
        Route.TEAM, "GET", f"{product_path(ref)}/team", f"list the team of product {ref}", reader,
        most_bytes=MAX_LIST_BYTES,
    )  # fmt: skip


def _rows(answer: Answer, name: str) -> list[object]:
    rows = Fields(answer.body, name).get(name)
    if not isinstance(rows, list) or len(rows) > MAX_DEVICES:
        raise BadAnswer(f"{name}: the cloud sent no list of at most {MAX_DEVICES}; try again later")
    return rows
