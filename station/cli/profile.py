"""Implements ``station profile``: check a profile and plan it on a virtual unit, or print a schema.

The other verbs of a process engineer are in the files beside this one.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from drivers.host.executable import SystemPrograms
from drivers.platforms import OsVersion, Platform
from drivers.wire.messages.modules import ModuleInfo

from ..engine.walk import StepPlan
from ..errors import BadInput, UnitRejected
from ..firmware.estimate import estimate
from ..firmware.examples import write_synthetic_files
from ..firmware.plan_view import plan_lines
from ..firmware.release import load_release, plan_update
from ..firmware.sections import DeviceOs
from ..firmware.store import FirmwareStore
from ..paths import find_profile
from ..settings.config import config_schema, load_config
from ..settings.profile import Profile, load_profile, profile_schema
from ..settings.sku import note_on
from ..steps.local_test import missing_programs
from ..steps.product_add import Product, product_id
from ..steps.shared.cloud_sections import WHY_CLAIM, Cloud
from ..steps.shared.knowledge import UnitKnowledge
from ..steps.table import StepTable
from . import profile_diff, profile_hash, profile_new, profile_release
from .looking import Place, Ports, look
from .places import firmware_folder, store_of
from .telling import sub_verbs, tell, tell_all
from .virtual_units import VIRTUAL_OS, usual_version, virtual_place

HELD_OS = OsVersion.parse("3.3.1")


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verbs below ``profile``."""
    parser = parsers.add_parser("profile", help="write, check, compare and release profiles; their schema for editors")
    verbs = sub_verbs(parser, "what", "WHAT")
    check = verbs.add_parser("check", help="read it, find its files, plan it on a virtual unit")
    check.add_argument("file", metavar="FILE", help="a profile file, or the name of a shipped one")
    check.add_argument("--firmware", action="append", type=Path, default=[], metavar="DIR", help="look here for files")
    check.add_argument(
        "--held",
        choices=VIRTUAL_OS,
        metavar="V",
        help="Device OS the virtual unit holds (3.3.1, or an older one wanted)",
    )
    check.add_argument("--config", type=Path, metavar="FILE", help="the station's config file")
    check.set_defaults(run=run)
    schema = verbs.add_parser("schema", help="print its JSON Schema, by which editors complete and check")
    schema.add_argument("--config", action="store_true", help="that of the station's config file instead")
    schema.set_defaults(run=print_schema)
    profile_new.add(verbs)
    profile_hash.add(verbs)
    profile_diff.add(verbs)
    profile_release.add(verbs)


def print_schema(arguments: argparse.Namespace) -> int:
    """Print the JSON Schema of profiles, or of the config file."""
    schema = config_schema() if arguments.config else profile_schema(StepTable.found().rules)
    tell_all(json.dumps(schema, indent=2).splitlines())
    return 0


def run(arguments: argparse.Namespace) -> int:
    """Print steps, modules, order and reasons; returns 0 when all plans are possible, 2 when one is refused."""
    steps = StepTable.found()
    profile = load_profile(find_profile(arguments.file), steps.rules)
    with tempfile.TemporaryDirectory() as scratch:
        write_synthetic_files(Path(scratch), [profile])
        folders = map(firmware_folder, arguments.firmware)
        store = store_of(load_config(arguments.config), folders, made=Path(scratch))
        product = profile.section(Product)
        kind = f"product {product.ref}" if product else "developer"
        tell(f"{profile.id} revision {profile.revision} ({kind}), text {profile.sha256[:12]}")
        if note := note_on(profile.skus):
            tell(f"note: {note}")
        if product is not None and profile.section(Cloud).claim:
            tell(f"note: claim = true. {WHY_CLAIM}")
        if missing := missing_programs(profile, SystemPrograms()):
            raise BadInput(*missing)
        good = [_platform(profile, platform, store, steps, arguments.held) for platform in profile.platforms]
    return 0 if all(good) else 2


def _platform(profile: Profile, platform: Platform, store: FirmwareStore, steps: StepTable, asked: str | None) -> bool:
    wanted = profile.section(DeviceOs)
    usual = min(HELD_OS, wanted.version) if wanted else HELD_OS  # one that need not be taken back
    held_os = usual_version(platform.id, asked or str(usual))
    tell("", f"{platform.name}, a virtual one that holds synthetic Device OS {held_os}:")
    files = load_release(profile, platform, store, product_id(profile))
    tell_all(_steps(steps.plans(profile, platform)))
    try:
        held = _held(platform, held_os)
        plan = plan_update(profile, platform, files, held, product=product_id(profile))
    except UnitRejected as error:
        tell(f"  refused: {error}")
        return False
    tell_all(plan_lines(plan, estimate(plan, held, files.assets)))
    return True


def _held(platform: Platform, held_os: str) -> tuple[ModuleInfo, ...]:
    """Return the module info of a virtual unit, read as the station reads it."""
    with virtual_place([f"{platform.slug}@{held_os}"]) as place, Ports(Place(*place)) as ports:
        (candidate,) = ports.wait(1)
        known = UnitKnowledge(platform)
        look(ports, candidate, known)
        return known.modules


def _steps(plans: Iterable[StepPlan]) -> Iterator[str]:
    yield "  steps"
    for step in plans:
        after = ", ".join(step.after) or "plugging in"
        yield f"    {step.name:12} {step.lane.value:7} after {after}; at most {step.limit_s:.0f} s"
