"""Implements ``station udev``: print or install the rules that let an operator's login open the units."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from drivers.clock import SystemClock
from drivers.host import rights
from drivers.host.executable import SystemPrograms
from drivers.host.plain_file import written_whole

from ..errors import BadInput, StationError
from ..paths import udev_rules
from .telling import standard_output, sub_verbs, tell

RELOAD = (
    ("udevadm", "control", "--reload"),  # read the rules again
    ("udevadm", "trigger", "--subsystem-match=usb", "--subsystem-match=tty"),  # apply them to what is plugged in
)


UDEVADM_S = 30.0


class UdevFailed(StationError):
    """The rules could not be installed, or udev did not take them."""


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = parsers.add_parser("udev", help="print or install the udev rules this bench needs")
    verbs = sub_verbs(parser, "what", "WHAT")
    printer = verbs.add_parser("print", help="print the rules")
    printer.set_defaults(run=_print)
    installer = verbs.add_parser("install", help="write the rules where udev reads them, and apply them; needs root")
    installer.add_argument("--dry-run", action="store_true", help="only say what would be done")
    installer.set_defaults(run=_install)


def _print(arguments: argparse.Namespace) -> int:
    """Print the shipped rules."""
    del arguments
    with standard_output() as file:
        file.write(udev_rules().read_text(encoding="utf-8"))
    return 0


def _install(arguments: argparse.Namespace) -> int:
    install(rights.rules_folder(), dry_run=arguments.dry_run, is_root=rights.is_root(), run=_run)
    return 0


def install(folder: Path, *, dry_run: bool, is_root: bool, run: Callable[[Sequence[str]], None]) -> None:
    """Write the shipped rules into ``folder`` unless they are there, and have udev read them; say each thing done.

    Raises `BadInput` without root's rights, `UdevFailed` or `OSError` when a part of it fails.
    """
    rules = udev_rules().read_bytes()
    target = folder / udev_rules().name
    if target.is_file() and target.read_bytes() == rules:
        tell(f"{target} is there and as it should be; nothing to do")
        return
    todo = (f"{'replace' if target.exists() else 'write'} {target}", *(" ".join(words) for words in RELOAD))
    if dry_run:
        tell("would do as root:", *(f"  {one}" for one in todo))
        return
    if not is_root:
        raise BadInput(
            f"udev install writes {target}, which needs root; run it with sudo, or look with --dry-run first"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(target) as file:
        file.write(rules)
    tell(f"wrote {target}")
    for words in RELOAD:
        run(words)
        tell(f"ran {' '.join(words)}")
    tell("units can be opened by the group plugdev and by who is logged in at the screen; check with: station doctor")


def _run(words: Sequence[str]) -> None:
    programs = SystemPrograms()
    found = programs.find(words[0])
    later = "the rules are written and count from the next boot"
    if found is None:
        raise UdevFailed(f"{words[0]} is not on this computer: {later}")
    ended = programs.run((found, *words[1:]), b"", UDEVADM_S, SystemClock().token())
    if ended.status != 0:
        raise UdevFailed(f"{' '.join(words)} failed ({ended.trouble or 'no reason given'}): {later}")
