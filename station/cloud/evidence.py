"""Classifies answers: who gave one, what it is about, and what follows. One table for walk, outbox and doctor. Pure.

Only the cloud's own JSON about this very unit may fail that unit. Anything else that answers in the cloud's place
(a portal, a firewall, a proxy) counts as the cloud being unavailable, and after an answer about the account, the
product or the request the unit waits for a named person. Facts: reference cloud-api 1.1, 1.2 and each route's rows.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ..model import Mender
from ..words.say import Say


class Heard(Protocol):
    """The parts of an answer that count as evidence; an `Answer` has them."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> object: ...
    @property
    def is_json(self) -> bool: ...
    @property
    def file(self) -> bytes: ...
    @property
    def request_id(self) -> str: ...


class Route(enum.Enum):
    """Subject of a request: the same status means different things on different routes."""

    LOGIN = "logging in"
    TOKEN = "the token"
    USER = "the account's user"
    ORGS = "the account's organisations"
    PRODUCTS = "the account's products"
    PRODUCT = "one product"
    TEAM = "the team of a product"
    IMPORT = "adding to a product"
    MEMBER = "one device of a product"
    MEMBER_REMOVAL = "taking a device out of a product"
    MEMBER_SIM = "one SIM of a product"
    MEMBERS = "the devices of a product"
    GROUP = "one group of a product"
    SIMS = "the SIMs of a product"
    DEVICE = "one device of the account"
    DEVICES = "the account's devices"
    CLAIM = "claiming"
    CLAIM_CODE = "a claim code of the account"
    CLIENTS = "the OAuth clients of a product"
    CUSTOMERS = "the customers of a product"
    CUSTOMER_TOKEN = "a token of a customer"
    CUSTOMER_CODE = "a claim code of a customer"
    SIM = "one SIM of the account"
    SIM_RELEASE = "releasing a SIM of the account"
    MEMBER_SIM_RELEASE = "releasing a SIM of a product"
    SERIAL = "one serial number"
    DEVICE_OS = "one release of Device OS"
    FIRMWARE = "the firmware of a product"
    BINARY = "one version of a product's firmware"


class Speaker(enum.Enum):
    """Who gave an answer."""

    CLOUD = "the cloud"
    OTHER = "somebody on the way to the cloud"


class About(enum.Enum):
    """Subject of an answer."""

    UNIT = "this unit"
    PRODUCT = "the product"
    ACCOUNT = "the account"  # its token, its team, its plan
    STATION = "what the station asked"  # most likely a value in the profile
    MOMENT = "this moment"


class Follows(enum.Enum):
    """What an answer lets the station do."""

    JUDGE = "judge the unit, when a second look shows the same"
    WAIT = "wait for whoever can mend it"
    AWAY = "go on as if the cloud were away"


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows from an answer. ``who`` can fix it, for the record; ``say`` is for the operator."""

    follows: Follows
    who: str
    mender: Mender
    say: Say


TABLE: Mapping[tuple[Speaker, About], Consequence] = {
    (Speaker.CLOUD, About.UNIT): Consequence(Follows.JUDGE, "the technician", Mender.PRODUCT, say=Say("cloud_refused")),
    (Speaker.CLOUD, About.PRODUCT): Consequence(
        Follows.WAIT, "the supervisor (the product, in the console)", Mender.PRODUCT, say=Say("cloud_mend")
    ),
    (Speaker.CLOUD, About.ACCOUNT): Consequence(
        Follows.WAIT, "the supervisor (the account's team, plan or token)", Mender.ACCOUNT, say=Say("cloud_mend")
    ),
    (Speaker.CLOUD, About.STATION): Consequence(
        Follows.WAIT, "the process engineer (the profile)", Mender.PROFILE, say=Say("cloud_mend")
    ),
    (Speaker.CLOUD, About.MOMENT): Consequence(Follows.AWAY, "nobody: it passes", Mender.NOBODY, say=Say("cloud_hold")),
    **{
        (Speaker.OTHER, about): Consequence(
            Follows.AWAY, "whoever looks after the network (portal, firewall, proxy)", Mender.NETWORK,
            say=Say("cloud_blocked"),
        )
        for about in About
    },
}  # fmt: skip


# --- who gave the answer -----------------------------------------------------------------------

_NEVER_THE_CLOUDS = frozenset({407, 451, 511})
"""Statuses sent only by something in between."""
BODILESS = frozenset({Route.SIM_RELEASE, Route.MEMBER_SIM_RELEASE, Route.MEMBER_REMOVAL})
"""Routes that the cloud answers with 204 and no body. Anybody could say so: a read-back has to follow."""


_MARKS: Mapping[Route, frozenset[str]] = {
    Route.LOGIN: frozenset({"access_token"}),
    Route.TOKEN: frozenset({"expires_at", "client", "client_id", "scopes"}),
    Route.USER: frozenset({"username"}),
    Route.ORGS: frozenset({"organizations"}),
    Route.PRODUCTS: frozenset({"products"}),
    Route.PRODUCT: frozenset({"product"}),
    Route.TEAM: frozenset({"team"}),
    Route.IMPORT: frozenset({
        "updated", "updatedDeviceIds", "existingDeviceIds", "nonmemberDeviceIds", "invalidDeviceIds",
        "protectedDeviceIds",
    }),
    Route.MEMBER: frozenset({"id", "online"}),
    Route.MEMBER_REMOVAL: frozenset(),
    Route.MEMBER_SIM: frozenset({"_id", "iccid", "sim"}),
    Route.MEMBERS: frozenset({"devices"}),
    Route.SIMS: frozenset({"sims"}),
    Route.GROUP: frozenset({"group"}),
    Route.DEVICE: frozenset({"id", "online"}),
    Route.DEVICES: frozenset({"devices"}),
    Route.CLAIM_CODE: frozenset({"claim_code"}),
    Route.CLIENTS: frozenset({"clients"}),
    Route.CUSTOMERS: frozenset({"access_token"}),
    Route.CUSTOMER_TOKEN: frozenset({"access_token"}),
    Route.CUSTOMER_CODE: frozenset({"claim_code"}),
    Route.CLAIM: frozenset({"id", "user_id", "deviceID", "customer_id", "transfer_id"}),
    Route.SIM: frozenset({"_id", "iccid", "sim"}),
    Route.SIM_RELEASE: frozenset(),
    Route.MEMBER_SIM_RELEASE: frozenset(),
    Route.SERIAL: frozenset({"device_id", "deviceID"}),
    Route.DEVICE_OS: frozenset({"base_url", "modules"}),
    Route.FIRMWARE: frozenset(),
    Route.BINARY: frozenset(),
}  # fmt: skip
"""Fields of a successful answer of each route, which has at least one of them (reference cloud-api, each route)."""
_ANYWHERE = "ok"
"""Occurs in successful and failed answers of any route."""

_SHAPES: Mapping[str, tuple[type, ...]] = {
    "ok": (bool,), "code": (int, str), "error": (str, dict), "error_description": (str,), "errors": (list,),
    "info": (str,), "message": (str,), "description": (str,), "violations": (list,), "output": (str,),
    "mfa_token": (str,),
}  # fmt: skip
"""Fields of the cloud's errors (reference cloud-api 1.1). Other servers add a path, a status, a link to log in."""
_SUBJECTS = (
    "device", "core", "sim", "serial", "group", "product", "firmware", "version", "customer", "client", "owner", "user",
    "org", "team",
)  # fmt: skip
_OF_A_ROUTER = re.compile(r"cannot (get|put|post|delete)|no (matching )?route|page not found|no such (route|path)")
"""A 404 of the cloud says what there is none of; a gateway that knows no such path says only that, and if its word were
taken, whatever is looked up would be gone: a SIM released, a unit out of its product."""
_ABOUT_TOKENS = "token"
"""Occurs in every 401 of the cloud (1.2: `invalid_token`); a portal asks for a login instead."""


def speaker(route: Route, answer: Heard) -> Speaker:
    """Return who gave ``answer``: the cloud only sends JSON of known shapes (reference cloud-api 1.1).

    An unknown shape is accepted with the cloud's request id, as the cloud may have changed. An empty object is not
    evidence, except for a claim: that is the cloud's answer for an offline device (5.1).
    """
    status, body = answer.status, answer.body
    if status == 204:
        return Speaker.CLOUD if route in BODILESS else Speaker.OTHER
    if (route, status) == (Route.BINARY, 200) and answer.file:  # whoever asked looks whether it is a module
        return Speaker.CLOUD
    if status in _NEVER_THE_CLOUDS or 300 <= status < 400 or not answer.is_json:
        return Speaker.OTHER
    if 200 <= status < 300:
        return Speaker.CLOUD if _is_good(route, answer) else Speaker.OTHER
    if status >= 500 or status in (408, 429):  # no need to look closer: the request is retried anyway
        return Speaker.CLOUD
    is_offline_claim = (route, status, body) == (Route.CLAIM, 404, {})
    return Speaker.CLOUD if is_offline_claim or _is_refusal(answer) else Speaker.OTHER


def _is_good(route: Route, answer: Heard) -> bool:
    body = answer.body
    if isinstance(body, list):
        return route in (Route.DEVICES, Route.FIRMWARE)
    if not isinstance(body, Mapping) or not body:
        return False
    return bool(answer.request_id) or _ANYWHERE in body or not _MARKS[route].isdisjoint(body)


def _is_refusal(answer: Heard) -> bool:
    body, said = answer.body, " ".join(texts_of(answer.body)).lower()
    if not isinstance(body, Mapping) or not said.strip():
        return False
    if answer.request_id:
        return True
    if answer.status == 404 and (_OF_A_ROUTER.search(said) or not any(word in said for word in _SUBJECTS)):
        return False
    is_of_a_known_shape = all(isinstance(value, _SHAPES.get(name, ())) for name, value in body.items())
    return is_of_a_known_shape and (answer.status != 401 or _ABOUT_TOKENS in said)


_TEXTS_AT = ("error_description", "error", "errors", "info", "message", "description", "output")
"""Fields in which an error says what is wrong, the most specific first (reference cloud-api 1.1)."""


def texts_of(body: object) -> list[str]:
    """Return the texts of an error body of any shape in reference cloud-api 1.1, field by field; "" for none."""
    return [_text_of(body.get(place)) for place in _TEXTS_AT] if isinstance(body, Mapping) else []


def _text_of(value: object, depth: int = 3) -> str:
    if isinstance(value, str):
        return value
    if depth and isinstance(value, list) and value:
        return _text_of(value[0], depth - 1)
    if depth and isinstance(value, Mapping):
        return _text_of(value.get("error") or value.get("message") or value.get("status"), depth - 1)
    return ""


# --- what it is about --------------------------------------------------------------------------

_OF_A_PRODUCT = frozenset({
    Route.PRODUCT, Route.TEAM, Route.IMPORT, Route.MEMBER, Route.MEMBERS, Route.GROUP, Route.MEMBER_SIM, Route.SIMS,
    Route.MEMBER_SIM_RELEASE, Route.MEMBER_REMOVAL, Route.CLIENTS, Route.CUSTOMERS, Route.CUSTOMER_CODE,
    Route.FIRMWARE, Route.BINARY,
})  # fmt: skip
_SIM_OF_A_PRODUCT = frozenset({Route.MEMBER_SIM, Route.MEMBER_SIM_RELEASE})
_SIM_OF_THE_ACCOUNT = frozenset({Route.SIM, Route.SIM_RELEASE})
_OF_A_CLIENT = frozenset({Route.CUSTOMERS, Route.CUSTOMER_TOKEN})
_ANY = frozenset(Route)


@dataclass(frozen=True, slots=True)
class Row:
    """An error of the cloud: its routes, its status, and a text it contains (lower case; "" for any)."""

    routes: frozenset[Route]
    status: int
    says: str
    about: About


def _row(routes: Route | frozenset[Route], status: int, says: str, about: About) -> Row:
    return Row(routes if isinstance(routes, frozenset) else frozenset({routes}), status, says, about)


ROWS: tuple[Row, ...] = (
    # the first matching row counts: the specific before the general
    # 1.2, 2.6: the token, and what it may do
    _row(_OF_A_CLIENT, 401, "", About.STATION),  # they bear no token: it is the profile's client that is refused
    _row(_ANY, 401, "", About.ACCOUNT),
    _row(Route.CUSTOMER_TOKEN, 400, "invalid_grant", About.UNIT),  # 2.1, 5.4: read as "there is no such customer yet"
    _row(_ANY, 400, "unauthorized", About.ACCOUNT),
    _row(_ANY, 400, "invalid_request", About.ACCOUNT),
    _row(_ANY, 400, "timed out", About.MOMENT),
    # 2.1, 2.2: a wrong password or code is about the account; the question for a code is one step of many
    _row(Route.LOGIN, 400, "", About.ACCOUNT),
    _row(Route.LOGIN, 403, "mfa_required", About.MOMENT),
    _row(_ANY, 400, "", About.STATION),
    _row(_ANY, 422, "", About.STATION),
    # 3.2, 4.1: a wrong product and a token outside its team cannot always be distinguished
    _row(_OF_A_PRODUCT, 404, "product not found", About.PRODUCT),
    _row(frozenset({Route.PRODUCT, Route.TEAM, Route.IMPORT, Route.MEMBERS, Route.SIMS}), 404, "", About.PRODUCT),
    _row(Route.CUSTOMER_CODE, 403, "", About.STATION),  # 5.3: the token is of another product's customer (K5)
    _row(_OF_A_PRODUCT, 403, "", About.ACCOUNT),
    _row(Route.GROUP, 404, "", About.UNIT),  # read as "there is none yet"
    # 4.2, 4.7: one device
    _row(Route.MEMBER, 404, "firmware", About.STATION),  # a lock to a version that was not uploaded (4.4)
    _row(Route.MEMBER, 404, "not found", About.UNIT),
    _row(Route.MEMBER_REMOVAL, 404, "", About.UNIT),
    _row(Route.DEVICE, 403, "permission denied", About.UNIT),
    _row(Route.DEVICE, 404, "", About.UNIT),
    # 5.1: claiming
    _row(Route.CLAIM, 403, "belongs to someone else", About.UNIT),
    _row(Route.CLAIM, 404, "does not exist", About.UNIT),
    _row(Route.CLAIM, 404, "", About.MOMENT),
    # 8.2: a SIM that does not exist, or belongs to somebody else
    _row(_SIM_OF_A_PRODUCT, 404, "", About.UNIT),
    _row(_SIM_OF_THE_ACCOUNT, 404, "", About.UNIT),
    _row(_SIM_OF_THE_ACCOUNT, 403, "", About.UNIT),
    # 6.1
    _row(Route.SERIAL, 404, "", About.UNIT),
    # the remaining 403 and 404: a token without permission, and a route that does not exist
    _row(_ANY, 403, "", About.ACCOUNT),
    _row(_ANY, 404, "", About.STATION),
    # 1.2: server errors, time-outs, and too many requests
    *(_row(_ANY, status, "", About.MOMENT) for status in (408, 429, 500, 502, 503, 504, 529)),
)


def about(route: Route, answer: Heard) -> About:
    """Return the subject of an error of the cloud itself.

    A 4xx without a row is about the account: a full plan, a locked product. A 200 with ``"ok": false`` refuses the
    station's request.
    """
    said, status = " ".join(texts_of(answer.body)).lower(), answer.status
    if 200 <= status < 300:
        return About.STATION
    if status >= 500:
        return About.MOMENT
    fits = (row for row in ROWS if route in row.routes and status == row.status and row.says in said)
    return next((row.about for row in fits), About.ACCOUNT)
