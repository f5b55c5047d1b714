"""Implements ``station virtual cloud``: a virtual cloud for any client, with units that come online by themselves."""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import re
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

from drivers.clock import SystemClock
from drivers.errors import BadIdentity, DriverError
from drivers.identity import Iccid, Secret
from drivers.platforms import platform_by_slug
from drivers.virtual.factory import UnitSpec
from drivers.virtual.starts import GRAMMAR
from drivers.virtual.usbip_bench import served
from drivers.virtual.world import World

from ..cloud.virtual import VirtualCloud
from ..cloud.virtual.faults import GRAMMAR as FAULT_GRAMMAR
from ..cloud.virtual.faults import parse_fault
from ..errors import BadInput
from ..settings.usb_source import UsbSource
from .ending import Over, told_to_end, wait_over
from .places import add_access_points, made_dir
from .telling import standard_output
from .virtual_units import access_points, parse_virtual

CLOUD_FILE = "cloud.sqlite"
USUAL_TEAM = "factory@example.com"
_PRODUCT = re.compile(r"(?P<slug>[a-z0-9]+)(?:=(?P<number>\d{1,9})(?::(?P<name>[a-z0-9-]+))?)?")
PRODUCT_GRAMMAR = "PLATFORM[=NUMBER[:SLUG]]"


Row = dict[str, object]
"""What is served, as it is told: field by field."""


def declare(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb below ``station virtual``."""
    parser = verbs.add_parser("cloud", help="serve a virtual cloud until interrupted")
    add = parser.add_argument
    add("--port", type=int, default=0, metavar="N", help="of this host only; without it any free one")
    add("--data-dir", type=Path, metavar="D", help="folder that keeps the cloud and its units for the next time")
    add("--team", default=USUAL_TEAM, metavar="A,B", help=f"accounts in the team of every product ({USUAL_TEAM})")
    add("--mfa", action="store_true", help="logins need a second factor, too")
    add("--product", action="append", default=[], metavar=PRODUCT_GRAMMAR, help="one product; repeat for more (boron)")
    add("--unit", action="append", default=[], metavar=GRAMMAR, help="a powered unit that the cloud knows; repeat")
    add("--sim", action="append", default=[], metavar="ICCID", help="a plastic SIM card; repeat for more")
    add("--usbip", type=int, default=0, metavar="PORT", help="where the units can be had over USB/IP, too")
    add_access_points(parser)
    add("--fault", action="append", default=[], metavar="SPEC", help=FAULT_GRAMMAR.replace("%", "%%"))
    add("--json", action="store_true", help="say in one line of JSON what is served")
    parser.set_defaults(run=serve)


def serve(arguments: argparse.Namespace) -> int:
    """Serve until a signal arrives; returns 0."""
    clock, over = SystemClock(), Over()
    folder = made_dir(arguments.data_dir) if arguments.data_dir else None
    named = [parse_virtual(text, "--unit") for text in arguments.unit]
    specs = [one.spec(1, number, setup_done=True) for number, one in enumerate(named, 1)]
    with contextlib.ExitStack() as stack:
        stack.enter_context(told_to_end(over))
        cloud = VirtualCloud(clock, folder / CLOUD_FILE if folder else None)
        stack.callback(cloud.close)
        team = [name.strip() for name in arguments.team.split(",") if name.strip()]
        accounts = [_account(cloud, name, has_otp=arguments.mfa) for name in team]
        products = [_product(cloud, text, team) for text in arguments.product or ["boron"]]
        _know(cloud, specs, arguments.sim)
        _order(cloud, arguments.fault)
        try:
            url = cloud.serve(arguments.port)
        except (OSError, OverflowError) as error:
            raise BadInput(f"--port {arguments.port}: {error}; name another one, or none") from error
        world = World(access_points(arguments.ap), sims=cloud, cloud=cloud)
        usb = stack.enter_context(_powered(specs, clock, arguments.usbip, world, folder)) if specs else ""
        rows: list[Row] = [
            {
                "unit": str(one),
                "device_id": str(spec.device_id),
                "serial": _text(spec.serial),
                "iccid": _text(spec.iccid),
            }
            for one, spec in zip(named, specs, strict=True)
        ]
        _say(url, {"accounts": accounts, "products": products, "units": rows}, usb, as_json=arguments.json)
        wait_over(over)
    return 0


def _text(fact: object) -> str:
    return "" if fact is None else str(fact)


def _account(cloud: VirtualCloud, name: str, *, has_otp: bool) -> Row:
    """Make an account, or give one that is there a new password and one more token: the old ones are kept nowhere.

    These secrets are told, as they open nothing but this virtual cloud.
    """
    otp = Secret(base64.b32encode(secrets.token_bytes(20)).decode()) if has_otp else None
    password = Secret(secrets.token_urlsafe(12))
    cloud.create_user(name, password, otp_secret=otp)
    row: Row = {"username": name, "token": cloud.create_token(name).reveal(), "password": password.reveal()}
    return row if otp is None else row | {"otp_secret": otp.reveal()}


def _product(cloud: VirtualCloud, text: str, team: list[str]) -> Row:
    found = _PRODUCT.fullmatch(text)
    if found is None:
        raise BadInput(f"--product {text}: write {PRODUCT_GRAMMAR}, like boron=20001:widget")
    try:
        row = platform_by_slug(found["slug"])
    except DriverError as error:
        raise BadInput(f"--product {text}: {error}") from error
    number, slug = int(found["number"] or 20_000 + row.id), found["name"] or f"{row.slug}-product"
    cloud.create_product(number, row.id, slug=slug, name=f"{row.name} product", team=team)
    return {"id": number, "slug": slug, "platform": row.slug}


def _know(cloud: VirtualCloud, specs: list[UnitSpec], cards: list[str]) -> None:
    for spec in specs:
        cloud.register_unit(
            spec.device_id, spec.platform_id, serial=spec.serial, iccid=spec.iccid, imei=spec.imei, mac=spec.mac,
            secret=spec.mobile_secret,
        )  # fmt: skip
    try:
        for text in cards:
            cloud.register_sim(Iccid.parse(text))
    except BadIdentity as error:
        raise BadInput(f"--sim {text}: {error}") from error


def _order(cloud: VirtualCloud, texts: list[str]) -> None:
    try:
        for text in texts:
            cloud.order(parse_fault(text))
    except ValueError as error:
        raise BadInput(f"--fault {text}: {error}") from error


@contextlib.contextmanager
def _powered(specs: list[UnitSpec], clock: SystemClock, port: int, world: World, folder: Path | None) -> Iterator[str]:
    """Power the units; yields where they can be had over USB/IP."""
    keeps = made_dir(folder / "units") if folder else None
    with tempfile.TemporaryDirectory(prefix="station-consoles-") as consoles, contextlib.ExitStack() as stack:
        try:
            bench = stack.enter_context(served(specs, clock, ("127.0.0.1", port), Path(consoles), world, keeps))
        except (OSError, OverflowError) as error:
            raise BadInput(f"--usbip {port}: {error}; name another port, or none") from error
        yield UsbSource(bench.host, bench.port, Path(consoles)).url


def _say(url: str, rows: dict[str, list[Row]], usb: str, *, as_json: bool) -> None:
    with standard_output() as file:
        if as_json:
            file.write(json.dumps({"url": url, "usb": usb, **rows}) + "\n")
        else:
            for row in (row for of_a_kind in rows.values() for row in of_a_kind):
                file.write("  ".join(f"{name} {value}" for name, value in row.items() if value) + "\n")
            if usb:
                file.write(f"the units are at {usb}\n")
            file.write(f"serving {url} until Ctrl-C\n")
        file.flush()
