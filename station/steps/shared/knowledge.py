"""What is known of one unit: every number and fact with its source, and what firmware it holds.

Made by `identify`, added to by the steps; checks, screen, journal and labels read it. It belongs to the slot's thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.identity import DeviceId, Iccid, Imei, MacAddress, MobileSecret, SerialNumber
from drivers.platforms import OsVersion, Platform
from drivers.wire.messages.modules import ModuleInfo

from ...errors import UnitRejected
from ...model import CHANGING_FACTS, IdentityFact
from ...settings.sku import SkuRow, sku_row
from ...words.say import Say


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
    facts: list[IdentityFact] = field(default_factory=list)

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
                    say=Say("wrong_label"),
                )
        fact = IdentityFact(name, value, source)
        if fact not in self.facts:
            self.facts.append(fact)
