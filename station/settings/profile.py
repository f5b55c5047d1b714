"""A profile: what one kind of unit shall become, read from a TOML file into frozen values.

Every refusal names file, line, key, what was expected and what to write instead. What can only be
judged with the firmware files at hand (D6 D7, dependencies) is judged in `station.firmware`.
"""

from __future__ import annotations

import difflib
import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from drivers.errors import BadIdentity
from drivers.platforms import OsVersion, Platform, platforms

from ..model import ProfileRef
from .name_template import DEFAULT_FALLBACK, DEFAULT_NAME, NameTemplate
from .secrets import SecretRef, secret_ref
from .sku import SKUS, minimum_for_sku, skus_of
from .toml_table import Document, Table, read_all, shown

__all__ = [
    "DeviceOs", "FileRef", "Firmware", "Kind", "Label", "Offline", "Product", "Profile", "StepRule", "Wifi",
    "WifiSecurity", "load_profile", "parse_profile",
]  # fmt: skip


def _file_example(rows: tuple[Platform, ...], module: str) -> str:
    return f'{{ file = "{rows[0].slug}-{module}@6.3.4.bin", sha256 = "64 hexadecimal digits" }}'


class Kind(enum.StrEnum):
    """What a unit becomes."""

    PRODUCT = "product"  # a member of a product
    DEVELOPER = "developer"  # in no product, claimed by a developer account


@dataclass(frozen=True, slots=True)
class StepRule:
    """What a profile may say of a step: ``limit_s`` is what holds if it says nothing."""

    limit_s: float
    may_be_off: bool = False


class Offline(enum.StrEnum):
    """What becomes of cloud work while the cloud does not answer."""

    QUEUE = "queue"  # the unit ends PENDING, the work waits in the outbox
    HOLD = "hold"  # the unit waits in its slot


class WifiSecurity(enum.StrEnum):
    """How the access point is protected. The values are what a profile may say."""

    OPEN = "open"  # no password
    WEP = "wep"  # obsolete, still found
    WPA = "wpa"  # WPA-PSK
    WPA2 = "wpa2"  # WPA2-PSK
    WPA_WPA2 = "wpa/wpa2"  # mixed mode
    WPA3 = "wpa3"
    WPA2_WPA3 = "wpa2/wpa3"


@dataclass(frozen=True, slots=True)
class FileRef:
    """A firmware file by name and SHA-256 (64 lower-case hexadecimal digits of the whole file)."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Product:
    """The product a unit joins: numeric id, slug or both (C8). The cloud tells the number of a bare slug."""

    id: int | None
    slug: str | None

    @property
    def ref(self) -> str:
        """What goes into a cloud address: the number if it is known, else the slug."""
        return str(self.id) if self.id is not None else str(self.slug)


@dataclass(frozen=True, slots=True)
class DeviceOs:
    """The release a unit shall run, as files. A profile for two platforms lists the files of both."""

    version: OsVersion
    modules: tuple[FileRef, ...]
    allow_downgrade: bool  # H4
    protection: bool = False  # the unit is put under device protection, by the bootloader that does so


@dataclass(frozen=True, slots=True)
class Firmware:
    """The application; ``product_version`` is the number the cloud will compare (D1 D2)."""

    file: FileRef
    product_version: int | None


@dataclass(frozen=True, slots=True)
class Wifi:
    """The access point an Argon joins; ``password`` is a reference, None for an open network."""

    ssid: str
    password: SecretRef | None
    security: WifiSecurity


@dataclass(frozen=True, slots=True)
class Label:
    """``is_expected``: a scan of the unit's label must agree with the unit; ``timeout_s`` to wait for it.

    ``keeps_secret``: the mobile secret is stored in the journal, because a label is printed with it.
    """

    is_expected: bool
    timeout_s: float
    keeps_secret: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """One parsed profile. ``sha256`` is that of the text: it says which text made a unit."""

    id: str
    revision: int
    title: str
    sha256: str
    kind: Kind
    platforms: tuple[Platform, ...]
    skus: tuple[str, ...]
    product: Product | None
    device_os: DeviceOs | None
    firmware: tuple[Firmware, ...]
    wifi: Wifi | None
    offline: Offline
    claim: bool
    online: bool
    name: NameTemplate
    label: Label
    limits: tuple[tuple[str, float], ...]  # step name, seconds
    switched_off: frozenset[str]

    @property
    def ref(self) -> ProfileRef:
        return ProfileRef(self.id, self.revision, self.sha256)

    def fits(self, platform_id: int | None) -> bool:
        """Is this profile for units of that platform?"""
        return any(row.id == platform_id for row in self.platforms)

    def needs_serial(self, platform: Platform) -> bool:
        """Whether a unit without a serial number is refused: Gen 2 units may lack one (A4), others where a profile
        says how they are called then.
        """
        return platform.has_serial_numbers and not self.name.is_fallback_given

    def unit_name(self, *, serial: str | None, platform: str, device_id: str) -> str:
        """The cloud name of a unit (F3). ``platform`` is its slug."""
        return self.name.render(platform, device_id, serial)

    def firmware_files(self) -> tuple[FileRef, ...]:
        """Every file the profile names."""
        release = self.device_os.modules if self.device_os else ()
        return (*release, *(row.file for row in self.firmware))


def load_profile(path: Path, steps: Mapping[str, StepRule]) -> Profile:
    """Read the profile in the file ``path``; raises `station.errors.BadInput`. ``steps``: those it may speak of."""
    document, raw = Document.read(path)
    return read_all(document, lambda top: _profile(top, raw, steps))


def parse_profile(raw: bytes, name: str, steps: Mapping[str, StepRule]) -> Profile:
    """As `load_profile`, from the bytes of a file called ``name``."""
    return read_all(Document(raw, name), lambda top: _profile(top, raw, steps))


def _profile(top: Table, raw: bytes, steps: Mapping[str, StepRule]) -> Profile:
    kind = Kind(top.choice("kind", tuple(Kind)))
    rows = _platforms(top)
    skus = _skus(top, rows)
    claim, online, offline = _cloud(top, kind)
    device_os = _device_os(top, skus, kind, rows)
    limits, off = _steps(top, steps)
    profile = Profile(
        id=top.text("id", "letters, digits, dots and dashes, at most 40", '"widget-boron"', pattern=r"[\w.-]{1,40}"),
        revision=top.integer("revision", 1, 65535, "1"),
        title=top.text_or(
            "title", "", "a title of at most 60 characters", '"WIDGET"', pattern=r"[^\x00-\x1f\x7f]{1,60}"
        ),
        sha256=hashlib.sha256(raw).hexdigest(),
        kind=kind,
        platforms=rows,
        skus=skus,
        product=_product(top, kind, rows),
        device_os=device_os,
        firmware=_firmware(top, kind, rows),
        wifi=_wifi(top, rows),
        offline=offline,
        claim=claim,
        online=online,
        name=_name(top),
        label=_label(top),
        limits=limits,
        switched_off=off,
    )
    top.finish()
    return profile


def _platforms(top: Table) -> tuple[Platform, ...]:
    known = ", ".join(f'"{row.slug}" ({row.id})' for row in platforms())
    found: list[Platform] = []
    for value in top.items("platforms", "platform names or ids", '["boron"]', at_most=16):
        row = next((row for row in platforms() if value in (row.slug, row.id)), None)
        if row is None:
            advice = 'write platforms = ["boron"]'
            top.refuse("platforms", f"platforms among {known}", advice, found=shown(value), is_own=True)
        if row not in found:
            found.append(row)
    return tuple(found)


def _skus(top: Table, rows: tuple[Platform, ...]) -> tuple[str, ...]:
    """SKUs whose units can be told from others: a name nobody can check would switch the check off."""
    if not top.has("skus"):
        return ()
    known = skus_of([row.id for row in rows])
    names = " or ".join(row.name for row in rows)
    if not known:
        top.refuse("skus", f"no skus: no serial number tells the SKU of a {names}", "remove it", found="some")
    skus: list[str] = []
    for value in top.items("skus", "SKUs in quotes", f'["{known[0]}"]'):
        sku = value.upper() if isinstance(value, str) and len(value) <= 20 else ""
        if sku not in known:
            close = difflib.get_close_matches(sku, known, 2, 0.6) or known[:1]
            advice = f"write skus = [{', '.join(map(json.dumps, sorted(close)))}], or remove it"
            expected = f"SKUs of a {names} that its serial number tells"
            top.refuse("skus", expected, advice, found=shown(value), is_own=sku not in SKUS)
        skus.append(sku)
    return tuple(skus)


def _product(top: Table, kind: Kind, rows: tuple[Platform, ...]) -> Product | None:
    table = top.table("product")
    if kind is Kind.DEVELOPER:
        if table is not None:
            top.refuse("product", "no [product] in a developer profile", 'remove it, or write kind = "product"')
        return None
    if table is None:
        top.refuse("product", "a section [product]", "write [product] and below it id = 12345", found="nothing")
    if len(rows) != 1:
        top.refuse("platforms", "one platform, as a product has one (C3)", f'write platforms = ["{rows[0].slug}"]')
    number = table.integer("id", 101, 2**31 - 1, "12345") if table.has("id") else None
    pattern = r"(?=.*[a-z])[a-z0-9][a-z0-9-]{0,99}"
    slug = (
        table.text("slug", "a product's slug, lower-case letters, digits and dashes", '"widget-v1"', pattern=pattern)
        if table.has("slug")
        else None
    )
    if number is None and slug is None:
        table.refuse(
            "id", "the product's number or slug (C8)", 'write id = 12345 or slug = "widget-v1"', found="neither"
        )
    table.finish()
    return Product(number, slug)


def _cloud(top: Table, kind: Kind) -> tuple[bool, bool, Offline]:
    """Claim, online, offline. A developer unit must be claimed (E1), so online (E2).

    Only a unit that needs no network of its own can be set aside: with [wifi] it would be online before it
    is known to be a member (C2), and one that must come online here cannot do so unplugged.
    """
    table = top.table("cloud") or top.empty("cloud")
    is_developer = kind is Kind.DEVELOPER
    claim = table.flag("claim", False, hint=is_developer)
    online = table.flag("online", is_developer)
    must_hold = is_developer or online or top.has("wifi")
    offline = Offline(table.choice("offline", tuple(Offline), Offline.HOLD if must_hold else Offline.QUEUE))
    if is_developer and not claim:
        table.refuse("claim", "claim = true: a developer unit must be claimed (E1)", "write claim = true below [cloud]")
    if is_developer and not online:
        table.refuse("online", "online = true: a developer unit is claimed online (E2)", "write online = true")
    if must_hold and offline is Offline.QUEUE:
        why = "a developer unit is claimed while it is online" if is_developer else _WHY_HOLD[online]
        table.refuse("offline", f'"hold": {why}', 'write offline = "hold"', found='"queue"')
    table.finish()
    return claim, online, offline


_WHY_HOLD = {
    True: "a unit that must come online here cannot be unplugged before (online = true)",
    False: "with [wifi] a unit would be online before it is known to be in its product (C2)",
}


def _file_ref(table: Table) -> FileRef:
    name = table.text(
        "file", "a file name without a folder", '"argon-system-part1@6.3.4.bin"', pattern=r"(?!\.)[\w.@+ -]{1,120}"
    )
    digest = table.text(
        "sha256", "64 hexadecimal digits", f'"..." as sha256sum {name[:40]} prints it', pattern=r"[0-9a-fA-F]{64}"
    )
    return FileRef(name, digest.lower())


def _device_os(top: Table, skus: tuple[str, ...], kind: Kind, rows: tuple[Platform, ...]) -> DeviceOs | None:
    table = top.table("device_os")
    if table is None:
        return None
    text = table.text("version", 'one version such as "6.3.4", never "latest" (H4)', '"6.3.4"')
    try:
        version = OsVersion.parse(text)
    except BadIdentity:
        table.refuse(
            "version", 'one version such as "6.3.4" (H4)', 'write version = "6.3.4"', found=shown(text), is_own=True
        )
    minimums = [(found.device_os, sku) for sku in skus if (found := minimum_for_sku(sku)) is not None]
    minimum, sku = max(minimums, default=(version, ""))
    if version < minimum:
        advice = f'write version = "{minimum}" or later'
        table.refuse("version", f"{minimum} or later, as {sku} needs (D9)", advice, found=str(version))
    modules: list[FileRef] = []
    example = _file_example(rows, "system-part1")
    for row in table.tables("modules", "files with their SHA-256", f"[{example}]"):
        modules.append(_file_ref(row))
        row.finish()
        if modules[-1] in modules[:-1]:
            row.refuse("file", "every file once", "remove the second one", found=modules[-1].file)
    if not modules:
        table.refuse("modules", "the files of the release", f"write modules = [{example}]", found="nothing")
    downgrade = table.flag("allow_downgrade", False)
    protection = table.flag("protection", False)
    if protection:
        _check_protection(top, table, version, kind)
    table.finish()
    return DeviceOs(version, tuple(modules), downgrade, protection)


PROTECTION_FROM = OsVersion.parse("6.1.1")
"""Protected units hold at least this (reference firmware-and-dfu 4.4)."""


def _check_protection(top: Table, table: Table, version: OsVersion, kind: Kind) -> None:
    """A protected unit answers next to nothing: whatever needs more of it cannot be checked."""
    if version < PROTECTION_FROM:
        advice = f'write version = "{PROTECTION_FROM}" or later, or protection = false'
        table.refuse("version", f"{PROTECTION_FROM} or later for protection = true", advice, found=str(version))
    if kind is Kind.DEVELOPER:
        table.refuse("protection", "false in a developer profile: the unit is asked after it", "remove the line")
    if top.has("wifi"):
        table.refuse("protection", "false with [wifi]: a protected unit takes no credentials", "remove one of them")


def _firmware(top: Table, kind: Kind, rows: tuple[Platform, ...]) -> tuple[Firmware, ...]:
    found: list[Firmware] = []
    example = f"[{_file_example(rows, 'tinker')}]"
    for table in top.tables("firmware", "an application with its SHA-256", example, at_most=16):
        version = table.integer("product_version", 1, 65535, "1") if table.has("product_version") else None  # D1
        if version is not None and kind is Kind.DEVELOPER:
            table.refuse("product_version", "no product version in a developer profile", "remove it")
        found.append(Firmware(_file_ref(table), version))
        table.finish()
    return tuple(found)


def _wifi(top: Table, rows: tuple[Platform, ...]) -> Wifi | None:
    table = top.table("wifi")
    if table is None:
        return None
    if not any(row.sets_wifi_in_listening_mode for row in rows):
        names = ", ".join(row.name for row in rows)
        top.refuse("wifi", f"no [wifi] for {names}: only Argon, Photon and P1 take credentials (H5)", "remove [wifi]")
    ssid = table.text("ssid", "a network name of 1 to 32 bytes", '"factory"')
    if len(ssid.encode()) > 32:
        table.refuse("ssid", "a network name of 1 to 32 bytes", 'write ssid = "factory"', found=f"{len(ssid.encode())}")
    security = WifiSecurity(table.choice("security", tuple(WifiSecurity), WifiSecurity.WPA2))
    password: SecretRef | None = None
    if security is WifiSecurity.OPEN and table.has("password"):
        table.refuse("password", 'no password for security = "open"', "remove it, or name the security")
    if security is not WifiSecurity.OPEN:
        password = secret_ref(table, "password", "password", '"env:WIFI_PASSWORD" or "keyring:station/wifi"')
    table.finish()
    return Wifi(ssid, password, security)


def _name(top: Table) -> NameTemplate:
    table = top.table("name") or top.empty("name")
    texts = []
    for key, default in (("template", DEFAULT_NAME), ("fallback", DEFAULT_FALLBACK)):
        text = table.text_or(
            key, default, "a text with fields in braces", f'"{default}"', pattern=r"[\x20-\x7e]{1,100}"
        )
        fault = NameTemplate.fault(text, is_fallback=key == "fallback")
        if fault:
            table.refuse(key, fault, f'write {key} = "{default}"', found=shown(text), is_own=True)
        texts.append(text)
    table.finish()
    return NameTemplate(texts[0], texts[1], table.has("fallback"))


def _label(top: Table) -> Label:
    table = top.table("label") or top.empty("label")
    label = Label(
        table.flag("expect", False), table.seconds("timeout_s", 60.0, 1, 3600), table.flag("keep_secret", False)
    )
    table.finish()
    return label


def _steps(top: Table, rules: Mapping[str, StepRule]) -> tuple[tuple[tuple[str, float], ...], frozenset[str]]:
    """Time limits by step, and the steps switched off."""
    limits: dict[str, float] = {}
    off: set[str] = set()
    steps = top.table("steps") or top.empty("steps")
    for name, row in rules.items():
        table = steps.table(name)
        if table is None:
            continue
        limits[name] = table.seconds("limit_s", row.limit_s, 5, 86400)
        if not table.flag("enabled", True):
            if not row.may_be_off:
                optional = ", ".join(step for step, other in rules.items() if other.may_be_off)
                table.refuse("enabled", f"true: only {optional} may be switched off", "remove the line", found="false")
            off.add(name)
        table.finish()
    steps.finish()
    return tuple(limits.items()), frozenset(off)
