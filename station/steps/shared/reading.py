"""Reads every identity from every source a unit's mode allows, and makes them agree. Rules A1-A13.

Shared by the step that identifies a unit and by the one that brings a unit found in DFU back to life.
Nothing here writes to the unit.
"""

from __future__ import annotations

from drivers.devices import Goal
from drivers.errors import (
    AccessDenied,
    DeadlineExceeded,
    DeviceRefused,
    Disconnected,
    GarbledConsole,
    LinkError,
    NeedsHands,
    RemoteProtocolError,
    Swapped,
)
from drivers.identity import Iccid, Imei, MobileSecret, SerialNumber
from drivers.platforms import OsVersion
from drivers.wire import requests

from ...engine.events import UnitIdentified
from ...engine.records import UnitFacts
from ...engine.step import StepContext
from ...errors import StepFault, UnitRejected
from ...model import CHANGING_FACTS, IdentityFact
from ...settings.sku import is_sold_as
from ...words.say import Say
from .holding import hold
from .knowledge import UnitKnowledge, shown
from .label import read_label
from .listening import listening
from .sources import CONSOLE, IN_DFU, NOT_THERE, RUNNING, Answer, At, Source, absent, lack, untold
from .unit import Unit

CONSOLE_TRIES = 3


def identify_usb(unit: Unit, ctx: StepContext) -> None:
    """Read what every mode shows: the platform as product id, the Device ID mostly as USB serial string."""
    try:
        device_id = unit.device.identify(ctx.deadline)
    except NeedsHands:  # only its console names it, and nothing that can be sent opens that
        hold(unit.device, ctx, Goal.LISTENING)
        device_id = unit.device.identify(ctx.deadline)
    unit.known.device_id = device_id
    ctx.device_id = str(device_id)
    unit.known.note(unit.device.id_source, device_id=str(device_id))
    unit.at_work.take(ctx.slot, unit.device)
    unit.known.note("USB product id", platform=unit.known.platform.slug, platform_id=unit.known.platform.id)
    if unit.known.platform.has_mac:
        unit.known.note("Device ID", mac=unit.known.mac_by_id)


def complete(unit: Unit, ctx: StepContext) -> None:
    """Read all that a running unit tells, wait for its label if the profile asks for one, tell the screen."""
    _warn_of_sim(unit, ctx)
    read_running(unit, ctx)
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
    version = unit.device.os_version(ctx.deadline)
    if unit.device.knows(requests.get_module_info(), ctx.deadline):
        unit.known.modules = unit.device.ask(requests.get_module_info(), ctx.deadline)
    else:
        with listening(unit.device, ctx), unit.device.console(ctx.deadline) as console:
            unit.known.modules = console.modules(ctx.deadline).modules
    if version != unit.known.os_version:
        unit.known.os_version = version
        fact = IdentityFact("device_os", str(version), "raw request 30")
        ctx.record(UnitFacts(facts=(fact,), **ctx.head()))


# --- sources ---


def read_running(unit: Unit, ctx: StepContext, *, everything: bool = False) -> None:
    """Read what a unit tells that runs: what a walk needs, raising what it fails on, or ``everything``.

    For everything a source that fails leaves the reason and the next one is asked. The console is asked where the
    unit listens; it is made to listen only for what nothing else tells: that stops its application.
    """
    reader = _Reader(unit, ctx, everything)
    if not unit.device.has_requests(ctx.deadline):
        with listening(unit.device, ctx):
            reader.ask_requests()
            reader.ask_console()
            unit.known.learn("console", {"mode": "listening"})
        return
    reader.ask_requests()
    if reader.wants_console or unit.device.is_listening(ctx.deadline):
        with listening(unit.device, ctx):
            reader.ask_console()
    else:
        for source in CONSOLE:
            unit.known.miss(source.name, source.tells, "the console tells it, in listening mode only")


def read_dfu(unit: Unit, ctx: StepContext) -> None:
    """Read what a bootloader tells; its memories only if it is not under device protection."""
    reader = _Reader(unit, ctx, True)
    at = At(unit.device, unit.known.platform, ctx.deadline)
    descriptors, memory = IN_DFU
    reader.ask(descriptors, at)
    if unit.known.fact("protection") == "open":
        reader.ask(memory, at)
    else:
        unit.known.miss(memory.name, memory.tells, "under device protection nothing can be read")


EXPECTED = frozenset({"device_id", "serial", "iccid", "imei", "mac", "device_os"})
"""Values that are asked for again where an answer that should have them comes without."""
_FAILURES = (DeviceRefused, RemoteProtocolError, LinkError, DeadlineExceeded)
_DEPARTURES = (Disconnected, Swapped, AccessDenied)


class _Reader:
    """Asks the sources of one unit, and notes what they tell and what they do not."""

    def __init__(self, unit: Unit, ctx: StepContext, everything: bool) -> None:
        self._unit, self._ctx, self._everything = unit, ctx, everything
        self._known = unit.known

    # --- which ---

    def ask_requests(self) -> None:
        """Ask all that goes by request."""
        self._known.os_version = self._unit.device.os_version(self._ctx.deadline)
        at = At(self._unit.device, self._known.platform, self._ctx.deadline)
        for source in RUNNING:
            if source.in_walk or self._everything:
                self.ask(source, at)

    @property
    def wants_secret(self) -> bool:
        """Return whether the mobile secret is to be kept and is not yet."""
        return self._unit.label.keeps_secret and not self._unit.memory.knows_secret(str(self._known.device_id))

    @property
    def wants_console(self) -> bool:
        """Return whether only the console tells something that is needed."""
        return self.wants_secret or any(map(self._is_wanted, ("imei", "iccid", "mac", "modules")))

    def _is_wanted(self, name: str) -> bool:
        """Return whether the unit has that value and nobody told it; what is recalled of a modem is not told."""
        known = self._known
        if absent(name, known.platform, known.os_version):
            return False
        if name in ("imei", "iccid", "modules"):
            return not getattr(known, name)
        is_recalled = name == "mac" and self._unit.memory.known_facts(str(known.device_id)).get("mac")
        return known.fact(name) is None and not is_recalled

    def ask_console(self) -> None:
        """Open the console and ask it: for identities always, for the rest if it is wanted."""
        with self._unit.device.console(self._ctx.deadline) as console:
            at = At(self._unit.device, self._known.platform, self._ctx.deadline, console)
            for source in CONSOLE:
                if self._everything or source.in_walk or any(map(self._is_wanted, source.tells)):
                    self.ask(source, at)

    # --- one source ---

    def ask(self, source: Source, at: At) -> None:
        """Ask ``source`` unless this unit has no such thing."""
        known = self._known
        if all(absent(name, known.platform, known.os_version) for name in source.tells):
            return
        if reason := lack(source, known.platform, known.os_version):
            known.miss(source.name, source.tells, reason)
            return
        try:
            answer = self._settled(source, at)
        except _FAILURES as error:
            if not self._everything or isinstance(error, _DEPARTURES) or self._ctx.deadline.expired:
                raise
            known.miss(source.name, source.tells, str(error))
            return
        known.learn(source.name, answer)
        for name in source.tells:
            if answer.get(name) is None:
                reason = untold(source, name, known.platform, known.os_version) or NOT_THERE.get(name, "told empty")
                known.miss(source.name, (name,), reason)
        self._keep_secret(answer.get("secret"))

    def _keep_secret(self, secret: object) -> None:
        if self.wants_secret and isinstance(secret, MobileSecret):
            self._unit.memory.keep_secret(str(self._known.device_id), secret)

    def _settled(self, source: Source, at: At) -> Answer:
        """Ask until the answer holds: a value that differs from another source's, or is missing, is asked for again."""
        if source in CONSOLE:
            return self._told_twice(source, at)
        answer = source.read(at)
        for pause_s in source.again_s:
            if not self._contradicts(answer) and not self._lacks(source, answer):
                break
            self._ctx.clock.sleep(pause_s, self._ctx.cancel)
            answer = source.read(at)
        serial = answer.get("serial")
        if isinstance(serial, SerialNumber) and not self._known.fits(serial):
            raise _misfit(self._known, serial)
        return answer

    def _told_twice(self, source: Source, at: At) -> Answer:
        """Believe the console when it agrees with all that is known, or when it says the same twice.

        It always has to for what no other source and no check digit proves: a mobile secret that is kept, modules
        and a MAC address that no request tells.
        """
        alone = ("mac", "modules", *(("secret",) if self.wants_secret else ()))
        found = source.read(at)
        if not self._contradicts(found) and all(self._known.fact(name) or not found.get(name) for name in alone):
            return found
        for _ in range(CONSOLE_TRIES):
            last, found = found, source.read(at)
            if found == last:
                return found
        raise GarbledConsole("the console gave another answer each time it was asked; is another program on its port?")

    def _contradicts(self, answer: Answer) -> bool:
        known = self._known
        serial = answer.get("serial")
        return (isinstance(serial, SerialNumber) and not known.fits(serial)) or any(
            value is not None and name not in CHANGING_FACTS and known.fact(name) not in (None, shown(name, value))
            for name, value in answer.items()
        )

    def _lacks(self, source: Source, answer: Answer) -> bool:
        version = self._known.os_version
        return any(
            answer.get(name) is None and not untold(source, name, self._known.platform, version)
            for name in source.tells
            if name in EXPECTED
        )


def _misfit(known: UnitKnowledge, serial: SerialNumber) -> UnitRejected:
    return UnitRejected(
        f"serial number {serial} cannot be that of {known.device_id}: on a {known.platform.name} it ends "
        "with the last six digits of the Device ID; hand the unit to the technician",
        say=Say("wrong_label"),
    )


def _check_presence(unit: Unit) -> None:
    """What must be there: a serial number unless the profile says how a unit without is called (F3), a MAC address
    where there is Wi-Fi (A13), an ICCID where there is a modem.
    """
    known = unit.known
    for needed, value, what in (
        (unit.needs_serial, known.serial, "serial number"),
        (_tells_mac(known), known.mac, "MAC address"),
        (unit.known.platform.has_cellular, known.iccid, "ICCID"),
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
            platform=unit.known.platform.name, label=known.label,
            facts=tuple(fact for fact in known.facts if fact.name != "modules"),
            seen=unit.memory.seen_before(str(known.device_id)), **ctx.head(),
        )
    )  # fmt: skip
