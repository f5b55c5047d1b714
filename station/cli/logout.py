"""Implements ``station logout``: forgets the login of this station, and deletes its token where nobody else has it."""

from __future__ import annotations

import argparse

from drivers.clock import SystemClock

from ..errors import BadInput
from ..settings.config import StationConfig, load_config
from ..settings.secrets import LOGIN
from .account import login_store, token_source
from .login import revoked
from .places import add_config
from .telling import tell


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = parsers.add_parser("logout", help="forget the login of this station")
    add_config(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Log out; returns 1 when the token is still good in the cloud although the station had it made."""
    config = load_config(arguments.config)
    status = _log_out(config)
    if variable := token_source(config).variable:
        tell(f"note: {variable} is set here, so the environment still logs this station in: unset it, too")
    elif config.token.scheme != LOGIN:
        tell(f"note: the config file names {config.token}, so that still logs this station in")
    return status


def _log_out(config: StationConfig) -> int:
    store = login_store(config)
    try:
        login = store.find()
    except BadInput:  # its token is out of reach: nothing is left but to forget it
        store.forget()
        tell("logged out; the token could not be read, so it stays good in the cloud: delete it in the console")
        return 1
    if login is None:
        tell(f"nobody is logged in here for {config.cloud_url}")
        return 0
    left = revoked(config, login, SystemClock()) if login.is_ours else ""
    store.forget()
    tell(f"logged out: {login.who}")
    if left:
        tell(f"note: the token lives on in the cloud, as it could not be deleted ({left}); delete it in the console")
    elif not login.is_ours:
        tell("note: the token was pasted and may be in use elsewhere, so it stays good in the cloud")
    return int(bool(left))
