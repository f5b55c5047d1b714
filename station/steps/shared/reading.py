"""Identifies the unit of a walk: what must be there, what the journal knows, its label, its SKU. Rules A1-A13.

Shared by the step that identifies a unit and by the one that brings a unit found in DFU back to life.
Nothing here writes to the unit.
"""

from __future__ import annotations

from dataclasses import replace

from drivers.identity import Iccid, Imei, SerialNumber
from drivers.platforms import ModuleFunction, OsVersion
from drivers.wire import requests

from ...engine.events import UnitIdentified
from ...engine.records import UnitFacts
from ...engine.step import StepContext
from ...errors import StepFault, UnitRejected
from ...model import IdentityFact
from ...settings.sku import is_sold_as
from ...words.say import Say
from .holding import Asker
from .knowledge import RECALLED, UnitKnowledge
from .label import read_label, read_label_beside
from .reader import Reader, introduce
from .simcard import read_card
from .sources import RUNNING, lack
from .unit import Unit


def identify_usb(unit: Unit, ctx: StepContext) -> None:
    """Read what every mode shows (`reader.introduce`), and take the unit to work."""
    introduce(unit.device, unit.listening, unit.known, ctx)
    ctx.device_id = str(unit.known.device_id)
    unit.at_work.take(ctx.slot, unit.device)


def complete(unit: Unit, ctx: StepContext) -> None:
    """Read all that a running unit tells, wait for its label if the profile asks for one, tell the screen.

    The label is asked for as soon as the unit has a name to ask by, as its modem may take longer than a scan; after
    everything else where its second half is kept, because no other source proves that.
    """
    _warn_of_sim(unit, ctx)
    recall(unit)
    reader = _reader(unit, ctx)
    reader.read_soon()

    def read_rest(asker: Asker) -> None:
        replace(reader, asker=asker).read_rest()
        _check_presence(unit)
        check_sku(unit)

    if unit.label.is_expected and unit.known.serial is not None and reader.keep_secret is None:
        check_sku(unit)
        tell(unit, ctx)
        read_label_beside(unit, ctx, read_rest)
        tell(unit, ctx)
    else:
        read_rest(ctx)
        tell(unit, ctx)
        read_label(unit, ctx)
    read_card(unit, ctx)
    unit.known.is_complete = True


def _reader(unit: Unit, ctx: StepContext) -> Reader:
    """Make what asks the unit for what a walk needs."""
    memory, device_id = unit.memory, str(unit.known.device_id)
    keeps = unit.label.keeps_secret and not memory.knows_secret(device_id)
    return Reader(
        unit.device, unit.listening, unit.known, ctx,
        keep_secret=(lambda secret: memory.keep_secret(device_id, secret)) if keeps else None,
    )  # fmt: skip


def _warn_of_sim(unit: Unit, ctx: StepContext) -> None:
    """Ask to look at the SIM of a unit that listens although nobody told it to, where that is the sign of it (H12)."""
    device = unit.device
    if not device.has_requests(ctx.deadline) and not device.is_listening(ctx.deadline):
        return  # it does not tell its version either, before somebody made it listen
    version = device.os_version(ctx.deadline)
    if unit.known.platform.reports("listening.sim", version) and device.is_listening(ctx.deadline):
        ctx.progress(0.0, say=Say("check_sim"))


def recall(unit: Unit) -> None:
    """Take in what the journal knows of the unit: all that is known of one in DFU, and what a running one must tell."""
    unit.known.recall(unit.memory.known_facts(str(unit.known.device_id)))


def recall_locked(unit: Unit) -> None:
    """Take over what this station read of a unit before it was locked: now it tells nothing but its Device ID."""
    told, known = unit.memory.known_facts(str(unit.known.device_id)), unit.known
    known.serial = SerialNumber.parse(told["serial"]) if told.get("serial") else None
    known.iccid = Iccid.told(told["iccid"]) if told.get("iccid") else None
    known.imei = Imei.parse(told["imei"]) if told.get("imei") else None
    known.os_version = OsVersion.parse(told["device_os"]) if told.get("device_os") else None
    known.note(RECALLED, **{name: told.get(name) for name in ("serial", "iccid", "imei", "mac", "device_os")})


def read_modules(unit: Unit, ctx: StepContext) -> None:
    """Module info and Device OS version once more, after firmware was written; a new version is journalled."""
    if unit.device.knows(requests.get_module_info(), ctx.deadline):
        version = unit.device.os_version(ctx.deadline)
        unit.known.modules = unit.device.ask(requests.get_module_info(), ctx.deadline)
    else:
        with unit.listening.during(ctx):
            version = unit.device.os_version(ctx.deadline)
            with unit.device.console(ctx.deadline) as console:
                unit.known.modules = console.modules(ctx.deadline).modules
    if version != unit.known.os_version:
        unit.known.os_version = version
        fact = IdentityFact("device_os", str(version), "raw request 30")
        ctx.record(UnitFacts(facts=(fact,), **ctx.head()))


def read_application_hash(unit: Unit, ctx: StepContext) -> None:
    """Complete module info by what only the console tells of an application before Device OS 5.6.0: its hash."""
    untold = [one for one in unit.known.modules if one.function == ModuleFunction.USER_PART and not one.hash]
    if not untold:
        return
    with unit.listening.during(ctx), unit.device.console(ctx.deadline) as console:
        told = {(one.function, one.index): one.hash for one in console.modules(ctx.deadline).modules}
    unit.known.modules = tuple(
        replace(one, hash=told.get((one.function, one.index))) if one in untold else one for one in unit.known.modules
    )


def _check_presence(unit: Unit) -> None:
    """What must be there: a serial number unless the profile says how a unit without is called (F3), a MAC address
    where there is Wi-Fi (A13), an ICCID where there is a modem.
    """
    known = unit.known
    if known.platform.has_cellular and known.iccid is None:
        raise UnitRejected(
            f"{known.platform.name} {known.label} shows no ICCID: no SIM is in, or it sits loose; put one in, or hand "
            "the unit to the technician",
            say=Say("sim_missing"),
        )
    for needed, value, what in (
        (unit.needs_serial, known.serial, "serial number"),
        (_tells_mac(known), known.mac, "MAC address"),
        (unit.known.platform.has_cellular, known.imei, "IMEI"),
    ):
        if needed and value is None:
            raise UnitRejected(
                f"{unit.known.platform.name} {known.label} shows no {what}; hand it to the technician",
                say=Say("identity_missing", missing=what),
            )


def _tells_mac(known: UnitKnowledge) -> bool:
    """Return whether it must tell one: by request; the console of older units shows none before the radio ran."""
    (source,) = (one for one in RUNNING if "mac" in one.tells)
    return known.platform.has_mac and not lack(source, known.platform, known.os_version)


def check_sku(unit: Unit) -> None:
    """A SKU the profile does not name, by the serial number."""
    serial, row = unit.known.fact("serial") or "", unit.known.sku
    unit.known.note_sku()
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
            platform=unit.known.platform.name, label=known.label,
            facts=tuple(fact for fact in known.facts if fact.name != "modules"),
            seen=unit.memory.seen_before(str(known.device_id)), **ctx.head(),
        )
    )  # fmt: skip
