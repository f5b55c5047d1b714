"""Implements ``station firmware plan``: what would be written to one unit, before anything is."""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from drivers.errors import BadIdentity, UnitProtected
from drivers.platforms import OsVersion, Platform, platform
from drivers.wire.image.host import AssetDependency, Image
from drivers.wire.usb import Mode

from ..errors import BadInput, UnitRejected
from ..firmware.checks import PlanRefused, Refusal
from ..firmware.estimate import estimate
from ..firmware.examples import synthetic_release, write_synthetic_files
from ..firmware.finding import found_for, release_files, releases
from ..firmware.plan import UpdatePlan, make_plan
from ..firmware.plan_view import DOCUMENT, FORMAT, plan_document, plan_lines
from ..firmware.release import ReleaseFiles, load_release
from ..firmware.sections import DeviceOs
from ..firmware.store import FirmwareStore
from ..paths import find_profile
from ..settings.config import load_config
from ..settings.profile import Profile, load_profile
from ..steps.product_add import product_id
from ..steps.shared.assets import held_assets
from ..steps.shared.knowledge import UnitKnowledge
from ..steps.table import StepTable
from ..words.say import Say
from .choosing import add_choice, answered, choose
from .identify import place
from .looking import Ports, look
from .outside import context, make_unit
from .places import add_cache, cache_of, store_of
from .telling import standard_output, tell, tell_all

_EPILOG = "--json writes one object:\n" + "".join(
    textwrap.fill(words, 79, initial_indent=f"  {key:9} ", subsequent_indent=" " * 12) + "\n"
    for key, words in DOCUMENT.items()
)


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``firmware plan``."""
    parser = verbs.add_parser(
        "plan", help="what would be written to a unit: in which order, why, how long, what if it is unplugged",
        epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--target",
        metavar="V",
        type=_version,
        help="a Device OS that the cache has; or, for a virtual unit, a synthetic one",
    )
    parser.add_argument("--profile", metavar="P", help="what a profile wants; with --target but for its Device OS")
    parser.add_argument("--allow-downgrade", action="store_true", help="also to an older Device OS")
    add_choice(parser)
    add_cache(parser)
    parser.set_defaults(run=answered(run))


def _version(text: str) -> OsVersion:
    try:
        return OsVersion.parse(text)
    except BadIdentity as error:
        raise argparse.ArgumentTypeError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a unit shall become. ``device_os``: None to stay as it is; ``source``: where that comes from, in words."""

    files: ReleaseFiles
    device_os: str | None
    source: str
    is_synthetic: bool
    profile: Profile | None = None

    def plan(self, known: UnitKnowledge, assets: tuple[AssetDependency, ...], *, allow_downgrade: bool) -> UpdatePlan:
        """Plan the update of a unit that was looked at; raises `PlanRefused`. ``assets``: those it holds."""
        profile, in_dfu = self.profile, known.fact("mode") == Mode.DFU
        device_os = profile.section(DeviceOs) if profile else None
        return make_plan(
            known.platform, None if in_dfu else known.modules, self.files.release, self.files.application,
            mode=Mode.DFU if in_dfu else Mode.APPLICATION,
            allow_downgrade=allow_downgrade or (device_os is not None and device_os.allow_downgrade),
            product=self.files.product(profile, product_id(profile)) if profile else None,
            skus=profile.skus if profile else (), serial=known.fact("serial"), assets=assets,
            bundled=self.files.bundled,
        )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Print the plan; returns 0, or 2 when it is refused. Raises `BadInput` and `DriverError`."""
    if not (arguments.target or arguments.profile):
        raise BadInput("say what the unit shall become: --target VERSION, --profile P, or both")
    with place(arguments) as found, Ports(found) as ports:
        candidate = choose(ports, arguments)
        known = UnitKnowledge(platform(candidate.usb_id.platform_id or 0))
        wanted = _wanted(arguments, known.platform)
        plan: UpdatePlan | None = None
        refused: UnitRejected | None = None
        try:
            look(ports, candidate, known)
            _check_open(known)
            unit = make_unit(ports, candidate)
            with contextlib.closing(unit.device):
                assets = held_assets(unit, wanted.files, context(found.clock, "plan")) if known.modules else ()
            plan = wanted.plan(known, assets, allow_downgrade=arguments.allow_downgrade)
        except UnitProtected:
            refused = _protected(str(known.device_id or f"the unit on port {candidate.port_path.value}"))
        except UnitRejected as error:
            refused = error
    expected = estimate(plan, known.modules, wanted.files.assets) if plan else None
    if arguments.json:
        document = {
            "format": FORMAT,
            "unit": _unit(known, str(candidate.usb_id.mode), is_virtual=bool(arguments.virtual)),
            "target": _target(wanted),
            "refused": _refused(refused), **plan_document(plan, expected),
        }  # fmt: skip
        with standard_output() as file:
            file.write(json.dumps(document) + "\n")
    else:
        tell(*_heads(known, wanted, is_virtual=bool(arguments.virtual)))
        tell_all(plan_lines(plan, expected) if plan and expected else [f"  refused: {refused}"])
        if refused is not None and _code(refused) == Refusal.DOWNGRADE:
            tell("  to plan it all the same: --allow-downgrade")
    return 0 if plan else 2


def _protected(name: str) -> UnitRejected:
    """A unit under device protection tells nothing and takes nothing."""
    said = f"{name} is a protected device; its owner has to take device protection off it first"
    return UnitRejected(said, say=Say("protected"))


def _check_open(known: UnitKnowledge) -> None:
    if known.fact("protection") not in (None, "open"):
        raise _protected(str(known.device_id))


# --- what it shall become -------------------------------------------------------------------------


def _wanted(arguments: argparse.Namespace, row: Platform) -> Wanted:
    """Find the files of profile and release. Raises `BadInput`."""
    profile = load_profile(find_profile(arguments.profile), StepTable.found().rules) if arguments.profile else None
    with tempfile.TemporaryDirectory() as scratch:
        if profile is not None:
            write_synthetic_files(Path(scratch), [profile])
        store = store_of(load_config(arguments.config), made=Path(scratch), cache=cache_of(arguments))
        files, version, source = ReleaseFiles((), None, None), None, ""
        if profile is not None:
            if not profile.fits(row.id):
                names = ", ".join(one.name for one in profile.platforms)
                raise BadInput(f"profile {profile.id} is for {names}, this is a {row.name}; name another profile")
            files, device_os = load_release(profile, row, store, product_id(profile)), profile.section(DeviceOs)
            version = device_os.version if device_os else None
            source = f"profile {profile.id} revision {profile.revision}"
        if arguments.target is not None:
            version = arguments.target
            release, source = _release(version, row, store, is_virtual=bool(arguments.virtual))
            files = replace(files, release=release)
    named = [image.name for image in (*files.release, files.application) if image is not None]
    is_synthetic = any(name.startswith("synthetic-") for name in named)
    return Wanted(files, str(version) if version else None, source, is_synthetic, profile)


def _release(
    version: OsVersion, row: Platform, store: FirmwareStore, *, is_virtual: bool
) -> tuple[tuple[Image, ...], str]:
    """Return the modules of a release, and where they are from."""
    found = found_for(row, (store,))
    if is_virtual and version not in releases(found[0]):
        return synthetic_release(row, version), "made by this program"
    return tuple(store.load(ref) for ref in release_files(row, version, found)), "the cache or the firmware folders"


# --- how it looks -----------------------------------------------------------------------------------


def _heads(known: UnitKnowledge, wanted: Wanted, *, is_virtual: bool) -> Iterator[str]:
    mode = " in DFU mode" if known.fact("mode") == Mode.DFU else ""
    held = f"Device OS {known.os_version}" if known.os_version else "it does not say which Device OS it holds"
    yield f"{known.platform.name} {known.device_id}{mode}{', a virtual one' * is_virtual}: {held}"
    target = _target(wanted)
    what = [f"Device OS {target['device_os'] or 'as it is'}"]
    what += [f"application {target['application']}"] if target["application"] else []
    synthetic = "; synthetic files, good for trying, never for a unit that is sold" if wanted.is_synthetic else ""
    yield f"  shall become: {', '.join(what)} ({wanted.source}{synthetic})"


def _unit(known: UnitKnowledge, mode: str, *, is_virtual: bool) -> dict[str, object]:
    return {
        "platform": known.platform.slug, "platform_id": known.platform.id, "device_id": str(known.device_id or ""),
        "device_os": str(known.os_version) if known.os_version else None, "mode": known.fact("mode") or mode,
        "is_virtual": is_virtual,
    }  # fmt: skip


def _target(wanted: Wanted) -> dict[str, object]:
    application = wanted.files.application
    return {
        "device_os": wanted.device_os, "source": wanted.source, "is_synthetic": wanted.is_synthetic,
        "application": application.name if application else None,
    }  # fmt: skip


def _refused(error: UnitRejected | None) -> dict[str, str] | None:
    return {"code": _code(error), "sentence": str(error)} if error is not None else None


def _code(error: UnitRejected) -> str:
    return error.code if isinstance(error, PlanRefused) else "protected" if error.say == Say("protected") else "unit"
