"""Identity and factory state of a virtual unit: `UnitSpec`, and `make_spec`, which generates one from a seed.

The same platform, seed and number give the same unit in every process and on every machine.
Identities have a valid format but belong to no real device: ICCIDs use a test issuer, MACs the vendor's prefix.
"""

from __future__ import annotations

import dataclasses
import json
import random
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import DriverError
from ..identity import DeviceId, Iccid, Imei, MacAddress, MobileSecret, SerialNumber
from ..platforms import OsVersion, Platform, platform, platform_by_slug
from . import synthetic
from .boot import BootRequest
from .world import StoredNetwork

_USUAL = OsVersion.parse("3.3.1")
_ALPHABET = string.digits + "ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class UnitSpec:
    """One unit as it arrives at the station. ``modules`` are whole firmware files; empty means blank flash."""

    platform_id: int
    device_id: DeviceId
    serial: SerialNumber | None  # None: never programmed, and no more is the secret
    mobile_secret: MobileSecret
    mac: MacAddress | None = None  # Wi-Fi platforms
    imei: Imei | None = None  # cellular platforms
    iccid: Iccid | None = None  # of the SIM soldered in; of a unit without one, of the card in its holder
    holder_iccid: Iccid | None = None  # of the card in the holder of a unit that has both
    modules: tuple[bytes, ...] = dataclasses.field(default=(), repr=False)
    setup_done: bool = False
    claimed: bool = False
    networks: tuple[StoredNetwork, ...] = ()  # Wi-Fi networks already stored
    environment: tuple[tuple[str, str], ...] = ()  # variables of its application, by name
    arrives: BootRequest = BootRequest.NORMAL  # mode of its first boot
    has_ethernet: bool = False  # a W5500 chip is attached
    usb_name: str = ""  # of its hardware model, if that has a name of its own; not every Device OS looks at it

    @property
    def platform(self) -> Platform:
        return platform(self.platform_id)

    @property
    def shown_platform(self) -> Platform:
        """Return its row under the name of its hardware model."""
        return dataclasses.replace(self.platform, usb_name=self.usb_name) if self.usb_name else self.platform

    @property
    def label(self) -> str:
        """Return the content of the data matrix on the label: serial, one space, mobile secret (A6)."""
        return f"{self.serial or ''} {self.mobile_secret.reveal()}"


def make_spec(
    platform_slug: str,
    seed: int,
    number: int,
    device_os: str | None = None,
    *,
    modules: Sequence[bytes] | None = None,
    setup_done: bool = False,
    claimed: bool = False,
    networks: tuple[StoredNetwork, ...] = (),
    arrives: BootRequest = BootRequest.NORMAL,
    is_protected: bool = False,
) -> UnitSpec:
    """Generate unit ``number`` of ``seed``: a new unit with a synthetic ``device_os`` and application.

    ``platform_slug`` may be a trade name ("photon2"). ``device_os`` None: 3.3.1, or the version nearest to it;
    `KeyError` for one that does not exist for the platform. ``modules`` replaces that firmware. ``is_protected``
    gives it a bootloader that puts it under device protection, if its Device OS and bootloader support that (from
    6.0.0). Raises `UnknownPlatform`.
    """
    kind = platform_by_slug(platform_slug)
    dice = random.Random(f"{kind.slug}/{seed}/{number}")
    own_id = f"{dice.getrandbits(64):016x}" if kind.device_id_prefix else f"{dice.getrandbits(96):024x}"
    serial = kind.serial_prefix + "AB" + _some(dice, _ALPHABET, 9)
    secret = MobileSecret(_some(dice, _ALPHABET, 15))
    mac = f"94944a{dice.getrandbits(24):06x}" if kind.has_mac or kind.is_named_by_mac else ""
    if kind.is_named_by_mac:
        own_id, serial = mac, serial[:9] + mac[6:].upper()
    version = device_os or synthetic.usual_version(kind.id)
    held = factory_modules(kind.id, version) if modules is None else tuple(modules)
    return UnitSpec(
        platform_id=kind.id,
        device_id=DeviceId.parse(kind.device_id_prefix + own_id),
        serial=SerialNumber.parse(serial) if _is_programmed(kind, version) else None,
        mobile_secret=secret,
        mac=MacAddress.parse(mac) if mac else None,
        imei=Imei.parse("35" + _some(dice, string.digits, 13)) if kind.has_cellular else None,
        iccid=Iccid.parse("8988307" + _some(dice, string.digits, 13)) if kind.has_cellular else None,
        modules=tuple(map(synthetic.locking, held)) if is_protected else held,
        setup_done=setup_done and any(entry.name == "setup_done" for entry in kind.dct_fields),  # Gen 2 never had one
        claimed=claimed,
        networks=networks,
        arrives=arrives,
        usb_name=_MODEL_NAMES.get(platform_slug.lower(), ""),
    )


_MODEL_NAMES = {"photon2": "Photon 2"}
"""Trade names that are hardware models of their own, and what those call themselves on USB."""


def _is_programmed(kind: Platform, device_os: str) -> bool:
    """Units that may have no serial number have one if they left the factory with a Device OS that tells it."""
    return kind.has_serial_numbers or kind.reports("21.serial", OsVersion.parse(device_os))


def _some(dice: random.Random, alphabet: str, count: int) -> str:
    return "".join(dice.choices(alphabet, k=count))


def factory_modules(platform_id: int, device_os: str, application: str = "tinker") -> tuple[bytes, ...]:
    """Generate a synthetic release and the application of that name."""
    files = synthetic.release(platform_id, device_os)
    return (*(file.data for file in files), synthetic.application(platform_id, device_os, seed=application).data)


# --- on disk --------------------------------------------------------------------------------

IDENTITY_FILE = "unit.json"


def save_identity(spec: UnitSpec, directory: Path) -> None:
    """Write the unit's identity; the file is private to its owner (it holds the mobile secret, like the real OTP)."""
    fields = {
        "platform_id": spec.platform_id,
        "device_id": str(spec.device_id),
        "serial": spec.serial and str(spec.serial),
        "mobile_secret": spec.mobile_secret.reveal(),
        "mac": spec.mac and str(spec.mac),
        "imei": spec.imei and str(spec.imei),
        "iccid": spec.iccid and str(spec.iccid),
        "holder_iccid": spec.holder_iccid and str(spec.holder_iccid),
        "usb_name": spec.usb_name,
    }
    fresh = directory / (IDENTITY_FILE + ".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(fields, indent=1), encoding="utf-8")
    fresh.replace(directory / IDENTITY_FILE)


def load_identity(directory: Path) -> UnitSpec | None:
    """Read the identity in ``directory``; None if there is none. The firmware stays in the unit's flash files.

    Raises `DriverError` for a damaged file.
    """
    path = directory / IDENTITY_FILE
    if not path.exists():
        return None
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return UnitSpec(
            platform_id=platform(int(fields["platform_id"])).id,
            device_id=DeviceId.parse(fields["device_id"]),
            serial=SerialNumber.parse(fields["serial"]) if fields["serial"] else None,
            mobile_secret=MobileSecret(str(fields["mobile_secret"])),
            mac=MacAddress.parse(fields["mac"]) if fields["mac"] else None,
            imei=Imei.parse(fields["imei"]) if fields["imei"] else None,
            iccid=Iccid.told(fields["iccid"]) if fields["iccid"] else None,
            holder_iccid=Iccid.told(fields["holder_iccid"]) if fields.get("holder_iccid") else None,
            usb_name=str(fields.get("usb_name", "")),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DriverError(f"{path} does not describe a virtual unit ({error!r}); delete its directory") from error
