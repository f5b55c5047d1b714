"""Implements ``station rework retire``: the whole way out of a product for the unit that is plugged in."""

from __future__ import annotations

import argparse
import dataclasses

from drivers.identity import DeviceId
from drivers.platforms import platform

from ..errors import BadInput
from ..line.rework.case import Case, Foreseen, Wishes
from ..line.rework.retiring import RETIRE, PluggedUnit, foresee
from ..steps.shared.knowledge import UnitKnowledge
from ..steps.shared.unit import Unit
from ..steps.table import StepTable
from .asking import can_ask, says_yes
from .choosing import answered, choose
from .identify import add_place, place
from .looking import Ports
from .outside import tell_hands
from .places import add_cache, cache_of
from .rework_desk import OpenDesk, add_usual, open_desk, profile_of
from .rework_session import Session

_SIM = ("keep", "release")


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb below ``station rework``."""
    parser = verbs.add_parser("retire", help=RETIRE.about)
    parser.add_argument("device", nargs="?", metavar="DEVICE", help="Device ID or serial number, of several")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--port", metavar="PATH", help="the unit on this USB port")
    which.add_argument("--slot", type=int, metavar="N", help="the unit in this slot of the config file")
    add_place(parser)
    parser.add_argument("--sim", choices=_SIM, help="what becomes of its SIM; kept, it stays active and billed")
    parser.add_argument(
        "--slow-too", action="store_true", help="release also a SIM that may take days to be active again"
    )
    add_cache(parser)
    add_usual(parser)
    parser.set_defaults(run=answered(run), kind="retire")


def run(arguments: argparse.Namespace) -> int:
    """Look at the unit and at the cloud, show, ask, do; exit status as for the other kinds."""
    profile, cache = profile_of(arguments), cache_of(arguments)
    with place(arguments) as found, Ports(found) as ports:
        candidate = choose(ports, arguments, by="its Device ID or serial number")
        port = candidate.port_path.value
        device = ports.device(candidate)
        try:
            with open_desk(arguments, profile, found.clock, tell_hands(port)) as opened:
                known = UnitKnowledge(platform(candidate.usb_id.platform_id or 0))
                unit = Unit(known, device, opened.journal, needs_serial=False)
                plugged = PluggedUnit(unit, opened.client, cache, StepTable.found().rules, found.clock)
                session = Session(opened.desk, "retire", as_json=arguments.json, is_agreed=arguments.yes)
                return session.run({f"port {port}": lambda: _look(opened, plugged, arguments)})
        finally:
            device.close()


def _look(opened: OpenDesk, plugged: PluggedUnit, arguments: argparse.Namespace) -> tuple[Case, Foreseen]:
    """The unit first: it says who it is, whatever the cloud shows of it by now."""
    desk, cancel = opened.desk, plugged.clock.token()
    has_tinker = plugged.look(desk.context(None, cancel))
    known = plugged.unit.known
    assert isinstance(known.device_id, DeviceId)
    case = desk.look(
        known.device_id, RETIRE, Wishes(slow_too=arguments.slow_too, sim_option="--sim release"), cancel, known
    )
    releases = case.sim is not None and _releases(arguments, case)
    case = dataclasses.replace(case, wishes=dataclasses.replace(case.wishes, releases_sim=releases))
    return case, foresee(case, plugged, has_tinker=has_tinker)


def _releases(arguments: argparse.Namespace, case: Case) -> bool:
    """Return what a person wants of the SIM: nobody but a person decides that (G8 L5)."""
    if arguments.sim is not None:
        return bool(arguments.sim == "release")
    if arguments.yes or arguments.json or not can_ask():
        raise BadInput("say what becomes of its SIM: --sim release, or --sim keep, and it stays active and billed")
    slow = ", and may take days to be active again" * case.is_slow
    return says_yes(f"Its SIM {case.cloud.job.iccid} is billed while the product has it. Release it{slow}?")
