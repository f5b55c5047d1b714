"""Implements ``station unit``: a technician's commands to one unit, by the verbs the steps use.

Nothing is recorded, and no product, label or cloud is asked. Where a unit obeys no command, standard error says which
button to press, and the verb waits for it.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from collections.abc import Callable

from drivers.devices import Console, Goal
from drivers.errors import DriverError, RequestUnknown, UnknownPlatform
from drivers.plain_text import escaped
from drivers.platforms import platform
from drivers.transport import UsbCandidate
from drivers.wire import requests
from drivers.wire.console.tables import Key
from drivers.wire.usb import Mode

from ..engine.step import StepContext, StepResult
from ..errors import BadInput, StationError, StepFault, UnitRejected
from ..model import Outcome
from ..paths import find_profile
from ..settings.profile import load_profile
from ..steps.app_test import AppTest, ask_all
from ..steps.setup_done import set_up
from ..steps.shared.holding import hold
from ..steps.shared.knowledge import shown
from ..steps.shared.reading import identify_usb
from ..steps.shared.unit import Unit
from ..steps.table import StepTable
from .choosing import add_choice, add_units, answered, choose, device_id, slots_of
from .identify import NO_UNIT, as_object, document, place, text_of
from .looking import Ports
from .outside import context, make_unit, tell_hands
from .telling import standard_output, sub_verbs, tell, tell_all
from .unit_verb import Act, Done, Verb, plain
from .unit_wifi import VERB as WIFI

VERB_S = 600.0
"""How long a verb may take, with the hands it may have to wait for."""
LIST_S = 30.0
"""How long one unit may take to say who it is, in a list."""


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb and its own verbs."""
    verbs = sub_verbs(parsers.add_parser("unit", help=HELP), "what", "WHAT")
    listing = verbs.add_parser("list", help="what is plugged in: port, slot, platform, mode, Device ID")
    add_units(listing)
    listing.set_defaults(run=_list)
    about = verbs.add_parser("info", help="all that one unit tells, as identify")
    add_choice(about)
    about.set_defaults(run=answered(_info))
    for name, verb in _VERBS.items():
        parser = verbs.add_parser(name, help=verb.help)
        add_choice(parser)
        verb.options(parser)
        parser.set_defaults(run=answered(functools.partial(_run, verb)))


HELP = "command one unit: list, info, dfu, listen, reset, safe, shout, wifi, setup-done, console, env, test"


# --- running a verb -------------------------------------------------------------------------------


def _list(arguments: argparse.Namespace) -> int:
    with place(arguments) as found, Ports(found) as ports:
        slots = slots_of(arguments)
        told = [(one, *device_id(ports, one)) for one in ports.wait(len(arguments.virtual))]
    rows = [
        {
            "port": one.port_path.value, "slot": slots.get(one.port_path.value), "platform": _name(one),
            "mode": str(one.usb_id.mode or ""), "device_id": device_id, "fault": fault,
        }
        for one, device_id, fault in told
    ]  # fmt: skip
    if not rows:
        sys.stderr.write(f"station: {NO_UNIT}\n")
    if arguments.json:
        _write(rows)
    else:
        tell_all(
            f"port {row['port']}  {'slot ' + str(row['slot']) if row['slot'] else '-':8} {row['platform']:27} "
            f"{row['mode']:12} {row['device_id'] or '-'}{'  ' * bool(row['fault'])}{row['fault']}"
            for row in rows
        )
    return 0 if rows else 1


def _name(candidate: UsbCandidate) -> str:
    other = candidate.usb_id.other_device
    if other is not None:
        return other.name
    try:
        return platform(candidate.usb_id.platform_id or 0).name
    except UnknownPlatform:
        return str(candidate.usb_id)


def _info(arguments: argparse.Namespace) -> int:
    with place(arguments) as found, Ports(found) as ports:
        one = document(ports, choose(ports, arguments))
    if arguments.json:
        _write(as_object(one))
    else:
        tell_all(text_of(one))
    return 0 if one.is_good else 1


def _run(verb: Verb, arguments: argparse.Namespace) -> int:
    """Run one verb on the unit that is meant; returns 1, and says why in a sentence, where the unit did not do it."""
    act = verb.prepare(arguments)
    with place(arguments) as found, Ports(found) as ports:
        candidate = choose(ports, arguments)
        port = candidate.port_path.value
        unit = make_unit(ports, candidate)
        ctx = context(found.clock, "unit", tell_hands(port), VERB_S)
        try:
            identify_usb(unit, ctx)
            if verb.is_of_firmware and unit.device.mode is Mode.DFU:
                raise StepFault("it is in DFU mode, where it cannot do that; restart it with: station unit reset")
            done = act(unit, ctx)
        except BadInput:
            raise
        except (DriverError, StationError) as error:
            outcome = Outcome.FAILED if isinstance(error, UnitRejected) else Outcome.ERROR
            done = Done.of(StepResult(outcome, reason=str(error)), ctx)
        finally:
            unit.device.close()
        mode = str(unit.device.mode or "")
    if arguments.json:
        _write({
            "port": port, "device_id": str(unit.known.device_id or ""), "mode": mode, "done": done.is_good,
            "text": done.text, **done.values,
        })  # fmt: skip
    elif done.is_good:
        tell(f"port {port}  {unit.known.device_id}: {done.text}", *done.lines)
    else:
        tell(*done.lines)
        sys.stderr.write(f"station: port {port}: {escaped(done.text)}\n")
    return 0 if done.is_good else 1


def _write(value: object) -> None:
    with standard_output() as file:
        file.write(json.dumps(value) + "\n")


# --- the verbs ------------------------------------------------------------------------------------


def _hold(help_text: str, goal: Goal, text: str) -> Verb:
    def act(unit: Unit, ctx: StepContext) -> Done:
        how = hold(unit.device, ctx, goal)
        doubt = "" if unit.device.is_proved else "; only its port tells that it is the same unit"
        return Done(f"{text}{', ' * bool(how)}{how}{doubt}")

    return plain(help_text, act, is_of_firmware=False)


def _shout(arguments: argparse.Namespace) -> Act:
    def act(unit: Unit, ctx: StepContext) -> Done:
        unit.device.ask(requests.stop_signal() if arguments.off else requests.start_signal(), ctx.deadline)
        return Done("its light is its own again" if arguments.off else "its light is a rainbow until it restarts")

    return act


def _setup_done(unit: Unit, ctx: StepContext) -> Done:
    unit.known.os_version = unit.device.os_version(ctx.deadline)
    return Done.of(set_up(unit, ctx), ctx)


_READS: dict[Key, Callable[[Console], object]] = {
    Key.VERSION: Console.version,
    Key.IDENTITY: Console.identify,
    Key.MAC: Console.mac,
    Key.MODULES: Console.modules,
    Key.CLAIMED: Console.claimed,
}
"""Commands of the console that only print something, in the order they are asked."""


def _console(arguments: argparse.Namespace) -> Act:
    """Type commands and show what the unit prints, parsed; the mobile secret never. Its mode is then what it was."""

    def act(unit: Unit, ctx: StepContext) -> Done:
        found: dict[str, object] = {}
        with unit.listening.during(ctx), unit.device.console(ctx.deadline) as console:
            for key in arguments.keys or _READS:
                try:
                    found[key] = _plain(_READS[Key(key)](console))
                except RequestUnknown as unknown:
                    found[key] = str(unknown)
        unit.listening.give_back(ctx)
        return Done(
            f"its console printed {', '.join(found)}", {"console": found},
            tuple(f"  {key}  {_spelled(value)}" for key, value in found.items()),
        )  # fmt: skip

    return act


def _plain(value: object) -> object:
    """Return what a console command printed as text, or as a mapping of texts."""
    names = getattr(type(value), "__slots__", ())
    if not isinstance(value, str | bool | type(None)) and names and names != ("value",):
        told = {name: getattr(value, name) for name in names}
        return {name: one if isinstance(one, int) else shown(name, one) for name, one in told.items() if one}
    return value if isinstance(value, bool | type(None)) else str(value)


def _spelled(value: object) -> str:
    """Return what a console command printed as people read it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return {True: "yes", False: "no", None: "-"}[value] if isinstance(value, bool | type(None)) else str(value)


def _environment(unit: Unit, ctx: StepContext) -> Done:
    found = unit.device.ask(requests.get_environment(), ctx.deadline)
    return Done(
        f"{len(found)} environment variables",
        {"environment": [{"name": one.name, "value": one.value, "is_app": one.is_app} for one in found]},
        tuple(f"  {one.name}={one.value}" for one in found),
    )


def ask_application(arguments: argparse.Namespace) -> Act:
    """Ask the application the questions of a profile, and judge the values by its limits."""
    profile = load_profile(find_profile(arguments.profile), StepTable.found().rules)
    rows = profile.sections(AppTest)
    if not rows:
        raise BadInput(f"{arguments.profile} has no [app_test]; name a profile with one")

    def act(unit: Unit, ctx: StepContext) -> Done:
        if unit.known.platform not in profile.platforms:
            wanted = ", ".join(row.name for row in profile.platforms)
            raise UnitRejected(f"{arguments.profile} is for {wanted}, this is a unit of {unit.known.platform.name}")
        return Done.of(ask_all(unit.device, rows, ctx), ctx)

    return act


def _off(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--off", action="store_true", help="end it")


def _keys(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "keys", nargs="*", type=_key, metavar="KEY", help="commands that print something: v i m s c (all of them)"
    )


def _key(text: str) -> str:
    if text not in list(_READS):
        raise argparse.ArgumentTypeError(f"{text!r} prints nothing that is read; keys are {' '.join(_READS)}")
    return text


def _profile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--profile",
        required=True,
        metavar="P",
        help="a profile with [app_test]; of virtual units, those with START selftest answer it",
    )


_VERBS: dict[str, Verb] = {
    "dfu": _hold("restart into DFU mode (light blinks yellow)", Goal.DFU, "in DFU mode"),
    "listen": _hold("enter listening mode (light blinks dark blue)", Goal.LISTENING, "in listening mode"),
    "reset": _hold("restart; out of DFU mode too", Goal.RESTART, "restarted"),
    "safe": _hold("restart without its application", Goal.SAFE, "restarted for safe mode"),
    "shout": Verb("show a rainbow on its light, to find it", _shout, _off),
    "wifi": WIFI,
    "setup-done": plain("set the setup-done flag of a Gen 3 unit with Device OS 3 or older", _setup_done),
    "console": Verb("show what its serial console prints", _console, _keys),
    "env": plain("show its environment variables (Device OS 6.4 and newer)", _environment),
    "test": Verb("ask its application the questions of a profile", ask_application, _profile),
}
