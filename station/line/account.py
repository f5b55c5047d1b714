"""Checks the account before the first unit: token, rights, team, product, clock, and the way to the cloud.

One place for `station run`, for opening a batch and for `station doctor`: a few looks at the cloud (`check_account`),
and pure functions that say what each of them means. Rules C3 E8 E14 J4.

What stops the line and what is only told: the line does not start where every unit would wait for a person, or where
a unit could come to the wrong product or owner: somebody stands at the keyboard now who can mend it. While the cloud
is away it starts, as a shift without internet is a shift. A wrong clock is told: no verdict rests on our clock, as
times of the cloud are compared with times of the cloud, but every record bears its times for good, so the doctor
wants it mended.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from drivers.clock import Clock, Deadline
from drivers.errors import DeadlineExceeded

from ..cloud import api, customer_api, login_api
from ..cloud.answers import CloudDevice, Product, TokenInfo
from ..cloud.call import Call
from ..cloud.client import TOKEN_SPENT_S, CloudClient
from ..cloud.errors import CloudDown, CloudError, CloudRefused, NotAllowed, TokenRejected
from ..cloud.evidence import About
from ..local_time import moment
from ..settings.profile import Profile
from ..steps import product_add
from ..steps.shared.allowed import Allowed
from ..steps.shared.cloud_sections import Cloud
from ..steps.shared.cloudwork import is_same_account
from ..steps.shared.cures import CURE_SCOPES
from ..steps.shared.customer_section import Customer
from ..steps.table import StepTable
from .bench import platform_name

T = TypeVar("T")
TOKEN_LASTS_S = 30 * 60.0
"""How long a token must still be valid when a shift or a batch begins (reference cloud-api 2.4)."""
SHIFT_S = 8 * 3600.0
CLOCK_SLIP_S = 60.0
PLAN_ROOM, PLAN_NEARLY_FULL = 100, 90
"""Developer devices of an account on the free plan (rule L1)."""
LOOK_AGAIN_S = (1.0, 2.0)
"""Pauses between looks at a refusal: reads lag, and a part of the cloud may know less. It counts when it stands."""


class State(enum.Enum):
    """Result of one check."""

    OK = "ok"  # nothing to do
    NOTE = "note"  # the bench works, but a person should know
    STOP = "STOP"  # the bench would not work


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``stops_line``: no batch is opened over it; ``tells_line``: one that is says so."""

    state: State
    what: str
    words: str
    stops_line: bool = False
    tells_line: bool = False


@dataclass(frozen=True, slots=True)
class Needs:
    """What the units of a profile need of the account. ``scopes``: each with the steps that ask for it."""

    profile: str
    ref: str | None  # the product, None: developer units
    platforms: Mapping[int, str]
    scopes: Mapping[str, tuple[str, ...]]
    only_people: tuple[str, ...]  # steps that no API user may do
    owner: str = ""  # who shall own the units, if not the account of the token
    client: str = ""  # the OAuth client whose customers shall own them


def needs_of(profile: Profile, steps: StepTable, allowed: Allowed | None = None) -> Needs:
    """Derive from the steps of ``profile``, and from what may be mended at its bench, what they ask of the account."""
    product, scopes = profile.section(product_add.Product), dict(steps.scopes(profile))
    for cure in dict.fromkeys(cure for unit in allowed.units for cure in unit.cures) if allowed is not None else ():
        scopes[CURE_SCOPES[cure]] = (*scopes.get(CURE_SCOPES[cure], ()), f"{cure.value} by the supervisor's list")
    return Needs(
        profile.id, None if product is None else product.ref, {row.id: row.name for row in profile.platforms},
        scopes, steps.only_for_people(profile), profile.section(Cloud).claim_user or "",
        customer.client_id if (customer := profile.section(Customer)) is not None else "",
    )  # fmt: skip


# --- the looks -----------------------------------------------------------------------------------


def check_account(
    client: CloudClient, clock: Clock, needs: Sequence[Needs], limit_s: float, *, asks_who: bool = False
) -> Iterator[Finding]:
    """Yield what stands in the way of ``needs``. Every question takes at most ``limit_s``; one cause is told once.

    ``asks_who``: whose token it is, even where nothing depends on it.
    """
    wrong = [_stop("cloud", f"{words}; no request leaves this host") for words in client.wrong_settings()]
    if wrong:
        yield from wrong
        yield _no_clock("no request leaves this host")
        return
    info = _standing(client, clock, api.token_info(), limit_s)
    who = ""
    if isinstance(info, TokenInfo) and (asks_who or any(one.only_people for one in needs)):
        who = _username(client, clock, limit_s)
    now = client.cloud_date or clock.utc()
    yield token_finding(info, who, now)
    yield clock_finding(client.cloud_date, clock.utc())
    is_spent = isinstance(info, TokenInfo) and not info.lasts(TOKEN_SPENT_S, now)
    for one in () if _ends(info) or is_spent else needs:
        yield from _rights(one, info)
        if one.ref is not None:
            product = _standing(client, clock, api.product(one.ref), limit_s)
            if _is_closed(product):
                who = who or _username(client, clock, limit_s)
            yield from product_findings(one, product, info, who)
            if _ends(product):
                return
            if one.owner and isinstance(product, Product):
                team = _standing(client, clock, login_api.team(one.ref), limit_s)
                yield from owner_findings(one, team)
            if one.client and isinstance(product, Product):
                clients = _standing(client, clock, customer_api.product_clients(one.ref), limit_s)
                yield client_finding(one, clients)
        elif isinstance(info, TokenInfo) and is_strange(info):
            mine = _standing(client, clock, login_api.user_products(), limit_s)
            if isinstance(mine, CloudRefused) and mine.status == 403:
                yield _customers(info, "sees no products of its own")
        elif isinstance(info, TokenInfo):
            owned = _standing(client, clock, api.my_devices(), limit_s)
            yield from room_findings(owned)


def _username(client: CloudClient, clock: Clock, limit_s: float) -> str:
    """Return whose token it is, "" where the cloud does not say."""
    user = _standing(client, clock, api.user(), limit_s)
    return "" if isinstance(user, CloudError) else user.username


def _is_closed(product: object) -> bool:
    """Return whether the cloud refuses this account the product: or there is none, which it does not tell apart."""
    return isinstance(product, CloudRefused) and product.status == 403 and not isinstance(product, NotAllowed)


def _ends(answer: object) -> bool:
    """Return whether every other question would end the same way."""
    return isinstance(answer, CloudError) and answer.is_widespread


def _standing(client: CloudClient, clock: Clock, call: Call[T], limit_s: float) -> T | CloudError:
    """Ask, and return the answer, or the error that still stands after `LOOK_AGAIN_S`."""
    deadline = Deadline.after(clock, limit_s)
    for seconds in (*LOOK_AGAIN_S, None):
        try:
            return client.run(call, deadline=deadline)
        except NotAllowed as error:
            return error
        except CloudRefused as error:
            if seconds is None or deadline.remaining <= seconds:
                return error
            clock.sleep(seconds)
        except CloudError as error:
            return error
        except DeadlineExceeded as error:
            return CloudDown(f"{call.what}: {error}")
    raise AssertionError("the last look returns")


# --- what they mean ------------------------------------------------------------------------------


def token_finding(info: TokenInfo | CloudError, who: str, now: datetime.datetime) -> Finding:
    """Say whether the token is good, whose it is, and whether it lasts for a shift; ``now``: the cloud's time."""
    match info:
        case NotAllowed():
            return Finding(
                State.NOTE,
                "token",
                "an API user's, which may not ask the cloud about itself: what it lacks shows when it is used",
            )
        case TokenRejected():
            return _stop("token", f"{info}")
        case CloudRefused():
            return _stop("token", info.told)
        case CloudError():
            return Finding(State.STOP, "cloud", info.told)
    name = f"{who}, " if who else ""
    whose = "an API user's" if info.scopes else "a person's" if not is_strange(info) else f"of the client {info.client}"
    if info.expires_at is None:
        return Finding(State.OK, "token", f"accepted: {name}{whose}, does not expire")
    until, minutes = moment(info.expires_at), (info.expires_at - now).total_seconds() / 60
    if info.lasts(SHIFT_S, now):
        return Finding(State.OK, "token", f"accepted: {name}{whose}, until {until}")
    if info.lasts(TOKEN_LASTS_S, now):
        words = f"accepted: {name}{whose}, but it expires within this shift ({until}); before that, run: station login"
        return Finding(State.NOTE, "token", words, tells_line=True)
    return _stop(
        "token", f"the token ({name}{whose}) expires in {max(0.0, minutes):.0f} min ({until}), and a shift needs at"
        f" least {TOKEN_LASTS_S / 60:.0f}; run: station login",
    )  # fmt: skip


def is_strange(info: TokenInfo) -> bool:
    """Return whether an OAuth client other than the vendor's tools had the token made: it may be a customer's."""
    return bool(info.client) and info.client not in login_api.PUBLIC_CLIENTS and not info.scopes


def _rights(needs: Needs, info: TokenInfo | CloudError) -> Iterator[Finding]:
    """Say what an API user's token lacks for the steps of a profile; a person's lacks nothing here."""
    is_api_user = isinstance(info, NotAllowed) or (isinstance(info, TokenInfo) and bool(info.scopes))
    if is_api_user and needs.only_people:
        steps = ", ".join(needs.only_people)
        yield _stop("scope", f"{needs.profile}: no API user may {steps}; log in as a person: station login")
    if not isinstance(info, TokenInfo) or not info.scopes:
        return
    for scope, asking in needs.scopes.items():
        if scope not in info.scopes:
            yield _stop(
                "scope", f"{needs.profile}: this API user lacks {scope}, for {', '.join(asking)}; add it in the"
                " console, which makes another token, then run: station login --paste",
            )  # fmt: skip


def product_findings(
    needs: Needs, product: Product | CloudError, info: TokenInfo | CloudError, who: str
) -> Iterator[Finding]:
    """Say whether the product of a profile is there, for its platform, and open to this account."""
    if isinstance(product, NotAllowed):
        return  # told as the scope that is missing
    if isinstance(product, CloudRefused) and product.about is About.PRODUCT:
        words = f"profile {needs.profile}: the cloud knows no product {needs.ref} ({product.words}); correct [product]"
        yield _stop("product", words)
    elif _is_closed(product):
        if isinstance(info, TokenInfo) and is_strange(info):
            yield _customers(info, f"may not see product {needs.ref}")
        else:
            yield _stop(
                "team", f"{who or 'the account of the token'} is not in the team of product {needs.ref}, or there is no"
                " such product: the cloud does not tell which; have it invited in the console, or correct [product]"
                " (E8)",
            )  # fmt: skip
    elif isinstance(product, CloudError):
        yield Finding(State.STOP, "product", product.told, stops_line=isinstance(product, CloudRefused))
    else:
        yield from _fits(needs, product)


def _fits(needs: Needs, product: Product) -> Iterator[Finding]:
    if set(needs.platforms) == {product.platform_id}:
        words = f"{product.id} ({product.name}) is there, for {needs.platforms[product.platform_id]}"
        yield Finding(State.OK, "product", words)
    else:
        wanted = ", ".join(needs.platforms.values())
        yield _stop(
            "product", f"profile {needs.profile}: product {needs.ref} is for {platform_name(product.platform_id)}, the"
            f" profile for {wanted} (C3); name a product for {wanted}",
        )  # fmt: skip
    if product.quarantine is False:
        yield Finding(
            State.NOTE, "product", f"{product.id} ({product.name}) takes in whatever device names it (auto-approve):"
            " anybody who knows its number can add devices; switch it off in the console (J4)",
            tells_line=True,
        )  # fmt: skip


def owner_findings(needs: Needs, team: tuple[str, ...] | CloudError) -> Iterator[Finding]:
    """Say whether who shall own the units is in the team of their product; a token may not be allowed to see it."""
    if isinstance(team, CloudError):
        words = f"whether {needs.owner} is in the team of product {needs.ref} is not known: {team}"
        yield Finding(State.NOTE, "team", words)
    elif not any(is_same_account(needs.owner, member) for member in team):
        yield _stop(
            "team", f"{needs.owner}, who shall own the units (claim_user), is not in the team of product {needs.ref}:"
            " have it invited in the console, or correct [cloud] (E8)",
        )  # fmt: skip


def client_finding(needs: Needs, clients: tuple[str, ...] | CloudError) -> Finding:
    """Say whether the product has the client that shall make its customers; a token may not be allowed to see it."""
    if isinstance(clients, CloudError):
        words = f"whether product {needs.ref} has the OAuth client {needs.client} is not known: {clients}"
        return Finding(State.NOTE, "client", words)
    if needs.client in clients:
        return Finding(State.OK, "client", f"product {needs.ref} has the OAuth client {needs.client}")
    return _stop(
        "client", f"profile {needs.profile}: product {needs.ref} has no OAuth client {needs.client}, and no other one"
        f" makes its customers (K5); it has {', '.join(clients) or 'none'}: correct [customer]",
    )  # fmt: skip


def room_findings(mine: tuple[CloudDevice, ...] | CloudError) -> Iterator[Finding]:
    """Say whether a free plan would soon be full (L1). The cloud does not tell the plan, so it stops nothing.

    Members of products that the account owns are listed, too, and do not count (L2 L3).
    """
    if isinstance(mine, CloudError):
        return
    own = sum(not device.is_product_device for device in mine)
    words = f"the account owns {own} developer devices"
    if own < PLAN_NEARLY_FULL:
        yield Finding(State.OK, "plan", words)
    else:
        words += f"; a free plan has room for {PLAN_ROOM}, and then no more can be claimed: look at the plan"
        yield Finding(State.NOTE, "plan", words, tells_line=True)


def _customers(info: TokenInfo, evidence: str) -> Finding:
    return _stop(
        "token", f"a token of the OAuth client {info.client} that {evidence}: a customer's, whose claims nobody would"
        " see (E14), or of an account outside the team (E8); log in as a member of the team: station login",
    )  # fmt: skip


def clock_finding(cloud: datetime.datetime | None, ours: datetime.datetime) -> Finding:
    """Compare our clock with the date of the cloud's latest answer."""
    if cloud is None:
        return _no_clock("no answer of the cloud told the time")
    slip = abs((cloud - ours).total_seconds())
    words = f"{slip:.0f} s off the cloud's"
    if slip < CLOCK_SLIP_S:
        return Finding(State.OK, "clock", words)
    return Finding(State.STOP, "clock", f"{words}; set it, as every record bears its times for good", tells_line=True)


def _no_clock(why: str) -> Finding:
    return Finding(State.NOTE, "clock", f"not compared with the cloud's: {why}")


def _stop(what: str, words: str) -> Finding:
    return Finding(State.STOP, what, words, stops_line=True)
