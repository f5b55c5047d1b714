"""Implements ``station firmware``: fill, look through and check the release cache."""

from __future__ import annotations

import argparse
import collections
import contextlib
import os
from collections.abc import Callable, Iterator, Sequence, Sized
from pathlib import Path

from drivers.clock import Clock, SystemClock
from drivers.errors import UnknownPlatform
from drivers.host.executable import SystemPrograms
from drivers.platforms import Platform, platform_by_slug

from ..cloud.client import CloudClient
from ..cloud.device_os import DeviceOsRelease
from ..cloud.device_os import device_os as device_os_release
from ..cloud.download import Downloads
from ..cloud.errors import CloudRefused
from ..cloud.way_out import BY_ENVIRONMENT
from ..errors import BadInput
from ..firmware import stick, tinker
from ..firmware.cache import Entry, Fault, FirmwareCache, platform_folder
from ..firmware.contents import Content, Kind, check_content, read_content
from ..firmware.describe import LOCKS, content_lines, device_os, title
from ..firmware.fetching import fetch
from ..firmware.intake import Arrival, Keep, State, into, take
from ..firmware.release import files_of
from ..journal import JOURNAL_FILE, JournalReader
from ..paths import find_profile
from ..settings.config import load_config
from ..settings.profile import Profile, load_profile
from ..settings.secrets import SecretSource
from ..steps.table import StepTable
from . import firmware_plan, on_need
from .account import token_of, way_out
from .places import add_cache, cache_of, check_output, journal_dir, store_of
from .progress import TransferLine
from .readiness import missing
from .telling import sub_verbs, table, tell, tell_all

_HEADS = ("platform", "Device OS", "module", "version", "bytes", "SHA-256", "name", "from")
_DIGITS = 12
_NAMED = 5  # files of one kind that lay beside firmware
NOT_FOUND = 404


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verbs."""
    parser = parsers.add_parser("firmware", help="the release cache: what this bench can flash without internet")
    verbs = sub_verbs(parser, "what", "WHAT")
    lister = verbs.add_parser("list", help="what is in the cache")
    lister.add_argument("--profile", action="append", default=[], metavar="P", help="show what it wants (repeatable)")
    fetcher = verbs.add_parser("fetch", help="get a Device OS release from the cloud, or Tinker, each file checked")
    fetcher.add_argument(
        "version", metavar="VERSION",
        help='such as "6.3.4"; latest: the newest; tinker, or tinker@6.3.4: nothing but its Tinker, for rework',
    )  # fmt: skip
    fetcher.add_argument("--platform", action="append", required=True, type=_platform, metavar="P", help="repeatable")
    fetcher.add_argument("--virtual", action="store_true", help="from a virtual cloud: synthetic files, to try it")
    importer = verbs.add_parser("import", help="take in files, release archives, folders, or another station's export")
    importer.add_argument("source", nargs="+", type=Path, metavar="FILE", help="a module, an archive or a folder")
    importer.add_argument("--name", choices=(tinker.NAME,), help="keep the one file as what it is: the vendor's Tinker")
    exporter = verbs.add_parser("export", help="write the cache, or what profiles want, for another bench to import")
    exporter.add_argument("--profile", action="append", default=[], metavar="P", help="only what it wants (repeatable)")
    exporter.add_argument("-o", dest="output", required=True, type=Path, metavar="FILE.zip", help="write here")
    asker = verbs.add_parser("ready", help="can this bench run a shift without internet? if not, what is missing")
    asker.add_argument("--profile", action="append", required=True, metavar="P", help="repeatable")
    asker.add_argument("--data-dir", type=Path, metavar="D", help="where the station keeps its journal")
    inspector = verbs.add_parser("inspect", help="say everything a file tells of itself, and whether it may be flashed")
    inspector.add_argument("source", nargs="+", type=Path, metavar="FILE", help="a module, an archive or a folder")
    verifier = verbs.add_parser("verify", help="hash and parse every file of the cache again")
    kept = ((lister, run_list), (fetcher, run_fetch), (importer, run_import), (verifier, run_verify))
    for sub, run in (*kept, (exporter, run_export), (asker, run_ready)):
        add_cache(sub)
        sub.add_argument("--config", type=Path, metavar="FILE", help="the station's config file")
        sub.set_defaults(run=run)
    inspector.set_defaults(run=run_inspect)
    firmware_plan.add(verbs)


def _platform(slug: str) -> Platform:
    try:
        return platform_by_slug(slug)
    except UnknownPlatform as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _profiles(names: Sequence[str]) -> list[Profile]:
    rules = StepTable.found().rules if names else {}
    return [load_profile(find_profile(name), rules) for name in names]


# --- looking ----------------------------------------------------------------------------------


def run_list(arguments: argparse.Namespace) -> int:
    """Print one line a file; returns 0."""
    cache, profiles = cache_of(arguments), _profiles(arguments.profile)
    wanted = collections.defaultdict[str, list[str]](list)
    for profile in profiles:
        for ref in files_of(profile):
            wanted[ref.sha256].append(profile.id)
    found, faults = _sorted(cache)
    heads = (*_HEADS, "wanted by") if profiles else _HEADS
    rows = [(*_row(one), *([", ".join(wanted[one.sha256])] if profiles else [])) for one in found]
    tell_all(table(heads, rows) if rows else [])
    tell_all(f"! {fault.sentence}" for fault in faults)
    tell(f"{_count(found)} in {cache.folder}")
    return 0


def _sorted(cache: FirmwareCache) -> tuple[list[Entry], list[Fault]]:
    """Read the cache: good files by platform, module and version, then what is wrong with others."""
    found, faults = [], []
    for one in cache.entries():
        found.append(one) if isinstance(one, Entry) else faults.append(one)
    return sorted(found, key=_order), faults


def _order(entry: Entry) -> tuple[int, int, int, int, str]:
    image = entry.content.main
    return (image.platform_id, image.function, image.index, image.version, entry.name)


def _row(entry: Entry) -> tuple[str, ...]:
    image = entry.content.main
    source = entry.origin.source if entry.origin else "unknown"
    return (
        platform_folder(image), device_os(image), _what(entry.content), str(image.version), str(entry.size),
        entry.sha256[:_DIGITS], entry.name, source,
    )  # fmt: skip


def _what(content: Content) -> str:
    """Return what a file holds, in a cell: ``application + 3 assets``."""
    words = " + ".join(title(image) for image in content.modules)
    if content.kind is Kind.BUNDLE:
        words += f" + {len(content.assets)} asset{'' if len(content.assets) == 1 else 's'}"
    return words + (", LOCKS UNITS" if any(image.is_locking for image in content.modules) else "")


def _count(found: Sized) -> str:
    return f"{len(found)} file{'' if len(found) == 1 else 's'}"


def run_inspect(arguments: argparse.Namespace) -> int:
    """Print what each file tells; returns 0. Raises `BadInput` with what may not be flashed, or is something else."""
    line = TransferLine(SystemClock())

    def look(data: bytes, _name: str, where: str) -> Arrival:
        line.clear()
        tell(where)
        content = read_content(data, where)
        tell_all(content_lines(content, data))
        check_content(content)
        return Arrival(where, State.THERE)

    return _take(arguments.source, lambda _: look, line)


def run_verify(arguments: argparse.Namespace) -> int:
    """Hash and parse every file; returns 1 when one is not good."""
    cache = cache_of(arguments)
    found, faults = _sorted(cache)
    tell_all(fault.sentence for fault in faults)
    tell(f"{_count(found)} good in {cache.folder}" + (f", {len(faults)} not" if faults else ""))
    return 1 if faults else 0


# --- filling ----------------------------------------------------------------------------------


def run_fetch(arguments: argparse.Namespace) -> int:
    """Get a release for each platform; returns 0. Raises `BadInput` with a sentence for every file that was refused."""
    clock, cache, refused = SystemClock(), cache_of(arguments), list[str]()
    line, whose = TransferLine(clock), "a virtual cloud" if arguments.virtual else "the cloud"
    with _cloud(arguments, clock) as (client, downloads):
        for row in arguments.platform:
            release, what = _release(client, arguments.version, row)
            tell(f"{what} {release.version} for {row.name}, {_count(release.files)}")
            with line:
                for arrival in fetch(release, row, cache, downloads, clock.utc(), line.begin, whose):
                    line.clear()
                    if arrival.entry is not None:
                        tell(_arrived(arrival.state, arrival.entry), *_warnings(arrival.entry))
                    elif arrival.state is State.LEFT_OUT:
                        tell(f"{arrival.state.value:12}  {arrival.why}")
                    else:
                        refused.append(arrival.why)
    if refused:
        raise BadInput(*refused)
    return 0


@contextlib.contextmanager
def _cloud(arguments: argparse.Namespace, clock: Clock) -> Iterator[tuple[CloudClient, Downloads]]:
    """Open the cloud of the config file, or a virtual one. Raises `BadInput` without a token."""
    with contextlib.ExitStack() as stack:
        if arguments.virtual:
            url, token = stack.enter_context(on_need.virtual_cloud(clock))
            way = BY_ENVIRONMENT
        else:
            config = load_config(arguments.config)
            url, token, way = config.cloud_url, token_of(config), way_out(config)
        client = CloudClient(url, lambda: token, clock, way=way)
        downloads = Downloads(url, lambda: token, clock, way=way)
        stack.callback(client.close)
        stack.callback(downloads.close)
        yield client, downloads


def _release(client: CloudClient, asked: str, row: Platform) -> tuple[DeviceOsRelease, str]:
    """Return what is to be fetched, and what it is called. Raises `BadInput` where the cloud has none."""
    first, at, rest = asked.partition("@")
    is_tinker = first == tinker.NAME
    version = (rest if at else "latest") if is_tinker else asked
    try:
        release = client.run(device_os_release(version, row.id))
    except CloudRefused as error:
        if error.status != NOT_FOUND:
            raise
        raise BadInput(f"the cloud has no Device OS {version} for {row.name}; name another version") from error
    return (tinker.tinker_of(release, row), "Tinker of Device OS") if is_tinker else (release, "Device OS")


def run_import(arguments: argparse.Namespace) -> int:
    """Take in each source; returns 0. Raises `BadInput` with a sentence for every file that was refused."""
    cache, clock = cache_of(arguments), SystemClock()
    now, line = clock.utc(), TransferLine(clock)
    if not arguments.name:
        return _take(arguments.source, lambda source: into(cache, source, now), line)
    if len(arguments.source) > 1:
        raise BadInput("--name is for one file; import the others without it")
    keep = into(cache, arguments.source[0], now, f"{arguments.name}.bin")

    def keep_tinker(data: bytes, name: str, where: str) -> Arrival:
        tinker.check_tinker(read_content(data, where), where)
        return keep(data, name, where)

    return _take(arguments.source, lambda _: keep_tinker, line)


def _take(sources: Sequence[Path], keep: Callable[[Path], Keep], line: TransferLine) -> int:
    """Hand on the firmware of ``sources`` and tell what became of each file; returns 0, raises `BadInput`."""
    left_out, refused = collections.defaultdict[str, list[str]](list), list[str]()
    with line:
        for source in sources:
            try:
                for arrival in take(source, keep(source), line.begin(source.name)):
                    if arrival.state is State.LEFT_OUT:
                        left_out[arrival.why].append(arrival.where)
                    elif arrival.state is State.REFUSED:
                        refused.append(arrival.why)
                    elif arrival.entry is not None:
                        line.clear()
                        tell(_arrived(arrival.state, arrival.entry), *_warnings(arrival.entry))
            except BadInput as error:
                refused += error.sentences
    for what, places in sorted(left_out.items()):
        more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
        tell(f"{State.LEFT_OUT.value:12}  {what}: {', '.join(places[:_NAMED])}{more}")
    if refused:
        raise BadInput(*refused)
    return 0


def _arrived(state: State, entry: Entry) -> str:
    image = entry.content.main
    what = f"{_what(entry.content)} {image.version}"
    return f"{state.value:12}  {platform_folder(image):10} {what:28} {entry.sha256[:_DIGITS]}  {entry.name}"


def _warnings(entry: Entry) -> list[str]:
    is_locking = any(image.is_locking for image in entry.content.modules)
    return [f"WARNING: {entry.name} {LOCKS}"] if is_locking else []


# --- without internet -------------------------------------------------------------------------


def run_export(arguments: argparse.Namespace) -> int:
    """Write a ZIP; returns 0. Raises `BadInput` when a file is missing or damaged: half an export helps nobody."""
    cache, profiles = cache_of(arguments), _profiles(arguments.profile)
    check_output(arguments.output, "-o")
    wanted = (ref for profile in profiles for ref in files_of(profile))
    files = (
        stick.wanted_files(wanted, store_of(load_config(arguments.config), cache=cache))
        if profiles
        else stick.cache_files(cache)
    )
    if not files:
        raise BadInput(f"there is nothing to export in {cache.folder}; fetch or import firmware first")
    with TransferLine(SystemClock()) as line:
        stick.write(arguments.output, files, line.begin(arguments.output.name))
    tell(f"{arguments.output}: {_count(files)}, {sum(map(len, files.values()))} bytes unpacked")
    return 0


def run_ready(arguments: argparse.Namespace) -> int:
    """Say for each profile whether a shift can do without internet; returns 1 if one cannot."""
    store = store_of(load_config(arguments.config), cache=cache_of(arguments))
    secrets, programs = SecretSource(os.environ), SystemPrograms()
    lacking = False
    for profile in _profiles(arguments.profile):
        sentences = list(missing(profile, store, secrets, programs, lambda ref: _knows(arguments, ref)))
        lacking = lacking or bool(sentences)
        answer = "no, missing:" if sentences else f"yes, all {_count(files_of(profile))} are here and checked"
        tell(f"{profile.id} revision {profile.revision} without internet: {answer}")
        tell_all(f"  {sentence}" for sentence in sentences)
    return int(lacking)


def _knows(arguments: argparse.Namespace, product: str) -> bool:
    """Return whether the journal remembers what the cloud told of that product."""
    directory = journal_dir(arguments)
    if not os.path.lexists(directory / JOURNAL_FILE):
        return False
    with JournalReader(directory) as journal:
        return journal.cached_product(product) is not None
