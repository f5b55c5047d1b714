"""Implements ``station service``: print the systemd unit that runs this bench without a screen, from boot on."""

from __future__ import annotations

import argparse
import getpass
import os
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadInput
from ..line.batch_name import check_batch_name
from ..paths import find_profile
from ..settings.config import load_config
from .places import add_data_dir, journal_dir
from .telling import standard_output, sub_verbs

USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}\$?")
"""Login names as useradd takes them."""


@dataclass(frozen=True, slots=True)
class Service:
    """What the unit runs. All paths absolute; ``data_dir``, ``config`` and what is beside it may be written."""

    program: tuple[str, ...]
    user: str
    data_dir: Path
    config: Path | None
    profiles: tuple[str, ...]
    batches: tuple[str, ...]
    station_id: str


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = parsers.add_parser("service", help="print the systemd unit that runs this bench from boot on")
    verbs = sub_verbs(parser, "what", "WHAT")
    printer = verbs.add_parser(
        "print", help="print the unit",
        description="Print a systemd unit for a bench without a screen. Install it with: station service print ..."
        " | sudo tee /etc/systemd/system/station.service, then: sudo systemctl enable --now station. The token comes"
        " from the login of --user.",
    )  # fmt: skip
    printer.add_argument(
        "--profile", action="append", required=True, metavar="P", help="one a batch, in the same order"
    )
    printer.add_argument("--batch", action="append", required=True, metavar="B", help="opened if it is not")
    printer.add_argument("--user", default=None, metavar="NAME", help="the login that runs it (yours); never root")
    add_data_dir(printer)
    printer.set_defaults(run=run_print)


def run_print(arguments: argparse.Namespace) -> int:
    """Print the unit; returns 0. Raises `BadInput` for what would keep it from starting."""
    if len(arguments.profile) != len(arguments.batch):
        raise BadInput("name one --batch for each --profile, in the same order")
    for name in arguments.batch:
        check_batch_name(name)
    user = arguments.user or getpass.getuser()
    if not USER.fullmatch(user) or user == "root":
        raise BadInput(f"--user {user}: a bench runs as a login of its own, not as that one; name it with --user")
    config = load_config(arguments.config)
    service = Service(
        program(), user, journal_dir(arguments).parent.absolute(),
        None if config.source is None else config.source.absolute(),
        tuple(_profile(name) for name in arguments.profile), tuple(arguments.batch), config.station_id,
    )  # fmt: skip
    with standard_output() as file:
        file.writelines(f"{line}\n" for line in unit_lines(service))
    return 0


def program() -> tuple[str, ...]:
    """Return how this very installation is run: its own interpreter, whatever else is called station."""
    return (os.path.abspath(sys.executable), "-m", "station")


def _profile(name: str) -> str:
    """Return a shipped profile by its name, which an update may move, and any other file by its path."""
    path = find_profile(name)
    return str(path.absolute()) if Path(name).is_file() else name


def unit_lines(service: Service) -> Iterator[str]:
    """Yield the lines of the unit. Source: systemd.unit(5), systemd.service(5), systemd.exec(5), systemd 247 and later.

    SIGTERM lets `station run` end its attempts and close the journal. It starts again ten seconds after it ended by
    itself, but not with words that are wrong (status 2); that some unit did not pass (1) is no failure of the service.
    """
    writable = (service.data_dir, *(() if service.config is None else (service.config.parent,)))
    places = " ".join(_quoted(place).replace("$$", "$") for place in dict.fromkeys(map(str, writable)))  # no variables
    words = [*service.program, "run", "--headless", "--json"]
    for profile, batch in zip(service.profiles, service.batches, strict=True):
        words += ["--profile", profile, "--batch", batch]
    words += ["--data-dir", str(service.data_dir)]
    words += [] if service.config is None else ["--config", str(service.config)]
    yield from (
        "[Unit]",
        f"Description=Provisioning station {service.station_id}",
        "Wants=network-online.target",
        "After=network-online.target systemd-udevd.service",
        f"RequiresMountsFor={places}",
        "StartLimitIntervalSec=600",
        "StartLimitBurst=10",
        "",
        "[Service]",
        "Type=exec",
        f"ExecStart={' '.join(map(_quoted, words))}",
        f"User={service.user}",
        *_LIFE,
        f"ReadWritePaths={places}",
        *_RIGHTS,
    )


_LIFE = """\
SupplementaryGroups=plugdev
UMask=0077
Restart=always
RestartSec=10
SuccessExitStatus=1
RestartPreventExitStatus=2
TimeoutStopSec=60
StandardInput=null
SyslogIdentifier=station

# the units are on USB and on serial ports, and nothing else on this computer is its business
DevicePolicy=closed
DeviceAllow=char-usb_device rw
DeviceAllow=char-ttyACM rw
DeviceAllow=char-usb rw
ProtectSystem=strict""".splitlines()
_RIGHTS = """\
PrivateTmp=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target""".splitlines()


def _quoted(word: str) -> str:
    """Quote a word of a command line or a path for systemd, whose % and $ stand for something else."""
    if any(ord(one) < 32 for one in word):
        raise BadInput(f"{shlex.quote(word)}: a path with control characters cannot stand in a unit; name another")
    word = word.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$").replace('"', '\\"')
    return f'"{word}"' if re.search(r"[\s';]|^$", word) or "\\" in word else word
