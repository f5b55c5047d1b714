"""The rows of ``station doctor`` about the cloud: the account, the products of the profiles, and the way there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from drivers.clock import Clock, SystemClock

from ..cloud.client import CloudClient
from ..errors import BadInput
from ..line.account import Finding, State, check_account, needs_of
from ..settings.config import StationConfig
from ..settings.profile import Profile
from ..steps.table import StepTable
from .account import cloud_client, token_source

ASK_S = 20.0
"""Limit of one request to the cloud, retries included: a person waits for the answer."""


def cloud_rows(config: StationConfig, profiles: Sequence[Profile], *, is_asked: bool) -> Iterator[Finding]:
    """Check what the station needs of the cloud; without ``is_asked`` say only that nobody asked."""
    if not is_asked:
        yield Finding(State.NOTE, "cloud", "not asked")
        yield Finding(State.NOTE, "clock", "not compared with the cloud's: the cloud was not asked")
        return
    try:
        token = token_source(config)()
    except BadInput as error:
        yield Finding(State.STOP, "token", str(error))
        yield Finding(State.NOTE, "clock", "not compared with the cloud's: without a token the cloud was not asked")
        return
    clock = SystemClock()
    with closing(cloud_client(config, lambda: token, clock)) as client:
        yield from asked(client, clock, profiles)


def asked(client: CloudClient, clock: Clock, profiles: Sequence[Profile]) -> Iterator[Finding]:
    """Check token, time, rights and the profiles' products with the cloud, `ASK_S` per request at most."""
    steps = StepTable.found()
    yield from check_account(client, clock, [needs_of(one, steps) for one in profiles], ASK_S, asks_who=True)
