"""Implements ``station whoami``: whose token this station works with, what it may do, and until when."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from drivers.clock import Clock, Deadline, SystemClock

from ..cloud import api, login_api
from ..cloud.answers import Product, TokenInfo
from ..cloud.call import Call
from ..cloud.client import CloudClient
from ..cloud.errors import CloudError, CloudRefused, NotAllowed, TokenRejected
from ..line.account import is_strange
from ..line.bench import platform_name
from ..local_time import moment
from ..settings.config import load_config
from ..settings.logins import Kind
from .account import cloud_client, token_source
from .places import add_config
from .telling import tell

T = TypeVar("T")
ASK_S = 30.0


@dataclass(frozen=True, slots=True)
class _Account:
    """What the cloud tells of a token; None: it does not tell an API user."""

    info: TokenInfo | None
    username: str | None
    products: tuple[Product, ...] | None

    @property
    def kind(self) -> Kind:
        if self.info is None or self.info.scopes or self.username is None:
            return Kind.API_USER
        return Kind.CLIENT if is_strange(self.info) else Kind.PERSON


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = parsers.add_parser("whoami", help="whose token this station works with, what it may do, until when")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_config(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the account; returns 0. Raises `BadInput` without a token, `CloudError` when the cloud does not take it."""
    config, clock = load_config(arguments.config), SystemClock()
    source = token_source(config)
    token = source()
    with closing(cloud_client(config, lambda: token, clock)) as client:
        account = _look(client, clock)
    if arguments.json:
        tell(json.dumps({"cloud": config.cloud_url, **_facts(account), "kept": str(source)}))
    else:
        tell(f"cloud     {config.cloud_url}", *_told(account), f"kept in   {source}")
    return 0


def _look(client: CloudClient, clock: Clock) -> _Account:
    def told(call: Call[T], refused: type[CloudError] = CloudRefused) -> T | None:
        """Ask; None where the cloud refuses this token that question, in a way that is an answer to it."""
        try:
            return client.run(call, deadline=Deadline.after(clock, ASK_S))
        except TokenRejected:
            raise
        except refused:
            return None

    # any other refusal of these two says nothing of the token
    info, user = told(api.token_info(), NotAllowed), told(api.user(), NotAllowed)
    own, orgs = told(login_api.user_products()), told(login_api.orgs())
    of_orgs = (one for org in orgs or () for one in told(login_api.org_products(org)) or ())
    products = {one.id: one for one in (*(own or ()), *of_orgs)}
    is_told = own is not None or orgs is not None
    return _Account(info, None if user is None else user.username, tuple(products.values()) if is_told else None)


def _told(account: _Account) -> Iterator[str]:
    info = account.info
    made_by = f", made by the client {info.client}" if info is not None and info.client else ""
    yield f"account   {account.username or 'not told to this token'}"
    yield f"token     {account.kind.value}{made_by}"
    if info is None:
        yield "scopes    not told to this token"
        yield "expires   not told to this token"
    else:
        yield f"scopes    {', '.join(info.scopes) or 'all that the account may'}"
        yield f"expires   {'never' if info.expires_at is None else moment(info.expires_at)}"
    if account.products is None:
        yield "products  not told to this token; see: station doctor --profile P"
    for one in account.products or ():
        yield f"product   {one.id} {one.slug or one.name}, for {platform_name(one.platform_id)}"
    if account.products == ():
        yield "products  none: in the team of no product"


def _facts(account: _Account) -> dict[str, object]:
    info, products = account.info, account.products
    return {
        "account": account.username, "kind": account.kind.name.lower(), "client": None if info is None else info.client,
        "scopes": None if info is None else list(info.scopes),
        "expires_at": None if info is None or info.expires_at is None else info.expires_at.isoformat(),
        "products": None if products is None else [
            {"id": one.id, "slug": one.slug, "name": one.name, "platform_id": one.platform_id} for one in products
        ],
    }  # fmt: skip
