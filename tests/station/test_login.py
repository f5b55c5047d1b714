"""``station login``, ``logout`` and ``whoami`` as a person uses them: on a terminal, against a cloud over real HTTP."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.terminal_child import Spoken, on_terminal

from drivers.clock import SystemClock
from drivers.identity import Secret
from station.cloud.virtual import Fault, FaultKind, VirtualCloud
from station.settings.logins import LOGIN_FILE, Kind, LoginStore

ME, PRODUCT = "line@example.com", 20001
PASSWORD, SEED = "canary-password-of-a-test", "JBSWY3DPEHPK3PXP"
LOGIN = "POST /oauth/token"
Answer = str | Callable[[], str]


@dataclass
class Desk:
    """A cloud, and a person with a fresh configuration."""

    cloud: VirtualCloud
    folder: Path

    def say(self, *arguments: str, answers: tuple[tuple[str, Answer], ...] = (), **environ: str) -> Spoken:
        """Run ``station ARGUMENTS`` and answer what it asks; nothing secret may stand on the terminal."""
        environ = {
            "XDG_CONFIG_HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder / "data"), "PARTICLE_TOKEN": "",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", **environ,
        }  # fmt: skip
        said = on_terminal(arguments, answers, environ)
        for _, answer in answers[1:]:
            assert not isinstance(answer, str) or answer not in said.text + said.command
        return said

    def log_in(self, *options: str) -> Spoken:
        return self.say("login", *options, answers=(("Account", ME), ("Password", PASSWORD)))

    @property
    def store(self) -> LoginStore:
        return LoginStore(self.folder / "provisioning-station", self.cloud.base_url)

    def asked(self, route: str) -> int:
        return sum(one.route == route for one in self.cloud.requests())

    def code(self) -> str:
        return self.cloud.one_time_password(ME)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with closing(VirtualCloud(SystemClock())) as cloud:
        cloud.create_user(ME, Secret(PASSWORD))
        cloud.create_product(PRODUCT, 13, slug="widget", name="Widget", team=[ME])
        cloud.serve()
        folder = tmp_path / "config"
        (folder / "provisioning-station").mkdir(parents=True)
        config = f'[cloud]\nurl = "{cloud.base_url}"\n'
        (folder / "provisioning-station" / "station.toml").write_text(config)
        yield Desk(cloud, folder)


# --- logging in -----------------------------------------------------------------------------------


def test_account_and_password_are_asked_for_and_the_token_is_kept(desk: Desk) -> None:
    said = desk.log_in()
    assert said.status == 0, said.text
    assert f"logged in: {ME}, a person's token, until " in said.text
    login = desk.store.find()
    assert login is not None
    assert (login.kind, login.username, login.is_ours) == (Kind.PERSON, ME, True)
    assert stat.S_IMODE(desk.store.path.stat().st_mode) == 0o600


def test_a_second_login_makes_no_other_token_while_the_first_lives(desk: Desk) -> None:
    desk.log_in()
    said = desk.say("login")
    assert said.status == 0
    assert f"logged in already: {ME}, until " in said.text
    assert desk.asked(LOGIN) == 1


def test_a_token_about_to_expire_is_replaced_and_the_old_one_deleted(desk: Desk) -> None:
    desk.log_in()
    before = desk.store.find()
    assert before is not None
    desk.cloud._store.run("UPDATE tokens SET expires_at = ?", "2026-01-01T00:00:00+00:00")
    assert desk.log_in().status == 0
    assert desk.asked(LOGIN) == 2
    desk.log_in("--replace")
    assert desk.asked("DELETE /v1/access_tokens/current") >= 1
    assert desk.asked("DELETE /v1/access_tokens") == 0
    (left,) = desk.cloud._store.rows("SELECT * FROM tokens WHERE expires_at > '2026-06-01'")
    assert left["username"] == ME


def test_a_one_time_code_is_asked_for_and_may_be_wrong_twice(desk: Desk) -> None:
    desk.cloud.create_user(ME, otp_secret=Secret(SEED))
    answers: tuple[tuple[str, Answer], ...] = (
        ("Account", ME), ("Password", PASSWORD), ("One-time", "000000"), ("One-time", "00 00 00"),
        ("One-time", desk.code),
    )  # fmt: skip
    said = desk.say("login", answers=answers)
    assert said.status == 0, said.text
    assert "wrong code, or too late (OTP expired); 1 more try" in said.text
    assert desk.store.find() is not None


def test_three_wrong_codes_are_enough(desk: Desk) -> None:
    desk.cloud.create_user(ME, otp_secret=Secret(SEED))
    answers = (("Account", ME), ("Password", PASSWORD), *[("One-time", "000000")] * 3)
    said = desk.say("login", answers=answers)
    assert said.status == 2
    assert "wrong code, or too late, 3 times: the station stops here" in said.text
    assert desk.asked(LOGIN) == 4


def test_after_three_wrong_passwords_the_station_stops_far_from_the_lock_of_the_site(desk: Desk) -> None:
    said = desk.say("login", answers=(("Account", ME), *[("Password", f"wrong password {n}") for n in range(3)]))
    assert said.status == 2
    assert "ten wrong logins in a row lock everybody at this internet address out for 30 minutes" in said.text
    assert "SSO" in said.text
    assert "station login --paste" in said.text
    assert desk.asked(LOGIN) == 3
    assert desk.store.find() is None


def test_a_site_that_is_locked_out_is_told_to_wait(desk: Desk) -> None:
    locked = {"error": "too_many_requests", "error_description": "Too many failed logins"}
    desk.cloud.order(Fault(FaultKind.STATUS, LOGIN, status=429, body=locked, retry_after="1800", times=None))
    said = desk.log_in()
    assert said.status == 2
    assert "the cloud asks to wait until " in said.text
    assert "wait half an hour" in said.text
    assert desk.asked(LOGIN) == 1


def test_a_login_whose_answer_got_lost_is_not_repeated_by_itself(desk: Desk) -> None:
    desk.cloud.order(Fault(FaultKind.DROP_AFTER, LOGIN))
    said = desk.log_in()
    assert said.status == 3
    assert "it may have been done" in said.text
    assert desk.asked(LOGIN) == 1


def test_a_token_that_was_made_is_kept_although_the_cloud_then_goes_away(desk: Desk) -> None:
    desk.cloud.order(Fault(FaultKind.STATUS, "/v1/user", status=429, retry_after="3600", times=None))
    said = desk.log_in()
    assert said.status == 0, said.text
    login = desk.store.find()
    assert login is not None
    assert login.is_ours


def test_a_pasted_token_is_looked_at_and_kept(desk: Desk) -> None:
    token = desk.cloud.create_token(ME)
    said = desk.say("login", "--paste", answers=(("Token", token.reveal()),))
    assert said.status == 0
    assert token.reveal() not in said.text
    assert f"logged in: {ME}, a person's token, does not expire" in said.text
    login = desk.store.find()
    assert login is not None
    assert not login.is_ours


def test_an_api_users_token_is_told_as_that(desk: Desk) -> None:
    token = desk.cloud.create_token("line+1@api.particle.io", is_api=True, scopes=["devices:get"])
    assert desk.say("login", "--paste", answers=(("Token", token.reveal()),)).status == 0
    said = desk.say("whoami")
    assert "token     an API user's" in said.text
    assert "scopes    devices:get" in said.text
    assert "expires   never" in said.text


@pytest.mark.parametrize(
    ("text", "words"), [("has blanks in it", "is no token"), ("0" * 40, "does not take this token")]
)
def test_a_pasted_text_that_is_no_token_is_refused_and_not_repeated(text: str, words: str, desk: Desk) -> None:
    said = desk.say("login", "--paste", answers=(("Token", text),))
    assert said.status == 2
    assert words in said.text
    assert text not in said.text
    assert desk.store.find() is None


def test_id_and_secret_of_an_oauth_client_are_asked_for(desk: Desk) -> None:
    name, secret = desk.cloud.create_client("line-3", ME)
    wrong = desk.say("login", "--client", answers=(("Client ID", name), ("Client secret", "no-such-secret")))
    assert (wrong.status, "no token for the client line-3" in wrong.text) == (2, True)
    said = desk.say("login", "--client", answers=(("Client ID", name), ("Client secret", secret.reveal())))
    assert said.status == 0, said.text
    assert f"logged in: {ME}, an OAuth client's token" in said.text


def test_without_a_terminal_nothing_is_asked(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    from station.cli.main import main

    config = desk.folder / "provisioning-station" / "station.toml"
    assert main(["login", "--config", str(config)]) == 2
    assert "station login --token-stdin" in capsys.readouterr().err


@pytest.mark.parametrize("way", ["--paste", "--token-stdin", "--client"])
def test_an_account_is_named_for_a_password_only(way: str, desk: Desk) -> None:
    said = desk.say("login", way, "--user", ME)
    assert (said.status, "--user is for a login by password" in said.text) == (2, True)


def test_a_variable_that_goes_first_is_told(desk: Desk) -> None:
    said = desk.say("login", answers=(("Account", ME), ("Password", PASSWORD)), PARTICLE_TOKEN="another")
    assert "note: PARTICLE_TOKEN is set here and goes first at the next start; unset it" in said.text


# --- logging out, and who it is -------------------------------------------------------------------


def test_logging_out_deletes_our_token_in_the_cloud_and_no_other(desk: Desk) -> None:
    desk.cloud.create_token(ME)
    desk.log_in()
    said = desk.say("logout")
    assert (said.status, said.text) == (0, f"logged out: {ME}\n")
    assert len(desk.cloud._store.rows("SELECT * FROM tokens")) == 1
    assert desk.asked("DELETE /v1/access_tokens") == 0
    assert desk.store.find() is None
    assert desk.say("logout").status == 0


def test_a_pasted_token_stays_good_for_whoever_else_has_it(desk: Desk) -> None:
    token = desk.cloud.create_token(ME)
    desk.say("login", "--paste", answers=(("Token", token.reveal()),))
    said = desk.say("logout")
    assert said.status == 0
    assert "may be in use elsewhere, so it stays good in the cloud" in said.text
    assert not [one for one in desk.cloud.requests() if one.method == "DELETE"]


def test_a_logout_while_the_cloud_is_away_forgets_the_token_and_says_that_it_lives(desk: Desk) -> None:
    desk.log_in()
    gone = Fault(FaultKind.STATUS, "DELETE /v1/access_tokens/current", status=429, retry_after="3600", times=None)
    desk.cloud.order(gone)
    said = desk.say("logout")
    assert said.status == 1
    assert "the token lives on in the cloud, as it could not be deleted" in said.text
    assert desk.store.find() is None


def test_a_deletion_whose_answer_got_lost_is_decided_by_a_look(desk: Desk) -> None:
    desk.log_in()
    desk.cloud.order(Fault(FaultKind.DROP_AFTER, "DELETE /v1/access_tokens/current"))
    said = desk.say("logout")
    assert (said.status, said.text) == (0, f"logged out: {ME}\n")
    assert desk.asked("DELETE /v1/access_tokens/current") == 1


def test_a_token_the_keyring_lost_is_replaced_by_a_login_and_forgotten_by_a_logout(desk: Desk) -> None:
    lost = {desk.cloud.base_url: {"kind": "PERSON", "username": ME, "keyring": "an entry nobody has"}}
    desk.store.path.write_text(json.dumps(lost))
    desk.store.path.chmod(0o600)
    assert "run: station login" in desk.say("whoami").text
    said = desk.say("logout")
    assert (said.status, "delete it in the console" in said.text) == (1, True)
    desk.store.path.write_text(json.dumps(lost))
    assert desk.log_in().status == 0
    assert desk.store.find() is not None


@pytest.mark.parametrize("is_logged_in", [True, False])
def test_a_logout_says_that_the_environment_still_logs_the_station_in(is_logged_in: bool, desk: Desk) -> None:
    if is_logged_in:
        desk.log_in()
    said = desk.say("logout", PARTICLE_TOKEN=desk.cloud.create_token(ME).reveal())
    assert said.status == 0
    assert "PARTICLE_TOKEN is set here, so the environment still logs this station in" in said.text


def test_a_deletion_the_cloud_only_claims_is_told(desk: Desk) -> None:
    desk.log_in()
    desk.cloud.order(Fault(FaultKind.LIE, "DELETE /v1/access_tokens/current"))
    said = desk.say("logout")
    assert said.status == 1
    assert "the cloud took it and still knows the token" in said.text


def test_whoami_tells_account_kind_rights_end_and_products(desk: Desk) -> None:
    desk.cloud.create_product(30001, 12, slug="of-acme", name="Of Acme", team=[ME], org="acme")
    desk.log_in()
    told = desk.say("whoami").text
    for line in (
        f"account   {ME}", "token     a person's, made by the client particle", "scopes    all that the account may",
        "expires   2", "product   20001 widget, for Boron", "product   30001 of-acme, for Argon",
    ):  # fmt: skip
        assert f"\n{line}" in told
    facts = json.loads(desk.say("whoami", "--json").text)
    assert (facts["account"], facts["kind"], facts["scopes"]) == (ME, "person", [])
    assert [one["id"] for one in facts["products"]] == [20001, 30001]


def test_whoami_without_a_login_says_what_to_do(desk: Desk) -> None:
    said = desk.say("whoami")
    assert (said.status, "run: station login" in said.text) == (2, True)


# --- nothing of it is told ------------------------------------------------------------------------


@pytest.mark.rule("N5")
def test_no_password_code_secret_or_token_stands_anywhere_but_in_the_store(desk: Desk, tmp_path: Path) -> None:
    """The most talkative log, a proxy-like quoting of our own request, and a login of each kind."""
    desk.cloud.create_user(ME, otp_secret=Secret(SEED))
    codes: list[str] = []

    def code() -> str:
        codes.append(desk.code())
        return codes[-1]

    quoting = {"error": "server_error", "error_description": f"cannot read password={PASSWORD}"}
    desk.cloud.order(Fault(FaultKind.STATUS, LOGIN, status=400, body=quoting))
    name, secret = desk.cloud.create_client("line-3", ME)
    person = (("Account", ME), ("Password", PASSWORD), ("One-time", code))
    client = (("Client ID", name), ("Client secret", secret.reveal()))
    said = [
        desk.say("--log", "debug", "login", answers=person[:2]),
        desk.say("--log", "debug", "login", answers=person),
        desk.say("--log", "debug", "whoami", "--json"),
        desk.say("--log", "debug", "login", "--replace", "--client", answers=client),
    ]
    login = desk.store.find()
    assert login is not None
    said += [desk.say("--log", "debug", "doctor"), desk.say("--log", "debug", "logout")]
    assert [one.status for one in said[:4]] == [2, 0, 0, 0]
    told = "".join(one.text + one.command for one in said)
    assert "POST /oauth/token" in told  # the log was on
    files = {file: file.read_bytes().decode("utf-8", "replace") for file in tmp_path.rglob("*") if file.is_file()}
    for canary in (PASSWORD, SEED, *codes, secret.reveal(), login.token.reveal()):
        assert canary not in told
        assert not [file for file, text in files.items() if canary in text and file.name != LOGIN_FILE]
