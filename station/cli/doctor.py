"""Implements ``station doctor``: find what would stop this bench, from permissions to missing firmware."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import drivers
from drivers.errors import DriverError
from drivers.host import rights
from drivers.host.executable import SystemPrograms
from drivers.host.process import running_programs
from drivers.transport import UsbCandidate
from drivers.transport.usb import real_host
from drivers.wire.usb import PARTICLE_VENDOR_ID

from ..errors import BadInput, JournalError
from ..firmware.release import load_release
from ..journal import JOURNAL_FILE, JournalReader
from ..line.account import Finding, State
from ..line.releases import known_release, other_text, unreleased
from ..model import Batch
from ..paths import find_profile, sha256_of, shipped_profiles
from ..settings.config import StationConfig, load_config
from ..settings.profile import Profile, load_profile
from ..settings.secrets import SecretSource
from ..steps.local_test import LocalTest, missing_programs
from ..steps.product_add import product_id
from ..steps.table import StepTable
from .doctor_beside import hook_rows, printer_rows
from .doctor_cloud import cloud_rows
from .places import add_data_dir, journal_dir, store_of
from .readiness import missing_secrets
from .slots import LEARN, numbered_by_bus, overfull_controllers
from .telling import tell

FREE_BYTES = 500 << 20


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked.

    ``profiles``: those named and those of open batches, each loaded, or the error that prevents it. ``unseen``: open
    batches whose profile is no file that the doctor knows.
    """

    arguments: argparse.Namespace
    config: StationConfig
    profiles: tuple[Profile | BadInput, ...]
    unseen: tuple[Batch, ...] = ()


Look = Callable[[Subject], Iterator[Finding]]


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = parsers.add_parser("doctor", help="what would stop this bench")
    parser.add_argument(
        "--profile", action="append", default=[], metavar="P",
        help="also check its files, its release, and what it needs of the cloud (repeatable)",
    )  # fmt: skip
    parser.add_argument("--no-cloud", action="store_true", help="do not ask the cloud")
    add_data_dir(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print every finding; returns 1 when one of them stops the bench."""
    config = load_config(arguments.config)
    journal_dir(arguments)  # an impossible directory is a typing mistake, not a finding
    named = tuple(_profiles(arguments.profile))
    found, unseen = _of_open_batches(arguments, named)
    subject = Subject(arguments, config, (*named, *_profiles(found)), unseen)
    stopped = False
    for look in LOOKS:
        for finding in look(subject):
            stopped |= finding.state is State.STOP
            tell(f"{finding.state.value:5} {finding.what:12} {finding.words}")
    return int(stopped)


def _profiles(names: Sequence[str]) -> Iterator[Profile | BadInput]:
    try:
        rules = StepTable.found().rules
    except BadInput as error:  # a package with a step that cannot be loaded: no profile can be read
        yield error
        return
    for name in names:
        try:
            yield load_profile(find_profile(name), rules)
        except BadInput as error:
            yield error


def _of_open_batches(
    arguments: argparse.Namespace, named: Sequence[Profile | BadInput]
) -> tuple[tuple[str, ...], tuple[Batch, ...]]:
    """Return the paths of shipped profiles that open batches have, and the batches of which no text is known here.

    The journal knows a profile by the SHA-256 of its text.
    """
    try:
        with JournalReader(journal_dir(arguments)) as journal:
            batches = [row.batch for row in journal.batches() if row.closed_at is None]
    except JournalError:  # none yet, or one that `_journal` tells of
        return (), ()
    seen = {one.sha256 for one in named if isinstance(one, Profile)}
    shipped = {sha256_of(path): str(path) for path in shipped_profiles()}
    left = [batch for batch in batches if batch.profile.sha256 not in seen]
    found = dict.fromkeys(shipped[one.profile.sha256] for one in left if one.profile.sha256 in shipped)
    return tuple(found), tuple(one for one in left if one.profile.sha256 not in shipped)


def _batches(subject: Subject) -> Iterator[Finding]:
    """Name the open batches whose profile is not looked at."""
    for batch in subject.unseen:
        ref = batch.profile
        words = f"batch {batch.id} is open with {ref.id} revision {ref.revision}; name the file of it with --profile"
        yield Finding(State.NOTE, "batches", words)


def _packages(_: Subject) -> Iterator[Finding]:
    """Check that the imported package ``drivers`` is ours: the name is common."""
    ours, theirs = Path(__file__).resolve().parents[2], Path(str(drivers.__file__)).resolve().parents[1]
    if ours == theirs:
        yield Finding(State.OK, "packages", "station and drivers lie side by side")
    else:
        yield Finding(
            State.STOP, "packages", f"drivers comes from {theirs}; install the station in its own environment"
        )


def _usb(subject: Subject) -> Iterator[Finding]:
    config = subject.config
    if not config.usb.is_local:
        yield Finding(State.NOTE, "usb", f"units come over USB/IP from {config.usb.host}: virtual ones")
        return
    try:
        found = real_host().candidates()
    except DriverError as error:
        yield Finding(State.STOP, "usb", str(error))
        return
    yield from opened(found)


def opened(candidates: Sequence[UsbCandidate]) -> tuple[Finding, ...]:
    """Check that every unit plugged in can be opened."""
    closed: list[Finding] = []
    units = [one for one in candidates if one.usb_id.other_device is None]
    others = [
        Finding(State.NOTE, "usb", f"port {one.port_path}: {other.sentence}")
        for one in candidates
        if (other := one.usb_id.other_device) is not None
    ]
    for candidate in units:
        try:
            candidate.open().close()
        except DriverError as error:
            closed.append(Finding(State.STOP, "usb", f"port {candidate.port_path}: {error}"))
    return (*(closed or [Finding(State.OK, "usb", f"libusb works, {len(units)} units plugged in")]), *others)


def _permissions(_: Subject) -> Iterator[Finding]:
    if rights.is_root():
        yield Finding(State.NOTE, "permissions", "running as root; a bench should not need to")
        return
    rules = next(rights.udev_rules_naming(f"{PARTICLE_VENDOR_ID:04x}"), None)
    if rules is not None:
        yield Finding(State.OK, "permissions", f"udev rules in {rules}")
    elif "plugdev" in rights.group_names():
        yield Finding(State.NOTE, "permissions", "no udev rule for units; see: station udev install")
    else:
        yield Finding(State.STOP, "permissions", "no udev rule for units; run: sudo station udev install")


def _modem_manager(_: Subject) -> Iterator[Finding]:
    if "ModemManager" in running_programs():
        words = "ModemManager runs and may write into consoles; the udev rule keeps it away, better remove it"
        yield Finding(State.NOTE, "modems", words)
    else:
        yield Finding(State.OK, "modems", "no ModemManager")


def _slots(subject: Subject) -> Iterator[Finding]:
    slots = subject.config.slots
    if slots:
        yield Finding(State.OK, "slots", f"{len(slots)} slots bound to ports")
        for words in (*numbered_by_bus(subject.config), *overfull_controllers(subject.config)):
            yield Finding(State.NOTE, "slots", words)
    else:
        words = f"no slot is bound to a USB port: run {LEARN}, or press a slot's number on the screen"
        yield Finding(State.NOTE, "slots", words)


def _disk(subject: Subject) -> Iterator[Finding]:
    folder: Path = subject.arguments.data_dir or subject.config.data_dir
    there = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    free = shutil.disk_usage(there).free
    if (closed := rights.refusing(folder)) is not None:
        yield Finding(State.STOP, "disk", f"{closed} cannot be written; no record, no pass")
    elif free < FREE_BYTES:
        yield Finding(State.STOP, "disk", f"{free >> 20} MiB left in {there}, the journal wants {FREE_BYTES >> 20}")
    else:
        yield Finding(State.OK, "disk", f"{free >> 20} MiB left for the journal")


def _journal(subject: Subject) -> Iterator[Finding]:
    directory = journal_dir(subject.arguments)
    if not os.path.lexists(directory):
        yield Finding(State.OK, "journal", "none yet; the first run makes one")
        return
    for kept in sorted(directory.glob("journal.damaged-*.db")):
        words = f"a damaged journal was set aside as {kept.name}; keep it, and report it once"
        yield Finding(State.NOTE, "journal", words)
    try:
        with JournalReader(directory) as journal:
            verified = journal.verify()
            words = f"{verified.entries} entries, chain unbroken, tables as it says; {journal.waiting()} owed"
    except JournalError as error:
        yield Finding(State.STOP, "journal", str(error))
        return
    written = (directory, *sorted(directory.glob(f"{JOURNAL_FILE}*")))
    closed = next((path for path in written if not os.access(path, os.W_OK)), None)
    if closed is None:
        yield Finding(State.OK, "journal", words)
    else:
        yield Finding(
            State.STOP, "journal", f"{closed} cannot be written: no record, no pass; correct its owner and rights"
        )


def _firmware(subject: Subject) -> Iterator[Finding]:
    store = store_of(subject.config)
    for profile in subject.profiles:
        try:
            if isinstance(profile, BadInput):
                raise profile
            for platform in profile.platforms:
                load_release(profile, platform, store, product_id(profile))
            yield Finding(State.OK, "firmware", f"all files of {profile.id} revision {profile.revision} are here")
        except BadInput as error:
            for sentence in error.sentences:
                yield Finding(State.STOP, "firmware", sentence)
    if not subject.profiles:
        yield Finding(State.NOTE, "firmware", "not looked at; name profiles with --profile")


def _releases(subject: Subject) -> Iterator[Finding]:
    """Check whether the line takes the profiles: `run` refuses an unreleased one without ``--trial``."""
    with contextlib.ExitStack() as stack:
        try:
            journal = stack.enter_context(JournalReader(journal_dir(subject.arguments)))
        except JournalError:  # none yet, or one that `_journal` tells of: the line beside the profile counts
            journal = None
        for profile in (one for one in subject.profiles if isinstance(one, Profile)):
            what = f"{profile.id} revision {profile.revision}"
            try:
                known = known_release(profile, journal)
            except (BadInput, JournalError) as error:
                yield Finding(State.STOP, "release", str(error))
                continue
            if known is None:
                yield Finding(State.STOP, "release", f"{unreleased(profile)}, or run it with --trial")
            elif known.profile != profile.ref:
                yield Finding(State.STOP, "release", f"{other_text(profile, known)}, or run it with --trial")
            else:
                yield Finding(State.OK, "release", f"{what} was released by {known.by}")


def _programs(subject: Subject) -> Iterator[Finding]:
    """Whether the programs that profiles have measure units are here."""
    for profile in subject.profiles:
        if not isinstance(profile, BadInput) and profile.sections(LocalTest):
            missing = missing_programs(profile, SystemPrograms())
            yield from (Finding(State.STOP, "programs", words) for words in missing)
            if not missing:
                yield Finding(State.OK, "programs", f"all that {profile.id} revision {profile.revision} runs are here")


def _secrets(subject: Subject) -> Iterator[Finding]:
    """Whether the passwords and secrets that profiles name are set."""
    for profile in subject.profiles:
        if not isinstance(profile, BadInput):
            yield from (
                Finding(State.STOP, "secrets", words) for words in missing_secrets(profile, SecretSource(os.environ))
            )


def _beside(subject: Subject) -> Iterator[Finding]:
    """Check what stands beside the bench: printers, and programs of the factory."""
    profiles = [one for one in subject.profiles if isinstance(one, Profile)]
    yield from printer_rows(subject.config, profiles)
    yield from hook_rows(subject.config, SecretSource(os.environ), SystemPrograms())


def _cloud(subject: Subject) -> Iterator[Finding]:
    profiles = [one for one in subject.profiles if isinstance(one, Profile)]
    yield from cloud_rows(subject.config, profiles, is_asked=not subject.arguments.no_cloud)


LOOKS: tuple[Look, ...] = (
    _packages, _usb, _permissions, _modem_manager, _slots, _disk, _journal, _batches, _firmware, _releases, _programs,
    _secrets, _beside, _cloud,
)  # fmt: skip
