"""What stands in the way of a shift, asked of a virtual cloud over real HTTP: one finding for each cause, once."""

from __future__ import annotations

import datetime
import random
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import pytest
import requests
from support.cloud_bench import ME, PRODUCT, populate
from support.known_steps import STEPS, parse_profile

from drivers.clock import SimulatedClock
from drivers.identity import DeviceId, Secret
from station.cli.doctor_cloud import ASK_S
from station.cloud import login_api
from station.cloud.client import CloudClient
from station.cloud.virtual import Fault, FaultKind, Quirks, VirtualCloud
from station.cloud.virtual.faults import Who
from station.line.account import Finding, Needs, State, check_account, clock_finding, needs_of
from station.steps.shared.allowed import Allowed, AllowedUnit, Cure

BORON = f'id = "widget"\nrevision = 1\nkind = "product"\nplatforms = ["boron"]\n[product]\nid = {PRODUCT}\n'
DEVELOPER = """\
id = "dev"
revision = 1
kind = "developer"
platforms = ["argon"]
[cloud]
claim = true
online = true
"""
EVERYTHING = f"""{BORON}
[groups]
names = ["rev-b"]
[notes]
text = "order 4711"
[firmware_lock]
version = 7
[cloud]
development = true
online = true
"""
ALL = (
    "devices:get", "devices:import", "devices:list", "devices:ping", "devices:update", "groups:create", "groups:get",
    "products:get", "sims:get", "sims:import", "sims:list",
)  # fmt: skip
"""What reference cloud-api 2.6 wants for the steps of `EVERYTHING`."""


def needs(text: str) -> Needs:
    return needs_of(parse_profile(text.encode()), STEPS)


@dataclass
class Desk:
    """A cloud, a token, and what is found out about both."""

    cloud: VirtualCloud
    clock: SimulatedClock
    token: Secret
    url: str = ""

    def find(self, *profiles: str, asks_who: bool = True) -> list[Finding]:
        """What is found, all of it; nothing may be told twice."""
        token, url = self.token, self.url or self.cloud.base_url
        with closing(CloudClient(url, lambda: token, self.clock, rng=random.Random(1))) as client:
            wanted = [needs(text) for text in profiles or (BORON,)]
            found = list(check_account(client, self.clock, wanted, ASK_S, asks_who=asks_who))
        assert len({one.words for one in found}) == len(found)
        assert all(token.reveal() not in one.words for one in found)
        return found

    def stop(self, *profiles: str) -> Finding:
        """The only finding that stops the bench."""
        (found,) = [one for one in self.find(*profiles) if one.state is State.STOP]
        return found

    def become_api_user(self, *scopes: str) -> None:
        name = "line+1@api.particle.io"
        self.token = self.cloud.create_token(name, is_api=True, scopes=scopes)
        self.cloud.create_product(PRODUCT, 13, slug="widget-boron", name="Widget", team=[name])

    def customers_token(self) -> Secret:
        """A token of a customer of the product, made as a phone app has it made."""
        name, secret = self.cloud.create_client("widget-app", ME, PRODUCT)
        form = {"client_id": name, "client_secret": secret.reveal(), "grant_type": "client_credentials"}
        form |= {"email": "buyer@example.net", "no_password": "true"}
        url = f"{self.cloud.base_url}/v1/products/{PRODUCT}/customers"
        return Secret(requests.post(url, data=form, timeout=60).json()["access_token"])


@pytest.fixture
def desk() -> Iterator[Desk]:
    clock = SimulatedClock()
    with clock.registered(), closing(VirtualCloud(clock)) as cloud:
        token = populate(cloud)
        cloud.serve()
        yield Desk(cloud, clock, token)


@contextmanager
def behind(desk: Desk, fault: Fault) -> Iterator[None]:
    desk.cloud.order(fault)
    yield
    desk.cloud.cancel_faults()


# --- all is well ----------------------------------------------------------------------------------


def test_a_person_in_the_team_with_a_product_for_the_platform_may_begin(desk: Desk) -> None:
    found = desk.find(BORON, DEVELOPER)
    assert {one.state for one in found} == {State.OK}
    assert [one.what for one in found] == ["token", "clock", "product", "plan"]
    assert found[0].words == f"accepted: {ME}, a person's, does not expire"
    assert found[2].words == f"{PRODUCT} (Widget) is there, for Boron"


def test_a_batch_asks_two_questions_and_one_more_where_units_are_claimed(desk: Desk) -> None:
    def asked(text: str) -> list[str]:
        before = len(desk.cloud.requests())
        desk.find(text, asks_who=False)
        return [one.route for one in desk.cloud.requests()[before:]]

    assert asked(BORON) == ["GET /v1/access_tokens/current", "GET /v1/products/:p"]
    claiming = BORON + "[cloud]\nclaim = true\n"
    assert asked(claiming) == ["GET /v1/access_tokens/current", "GET /v1/user", "GET /v1/products/:p"]


# --- the token ------------------------------------------------------------------------------------


@pytest.mark.rule("N4")
@pytest.mark.parametrize("minutes", [29, 6, 4])
def test_a_token_that_expires_within_the_next_half_hour_stops_the_line(minutes: int, desk: Desk) -> None:
    desk.token = desk.cloud.create_token(ME, expires_in=60 * minutes)
    stop = desk.stop()
    assert (stop.what, stop.stops_line) == ("token", True)
    assert f"expires in {minutes} min" in stop.words
    assert stop.words.endswith("run: station login")


@pytest.mark.parametrize(("hours", "state"), [(0.6, State.NOTE), (7.9, State.NOTE), (8.1, State.OK)])
def test_a_token_that_expires_within_the_shift_is_told_at_its_start(hours: float, state: State, desk: Desk) -> None:
    desk.token = desk.cloud.create_token(ME, expires_in=3600 * hours)
    (token,) = [one for one in desk.find() if one.what == "token"]
    assert (token.state, token.stops_line, token.tells_line) == (state, False, state is State.NOTE)
    assert ("before that, run: station login" in token.words) is (state is State.NOTE)


def test_a_token_that_is_no_good_is_told_once_and_nothing_else_is_asked(desk: Desk) -> None:
    desk.cloud.revoke_tokens(ME)
    stop = desk.stop(BORON, EVERYTHING)
    assert (stop.what, stop.stops_line) == ("token", True)
    assert "run: station login" in stop.words
    assert {one.route for one in desk.cloud.requests()} == {"GET /v1/access_tokens/current"}


def test_a_refusal_that_does_not_stand_is_none(desk: Desk) -> None:
    """Reads lag: a token that was made just now may be unknown to a part of the cloud for a moment."""
    invalid = {"error": "invalid_token", "error_description": "The access token provided is invalid."}
    desk.cloud.order(Fault(FaultKind.STATUS, "GET /v1/access_tokens/current", status=401, body=invalid, times=2))
    denied = {"ok": False, "error": "Permission denied"}
    desk.cloud.order(Fault(FaultKind.STATUS, "GET /v1/products/:p", status=403, body=denied, times=1))
    assert {one.state for one in desk.find()} == {State.OK}


@pytest.mark.rule("E14")
@pytest.mark.parametrize("profile", [BORON, DEVELOPER], ids=["product", "developer"])
def test_a_customers_token_is_refused_at_the_start(profile: str, desk: Desk) -> None:
    desk.token = desk.customers_token()
    stop = desk.stop(profile)
    assert (stop.what, stop.stops_line) == ("token", True)
    assert "widget-app" in stop.words
    assert "a customer's" in stop.words
    assert "(E14)" in stop.words


def test_the_token_of_ones_own_oauth_client_is_as_good_as_a_persons(desk: Desk) -> None:
    client = desk.cloud.create_client("line-3", ME)
    with closing(CloudClient(desk.cloud.base_url, lambda: Secret(""), desk.clock)) as anybody:
        granted = anybody.run(login_api.client_login(client))
    assert isinstance(granted, login_api.Granted)
    desk.token = granted.token
    found = desk.find(BORON, DEVELOPER)
    assert {one.state for one in found} == {State.OK}
    assert "of the client line-3" in found[0].words


# --- rights ---------------------------------------------------------------------------------------


def test_what_a_profile_needs_is_what_the_reference_says_of_its_steps() -> None:
    assert set(needs(EVERYTHING).scopes) == set(ALL)
    assert needs(BORON).only_people == ()
    assert needs(DEVELOPER).only_people == ("claim",)


def test_an_api_user_with_all_scopes_that_are_asked_for_may_begin(desk: Desk) -> None:
    desk.become_api_user(*ALL)
    found = desk.find(EVERYTHING)
    assert {one.state for one in found} == {State.OK}
    assert "an API user's" in found[0].words


@pytest.mark.parametrize("missing", ALL)
def test_each_scope_that_is_missing_is_named_with_the_steps_that_need_it(missing: str, desk: Desk) -> None:
    desk.become_api_user(*(one for one in ALL if one != missing))
    stop = desk.stop(EVERYTHING)
    assert (stop.what, stop.stops_line) == ("scope", True)
    steps = ", ".join(needs(EVERYTHING).scopes[missing])
    assert stop.words.startswith(f"widget: this API user lacks {missing}, for {steps}; add it in the console")


@pytest.mark.parametrize(("cure", "scope"), [(Cure.UNCLAIM, "devices:release"), (Cure.UNMARK, "devices:update")])
def test_what_a_supervisors_list_lets_the_bench_mend_needs_its_scope(cure: Cure, scope: str, desk: Desk) -> None:
    allowed = Allowed("0417", "B-1", (AllowedUnit("e00fce68aaaa000000000001", (cure,)),), "0" * 64)
    wanted = needs_of(parse_profile(BORON.encode()), STEPS, allowed)
    desk.become_api_user(*(one for one in wanted.scopes if one != scope))
    token = desk.token
    with closing(CloudClient(desk.cloud.base_url, lambda: token, desk.clock)) as client:
        found = list(check_account(client, desk.clock, [wanted], ASK_S))
    (stop,) = [one for one in found if one.stops_line]
    assert f"lacks {scope}, for " in stop.words
    assert f"{cure.value} by the supervisor's list" in stop.words


def test_an_api_user_cannot_claim_whatever_its_scopes(desk: Desk) -> None:
    desk.become_api_user(*ALL)
    stop = desk.stop(BORON + "[cloud]\nclaim = true\n")
    assert stop.words == "widget: no API user may claim; log in as a person: station login"


def test_an_api_user_that_may_not_ask_for_its_scopes_begins_and_claims_nothing(desk: Desk) -> None:
    """Nobody has seen whether an API user may look at its own token (reference cloud-api 2.6)."""
    desk.become_api_user(*ALL)
    refused = {"error": "unauthorized", "error_description": "API users are not allowed to call this endpoint"}
    desk.cloud.order(Fault(FaultKind.STATUS, "GET /v1/access_tokens/current", status=400, body=refused, times=None))
    assert next((one.state, one.what) for one in desk.find(EVERYTHING)) == (State.NOTE, "token")
    assert [one.what for one in desk.find(DEVELOPER) if one.stops_line] == ["scope"]


# --- team and product -----------------------------------------------------------------------------


@pytest.mark.rule("E8")
def test_an_account_outside_the_team_is_refused_at_the_start_and_named(desk: Desk) -> None:
    desk.token = desk.cloud.create_token("stranger@example.com")
    stop = desk.stop()
    assert (stop.what, stop.stops_line) == ("team", True)
    assert stop.words.startswith(f"stranger@example.com is not in the team of product {PRODUCT}")


OWNED = BORON + '[cloud]\nclaim = true\nclaim_user = "{owner}"\n'


@pytest.mark.rule("E8")
def test_who_shall_own_the_units_is_looked_for_in_the_team(desk: Desk) -> None:
    stop = desk.stop(OWNED.format(owner="stranger@example.com"))
    assert (stop.what, stop.stops_line) == ("team", True)
    assert stop.words.startswith("stranger@example.com, who shall own the units (claim_user), is not in the team of")
    assert {one.state for one in desk.find(OWNED.format(owner=ME.upper()))} == {State.OK}


def test_an_api_user_may_give_units_to_a_team_it_may_not_see(desk: Desk) -> None:
    desk.become_api_user(*ALL)
    found = desk.find(OWNED.format(owner=ME))
    assert not [one for one in found if one.state is State.STOP]
    assert [one.what for one in found if one.state is State.NOTE] == ["team"]


FOR_CUSTOMERS = (
    f'{BORON}[customer]\nemail = "unit-{{id}}@customers.example.com"\nclient_id = "widget-shop"\n'
    'client_secret = "env:S"\n'
)


@pytest.mark.rule("K5")
def test_the_client_that_makes_customers_is_looked_for_in_the_product(desk: Desk) -> None:
    desk.cloud.create_client("mine", ME)
    desk.cloud.create_client("widget-app", ME, PRODUCT)
    stop = desk.stop(FOR_CUSTOMERS)
    assert (stop.what, stop.stops_line) == ("client", True)
    assert "has no OAuth client widget-shop, and no other one makes its customers (K5); it has widget-app" in stop.words
    desk.cloud.create_client("widget-shop", ME, PRODUCT)
    assert {one.state for one in desk.find(FOR_CUSTOMERS)} == {State.OK}


def test_an_api_user_may_work_with_a_client_it_may_not_see(desk: Desk) -> None:
    desk.become_api_user(*ALL)
    found = desk.find(FOR_CUSTOMERS)
    assert not [one for one in found if one.state is State.STOP]
    assert [one.what for one in found if one.state is State.NOTE] == ["client"]


def test_a_product_the_cloud_does_not_know_is_named(desk: Desk) -> None:
    stop = desk.stop(BORON.replace(str(PRODUCT), "20999"))
    assert (stop.what, stop.stops_line) == ("product", True)
    assert "the cloud knows no product 20999 (Product not found.); correct [product]" in stop.words


@pytest.mark.rule("C3")
@pytest.mark.parametrize("as_list", [False, True])
def test_a_product_for_another_platform_is_named_with_both(as_list: bool, desk: Desk) -> None:
    desk.cloud.quirks = Quirks(product_as_list=as_list)
    stop = desk.stop(BORON.replace("boron", "argon"))
    assert (stop.what, stop.stops_line) == ("product", True)
    assert f"product {PRODUCT} is for Boron, the profile for Argon (C3)" in stop.words


@pytest.mark.rule("J4")
def test_a_product_that_admits_everybody_is_warned_about_and_stops_nothing(desk: Desk) -> None:
    desk.cloud.edit_product(PRODUCT, quarantine=0)
    found = desk.find()
    assert not [one for one in found if one.state is State.STOP]
    (note,) = [one for one in found if one.state is State.NOTE]
    assert (note.what, note.tells_line) == ("product", True)
    assert "auto-approve" in note.words
    assert "(J4)" in note.words


# --- the way to the cloud, and its time -----------------------------------------------------------


def page(status: int, who: Who) -> Fault:
    return Fault(FaultKind.HTML, status=status, who=who, times=None)


def answer(status: int, retry_after: str | None = None) -> Fault:
    return Fault(FaultKind.STATUS, status=status, retry_after=retry_after, times=None)


SAID: list[tuple[str, Fault, str]] = [
    ("a portal", page(302, Who.PORTAL), "somebody else answers in the cloud's place"),
    ("a portal's page", page(200, Who.PORTAL), "is there a proxy, firewall or portal in between?"),
    ("a firewall", page(403, Who.FIREWALL), "an answer 403 that is not the cloud's"),
    ("log in to the network", page(511, Who.NETWORK), "511"),
    ("rate limited", answer(429), "the cloud asks for fewer requests"),
    ("rate limited for a day", answer(429, "86400"), "the cloud asks for fewer requests"),
    ("sick", answer(503), "the cloud has a problem"),
    ("silent", Fault(FaultKind.SLOW, seconds=100.0, times=None), "no answer came back"),
]


@pytest.mark.parametrize(("fault", "words"), [row[1:] for row in SAID], ids=[row[0] for row in SAID])
def test_a_cloud_that_does_not_answer_is_told_once_for_what_it_is_and_a_line_may_begin(
    fault: Fault, words: str, desk: Desk
) -> None:
    with behind(desk, fault):
        stop = desk.stop(BORON, EVERYTHING)
    assert (stop.what, stop.stops_line) == ("cloud", False)
    assert words in stop.words
    assert desk.clock.now() <= ASK_S + 1.0


def test_a_name_server_that_knows_nothing_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    desk.url = "https://cloud.invalid"
    stop = desk.stop()
    assert (stop.what, stop.stops_line) == ("cloud", False)
    assert "no name server (DNS) knows the cloud's name" in stop.words


def test_a_wrong_setting_of_this_host_stops_the_line_before_anything_is_asked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1080")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent/ca.pem")
    desk.url = "https://cloud.invalid"
    found = [one for one in desk.find() if one.state is State.STOP]
    assert [(one.what, one.stops_line) for one in found] == [("cloud", True)] * 2
    assert "a SOCKS proxy is set on this host (HTTPS_PROXY)" in found[0].words
    assert "REQUESTS_CA_BUNDLE names on this host is not there: /nonexistent/ca.pem" in found[1].words


@pytest.mark.parametrize(("slip_s", "state"), [(59.0, State.OK), (61.0, State.STOP), (-3600.0, State.STOP)])
def test_a_clock_more_than_a_minute_off_the_clouds_is_told_and_lets_the_line_begin(
    slip_s: float, state: State, desk: Desk
) -> None:
    ours = desk.clock.utc()
    found = clock_finding(ours + datetime.timedelta(seconds=slip_s), ours)
    assert (found.state, found.stops_line) == (state, False)
    assert found.words.startswith(f"{abs(slip_s):.0f} s off the cloud's")
    assert found.tells_line is (state is State.STOP)


def test_the_clouds_time_is_read_of_its_answer(desk: Desk) -> None:
    (clock,) = [one for one in desk.find() if one.what == "clock"]
    assert clock.state is State.OK


# --- what a free plan has room for ----------------------------------------------------------------


def owned(desk: Desk, developers: int, members: int = 0) -> None:
    """Let the account own so many developer units, and so many members of its product."""
    for number in range(developers + members):
        device_id = DeviceId(f"e00fce68{number:016x}")
        desk.cloud.register_unit(device_id, 13)
        desk.cloud.edit_device(device_id, owner=ME, product_id=PRODUCT if number >= developers else None)


def plan(desk: Desk) -> Finding:
    (found,) = [one for one in desk.find(DEVELOPER) if one.what == "plan"]
    return found


@pytest.mark.rule("L1")
@pytest.mark.parametrize(("count", "state"), [(89, State.OK), (90, State.NOTE), (100, State.NOTE)])
def test_an_account_with_nearly_as_many_developer_units_as_a_free_plan_has_room_for_is_told(
    desk: Desk, count: int, state: State
) -> None:
    owned(desk, count)
    found = plan(desk)
    assert found.state is state
    assert found.words.startswith(f"the account owns {count} developer devices")
    assert found.tells_line is (state is State.NOTE)


@pytest.mark.rule("L2")
@pytest.mark.rule("L3")
def test_members_of_products_are_listed_among_the_accounts_devices_and_not_counted(desk: Desk) -> None:
    owned(desk, 80, members=15)
    assert plan(desk) == Finding(State.OK, "plan", "the account owns 80 developer devices")


def test_who_may_not_list_devices_is_told_nothing_of_plans(desk: Desk) -> None:
    desk.become_api_user("devices:get")
    assert not [one for one in desk.find(DEVELOPER) if one.what == "plan"]
