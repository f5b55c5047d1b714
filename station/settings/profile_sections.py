"""The sections of a profile: keys of their own, judged with what the profile says of its units.

A section belongs to one step. It is handed what it may know of the profile and never reaches for it.
"""

from __future__ import annotations

import enum
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo, create_model, field_validator

from drivers.errors import BadIdentity
from drivers.platforms import OsVersion, Platform

from ..uncertain import NAME_LENGTH
from .secrets import SecretField
from .sections import Mistake, Section, refusal, shown, tables
from .sku import minimum_for_sku


class Kind(enum.StrEnum):
    """What a unit becomes."""

    PRODUCT = "product"  # a member of a product
    DEVELOPER = "developer"  # in no product, claimed by a developer account


@dataclass(frozen=True, slots=True)
class Context:
    """What a section may know of its profile. ``written``: the keys at the top of the file, good or not."""

    kind: Kind
    platforms: tuple[Platform, ...]
    skus: tuple[str, ...]
    written: frozenset[str]


class ProfileSection(Section):
    """One section of a profile."""

    def check(self, _context: Context) -> Iterator[Mistake]:
        """Yield what is wrong between its keys or with the rest of the profile; each key is good by itself then."""
        yield from ()

    @classmethod
    def check_presence(cls, _context: Context, _is_there: bool) -> Iterator[Mistake]:
        """Yield why such a profile must have the section, or must not: its keys are not looked at then."""
        yield from ()


@dataclass(frozen=True, slots=True)
class StepRule:
    """What a profile may say of a step: ``limit_s`` is what holds if it says nothing.

    ``sections``: those of the step, by their keys. A profile may leave each of them out, if the section agrees.
    """

    limit_s: float
    may_be_off: bool = False
    sections: tuple[tuple[str, type[ProfileSection]], ...] = ()


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


class Product(ProfileSection):
    """The product every unit joins before it can go online: its number, its slug, or both (C8)."""

    id: int | None = Field(default=None, ge=101, le=2**31 - 1, examples=[12345], description="Its number.")
    slug: str | None = Field(
        default=None, pattern=r"^([0-9][0-9-]*)?[a-z][a-z0-9-]*$", max_length=100, examples=["widget-v1"],
        title="a product's slug, lower-case letters, digits and dashes", description="Its short name in the cloud.",
    )  # fmt: skip

    @classmethod
    def check_presence(cls, context: Context, is_there: bool) -> Iterator[Mistake]:
        if context.kind is Kind.DEVELOPER and is_there:
            yield Mistake((), "no [product] in a developer profile", 'remove it, or write kind = "product"')
        if context.kind is Kind.PRODUCT and not is_there:
            yield Mistake((), "a section [product]", "write [product] and below it id = 12345", "nothing")

    def check(self, _context: Context) -> Iterator[Mistake]:
        if self.id is None and self.slug is None:
            advice = 'write id = 12345 or slug = "widget-v1"'
            yield Mistake("id", "the product's number or slug (C8)", advice, "neither")

    @property
    def ref(self) -> str:
        """What goes into a cloud address: the number if it is known, else the slug."""
        return str(self.id) if self.id is not None else str(self.slug)


_VersionText = Annotated[str, Field(pattern=r"^v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$")]


def _version(value: object) -> OsVersion:
    try:
        return OsVersion.parse(value if isinstance(value, str) else "")
    except BadIdentity:
        raise refusal(Mistake(found=shown(value))) from None


def file_example(module: str) -> dict[str, str]:
    """Return what a profile says of a file, for people to put their own in its place."""
    return {"file": f"$platform-{module}@6.3.4.bin", "sha256": "64 hexadecimal digits"}


class FileRef(Section):
    """A firmware file by name and SHA-256, 64 hexadecimal digits of the whole file, in lower case once read."""

    file: str = Field(
        pattern=r"^[\w@+ -][\w.@+ -]{0,119}$", title="a file name without a folder",
        examples=["$platform-system-part1@6.3.4.bin"], description="Its name in one of the folders with firmware.",
    )  # fmt: skip
    sha256: Annotated[str, AfterValidator(str.lower)] = Field(
        pattern="^[0-9a-fA-F]{64}$", title="64 hexadecimal digits", description="What sha256sum FILE prints.",
        examples=["64 hexadecimal digits, as sha256sum $file prints them"],
    )  # fmt: skip


PROTECTION_FROM = OsVersion.parse("6.1.1")
"""Protected units hold at least this (reference firmware-and-dfu 4.4)."""


class DeviceOs(ProfileSection):
    """The release a unit shall run, as files. A profile for two platforms lists the files of both."""

    version: Annotated[OsVersion, PlainValidator(_version, json_schema_input_type=_VersionText)] = Field(
        title='one version such as "6.3.4", never "latest" (H4)', examples=["6.3.4"],
        description="The release, always one named version.",
    )  # fmt: skip
    modules: Annotated[tuple[FileRef, ...], tables(FileRef)] = Field(
        strict=False, min_length=1, max_length=64, title="the files of the release, each with its SHA-256",
        examples=[[file_example("system-part1")]], description="Its modules; together they must be complete.",
    )  # fmt: skip
    allow_downgrade: bool = Field(default=False, description="true: a newer Device OS is taken back to this one (H4).")
    protection: bool = Field(default=False, description="true: the bootloader puts the unit under device protection.")

    def check(self, context: Context) -> Iterator[Mistake]:
        minimums = [(found.device_os, sku) for sku in context.skus if (found := minimum_for_sku(sku)) is not None]
        minimum, sku = max(minimums, default=(self.version, ""))
        if self.version < minimum:
            advice = f'write version = "{minimum}" or later'
            yield Mistake("version", f"{minimum} or later, as {sku} needs (D9)", advice, str(self.version))
        for at, row in enumerate(self.modules):
            if row in self.modules[:at]:
                yield Mistake(("modules", at, "file"), "every file once", "remove the second one", row.file)
        if not self.protection:
            return
        # a protected unit answers next to nothing: whatever needs more of it cannot be checked
        if self.version < PROTECTION_FROM:
            advice = f'write version = "{PROTECTION_FROM}" or later, or protection = false'
            yield Mistake("version", f"{PROTECTION_FROM} or later for protection = true", advice, str(self.version))
        if context.kind is Kind.DEVELOPER:
            yield Mistake("protection", "false in a developer profile: the unit is asked after it", "remove the line")
        if "wifi" in context.written:
            expected = "false with [wifi]: a protected unit takes no credentials"
            yield Mistake("protection", expected, "remove one of them")


class Firmware(ProfileSection, FileRef):
    """The application. From Device OS 4.0 on it must be built without PRODUCT_ID."""

    product_version: int | None = Field(
        default=None, ge=1, le=65535, examples=[1],
        description="Its PRODUCT_VERSION, as uploaded to the product: the cloud compares for equality (D1 D2).",
    )  # fmt: skip

    def check(self, context: Context) -> Iterator[Mistake]:
        if self.product_version is not None and context.kind is Kind.DEVELOPER:
            yield Mistake("product_version", "no product version in a developer profile", "remove it")


def _in_32_bytes(ssid: str) -> str:
    if len(ssid.encode()) > 32:
        raise refusal(Mistake(found=f"{len(ssid.encode())}"))
    return ssid


class Wifi(ProfileSection):
    """The access point the unit joins. The file says where the password is kept, never the password."""

    ssid: Annotated[str, AfterValidator(_in_32_bytes)] = Field(
        min_length=1, title="a network name of 1 to 32 bytes", examples=["factory"], description="Name of the network."
    )
    security: WifiSecurity = Field(default=WifiSecurity.WPA2, strict=False, description="How the network is protected.")
    password: SecretField | None = Field(
        default=None, title="a reference to the password, never the password itself",
        examples=["env:WIFI_PASSWORD", "keyring:station/wifi"],
        description="Where the password is kept: an environment variable or a keyring entry.",
    )  # fmt: skip

    @classmethod
    def check_presence(cls, context: Context, is_there: bool) -> Iterator[Mistake]:
        if is_there and not any(row.sets_wifi_in_listening_mode for row in context.platforms):
            names = ", ".join(row.name for row in context.platforms)
            expected = f"no [wifi] for {names}: only Argon, Photon and P1 take credentials (H5)"
            yield Mistake((), expected, "remove [wifi]")

    def check(self, _context: Context) -> Iterator[Mistake]:
        if self.security is WifiSecurity.OPEN and self.password is not None:
            yield Mistake("password", 'no password for security = "open"', "remove it, or name the security")
        if self.security is not WifiSecurity.OPEN and self.password is None:
            yield Mistake("password", found="nothing")


class Cloud(ProfileSection):
    """What is asked of the cloud beside membership, and what happens while it is away."""

    claim: bool = Field(default=False, description="true: claim the unit, as a developer unit must be (E1).")
    online: bool | None = Field(default=None, description="true: it must come online here, as a developer unit (E2).")
    offline: Offline | None = Field(
        default=None, strict=False,
        description="Cloud away: queue sets units aside, their cloud work is finished later; hold lets them wait.",
    )  # fmt: skip

    def is_awaited(self, kind: Kind) -> bool:
        """Whether the unit must come online at this bench."""
        return kind is Kind.DEVELOPER if self.online is None else self.online

    def why_hold(self, kind: Kind, *, has_wifi: bool) -> str:
        """Say why a unit cannot be set aside while the cloud is away, "" if it can.

        Only a unit that needs no network of its own can: with [wifi] it would be online before it is known to be a
        member (C2), and one that must come online here cannot do so unplugged.
        """
        if kind is Kind.DEVELOPER:
            return "a developer unit is claimed while it is online"
        if self.is_awaited(kind):
            return "a unit that must come online here cannot be unplugged before (online = true)"
        return "with [wifi] a unit would be online before it is known to be in its product (C2)" if has_wifi else ""

    def check(self, context: Context) -> Iterator[Mistake]:
        if context.kind is Kind.DEVELOPER and not self.claim:
            expected = "claim = true: a developer unit must be claimed (E1)"
            yield Mistake("claim", expected, "write claim = true below [cloud]")
        if context.kind is Kind.DEVELOPER and not self.is_awaited(context.kind):
            yield Mistake("online", "online = true: a developer unit is claimed online (E2)", "write online = true")
        why = self.why_hold(context.kind, has_wifi="wifi" in context.written)
        if why and self.offline is Offline.QUEUE:
            yield Mistake("offline", f'"hold": {why}', 'write offline = "hold"', '"queue"')


class NameTemplate(ProfileSection):
    """What the unit is called in the cloud. Fields: {serial}, {platform}, {id}, and {id6}, its last six digits."""

    template: str = Field(
        default="{serial}", pattern=r"^[\x20-\x7e]{1,100}$", title="a text with fields in braces",
        description="The name of every unit.",
    )  # fmt: skip
    fallback: str = Field(
        default="{platform}-{id6}", pattern=r"^[\x20-\x7e]{1,100}$", title="a text with fields in braces",
        description="The name of a unit that reports no serial number; a profile without it refuses such a unit.",
    )  # fmt: skip

    @field_validator("template", "fallback")
    @classmethod
    def _has_known_fields(cls, text: str, info: ValidationInfo) -> str:
        allowed = ["serial", "platform", "id", "id6"][info.field_name == "fallback" :]
        fields = ", ".join("{" + name + "}" for name in allowed)
        expected = f"text with the fields {fields}, at least one of {{serial}}, {{id}}, {{id6}}"
        try:
            parts = list(string.Formatter().parse(text))
        except ValueError:
            parts = []
        used = {name for _, name, spec, conversion in parts if name is not None or spec or conversion}
        is_plain = all(not spec and not conversion for _, _, spec, conversion in parts)
        if not is_plain or not used <= set(allowed) or not used - {"platform"}:
            raise refusal(Mistake(expected=expected, found=shown(text)))
        return text

    @property
    def is_fallback_given(self) -> bool:
        """Whether the profile says itself how a unit without a serial number is called, so that it wants such units."""
        return "fallback" in self.model_fields_set

    def render(self, platform: str, device_id: str, serial: str | None) -> str:
        """Return the name of one unit, at most 100 characters. ``device_id``: 24 hexadecimal digits."""
        values = {"platform": platform, "id": device_id, "id6": device_id[-6:], "serial": serial or ""}
        needs_serial = any(name == "serial" for _, name, _, _ in string.Formatter().parse(self.template))
        chosen = self.fallback if needs_serial and not serial else self.template
        return chosen.format_map(values)[:NAME_LENGTH]


class Label(ProfileSection):
    """The scan of the unit's label."""

    is_expected: bool = Field(default=False, alias="expect", description="true: a scan must agree with the unit.")
    timeout_s: float = Field(default=60.0, ge=1, le=3600, description="How long to wait for the scan, in seconds.")
    keeps_secret: bool = Field(
        default=False, alias="keep_secret", description="true: keep the mobile secret, for printing labels."
    )


def steps_section(rules: Mapping[str, StepRule]) -> type[Section]:
    """Return [steps] with a section for each step of ``rules``: ``limit_s`` and ``enabled``."""
    limit = Field(ge=5, le=86400, description="How long one try may take, in seconds.")
    optional = ", ".join(name for name, rule in rules.items() if rule.may_be_off)
    must = f"true: only {optional} may be switched off"
    always = Field(title=must, examples=[True], description=must)
    either = Field(description="false: units of this profile leave the step out.")
    fields: dict[str, Any] = {}
    for name, rule in rules.items():
        enabled: Any = Annotated[bool, either] if rule.may_be_off else Annotated[Literal[True], always]
        keys: Any = {"limit_s": (Annotated[float, limit], float(rule.limit_s)), "enabled": (enabled, True)}
        step = create_model(f"Step {name}", __base__=Section, __doc__=f"The step {name}.", **keys)
        fields[name] = (step, step())
    return create_model("Steps", __base__=Section, __doc__="Time limits, and steps switched off.", **fields)
