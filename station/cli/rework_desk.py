"""Opens the rework desk for a verb: its options, its journal, its client of the cloud."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from drivers.clock import Clock

from ..cloud.client import CloudClient
from ..engine.step import Emit
from ..errors import BadInput
from ..journal import Journal
from ..journal.sent import was_member, was_released
from ..line.releases import is_badge
from ..line.rework.desk import ReworkDesk
from ..line.rework.kinds import ASKED
from ..paths import find_profile
from ..settings.config import load_config
from ..settings.profile import Profile, load_profile
from ..steps.product_add import Product
from ..steps.table import StepTable
from .account import cloud_client, token_source
from .batch import own_journal
from .places import add_data_dir, journal_dir


def add_usual(parser: argparse.ArgumentParser) -> None:
    """Declare where the units are in the cloud, who reworks them, and how it is told."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--product", metavar="N", help="the product they are in, by number or slug")
    where.add_argument("--profile", metavar="P", help="the profile whose product they are in")
    parser.add_argument("--by", default="", metavar="BADGE", help="who does it, for the journal")
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    parser.add_argument("--json", action="store_true", help="one unit a line as JSON")
    add_data_dir(parser)


@dataclass(frozen=True, slots=True)
class OpenDesk:
    """The desk with what it works by."""

    desk: ReworkDesk
    client: CloudClient
    journal: Journal


def profile_of(arguments: argparse.Namespace) -> Profile | None:
    """Return the profile whose product is meant; raises `BadInput` for one that names none, and for a bad ``--by``."""
    if arguments.by and not is_badge(arguments.by):
        raise BadInput(f"--by {arguments.by[:60]!r}: expected a badge of letters, digits, dots and dashes, at most 40")
    profile = load_profile(find_profile(arguments.profile), StepTable.found().rules) if arguments.profile else None
    if profile is not None and profile.section(Product) is None:
        raise BadInput(f"profile {profile.id} names no product; leave --profile out for units in none")
    return profile


@contextlib.contextmanager
def open_desk(
    arguments: argparse.Namespace, profile: Profile | None, clock: Clock, announce: Emit = lambda _: None
) -> Iterator[OpenDesk]:  # fmt: skip
    """Open journal and cloud, and close them at the end. Raises `BadInput` without a token."""
    config = load_config(arguments.config)
    token = token_source(config)
    token()
    product = profile.section(Product) if profile is not None else None
    journal = own_journal(arguments, journal_dir(arguments, make=True))
    client = cloud_client(config, token, clock, sends_again=True)
    try:
        desk = ReworkDesk(
            client, clock, journal.record, product=arguments.product or (product.ref if product is not None else None),
            by=arguments.by, asked=lambda device: _was_asked_for(journal, device),
            released=partial(was_released, journal), was_member=partial(was_member, journal),
            announce=announce,
        )  # fmt: skip
        yield OpenDesk(desk, client, journal)
    finally:
        client.close()
        journal.close()


def _was_asked_for(journal: Journal, device_id: str) -> bool:
    """Whether its owner got an e-mail by this desk, perhaps: only the journal tells (reference cloud-api 5.2)."""
    unit = journal.unit(device_id) if device_id else None
    told = [fact.value for fact in unit.facts if fact.name == "rework"] if unit is not None else []
    asked = [write.what for write in journal.unconfirmed_writes(device_id)] if device_id else []
    return any(one.startswith(ASKED) for one in told) or any(one.startswith("ask the owner") for one in asked)
