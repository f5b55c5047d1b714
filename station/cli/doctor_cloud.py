"""The rows of ``station doctor`` about the cloud: the account, the products of the profiles, and the way there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from drivers.clock import Clock, Deadline, SystemClock

from ..cloud.client import CloudClient
from ..errors import BadInput, CloudError
from ..firmware.release import load_release
from ..firmware.sections import Firmware
from ..firmware.store import FirmwareStore
from ..line.account import Finding, State, check_account, needs_of
from ..settings.config import StationConfig
from ..settings.profile import Profile
from ..steps.product_add import Product
from ..steps.shared.cloud_sections import Release
from ..steps.shared.released import NotReleased, Releases, foresee
from ..steps.table import StepTable
from .account import cloud_client, token_source
from .places import store_of

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
        for profile in profiles if client.reachable else ():
            yield from release_rows(client, clock, profile, store_of(config))


def asked(client: CloudClient, clock: Clock, profiles: Sequence[Profile]) -> Iterator[Finding]:
    """Check token, time, rights and the profiles' products with the cloud, `ASK_S` per request at most."""
    steps = StepTable.found()
    yield from check_account(client, clock, [needs_of(one, steps) for one in profiles], ASK_S, asks_who=True)


def release_rows(client: CloudClient, clock: Clock, profile: Profile, store: FirmwareStore) -> Iterator[Finding]:
    """Say which version of the product's firmware the cloud will want of the profile's units (D2).

    Without [release] it is only told where the cloud sends another one than the file's: after the unit has left.
    """
    product, awaits = profile.section(Product), profile.section(Release) is not None
    if product is None or not (awaits or profile.sections(Firmware)):
        return
    try:
        files = [load_release(profile, row, store, product.id).application for row in profile.platforms]
        found = foresee(profile, product.ref, files, Releases(client, clock), Deadline.after(clock, ASK_S))
    except (NotReleased, CloudError) as error:
        if awaits:
            yield Finding(State.STOP, "update", error.told if isinstance(error, CloudError) else str(error))
        return
    except BadInput:  # told of its files
        return
    then = "while it is plugged in" if awaits else "after it has left; flash that version, or write [release]"
    for one in found:
        if one.is_sent:
            yield Finding(State.NOTE, "update", f"{profile.id}: {one}, {then}")
        elif awaits:
            yield Finding(State.OK, "update", f"{profile.id}: {one}")
