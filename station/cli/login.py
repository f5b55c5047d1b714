"""Implements ``station login``: a token for this station, asked for on the terminal and kept where only it can be read.

Nothing secret is taken from the command line, and nothing secret is printed. A token that still lives is used again:
every login makes another one, and nobody counts them.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import getpass
import re
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from drivers.clock import Clock, Deadline, SystemClock
from drivers.identity import Secret

from ..cloud import api, login_api
from ..cloud.client import CloudClient
from ..cloud.errors import CloudError, NotAllowed, OutcomeUnknown, RateLimited, TokenRejected
from ..cloud.login_api import Client, CodeWanted, Denied, Granted
from ..errors import BadInput
from ..line.account import LOOK_AGAIN_S, TOKEN_LASTS_S, is_strange
from ..local_time import moment
from ..settings.config import StationConfig, load_config
from ..settings.logins import Kind, Login, LoginStore
from ..settings.secrets import LOGIN, ApiToken
from .account import cloud_client, login_store, token_source
from .places import add_config
from .telling import tell

TRIES = 3
"""Wrong passwords or codes before the station stops: ten in a row lock the whole site out (reference cloud-api 2.1)."""
ASK_S = 30.0
LOCK = "ten wrong logins in a row lock everybody at this internet address out for 30 minutes"
SSO = "an account that signs in by SSO has no password here: make a token in the console and run station login --paste"
_MOST_TOKEN = 4096


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = parsers.add_parser("login", help="log this station in: password, pasted token, or OAuth client")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--paste", action="store_true", help="ask for a token, as of an API user or an SSO account")
    way.add_argument("--token-stdin", action="store_true", help="the same, from standard input")
    way.add_argument("--client", action="store_true", help="ask for id and secret of an OAuth client")
    parser.add_argument("--user", metavar="ACCOUNT", help="the account, without being asked for it")
    parser.add_argument("--replace", action="store_true", help="make another token although the one kept still lives")
    add_config(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Log in; returns 0. Raises `BadInput` for a wrong password and the like."""
    config, clock = load_config(arguments.config), SystemClock()
    store = login_store(config)
    before = _kept(store)
    pasted = arguments.paste or arguments.token_stdin
    if arguments.user and (pasted or arguments.client):
        raise BadInput("--user is for a login by password; leave it out: the token itself says whose it is")
    if before is not None and not (pasted or arguments.replace) and (until := _lives(config, before, clock)):
        tell(f"logged in already: {before.who}, {until}; nothing was done (another token: station login --replace)")
        return 0
    login = _pasted(arguments, config, clock) if pasted else _new(arguments, config, clock)
    where = store.keep(login)
    if before is not None and before.is_ours and before.token != login.token:
        _forget_old(config, before, clock)
    tell(f"logged in: {_whose(login)}, {_until(login)}", f"the token is in {where}")
    for note in _unused(config):
        tell(f"note: {note}")
    return 0


def _kept(store: LoginStore) -> Login | None:
    """Return the login kept; None also for one whose token the keyring lost, which another login replaces."""
    try:
        return store.find()
    except BadInput:
        return None


def _whose(login: Login) -> str:
    return f"{login.username}, {login.kind.value} token" if login.username else f"{login.kind.value} token"


def _until(login: Login) -> str:
    return "does not expire" if login.expires_at is None else f"until {moment(login.expires_at)}"


def _unused(config: StationConfig) -> list[str]:
    """Say why the station would work with another token than the one just kept."""
    if config.token.scheme != LOGIN:
        return [f'{config.source} names another token, {config.token}; write token = "keyring" or remove that line']
    variable = token_source(config).variable
    return [f"{variable} is set here and goes first at the next start; unset it"] if variable else []


def _ask_cloud(config: StationConfig, token: Secret, clock: Clock) -> closing[CloudClient]:
    return closing(cloud_client(config, lambda: token, clock))


def _lives(config: StationConfig, login: Login, clock: Clock) -> str:
    """Return until when the token kept is good, "" if it is not, or not long enough. Raises `CloudError`."""
    with _ask_cloud(config, login.token, clock) as client:
        try:
            info = client.run(api.token_info(), deadline=Deadline.after(clock, ASK_S))
        except TokenRejected:
            return ""
        except NotAllowed:  # an API user's, which does not expire
            return _until(login)
        return _until(login) if info.lasts(TOKEN_LASTS_S, client.cloud_date or clock.utc()) else ""


def _forget_old(config: StationConfig, login: Login, clock: Clock) -> None:
    """Delete the token that was replaced: nobody else has it. What does not work out is told, and no error."""
    if words := revoked(config, login, clock):
        tell(f"note: the token before could not be deleted ({words}); it lives {_until(login)}")


def revoked(config: StationConfig, login: Login, clock: Clock) -> str:
    """Delete a token in the cloud; return why it could not be, "" when it is gone."""
    with _ask_cloud(config, login.token, clock) as client:
        try:
            with contextlib.suppress(OutcomeUnknown):
                client.run(login_api.revoke_current(), deadline=Deadline.after(clock, ASK_S))
            for seconds in (*LOOK_AGAIN_S, 0.0):  # a 200 is no proof, and reads lag
                client.run(api.token_info(), deadline=Deadline.after(clock, ASK_S))
                clock.sleep(seconds)
        except TokenRejected:
            return ""
        except CloudError as error:
            return str(error)
    return "the cloud took it and still knows the token"


# --- a pasted token --------------------------------------------------------------------------------


def _pasted(arguments: argparse.Namespace, config: StationConfig, clock: Clock) -> Login:
    text = (sys.stdin.readline(_MOST_TOKEN + 2) if arguments.token_stdin else _hidden("Token: ")).strip()
    if not re.fullmatch(rf"[!-~]{{1,{_MOST_TOKEN}}}", text):
        raise BadInput("that is no token: one line without blanks was expected; copy it again")
    return _examined(config, ApiToken(text), clock)


def _examined(config: StationConfig, token: ApiToken, clock: Clock) -> Login:
    """Ask the cloud whose ``token`` is and how long it is good. Raises `CloudError`, `TokenRejected` for a bad one."""
    with _ask_cloud(config, token, clock) as asked:
        try:
            info = asked.run(api.token_info(), deadline=Deadline.after(clock, ASK_S))
        except NotAllowed:
            return Login(token, Kind.API_USER)
        except TokenRejected as error:
            raise BadInput(
                f"the cloud does not take this token ({error.words}): it is mistyped, expired or deleted; copy it again"
                " or make another one in the console"
            ) from error
        try:
            who = asked.run(api.user(), deadline=Deadline.after(clock, ASK_S)).username
        except NotAllowed:
            return Login(token, Kind.API_USER, expires_at=info.expires_at, client=info.client)
    kind = Kind.API_USER if info.scopes else Kind.CLIENT if is_strange(info) else Kind.PERSON
    return Login(token, kind, who, info.expires_at, info.client)


# --- a new token -----------------------------------------------------------------------------------


def _new(arguments: argparse.Namespace, config: StationConfig, clock: Clock) -> Login:
    """Have a token made, by what a person types. Raises `BadInput` after three wrong answers."""
    with _ask_cloud(config, Secret(""), clock) as client:
        try:
            granted = _by_client(client, clock) if arguments.client else _by_password(arguments.user, client, clock)
        except RateLimited as error:
            raise BadInput(
                f"{error}; if somebody here typed a wrong password often: {LOCK}, so wait half an hour"
            ) from error
    token, kind = ApiToken(granted.token.reveal()), Kind.CLIENT if arguments.client else Kind.PERSON
    try:
        return replace(_examined(config, token, clock), kind=kind, is_ours=True)
    except CloudError:  # it was made: better kept without its name than lost
        lasts = granted.lasts_s and datetime.timedelta(seconds=granted.lasts_s)
        return Login(token, kind, expires_at=clock.utc() + lasts if lasts else None, is_ours=True)


def _by_password(user: str | None, client: CloudClient, clock: Clock) -> Granted:
    name = user or _typed("Account (e-mail): ")

    def ask() -> Granted | CodeWanted | Denied:
        password = Secret(_hidden(f"Password of {name}: "))
        return client.run(login_api.password_login(name, password), deadline=Deadline.after(clock, ASK_S))

    answer = _three_times(ask, "account or password", LOCK, SSO)
    if isinstance(answer, Granted):
        return answer

    def ask_code() -> Granted | CodeWanted | Denied:
        code = Secret(re.sub(r"\s", "", _hidden("One-time code: ")))
        return client.run(login_api.code_login(answer, code), deadline=Deadline.after(clock, ASK_S))

    second = _three_times(ask_code, "code, or too late", LOCK, "check the clock of the device that shows the codes")
    if isinstance(second, Granted):
        return second
    raise BadInput("the cloud asks for a second code; make a token in the console and run station login --paste")


def _by_client(client: CloudClient, clock: Clock) -> Granted:
    name = _typed("Client ID: ")
    asked: Client = (name, Secret(_hidden("Client secret: ")))
    answer = client.run(login_api.client_login(asked), deadline=Deadline.after(clock, ASK_S))
    if isinstance(answer, Granted):
        return answer
    words = answer.words if isinstance(answer, Denied) else "it asks for a code"
    raise BadInput(f"no token for the client {name}: {words}; its secret is shown once, when the client is made")


def _three_times(ask: Callable[[], login_api.LoginAnswer], what: str, *advice: str) -> Granted | CodeWanted:
    """Ask until the answer is right, at most `TRIES` times. Raises `BadInput`."""
    for left in range(TRIES - 1, -1, -1):
        answer = ask()
        if not isinstance(answer, Denied):
            return answer
        if answer.code != "invalid_grant":
            raise BadInput(f"the cloud refuses this login: {answer.words}; see the account in the console")
        if left:
            sys.stderr.write(f"wrong {what} ({answer.words}); {left} more {'try' if left == 1 else 'tries'}\n")
    raise BadInput(f"wrong {what}, {TRIES} times: the station stops here", *advice)


# --- the terminal ----------------------------------------------------------------------------------


def _typed(prompt: str) -> str:
    _check_terminal()
    sys.stderr.write(prompt)
    sys.stderr.flush()
    text = sys.stdin.readline().strip()
    if not text or len(text) > 256 or not text.isprintable():
        raise BadInput(f"{prompt.rstrip(': ')}: nothing usable was typed; try again")
    return text


def _hidden(prompt: str) -> str:
    _check_terminal()
    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise BadInput(f"{prompt.rstrip(': ')}: nothing was typed; try again") from None


def _check_terminal() -> None:
    if not sys.stdin.isatty():
        raise BadInput(
            "there is no terminal to ask on; give a token by standard input: station login --token-stdin < FILE"
        )
