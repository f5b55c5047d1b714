"""Virtual units for the verbs: in this process for ``--virtual``, or served to others by ``station virtual serve``."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from drivers.clock import Clock, SimulatedClock, SystemClock
from drivers.errors import DriverError
from drivers.identity import Secret
from drivers.transport import SerialHost, UsbHost
from drivers.transport.serialport import PyserialHost
from drivers.transport.usb import PyusbHost
from drivers.virtual import synthetic
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.bus import VirtualBus
from drivers.virtual.faults import BadFault, Fault, parse_fault
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.starts import GRAMMAR, NamedUnit, Start
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.usbip_bench import ActiveSims, served
from drivers.virtual.world import AccessPoint, World
from drivers.wire.messages.tables import WifiSecurity

from ..errors import BadInput
from ..settings.secrets import SecretRef, SecretSource, WifiPassword
from ..settings.usb_source import LISTEN, UsbSource
from .ending import Over, told_to_end, wait_over
from .places import add_access_points, made_dir
from .telling import standard_output

DEFAULT_OS = "6.3.4"
VIRTUAL_OS = synthetic.ALL_VERSIONS
"""Device OS versions some virtual unit can hold."""
usual_version = synthetic.usual_version
LOOPBACK = "127.0.0.1"
USBIP_PORT = "3240"
"""The port of USB/IP."""
STARTS = f"START: {', '.join(Start)} (without it: as it comes out of its box; one with Wi-Fi listens then)"


def declare(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb below ``station virtual``."""
    parser = verbs.add_parser("serve", help="serve virtual units over USB/IP until interrupted")
    parser.add_argument(
        "--unit", action="append", required=True, metavar=GRAMMAR, help=f"one unit; repeat for more. {STARTS}"
    )
    parser.add_argument(
        "--usbip", default=USBIP_PORT, metavar="[HOST:]PORT",
        help=f"where to listen ({LOOPBACK}:{USBIP_PORT}; 0: any free port); everybody who reaches it owns the units",
    )  # fmt: skip
    parser.add_argument(
        "--consoles", type=Path, metavar="D", help="folder for links to the serial consoles (a new one)"
    )
    parser.add_argument("--data-dir", type=Path, metavar="D", help="folder that keeps the units for the next time")
    add_access_points(parser)
    parser.add_argument("--fault", action="append", default=[], metavar="SPEC", help="as in station demo")
    parser.add_argument("--json", action="store_true", help="say in one line of JSON what is served")
    parser.set_defaults(run=serve)


def serve(arguments: argparse.Namespace) -> int:
    """Serve until a signal arrives; returns 0."""
    found = re.fullmatch(LISTEN, arguments.usbip)
    if found is None:
        raise BadInput(f"--usbip {arguments.usbip}: write a port, or HOST:PORT")
    host, port = (found[1] or LOOPBACK).strip("[]"), int(found[2])
    named = [parse_virtual(text, "--unit") for text in arguments.unit]
    specs = [one.spec(1, number, setup_done=True) for number, one in enumerate(named, 1)]
    keeps = made_dir(arguments.data_dir) if arguments.data_dir else None
    world = World(access_points(arguments.ap), sims=ActiveSims())
    over = Over()
    with contextlib.ExitStack() as stack:
        stack.enter_context(told_to_end(over))
        folder = arguments.consoles or stack.enter_context(tempfile.TemporaryDirectory(prefix="station-consoles-"))
        consoles = made_dir(Path(folder), "--consoles").absolute()
        faults = _faults(arguments.fault)
        try:
            bench = stack.enter_context(served(specs, SystemClock(), (host, port), consoles, world, keeps, faults))
        except OSError as error:
            if error.filename:  # a unit's own files
                raise
            raise BadInput(
                f"--usbip {arguments.usbip}: {error.strerror or error}; name another address or port"
            ) from error
        _say(named, bench.units, UsbSource(bench.host, bench.port, consoles).url, as_json=arguments.json)
        wait_over(over)
    return 0


def _faults(texts: list[str]) -> list[Fault]:
    try:
        return [parse_fault(text) for text in texts]
    except BadFault as error:
        raise BadInput(f"--fault: {error}") from error


def _say(named: list[NamedUnit], units: tuple[VirtualUnit, ...], url: str, *, as_json: bool) -> None:
    rows = [
        {
            "port": str(unit.port), "platform": one.slug, "device_os": one.device_os, "device_id": unit.device_id,
            "start": str(one.start or ""), "mode": _MODES.get(unit.mode, str(unit.mode)),
        }
        for one, unit in zip(named, units, strict=True)
    ]  # fmt: skip
    with standard_output() as file:
        if as_json:
            file.write(json.dumps({"usb": url, "units": rows}) + "\n")
        else:
            width = max(len(str(one)) for one in named)
            for one, row in zip(named, rows, strict=True):
                file.write(f"port {row['port']}  {one!s:{width}}  {row['device_id']}  {row['mode']}\n")
            file.write(f"served until Ctrl-C; see them with: station identify --usb {url}\n")
        file.flush()


_MODES = {UnitMode.DEAD: "dark, shows nothing on USB", UnitMode.STARTING: "still starting"}
"""Modes of a unit in other words than their own."""


@contextlib.contextmanager
def virtual_place(units: Sequence[str], networks: Sequence[str] = ()) -> Iterator[tuple[UsbHost, SerialHost, Clock]]:
    """Run a bus in simulated time with one virtual unit per text such as ``boron@6.3.4:dfu``. Raises `BadInput`.

    ``networks``: Wi-Fi in range, as `access_points` reads it.
    """
    named = [parse_virtual(text) for text in units]
    clock, world = SimulatedClock(), World(access_points(networks), sims=ActiveSims())
    with clock.registered(), VirtualBus(clock) as bus:
        for number, one in enumerate(named, 1):
            bus.plug(f"1-{number}", VirtualUnit(one.spec(1, number, setup_done=True), clock, world))
        ports = VirtualPorts(bus)
        yield PyusbHost(VirtualBackend(bus)), PyserialHost(ports.list, ports.open), clock


def parse_virtual(text: str, option: str = "--virtual") -> NamedUnit:
    """Parse ``"boron@5.8.0:dfu"``, by default with Device OS 6.3.4 or the newest. Raises `BadInput`."""
    try:
        return NamedUnit.parse(text, DEFAULT_OS)
    except DriverError as error:
        raise BadInput(f"{option} {text}: {error}") from error


def access_points(texts: Sequence[str]) -> list[AccessPoint]:
    """Return the networks that ``--ap`` names, their passwords looked up. Raises `BadInput`."""
    secrets, made = SecretSource(os.environ), list[AccessPoint]()
    for text in texts:
        ssid, equals, kept = text.rpartition("=") if "=" in text else (text, "", "")
        reference = SecretRef.parse(kept)
        if not ssid or (equals and reference is None):
            raise BadInput("--ap: write SSID, SSID=env:NAME or SSID=keyring:SERVICE/USER, never the password itself")
        password = secrets.resolve(reference, WifiPassword) if reference is not None else None
        made.append(
            AccessPoint(
                ssid, password and Secret(password.reveal()), WifiSecurity.WPA2_PSK if password else WifiSecurity.NONE
            )
        )
    return made
