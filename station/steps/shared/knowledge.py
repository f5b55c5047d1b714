"""What is known of one unit: every number and fact with its source, and what firmware it holds.

Made by `identify`, added to by the steps; checks, screen, journal and labels read it. It belongs to the slot's thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from drivers.identity import DeviceId, Iccid, Imei, MacAddress, MobileSecret, SerialNumber
from drivers.platforms import ModuleFunction, OsVersion, Platform, stage_name
from drivers.wire.messages.modules import ModuleInfo
from drivers.wire.messages.system import EnvVariable
from drivers.wire.usb import Mode

from ...errors import UnitRejected
from ...model import CHANGING_FACTS, IdentityFact
from ...settings.sku import SkuRow, sku_row
from ...words.say import Say
from .sources import absent

VALUES = (
    "device_id", "serial", "iccid", "imei", "active_sim", "secret", "mac", "ble_mac", "device_os", "bootloader", "ncp",
    "modem", "modules", "sku", "claimed", "setup_done", "protection", "mode", "environment",
)  # fmt: skip
"""Every value that can be told of a unit, in the order people look for them."""
_KEPT = {
    **{name: name for name in ("serial", "iccid", "imei", "mac", "secret", "modules", "environment")},
    "device_os": "os_version",
}
"""Values that are kept as what they are, not only as text: name -> attribute of `UnitKnowledge`."""

RECALLED = "journal"
"""The source of what was read on an earlier visit."""
FOR_LIFE = ("serial", "imei", "mac")


@dataclass(frozen=True, slots=True)
class Gap:
    """A value that ``source`` did not tell, and why."""

    name: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Told:
    """One value of a unit as a document shows it: the value and its sources, or why nobody tells it.

    ``others``: sources that tell it in another form; ``mark``: what is strange about it.
    """

    name: str
    value: str | None
    sources: tuple[str, ...] = ()
    others: tuple[tuple[str, str], ...] = ()
    missing: str = ""
    mark: str = ""


def shown(name: str, value: object) -> str:
    """Return a value as text; the mobile secret never as itself."""
    match value:
        case MobileSecret():
            return "***"
        case tuple() if name == "modules":
            return ", ".join(f"{module_name(one)} {one.version}" for one in value)
        case tuple():
            return ", ".join(one.name for one in value)
    return str(value)


def module_name(module: ModuleInfo) -> str:
    """Return what people call a module: ``system-part1``, ``prebootloader-part1``."""
    if module.function == ModuleFunction.BOOTLOADER and module.index:
        return stage_name(module.index)
    kind = ModuleFunction(module.function).name if module.function in frozenset(ModuleFunction) else module.function
    return f"{str(kind).lower().replace('_', '-')}{module.index or ''}"


@dataclass(slots=True)
class UnitKnowledge:
    """One unit. A value is None, or empty, as long as nobody told it: in DFU a unit shows its Device ID only."""

    platform: Platform
    device_id: DeviceId | None = None
    serial: SerialNumber | None = None
    iccid: Iccid | None = None
    imei: Imei | None = None
    mac: MacAddress | None = None
    secret: MobileSecret | None = None
    os_version: OsVersion | None = None
    modules: tuple[ModuleInfo, ...] = ()  # as module info told them last
    is_locked: bool = False  # under the device protection the profile orders: it takes and tells nothing more
    is_complete: bool = False  # False for a unit that arrived in DFU until it runs again
    environment: tuple[EnvVariable, ...] = ()
    facts: list[IdentityFact] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)  # what a source did not tell, and why

    @property
    def label(self) -> str:
        """What a person calls the unit."""
        return str(self.serial or self.device_id or "")

    @property
    def numbers(self) -> frozenset[str]:
        """Every identity known, as a scan of its label or card would show it."""
        return frozenset(str(one) for one in (self.device_id, self.serial, self.iccid, self.imei) if one is not None)

    @property
    def sku(self) -> SkuRow | None:
        """The row of its serial number, whoever told that; None if it has none or an unknown one."""
        return sku_row(self.fact("serial") or "")

    @property
    def mac_by_id(self) -> MacAddress | None:
        """Return the Wi-Fi MAC address that a Gen 4 Device ID ends with (usb-and-serial 1.3); None for others."""
        device_id, prefix = str(self.device_id or ""), self.platform.device_id_prefix
        if not self.platform.is_named_by_mac or not device_id.startswith(prefix):
            return None
        return MacAddress.parse(device_id.removeprefix(prefix))

    def fits(self, serial: SerialNumber | None) -> bool:
        """Return whether ``serial`` can be that of this unit: on Gen 4 it ends with the last six digits of the MAC."""
        mac = self.mac_by_id
        return mac is None or serial is None or str(serial).endswith(str(mac).replace(":", "")[6:].upper())

    @property
    def proof(self) -> str:
        """How many identities agree, for the record."""
        names, sources = ({getattr(fact, key) for fact in self.facts} for key in ("name", "source"))
        return f"{len(names)} identities from {len(sources)} sources agree"

    def fact(self, name: str) -> str | None:
        """Return what was told under ``name`` first, by whatever source; None if nobody told."""
        return next((fact.value for fact in self.facts if fact.name == name), None)

    def current(self, name: str) -> str | None:
        """Return what holds of the values told under ``name``; None if nobody told one."""
        told = [fact.value for fact in self.facts if fact.name == name]
        return told[-1 if name in CHANGING_FACTS else 0] if told else None

    def is_told(self, name: str) -> bool:
        """Return whether the unit told ``name`` in this walk: what was read on an earlier visit is only recalled."""
        return any(fact.name == name and fact.source != RECALLED for fact in self.facts)

    def recall(self, facts: Mapping[str, str]) -> None:
        """Keep what the journal knows of the unit and what cannot have changed since (A5); its SIM may have (A10).

        Raises `UnitRejected` for a value that differs from what the unit told.
        """
        self.note(RECALLED, **{name: facts.get(name) or None for name in FOR_LIFE})

    def learn(self, source: str, answer: Mapping[str, object]) -> None:
        """Keep what ``source`` told; None is no fact. Raises `UnitRejected` for a value that differs (A5)."""
        for name, value in answer.items():
            if value is None:
                continue
            self._note(name, shown(name, value), source)
            attribute = _KEPT.get(name)
            if attribute and (name == "device_os" or not getattr(self, attribute)):
                setattr(self, attribute, value)

    def miss(self, source: str, names: Iterable[str], reason: str) -> None:
        """Keep why ``source`` did not tell ``names``."""
        self.gaps += [gap for name in names if (gap := Gap(name, source, reason)) not in self.gaps]

    def told(self) -> tuple[Told, ...]:
        """Return every value of `VALUES` with its sources, or with the reason why nobody tells it."""
        return tuple(self._told(name) for name in VALUES)

    def _told(self, name: str) -> Told:
        facts = [fact for fact in self.facts if fact.name == name]
        if not facts:
            return Told(name, None, missing=self._why_missing(name))
        value = facts[-1].value if name in CHANGING_FACTS else facts[0].value
        is_odd = name == "iccid" and self.iccid is not None and self.iccid.is_odd
        return Told(
            name, value, tuple(fact.source for fact in facts if fact.value == value),
            tuple((fact.value, fact.source) for fact in facts if fact.value != value),
            mark=f"not {Iccid.wanted}; kept as the SIM tells it" if is_odd else "",
        )  # fmt: skip

    def _why_missing(self, name: str) -> str:
        if reason := absent(name, self.platform, self.os_version):
            return reason
        if name == "sku":
            return "its serial number is of no SKU known here" if self.serial else "the serial number tells it"
        reasons = dict.fromkeys(gap.reason for gap in self.gaps if gap.name == name)
        untold = "in DFU mode; a unit that runs tells it" if self.fact("mode") == Mode.DFU else "not asked"
        return "; ".join(reasons) or untold

    def note_sku(self) -> None:
        """Keep what the unit is sold as, by its serial number."""
        if self.sku is not None and self.sku.name:
            self.note("serial number", sku=self.sku.name)

    def note(self, source: str, **values: object) -> None:
        """Keep facts with their source; None is no fact. Raises `UnitRejected` for one that differs (A5)."""
        for name, value in values.items():
            if value is not None:
                self._note(name, str(value), source)

    def _note(self, name: str, value: str, source: str) -> None:
        for fact in self.facts:
            if fact.name == name and fact.value != value and name not in CHANGING_FACTS:
                raise UnitRejected(
                    f"{name} is {fact.value} by {fact.source} but {value} by {source}; hand the unit to the technician",
                    say=Say("numbers_differ"),
                )
        fact = IdentityFact(name, value, source)
        if fact not in self.facts:
            self.facts.append(fact)
