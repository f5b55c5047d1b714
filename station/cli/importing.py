"""What imports of lists share on the command line: the cloud and the journal, the question, and the results."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from drivers.clock import SystemClock
from drivers.errors import DriverError
from drivers.plain_text import escaped
from drivers.platforms import Platform
from drivers.platforms import platform as platform_of

from ..bulk.results import Result, State, write_results
from ..cloud import api
from ..cloud.answers import Product
from ..cloud.client import CloudClient
from ..engine.records import ListImported
from ..errors import BadInput
from ..journal import Journal
from ..paths import find_profile
from ..scan.lists import ListLine
from ..settings.config import load_config
from ..settings.profile import Profile, load_profile
from ..steps.product_add import Product as ProductSection
from ..steps.table import StepTable
from .account import cloud_client, token_source
from .batch import own_journal
from .log import list_of
from .places import add_data_dir, check_output, journal_dir, output
from .telling import standard_output, tell


def add_import(parser: argparse.ArgumentParser) -> None:
    """Declare what both imports take."""
    parser.add_argument("list", type=Path, metavar="FILE", help="a text in any columns: ids are told by their form")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--profile", metavar="P", help="into the product of this profile")
    which.add_argument("--product", metavar="N", help="into this product: its number or its slug")
    parser.add_argument("--yes", action="store_true", help="do not ask before it is done; a script has to say so")
    parser.add_argument("--out", type=Path, metavar="FILE.csv", help="write what became of every line here, too")
    parser.add_argument("--json", action="store_true", help="say what became of every line as JSON")
    add_data_dir(parser)


@dataclass(frozen=True, slots=True)
class Import:
    """One import on its way: the list, its product, and what it works with."""

    arguments: argparse.Namespace
    lines: tuple[ListLine, ...]
    profile: Profile | None
    product: Product
    platform: Platform
    client: CloudClient
    journal: Journal
    clock: SystemClock

    @property
    def name(self) -> str:
        return escaped(self.arguments.list.name)

    def say(self, *lines: str) -> None:
        """Write what precedes the results: on standard error where the results are for a program."""
        if self.arguments.json:
            sys.stderr.writelines(f"{line}\n" for line in lines)
        else:
            tell(*lines)

    def finish(self, results: Sequence[Result], what: str) -> int:
        """Tell and keep what became of every line; return 0 if all of it is good, else 1."""
        with standard_output() as file:
            for result in results:
                file.write(f"{json.dumps(result.to_json()) if self.arguments.json else escaped(result.told)}\n")
        counts = Counter(result.state for result in results)
        self.journal.record(
            ListImported(
                at=self.clock.utc(), file=self.arguments.list.name, product=self.product.id, what=what,
                sha256=hashlib.sha256(self.arguments.list.read_bytes()).hexdigest(),
                lines={state.value: counts[state] for state in State if counts[state]},
            )
        )  # fmt: skip
        self.say(f"{self.name}: " + ", ".join(f"{counts[state]} {state}" for state in State if counts[state]))
        if self.arguments.out is not None:
            with output(self.arguments.out) as file:
                write_results(results, file)
            self.say(f"{self.arguments.out}: {len(results)} row{'' if len(results) == 1 else 's'}")
        return int(not all(result.state.is_good for result in results))


@contextlib.contextmanager
def begun(arguments: argparse.Namespace) -> Iterator[Import]:
    """Read the list and look the product up; raises `BadInput` for what can be known before anything is written.

    That is a list that cannot be read, a product of another platform than its profile (C3), and a place for the
    results that cannot be written.
    """
    lines = list_of(arguments.list)
    if not lines:
        name = escaped(str(arguments.list))
        raise BadInput(f"{name} names nothing: no line has a Device ID, serial number or ICCID; is it the right file?")
    if arguments.out is not None:
        check_output(arguments.out, "--out")
    profile = load_profile(find_profile(arguments.profile), StepTable.found().rules) if arguments.profile else None
    config, clock = load_config(arguments.config), SystemClock()
    token = token_source(config)
    token()  # without one nothing can be asked
    with contextlib.ExitStack() as stack:
        client = cloud_client(config, token, clock, sends_again=True)
        stack.callback(client.close)
        product = client.run(api.product(_ref(arguments, profile)))
        platform = _platform(product, profile)
        journal = own_journal(arguments, journal_dir(arguments, make=True))
        stack.callback(journal.close)
        try:
            yield Import(arguments, lines, profile, product, platform, client, journal, clock)
        except KeyboardInterrupt:
            sys.stderr.write("stopped in between: import the list again, nothing is done twice\n")
            raise


def _ref(arguments: argparse.Namespace, profile: Profile | None) -> str:
    if profile is None:
        return str(arguments.product)
    wanted = profile.section(ProductSection)
    if wanted is None:
        raise BadInput(f"profile {profile.id} makes developer units, which join no product; name one with --product")
    return wanted.ref


def _platform(product: Product, profile: Profile | None) -> Platform:
    try:
        platform = platform_of(product.platform_id)
    except DriverError as error:
        raise BadInput(f"product {product.id} ({product.name}): {error}") from error
    if profile is not None and platform not in profile.platforms:
        wanted = ", ".join(row.name for row in profile.platforms)
        raise BadInput(
            f"product {product.id} ({product.name}) is for {platform.name}, profile {profile.id} for {wanted} (C3);"
            " correct the profile"
        )
    return platform


def unreadable(results: Iterable[Result]) -> Iterator[str]:
    """Yield a line for each line of the list of which nothing is sent."""
    return (f"  line {result.line.number}: {result.words}" for result in results)


def counted(number: int, one: str, many: str) -> str:
    """Return ``1 unit``, ``2 units``."""
    return f"{number:,} {one if number == 1 else many}"
