"""Implements the program ``station``: declares the verbs, turns errors into a sentence and an exit status.

Exit status: 0 all PASS, 1 some unit not PASS, 2 bad usage or configuration, 3 the station itself failed.
"""

from __future__ import annotations

import argparse
import importlib
import io
import logging
import os
import sys
from collections.abc import Mapping, Sequence

from drivers.errors import DriverError
from drivers.host.terminal import kept
from drivers.plain_text import escaped

from ..errors import BadInput, StationError
from .asking import Declined
from .on_need import version_of
from .telling import sub_verbs

DISTRIBUTION = "provisioning-station"
VERBS: Mapping[str, str] = {
    "demo": "try the bench: virtual units, a virtual cloud, nothing to plug in",
    "run": "run the bench on real USB",
    "login": "log this station in: password, pasted token, or OAuth client",
    "logout": "forget the login of this station",
    "whoami": "whose token this station works with, what it may do, until when",
    "identify": "show every identity of every unit plugged in, with its source",
    "unit": "command one unit: list, info, dfu, listen, reset, safe, shout, wifi, setup-done, console, env, test",
    "rework": "mend units in the cloud: unclaim, approve, transfer, remove, retire, SIMs, marks, names ...",
    "report": "one page about a unit for whoever helps: verdict, advice, identities, firmware, steps, history",
    "log": "export a batch's log, or find what happened to a unit",
    "stats": "how a batch goes: figures, and by slot, step, reason ...",
    "batch": "open, close and list batches",
    "product": "add the units of a tray list to a product",
    "sim": "import the SIM cards of a list into a product",
    "barcodes": "a sheet of codes to print: commands, badges, batches, lots",
    "owed": "cloud work that units still owe: list it, try it now, or drop it",
    "secrets": "list or forget the mobile secrets that were kept for labels",
    "label": "labels: preview what a profile prints, print a unit's label again",
    "profile": "write, check, compare and release profiles; their schema for editors",
    "firmware": "the release cache: what this bench can flash without internet",
    "slots": "show what the slots are bound to, or learn it by plugging in",
    "platforms": "which units are supported, how well, and what shows it",
    "udev": "print or install the udev rules this bench needs",
    "service": "print the systemd unit that runs this bench from boot on",
    "virtual": "serve virtual units or a virtual cloud to other programs",
    "doctor": "what would stop this bench",
}
"""Modules of `station.cli`, imported on use: the help needs neither USB nor the cloud."""


def parser(chosen: str | None = None) -> argparse.ArgumentParser:
    """Build the parser, one sub-parser per verb; only the ``chosen`` one gets its options (None: all of them)."""
    top = argparse.ArgumentParser(prog="station", description="A USB provisioning station for Particle devices.")
    top.add_argument("--log", choices=("debug", "info", "warning"), default="warning", help="how much to log to stderr")
    top.add_argument("--version", action=_Version, nargs=0, help="which version this is")
    verbs = sub_verbs(top, "verb", "VERB")
    for name, words in VERBS.items():
        if chosen in (None, name):
            importlib.import_module(f".{name}", __package__).add(verbs)
        else:
            verbs.add_parser(name, help=words)
    return top


class _Version(argparse.Action):
    """Prints the installed version, looked up only when asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print and exit with 0; called by argparse."""
        print(f"station {version_of(DISTRIBUTION)}")
        parser.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit status. A reader that closes our output early is no error."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # characters the terminal cannot encode become escapes
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = _run(arguments)
    except KeyboardInterrupt:
        _say("interrupted")
        status = 1
    try:
        sys.stdout.flush()
    except OSError as error:  # drop what is still buffered, or it fails again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            _say(f"standard output: {error.strerror}")
            return 3
    return status


def _verb(words: Sequence[str]) -> str:
    return next((word for word in words if word in VERBS), "")


def _wrong(word: str) -> str:
    """Say why a word of the command line cannot be taken, "" if it can. Files may be named by any bytes."""
    option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    if equals and value == "--":  # argparse makes a list of it
        return f"{option} takes a value, and -- is none; write another"
    is_text = value.isascii() or value.encode("utf-8", "replace").decode() == value
    if is_text or os.path.lexists(value) or os.path.isdir(os.path.dirname(value)):
        return ""
    return f"{word} is no text in UTF-8; set terminal and LANG to UTF-8, then type it again"


def _run(arguments: Sequence[str] | None) -> int:
    words = sys.argv[1:] if arguments is None else arguments
    if wrong := next(filter(None, map(_wrong, words)), ""):
        _say(wrong)
        return 2
    try:
        if "_ARGCOMPLETE" in os.environ:  # a shell asks for completions
            line = os.environ["COMP_LINE"].split()
            importlib.import_module(".completing", __package__).complete(parser(_verb(line)))
        parsed = parser(_verb(words)).parse_args(words)
    except DriverError as error:  # a plug-in with unreadable platforms
        _say(str(error))
        return 3
    logging.basicConfig(level=parsed.log.upper(), stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    for library in ("urllib3", "requests"):  # they log requests, which hold our token
        logging.getLogger(library).setLevel(logging.CRITICAL)
    has_screen = getattr(parsed, "has_screen", None)
    if has_screen is not None and has_screen(parsed):
        return kept(lambda: _carry_out(parsed))
    return _carry_out(parsed)


def _carry_out(parsed: argparse.Namespace) -> int:
    try:
        return int(parsed.run(parsed))
    except BadInput as error:
        for sentence in error.sentences:
            _say(sentence)
        return 2
    except BrokenPipeError:
        return 0
    except Declined as no:
        _say(str(no))
        return 1
    except (StationError, DriverError) as error:
        _say(str(error))
        return 3
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _say(f"{where}{error.strerror or error}")
        return 3


def _say(sentence: str) -> None:
    print(f"station: {escaped(sentence)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
