"""``station unit wifi``: shows what a unit knows of Wi-Fi; joins and forgets networks by the steps of a walk."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from drivers.devices.wifi import UnitWifi, WifiNetwork
from drivers.errors import RequestUnknown
from drivers.plain_text import printable
from drivers.platforms import Platform, platforms
from drivers.wire.messages.tables import WifiSecurity as WireSecurity

from ..engine.step import StepContext, already
from ..errors import BadInput, UnitRejected
from ..settings.profile import Kind
from ..settings.profile_sections import Context
from ..settings.secrets import SecretRef, SecretSource
from ..settings.sections import read_options, wrong_option
from ..steps.shared.unit import Unit
from ..steps.shared.wifi_networks import BenchWifi, WifiGoal
from ..steps.shared.wifi_section import Eap, Wifi, WifiSecurity
from ..steps.wifi import wifi
from ..steps.wifi_clear import wifi_clear
from .places import add_access_points
from .unit_verb import Act, Done, Verb

_SECRETS = ("password", "certificate", "private_key", "root_ca")
_OF_NETWORK = (
    "security", "hidden", "join", "min_signal", "eap", "username", "outer_identity", *_SECRETS,
)  # fmt: skip
"""Keys of a profile's [wifi] that options say; each needs ``--ssid``."""


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ssid", metavar="NAME", help="join this network; without it: show what the unit knows")
    parser.add_argument(
        "--security", choices=[one.value for one in WifiSecurity], help="how the network is protected (wpa2)"
    )
    where = "env:NAME or keyring:SERVICE/USER"
    parser.add_argument("--password", metavar="WHERE", help=f"where it is kept, {where}; without it you are asked")
    parser.add_argument("--hidden", action="store_true", default=None, help="the network does not tell its name")
    parser.add_argument(
        "--no-join", dest="join", action="store_false", default=None, help="store it untried: it is not here"
    )
    parser.add_argument("--min-signal", type=int, metavar="DBM", help="measure the signal: at least this, such as -70")
    parser.add_argument(
        "--eap", choices=[one.value for one in Eap], help="of an enterprise network: by name and password, or by key"
    )
    parser.add_argument("--username", metavar="NAME", help="whom the unit logs in as (peap)")
    parser.add_argument("--outer-identity", metavar="NAME", help="the name the network is told in clear")
    parser.add_argument("--certificate", metavar="WHERE", help="where the unit's certificate is kept, PEM (tls)")
    parser.add_argument("--private-key", metavar="WHERE", help="where its key is kept, PEM (tls)")
    parser.add_argument("--root-ca", metavar="WHERE", help="whose certificates the unit believes, PEM")
    parser.add_argument("--clear", action="store_true", help="forget the network --ssid, without it: all of them")
    add_access_points(parser)


def _prepare(arguments: argparse.Namespace) -> Act:
    written = {key: value for key in _OF_NETWORK if (value := getattr(arguments, key)) is not None}
    if written and (arguments.clear or arguments.ssid is None):
        named = ", ".join(map(_option, written))
        raise BadInput(f"{named}: only with --ssid, and not with --clear")
    if arguments.clear:
        return lambda unit, ctx: _clear(arguments.ssid, unit, ctx)
    if arguments.ssid is None:
        return _read
    section = _section({"ssid": arguments.ssid, **written})
    goal = section.goal(SecretSource(os.environ, ask=_ask))
    return lambda unit, ctx: _join(section, goal, unit, ctx)


def _option(key: str) -> str:
    return "--no-join" if key == "join" else f"--{key.replace('_', '-')}"


def _section(written: dict[str, object]) -> Wifi:
    """Return what the options say as the section a profile would have; raises `BadInput`."""
    for key in _SECRETS:
        if key in written and SecretRef.parse(str(written[key])) is None:
            raise BadInput(
                f"{_option(key)}: write where it is kept, env:NAME or keyring:SERVICE/USER, never the secret itself: "
                "everybody on this computer sees what a command was started with"
            )
    takes_password = written.get("security") != WifiSecurity.OPEN and written.get("eap") != Eap.TLS
    if takes_password and "password" not in written:
        written["password"] = SecretRef("ask", str(written["ssid"]))
    section = read_options(Wifi, written)
    _check(section, platforms())
    return section


def _check(section: Wifi, rows: Iterable[Platform]) -> None:
    """Raise `BadInput` for options that do not go together, or with none of these platforms."""
    mistakes = list(section.check(Context(Kind.DEVELOPER, tuple(rows), (), frozenset())))
    if mistakes:
        raise BadInput(*(wrong_option(Wifi, one.path, one.expected) for one in mistakes))


def _ask(ssid: str) -> str:
    if not sys.stdin.isatty():
        raise BadInput(
            "--password: there is no terminal to ask on; write where it is kept, env:NAME or keyring:SERVICE/USER"
        )
    return getpass.getpass(f"Password of {printable(ssid)}: ")


# --- what is done to the unit ---


@dataclass(frozen=True, slots=True)
class _Session:
    """Implements `WifiSession` outside of a walk: nobody else joins, so nothing is waited for."""

    unit: Unit
    wifi: tuple[WifiGoal, ...]
    bench_wifi: BenchWifi


def _wifi_of(unit: Unit, ctx: StepContext) -> UnitWifi:
    """Return the unit's Wi-Fi; raises `UnitRejected` where its platform takes no credentials."""
    row = unit.known.platform
    if not row.sets_wifi_in_listening_mode:
        takers = ", ".join(one.name for one in platforms() if one.sets_wifi_in_listening_mode)
        raise UnitRejected(f"{row.name}: units of this platform join no Wi-Fi network; these do: {takers}")
    unit.known.os_version = unit.device.os_version(ctx.deadline)
    return UnitWifi(unit.device, ctx.deadline)


def _session(unit: Unit, *goals: WifiGoal) -> _Session:
    return _Session(unit, goals, BenchWifi(patience_s=0.0, refused_patience_s=0.0))


def _join(section: Wifi, goal: WifiGoal, unit: Unit, ctx: StepContext) -> Done:
    _wifi_of(unit, ctx)
    _check(section, (unit.known.platform,))
    return Done.of(wifi(_session(unit, goal), ctx), ctx)


def _clear(ssid: str | None, unit: Unit, ctx: StepContext) -> Done:
    its = _wifi_of(unit, ctx)
    held = its.stored()
    if held is None or not its.can_forget:
        return Done(
            f"no request makes a {unit.known.platform.name} with Device OS {unit.known.os_version} forget networks; "
            f"hold {unit.known.platform.button} until the light blinks dark blue, and on until it blinks blue fast: "
            "that erases all of them",
            is_good=False,
        )  # fmt: skip
    if ssid is not None and not its.can_forget_one:
        return Done(
            f"Device OS {unit.known.os_version} forgets all networks or none; leave out --ssid to clear all of them: "
            f"{_listed(held)}", is_good=False,
        )  # fmt: skip
    unwanted = sorted(held) if ssid is None else [ssid]
    if not held.intersection(unwanted):
        return Done.of(already(f"it knows {_listed(held)}"), ctx)
    goals = (WifiGoal(WifiNetwork(name, WireSecurity.NONE), is_kept=False) for name in unwanted)
    return Done.of(wifi_clear(_session(unit, *goals), ctx), ctx)


def _listed(ssids: Iterable[str]) -> str:
    return ", ".join(map(printable, sorted(ssids))) or "none"


def _read(unit: Unit, ctx: StepContext) -> Done:
    """Read the stored networks, the connection, and what it hears."""
    its = _wifi_of(unit, ctx)
    no_request = f"-  no request of Device OS {unit.known.os_version} tells"
    stored, heard = its.stored(), its.heard()
    try:
        link = its.link()
        connected = "no"
    except RequestUnknown:
        link, connected = None, no_request
    if link is not None:
        signal = f", {link.rssi} dBm" if link.rssi is not None else ""
        connected = (
            f"{printable(link.ssid) if link.ssid else 'to a network it does not name'}{signal} ({link.evidence})"
        )
    best: dict[str, int] = {}
    for one in heard or ():
        best[one.ssid] = max(one.rssi, best.get(one.ssid, one.rssi))
    by_strength = sorted(best.items(), key=lambda row: -row[1])
    return Done(
        "Wi-Fi",
        {
            "stored": None if stored is None else sorted(stored),
            "link": link and {"ssid": link.ssid, "signal": link.rssi, "evidence": link.evidence},
            "heard": None if heard is None else [{"ssid": ssid, "signal": signal} for ssid, signal in by_strength],
        },
        (
            f"  knows      {no_request if stored is None else _listed(stored)}",
            f"  connected  {connected}",
            *(f"  hears      {printable(ssid) or '(hidden)'}  {signal} dBm" for ssid, signal in by_strength),
            *([f"  hears      {no_request}"] if heard is None else [] if heard else ["  hears      nothing"]),
        ),
    )  # fmt: skip


VERB = Verb("show, join or forget Wi-Fi networks", _prepare, _options)
