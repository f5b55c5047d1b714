"""Reads every identity from every source a unit's mode allows, and makes them agree. Rules A1-A13.

Shared by the step that identifies a unit and by the one that brings a unit found in DFU back to life.
Nothing here writes to the unit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from drivers.clock import Deadline
from drivers.devices import Console, ConsoleIdentity, read_interfaces
from drivers.errors import GarbledConsole, RequestRejected
from drivers.identity import Iccid, Imei, MacAddress, SerialNumber
from drivers.platforms import OsVersion
from drivers.wire import requests
from drivers.wire.messages.tables import InterfaceType
from drivers.wire.requests import Request

from ...engine.events import UnitIdentified
from ...engine.records import UnitFacts
from ...engine.step import StepContext
from ...errors import StepFault, UnitRejected
from ...model import IdentityFact
from ...settings.sku import is_sold_as
from ...words.say import Say
from .label import read_label
from .listening import listening
from .unit import Unit

T = TypeVar("T")

PRESENCE_TRIES, PRESENCE_PAUSE_S = 3, 2.0
"""How often, and how far apart, a unit is asked for a number it must have."""
CONSOLE_TRIES = 3
ANY_INTERFACE = 4
CELLULAR_READ_S = 60.0
"""The modem may have to be powered on first (reference usb-and-serial 4.10)."""


def identify_usb(unit: Unit, ctx: StepContext) -> None:
    """What every mode shows: the Device ID as USB serial string, the platform as product id."""
    device_id = unit.device.identify(ctx.deadline)
    unit.known.device_id = device_id
    ctx.device_id = str(device_id)
    unit.known.note("USB serial string", device_id=str(device_id))
    unit.at_work.take(ctx.slot, unit.device)
    unit.known.note("USB product id", platform=unit.known.platform.slug, platform_id=unit.known.platform.id)
    if unit.known.platform.has_mac:
        unit.known.note("Device ID", mac=unit.known.mac_by_id)


def complete(unit: Unit, ctx: StepContext) -> None:
    """Read all that a running unit tells, wait for its label if the profile asks for one, tell the screen."""
    _warn_of_sim(unit, ctx)
    _read_requests(unit, ctx)
    _read_console(unit, ctx)
    _check_presence(unit)
    check_sku(unit)
    _check_recalled(unit)
    tell(unit, ctx)
    read_label(unit, ctx)
    unit.known.is_complete = True


def _warn_of_sim(unit: Unit, ctx: StepContext) -> None:
    """Ask to look at the SIM of a unit that listens although nobody told it to, where that is the sign of it (H12)."""
    version = unit.device.os_version(ctx.deadline)
    if unit.known.platform.reports("listening.sim", version) and unit.device.is_listening(ctx.deadline):
        ctx.progress(0.0, say=Say("check_sim"))


def recall(unit: Unit) -> None:
    """A unit in DFU shows no serial: what the journal knows of its Device ID is compared later."""
    for name, value in _known_for_life(unit):
        unit.known.facts.append(IdentityFact(name, value, "journal"))


def recall_locked(unit: Unit) -> None:
    """Take over what this station read of a unit before it was locked: now it tells nothing but its Device ID."""
    told, known = unit.memory.known_facts(str(unit.known.device_id)), unit.known
    known.serial = SerialNumber.parse(told["serial"]) if told.get("serial") else None
    known.iccid = Iccid.told(told["iccid"]) if told.get("iccid") else None
    known.imei = Imei.parse(told["imei"]) if told.get("imei") else None
    known.os_version = OsVersion.parse(told["device_os"]) if told.get("device_os") else None
    known.note("journal", **{name: told.get(name) for name in ("serial", "iccid", "imei", "mac", "device_os")})


def _check_recalled(unit: Unit) -> None:
    for name, value in _known_for_life(unit):
        unit.known.note("journal", **{name: value})


def _known_for_life(unit: Unit) -> list[tuple[str, str]]:
    """What the journal knows of the unit that cannot have changed (A5); its SIM may have been swapped since (A10)."""
    known = unit.memory.known_facts(str(unit.known.device_id))
    return [(name, known[name]) for name in ("serial", "imei", "mac") if known.get(name)]


def read_modules(unit: Unit, ctx: StepContext) -> None:
    """Module info and Device OS version once more, after firmware was written; a new version is journalled."""
    unit.known.modules = unit.device.ask(requests.get_module_info(), ctx.deadline)
    version = unit.device.os_version(ctx.deadline)
    if version != unit.known.os_version:
        unit.known.os_version = version
        fact = IdentityFact("device_os", str(version), "raw request 30")
        ctx.record(UnitFacts(facts=(fact,), **ctx.head()))


# --- sources ---


def _read_requests(unit: Unit, ctx: StepContext) -> None:
    device, known = unit.device, unit.known
    known.os_version = device.os_version(ctx.deadline)
    known.note("raw request 30", device_os=known.os_version)
    if device.knows(requests.get_device_id(), ctx.deadline):
        _ask_fact(unit, ctx, "device_id", requests.get_device_id(), "request 20")
    if device.knows(requests.get_serial_number(), ctx.deadline):
        known.serial = _read_serial(unit, ctx)
    if device.knows(requests.get_module_info(), ctx.deadline):
        known.modules = device.ask(requests.get_module_info(), ctx.deadline)
    if device.knows(requests.get_iccid(), ctx.deadline) and known.platform.has_cellular:
        tells_imei = unit.known.platform.reports("554.imei", known.os_version)
        known.iccid, known.imei = _until(
            ctx,
            lambda: device.ask(requests.get_iccid(), ctx.deadline.sooner(CELLULAR_READ_S)),
            lambda found: found.iccid is not None and (found.imei is not None or not tells_imei),
        )
        known.note("request 554", iccid=known.iccid, imei=known.imei)
    if known.platform.has_mac and device.knows(requests.get_interface(ANY_INTERFACE), ctx.deadline):
        _read_mac(unit, ctx)


def _read_serial(unit: Unit, ctx: StepContext) -> SerialNumber | None:
    """Read the serial number; None when the unit says twice that it has none (A4).

    A unit whose number was never programmed refuses the question, or answers nothing. Raises `UnitRejected` for a
    number that cannot be this unit's, told twice.
    """

    def ask() -> SerialNumber | None:
        try:
            return _ask_fact(unit, ctx, "serial", requests.get_serial_number(), "request 21", unit.known.fits)
        except RequestRejected as refused:
            if refused.code != unit.known.platform.blank_serial_result:
                raise
            return None

    serial = ask() or ask()
    if serial is not None and not unit.known.fits(serial):
        raise UnitRejected(
            f"serial number {serial} cannot be that of {unit.known.device_id}: on a {unit.known.platform.name} it ends "
            "with the last six digits of the Device ID; hand the unit to the technician",
            say=Say("wrong_label"),
        )
    return serial


def _ask_fact(
    unit: Unit,
    ctx: StepContext,
    name: str,
    request: Request[T],
    source: str,
    fits: Callable[[T], bool] = lambda _: True,
) -> T:
    """Ask and note one identity; one that differs from what is known, or does not fit it, is asked again first."""
    value = unit.device.ask(request, ctx.deadline)
    if (value is not None and unit.known.fact(name) not in (None, str(value))) or not fits(value):
        value = unit.device.ask(request, ctx.deadline)
    unit.known.note(source, **{name: value})
    return value


def _until(ctx: StepContext, read: Callable[[], T], is_there: Callable[[T], bool]) -> T:
    """Read until it is there, `PRESENCE_TRIES` times at most: a radio that has just started may not tell yet."""
    for _ in range(PRESENCE_TRIES - 1):
        found = read()
        if is_there(found):
            return found
        ctx.clock.sleep(PRESENCE_PAUSE_S, ctx.cancel)
    return read()


def _read_mac(unit: Unit, ctx: StepContext) -> None:
    """Read the MAC address until there is one, and, where the Device ID says which, until it is that one."""
    wanted = unit.known.mac_by_id
    unit.known.mac = _until(ctx, lambda: _ask_mac(unit, ctx), lambda mac: mac is not None and wanted in (None, mac))
    unit.known.note("request 401", mac=unit.known.mac)


def _ask_mac(unit: Unit, ctx: StepContext) -> MacAddress | None:
    found = read_interfaces(unit.device, InterfaceType.WIFI, ctx.deadline)
    return next((one.mac for one in found), None)


def _read_console(unit: Unit, ctx: StepContext) -> None:
    """The console tells what requests do not: the mobile secret, the IMEI on versions without it in request 554, and
    on Gen 2 all that comes from its radio.

    Entering listening mode only for that would stop the application of a finished unit for nothing.
    """
    known = unit.known
    wants_imei = known.platform.has_cellular and known.imei is None
    wants_secret = unit.label.keeps_secret and not unit.memory.knows_secret(str(known.device_id))
    wants_mac = known.platform.has_mac and known.mac is None
    wants_modules = not known.modules
    wants_more = wants_imei or wants_secret or wants_mac or wants_modules
    if not (wants_more or unit.device.is_listening(ctx.deadline)):
        return
    with listening(unit.device, ctx), unit.device.console(ctx.deadline) as console:
        found = _ask_console(unit, console, ctx, is_new=wants_secret)
        if wants_mac:
            known.mac = _agreed(console.mac, ctx, console.mac(ctx.deadline))
            known.note("console m", mac=known.mac)
        if wants_modules:
            known.modules = _agreed(console.modules, ctx, console.modules(ctx.deadline)).modules
    known.imei = known.imei or found.imei
    known.iccid = known.iccid or found.iccid
    known.serial = known.serial or found.serial
    known.secret = found.secret
    if wants_secret and found.secret is not None:
        unit.memory.keep_secret(str(known.device_id), found.secret)
    unit.known.note(
        "console", device_id=found.device_id, serial=found.serial, imei=found.imei, iccid=found.iccid,
        secret="***" if found.secret else None,
    )  # fmt: skip


def _ask_console(unit: Unit, console: Console, ctx: StepContext, *, is_new: bool) -> ConsoleIdentity:
    """What the console says, believed when it agrees with all that is known, or when it says the same twice.

    ``is_new``: it is asked for the mobile secret, which no other source and no check digit proves.
    """
    found = console.identify(ctx.deadline)
    if not is_new and not _contradicts(unit, found):
        return found
    return _agreed(console.identify, ctx, found)


def _agreed(ask: Callable[[Deadline], T], ctx: StepContext, found: T) -> T:
    """Ask until the console says twice running what it said, ``found`` at first: nothing else proves it."""
    for _ in range(CONSOLE_TRIES):
        last, found = found, ask(ctx.deadline)
        if found == last:
            return found
    raise GarbledConsole("the console gave another answer each time it was asked; is another program on its port?")


def _contradicts(unit: Unit, found: ConsoleIdentity) -> bool:
    told = {"device_id": found.device_id, "serial": found.serial, "imei": found.imei, "iccid": found.iccid}
    return any(value is not None and unit.known.fact(name) not in (None, str(value)) for name, value in told.items())


def _check_presence(unit: Unit) -> None:
    """What must be there: a serial number unless the profile says how a unit without is called (F3), a MAC address
    where there is Wi-Fi (A13), an ICCID where there is a modem.
    """
    known = unit.known
    for needed, value, what in (
        (unit.needs_serial, known.serial, "serial number"),
        (unit.known.platform.has_mac, known.mac, "MAC address"),
        (unit.known.platform.has_cellular, known.iccid, "ICCID"),
        (unit.known.platform.has_cellular, known.imei, "IMEI"),
    ):
        if needed and value is None:
            raise UnitRejected(
                f"{unit.known.platform.name} {known.label} shows no {what}; hand it to the technician",
                say=Say("identity_missing", missing=what),
            )


def check_sku(unit: Unit) -> None:
    """A SKU the profile does not name, by the serial number."""
    serial, row = unit.known.fact("serial") or "", unit.known.sku
    if row is not None and row.name:
        unit.known.note("serial number", sku=row.name)
    if row is None and unit.skus:
        raise StepFault(
            f"{unit.known.platform.name} {unit.known.label} has no serial number that tells its SKU, and this batch "
            f"wants {' or '.join(unit.skus)}; look on its box, and walk it with a profile without skus",
            say=Say("identity_missing", missing="known SKU"),
        )
    if row is not None and unit.skus and is_sold_as(serial, unit.skus) is False:
        raise UnitRejected(
            f"{serial} is a {row.names.replace(' ', ' or ')}, this batch wants {' or '.join(unit.skus)}; red bin",
            say=Say("wrong_sku", found=row.name or row.skus[0], wanted=unit.skus[0]),
        )


def tell(unit: Unit, ctx: StepContext) -> None:
    """Journal what was read and show it, with the unit's last verdict if it was here before."""
    known = unit.known
    ctx.record(
        UnitIdentified(
            platform=unit.known.platform.name, label=known.label, facts=tuple(known.facts),
            seen=unit.memory.seen_before(str(known.device_id)), **ctx.head(),
        )
    )  # fmt: skip
