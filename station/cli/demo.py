"""Implements ``station demo``: the bench on virtual units and a virtual cloud."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import math
import os
import sys
from pathlib import Path

from drivers.clock import Clock, SimulatedClock, SystemClock
from drivers.virtual.faults import ACTIONS, MOMENTS, OPTIONS, BadFault, Fault, parse_fault
from drivers.virtual.synthetic import ALL_VERSIONS

from ..compose import JOURNAL_PATIENCE_S
from ..demo import FACTORY_OS, SCAN_S, SHOW_S, STORIES, TROUBLES, Demo, DemoOptions, story, tray, tray_profiles
from ..engine.commands import Scan
from ..engine.events import BatchSummary
from ..errors import BadInput
from ..export import export as export_log
from ..headless import Printer, Tally, summary_words
from ..journal import JournalReader
from ..paths import find_profile
from ..settings.profile import load_profile
from ..steps.table import StepTable
from ..words.catalogue import Words
from .ending import Ending, Over, told_to_end
from .places import check_output, firmware_folder, made_dir, output
from .speaking import add_language, add_theme, form_of, words_of
from .story import list_stories, reconciliation_as_json, reconciliation_words
from .typed_scans import read_scans

SCREEN_SPEED = 6.0
"""Times real speed at which ``--speed fast`` runs on a screen, so that a person can follow."""
BUSY_SLOTS = 8
"""With more virtual units the demo runs slower, or one computer could not keep up."""
PATIENT_SCAN_S, PATIENT_SHOW_S = 8.0, 4.0
"""Real seconds that virtual hands leave the person at a screen to scan first, and to read a verdict."""
UNITS = 4
MOST_SLOTS, MOST_UNITS = 32, 1000
SLOTS_OF_MANY = 8
"""Slots of a demo with more units than a bench has slots: they come one after the other."""
DEFAULT_PROFILES = ("boron-product", "argon-product")
"""What is shown unless options say otherwise; with more than `BUSY_SLOTS` units, one of every platform."""


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb and its options."""
    parser = parsers.add_parser(
        "demo",
        help="try the bench: virtual units, a virtual cloud, nothing to plug in",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=fault_help(),
    )
    parser.add_argument(
        "--units", type=_units, metavar="N",
        help=f"slots, and units at a time ({UNITS}); more than {BUSY_SLOTS}: of every platform;"
        f" more than {MOST_SLOTS}: so many in all, in {SLOTS_OF_MANY} slots",
    )  # fmt: skip
    parser.add_argument(
        "--profile", action="append", default=[], metavar="P",
        help="a file, or the name of a shipped one (boron-product and argon-product)",
    )  # fmt: skip
    parser.add_argument("--firmware", action="append", type=Path, default=[], metavar="DIR", help="look here for files")
    parser.add_argument(
        "--story", choices=[one.name for one in STORIES], metavar="NAME",
        help="tell one of the stories: it brings its units and profiles, ends with them, and says what they hold then",
    )  # fmt: skip
    parser.add_argument("--stories", action="store_true", help="list the stories")
    parser.add_argument("--headless", action="store_true", help="no screen; every line of standard input is a scan")
    parser.add_argument("--json", action="store_true", help="one event a line as JSON; implies --headless")
    parser.add_argument("--once", action="store_true", help="end after one unit a slot (else units keep coming)")
    parser.add_argument("--keep-bad", action="store_true", help="a unit that did not pass stays in, to be mended")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which units come (1)")
    parser.add_argument("--speed", choices=("fast", "real"), default="fast", help="real: datasheet timings")
    parser.add_argument("--data-dir", type=Path, metavar="D", help="keep units, cloud and journal here")
    parser.add_argument("--export", type=Path, metavar="FILE.csv", help="write the batch logs here at the end")
    parser.add_argument("--cloud-down-for", type=_seconds, default=0.0, metavar="SECONDS", help="the cloud is away")
    parser.add_argument("--fault", action="append", default=[], metavar="SPEC", help="order a fault, see below")
    troubles = f"kinds of trouble units have, up to {len(TROUBLES)}"
    parser.add_argument("--troubles", type=_kinds, default=0, metavar="N", help=troubles)
    parser.add_argument("--trace", action="store_true", help="show the wire trace among the events")
    add_language(parser)
    add_theme(parser)
    parser.add_argument(
        "--factory-os",
        choices=ALL_VERSIONS,
        metavar="V",
        help=f"Device OS the units come with ({FACTORY_OS}); platforms it was not made for come with another",
    )
    parser.set_defaults(run=run, has_screen=has_screen)


def fault_help() -> str:
    """Format the fault grammar as a table (drivers.virtual.faults)."""
    rows = ["faults: --fault unit=N|ID|any,at=MOMENT,do=ACTION[,OPTION=...]", "", "MOMENT"]
    rows += [f"  {name:18} {words}" for name, words in MOMENTS.items()]
    rows += ["", "ACTION"] + [f"  {name:18} {words}" for name, words in ACTIONS.items()]
    rows += ["", "OPTION"] + [f"  {name:18} {words}" for name, words in OPTIONS.items()]
    return "\n".join(rows)


def _units(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_UNITS):
        raise argparse.ArgumentTypeError(
            f"{text} units: a bench has 1 to {MOST_SLOTS} slots, and up to {MOST_UNITS} units come to it"
        )
    return int(text)


def _kinds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= len(TROUBLES)):
        raise argparse.ArgumentTypeError(f"{text!r}: there are 0 to {len(TROUBLES)} kinds of trouble")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}: expected seconds from 0 on, such as 60")
    return value


def _fault(spec: str) -> Fault:
    try:
        return parse_fault(spec)
    except BadFault as error:
        raise BadInput(f"{error}; see: station demo --help") from error


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; returns the exit status."""
    if arguments.stories:
        sys.stdout.write(list_stories())
        return 0
    words = words_of(arguments)
    cast = _cast(arguments)
    if arguments.export is not None:
        check_output(arguments.export, "--export")
    if arguments.data_dir is not None:
        made_dir(arguments.data_dir)
    is_headless = _is_headless(arguments)
    if is_headless and arguments.keep_bad:
        raise BadInput("--keep-bad: without a screen nobody retries a unit, so it would stay for good; leave it out")
    speed = _screen_speed(arguments.speed, cast.units)
    options = dataclasses.replace(
        cast, seed=arguments.seed, firmware=tuple(map(firmware_folder, arguments.firmware)),
        data_dir=arguments.data_dir, faults=tuple(map(_fault, arguments.fault)),
        cloud_down_s=arguments.cloud_down_for, traces=arguments.trace or not is_headless, keeps_bad=arguments.keep_bad,
        scan_after_s=SCAN_S if is_headless else PATIENT_SCAN_S * speed,
        show_s=SHOW_S if is_headless else PATIENT_SHOW_S * speed,
    )  # fmt: skip
    clock = _clock(arguments.speed, is_headless=is_headless, units=options.units)
    if is_headless:
        return _headless(options, clock, arguments, words)
    from .screen import demo_screen  # the screen is loaded only where it is shown

    return demo_screen(
        options,
        clock,
        dict(os.environ),
        words,
        lambda *ending: _finish_screen(*ending, export=arguments.export, words=words),
        arguments.theme or "dark",
        with_sounds=arguments.sounds,
    )


def _cast(arguments: argparse.Namespace) -> DemoOptions:
    """Return what units come and what they become, by the story or by the options; raises `BadInput`."""
    rules = StepTable.found().rules
    if (told := story(arguments.story)) is not None:
        given = next((name for name in ("units", "profile", "factory_os") if getattr(arguments, name)), None)
        if given is not None:
            option = given.replace("_", "-")
            raise BadInput(f"--{option}: the story {told.name} brings its own units and profiles; leave --{option} out")
        return told.options(rules)
    count = arguments.units or UNITS
    total, units = (count, SLOTS_OF_MANY) if count > MOST_SLOTS else (None, count)
    if arguments.troubles and total is None:
        total = units
    names = arguments.profile or (DEFAULT_PROFILES if units <= BUSY_SLOTS else ())
    arrivals = () if names else tray()[:units]
    profiles = tuple(load_profile(find_profile(name), rules) for name in names) or tray_profiles(arrivals, rules)
    return DemoOptions(
        profiles, arrivals=arrivals, units=units, once=arguments.once or total is not None,
        factory_os=arguments.factory_os or FACTORY_OS, total=total, troubles=arguments.troubles,
    )  # fmt: skip


def has_screen(arguments: argparse.Namespace) -> bool:
    """Tell whether the verb takes the terminal."""
    return not (arguments.stories or _is_headless(arguments))


def _is_headless(arguments: argparse.Namespace) -> bool:
    return bool(arguments.headless or arguments.json or not (sys.stdout.isatty() and sys.stdin.isatty()))


def _clock(speed: str, *, is_headless: bool, units: int) -> Clock:
    if is_headless and speed == "fast":
        return SimulatedClock(epoch=SystemClock().utc(), stall_s=2 * JOURNAL_PATIENCE_S)  # it stands for a lock
    return SystemClock(_screen_speed(speed, units))


def _screen_speed(speed: str, units: int) -> float:
    return 1.0 if speed == "real" else max(1.0, SCREEN_SPEED * min(1.0, BUSY_SLOTS / units))


def _headless(options: DemoOptions, clock: Clock, arguments: argparse.Namespace, words: Words) -> int:
    tally = Tally()
    printer = Printer(sys.stdout, form_of(arguments, words))
    over = Over()
    with told_to_end(over), contextlib.closing(printer):
        demo, summary = _run_once(options, clock, (printer, tally), over)
        try:
            close(demo, export=arguments.export)
        finally:
            printer(summary)
            printer.close()
            sys.stdout.write(
                reconciliation_as_json(demo.reconciliation) if arguments.json else _closing_words(demo, summary, words)
            )
    return status(demo, tally)


def _closing_words(demo: Demo, summary: BatchSummary, words: Words) -> str:
    return summary_words(summary, words) + reconciliation_words(demo.reconciliation, words)


def status(demo: Demo, tally: Tally) -> int:
    """Return the exit status of a demo that ran to its end."""
    is_off = bool(demo.dark_slots or demo.unwanted_slots) or any(row.problems for row in demo.reconciliation)
    return tally.exit_status or int(is_off)


def _run_once(options: DemoOptions, clock: Clock, ears: tuple[Printer, Tally], over: Over) -> tuple[Demo, BatchSummary]:
    """Run the demo until the last verdict, or until ``over`` holds a reason."""
    with clock.registered():
        demo = Demo(options, clock, os.environ)
        for ear in ears:
            demo.station.bus.subscribe(ear)
        started = clock.now()
        ending = Ending(over, lambda why: stopped(demo, ears[1], clock.now() - started, why))
        try:
            demo.open_batches()
            demo.start()
            read_scans(lambda text: demo.station.send(Scan(text)))
        except BaseException as error:
            demo.abandon(str(error))
            raise
        clock.thread("once", lambda: _wait_once(demo, ending))
    return demo, ending.wait(clock)


def _wait_once(demo: Demo, ending: Ending) -> None:
    demo.wait_settled()
    ending.reached()


def _finish_screen(
    demo: Demo, tally: Tally, seconds: float, why: str, *, export: Path | None, words: Words
) -> tuple[str, int]:
    """Stop and close; returns the closing words, which the caller prints unless closing fails, and the exit status."""
    summary = stopped(demo, tally, seconds, why)
    closing = _closing_words(demo, summary, words)
    try:
        close(demo, export=export)
    except BaseException:
        sys.stdout.write(closing)
        raise
    return closing, tally.exit_status_of_screen if why else status(demo, tally)


def stopped(demo: Demo, tally: Tally, seconds: float, why: str) -> BatchSummary:
    """Stop the station and return its figures. ``why``: empty when all units are done."""
    demo.stop_station(why or "every unit is through")
    for slot in demo.dark_slots:
        sys.stderr.write(f"the unit in slot {slot} never came up, so nobody could walk it\n")
    for slot in demo.unwanted_slots:
        sys.stderr.write(f"slot {slot} had a unit that no open batch takes; it was taken out\n")
    for fault in demo.unhappened:
        sys.stderr.write(f"the fault {fault.spec} never happened: no unit came to that moment\n")
    return demo.summary(tally.units, seconds)


def close(demo: Demo, *, export: Path | None) -> None:
    """Export if asked, then close everything; raises what stopped virtual hands or the export."""
    try:
        demo.check()
        if export is not None:
            with JournalReader(demo.journal_dir) as journal, output(export) as file:
                export_log(journal, demo.batches, file)
    finally:
        demo.close()
