"""Implements ``station run``: the bench on real USB."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from drivers.clock import Clock, SystemClock
from drivers.host.executable import Programs
from drivers.host.hotplug_events import system_changes
from drivers.host.plain_file import read_plain
from drivers.transport.serialport import real_serial_host
from drivers.transport.usb import real_host

from ..compose import Hardware, Settings, Station
from ..engine.commands import Scan
from ..engine.events import BatchSummary
from ..errors import BadInput
from ..headless import Printer, Tally
from ..hooks import Hook, hook_of
from ..labels import LabelPrinter, printer_of
from ..line.batch_name import check_batch_name
from ..line.releases import ReleaseGate
from ..model import OffSlot, SlotInfo
from ..paths import find_profile
from ..settings.config import StationConfig, load_config
from ..settings.logins import TokenSource
from ..settings.profile import load_profile
from ..settings.secrets import SecretSource
from ..settings.sku import note_on
from ..settings.usb_source import add_usb, parse_url
from ..steps.shared.allowed import EXAMPLE, MOST_BYTES, Allowed, parse_allowed
from ..words.catalogue import Words
from .account import token_source, way_out
from .ending import Over, told_to_end, wait_over
from .places import add_data_dir, journal_dir, key_place
from .slots import write_off
from .speaking import add_language, add_theme, form_of, words_of
from .typed_scans import read_scans

UNBOUND = tuple(SlotInfo(number) for number in range(1, 5))
"""Slots of a bench without a config file: each takes the next port on which a unit appears."""


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = parsers.add_parser(
        "run", help="run the bench on real USB", epilog=f"a list for --allow, text in UTF-8:\n\n{EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--profile", action="append", required=True, metavar="P", help="one a batch, in the same order")
    parser.add_argument("--batch", action="append", required=True, metavar="B", help="opened if it is not")
    parser.add_argument("--headless", action="store_true", help="no screen; every line of standard input is a scan")
    parser.add_argument("--json", action="store_true", help="one event a line as JSON; implies --headless")
    parser.add_argument(
        "--operator", default="", metavar="BADGE", help="who works here, until another badge is scanned"
    )
    parser.add_argument("--trial", action="store_true", help="take profiles nobody released; the records say so")
    parser.add_argument("--trace", action="store_true", help="show the wire trace among the events")
    parser.add_argument(
        "--allow", action="append", type=Path, default=[], metavar="FILE",
        help="a supervisor's list: which units of which batch the bench may rework by itself, and how (form below)",
    )  # fmt: skip
    add_usb(parser)
    add_language(parser)
    add_theme(parser)
    add_data_dir(parser)
    parser.set_defaults(run=run, has_screen=has_screen)


def run(arguments: argparse.Namespace) -> int:
    """Run until interrupted; returns the exit status."""
    if len(arguments.profile) != len(arguments.batch):
        raise BadInput("name one --batch for each --profile, in the same order")
    for name in arguments.batch:
        check_batch_name(name)
    allowed = _allowed(arguments.allow, arguments.batch)
    config = load_config(arguments.config)
    words = words_of(arguments, config)
    token = token_source(config)
    token()  # without one every unit would wait for it
    clock = SystemClock()
    station = Station(settings(config, arguments, token), hardware(config, arguments), clock)
    try:
        rules = station.steps.rules
        for batch, name in zip(arguments.batch, arguments.profile, strict=True):
            profile = load_profile(find_profile(name), rules)
            if note := note_on(profile.skus):
                sys.stderr.write(f"note: {note}\n")
            station.open_batch(batch, profile, allowed=allowed.get(batch))
    except BaseException:
        station.journal.close()
        raise
    if has_screen(arguments):
        from .screen import station_screen  # the screen is loaded only where it is shown

        theme, sounds = arguments.theme or config.theme, arguments.sounds or config.sounds
        return station_screen(station, words, theme, rows=config.layout, with_sounds=sounds)
    return _headless(station, arguments, clock, words)


def _allowed(files: list[Path], batches: list[str]) -> dict[str, Allowed]:
    """Read the supervisor's lists, each for one batch of this run; raises `BadInput`."""
    found: dict[str, Allowed] = {}
    for path in files:
        try:
            one = parse_allowed(read_plain(path, MOST_BYTES + 1), str(path))
        except OSError as error:
            raise BadInput(f"--allow {path} cannot be read: {error.strerror}; give the path of the list") from error
        if one.batch not in batches:
            raise BadInput(
                f"--allow {path} is for batch {one.batch}, this run has {', '.join(batches)}; get one for it"
            )
        if one.batch in found:
            raise BadInput(f"--allow {path}: batch {one.batch} has a list already; put all its units into one")
        found[one.batch] = one
    return found


def has_screen(arguments: argparse.Namespace) -> bool:
    """Tell whether the verb takes the terminal."""
    return not (arguments.headless or arguments.json) and sys.stdout.isatty() and sys.stdin.isatty()


def settings(config: StationConfig, arguments: argparse.Namespace, token: TokenSource) -> Settings:
    """Combine the config file and the command line."""
    secrets = SecretSource(os.environ)
    return Settings(
        station_id=config.station_id, slots=config.slots or UNBOUND, data_dir=journal_dir(arguments, make=True),
        firmware=config.firmware_folders, firmware_cache=config.firmware_cache,
        cloud_url=config.cloud_url, token=token, secrets=secrets,
        requests_per_s=config.requests_per_s, way=way_out(config), key_place=key_place(config), power=config.power,
        off=config.off, keep_off=off_keeper(config), ignored_ports=config.ignored_ports,
        printers=partial(printers_of, config), hooks=partial(hooks_of, config, secrets),
        operator=arguments.operator, traces=arguments.trace, gate=partial(ReleaseGate, as_trial=arguments.trial),
    )  # fmt: skip


def hooks_of(config: StationConfig, secrets: SecretSource, programs: Programs) -> tuple[Hook, ...]:
    """Return the hooks of the config file; raises `BadInput` without a token or a program of theirs."""
    return tuple(hook_of(place, secrets, programs) for place in config.hooks)


def printers_of(config: StationConfig, clock: Clock) -> dict[str, LabelPrinter]:
    """Return the label printers of the config file; raises `BadInput`."""
    return {
        one.name: printer_of(one.name, one.to, clock, tells_status=one.tells_status) for one in config.printers
    }  # fmt: skip


def off_keeper(config: StationConfig) -> Callable[[int, OffSlot | None], None]:
    """Return what writes a slot out of service into the config file, if the station has one."""
    return lambda number, off: None if config.source is None else write_off(config.source, number, off)


def hardware(config: StationConfig, arguments: argparse.Namespace) -> Hardware:
    """Return real USB, or virtual units that another process serves over USB/IP."""
    source = parse_url(arguments.usb) if arguments.usb else config.usb
    if source.is_local:
        return Hardware(real_host(), real_serial_host(), system_changes())
    return Hardware(*source.remote_hosts(), virtual=True)


def _headless(station: Station, arguments: argparse.Namespace, clock: SystemClock, words: Words) -> int:
    over = Over()
    tally = Tally()
    printer = Printer(sys.stdout, form_of(arguments, words))
    station.bus.subscribe(printer)
    station.bus.subscribe(tally)
    started = clock.now()
    with told_to_end(over):
        station.start()
        read_scans(lambda text: station.command(Scan(text)))
        station.stop(wait_over(over))
    printer(
        BatchSummary(at=clock.utc(), batches=tuple(arguments.batch), units=tally.units, seconds=clock.now() - started)
    )
    printer.close()
    return tally.exit_status
