"""The profile's sections on firmware, [device_os] and [firmware], which name files by their SHA-256.

They are here and not with their steps, as plans are made from them without any step. Checks that need
the files themselves are in `release`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator

from drivers.errors import BadIdentity
from drivers.platforms import OsVersion

from ..settings.profile_sections import IS_DEVELOPER, Context, Kind, ProfileSection, where
from ..settings.sections import ABSENT, Mistake, Section, refusal, shown, tables
from ..settings.sku import minimum_for_sku

_VersionText = Annotated[str, Field(pattern=r"^v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$")]


def _version(value: object) -> OsVersion:
    try:
        return OsVersion.parse(value if isinstance(value, str) else "")
    except BadIdentity:
        raise refusal(Mistake(found=shown(value))) from None


def _file_example(module: str) -> dict[str, str]:
    """Return an example of a file's entry in a profile."""
    return {"file": f"$platform-{module}@6.3.4.bin", "sha256": "64 hexadecimal digits"}


class FileRef(Section):
    """A firmware file by name and SHA-256, 64 hexadecimal digits of the whole file, in lower case once read."""

    file: str = Field(
        pattern=r"^[\w@+ -][\w.@+ -]{0,119}$", title="a file name without a folder",
        examples=["$platform-system-part1@6.3.4.bin"], description="Its name in one of the folders with firmware.",
    )  # fmt: skip
    sha256: Annotated[str, AfterValidator(str.lower)] = Field(
        pattern="^[0-9a-fA-F]{64}$", title="64 hexadecimal digits",
        description="Its SHA-256, which station profile hash writes.",
        examples=["64 hexadecimal digits, as sha256sum $file prints them"],
    )  # fmt: skip
    has_order = False

    @property
    def known_by(self) -> str:
        """Its name without the version."""
        return re.sub(r"[@-]?v?[0-9]+\.[0-9]+\.[0-9]+.*|\.\w+$", "", self.file)

    def told(self) -> dict[str, object]:
        others = {key: value for key, value in super().told().items() if key not in ("file", "sha256")}
        return {"content": f"{self.file}, SHA-256 {self.sha256[:12]}…", **others}


PROTECTION_FROM, PROTECTION_FROM_BOOTLOADER = OsVersion.parse("6.1.1"), 3001
"""Oldest Device OS of protected units, and version of their oldest bootloader (reference firmware-and-dfu 4.4)."""


class DeviceOs(ProfileSection):
    """The release a unit shall run, as files. A profile for two platforms lists the files of both."""

    version: Annotated[OsVersion, PlainValidator(_version, json_schema_input_type=_VersionText)] = Field(
        title='one version such as "6.3.4", never "latest" (H4)', examples=["6.3.4"],
        description="The release, always one named version.",
    )  # fmt: skip
    modules: Annotated[tuple[FileRef, ...], tables(FileRef)] = Field(
        strict=False, min_length=1, max_length=64, title="the files of the release, each with its SHA-256",
        examples=[[_file_example("system-part1")]], description="Its modules; together they must be complete.",
        json_schema_extra={"uniqueItems": True},
    )  # fmt: skip
    allow_downgrade: bool = Field(default=False, description="true: a newer Device OS is taken back to this one (H4).")
    protection: bool = Field(default=False, description="true: the bootloader puts the unit under device protection.")

    @classmethod
    def schema_rules(cls) -> Iterator[dict[str, Any]]:
        unlocked = {"properties": {"protection": {"const": False}}}
        yield where(IS_DEVELOPER, {"required": ["wifi"]}, device_os=unlocked)

    def check(self, context: Context) -> Iterator[Mistake]:
        """Yield a release too old for a SKU (D9), a file named twice, and protection where it cannot be."""
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
        # a protected unit answers almost no request: what needs more than that cannot be checked
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

    @classmethod
    def field(cls) -> tuple[Any, Any]:
        """Let a profile name several applications, ``[[firmware]]``, or the only one plainly, ``[firmware]``."""
        return Annotated[tuple[Firmware, ...], tables(Firmware)], Field(
            default=(), strict=False, min_length=1, max_length=16, title="an application with its SHA-256",
            examples=[[_file_example("tinker")]],
            description="One for each platform; the file's header says for which.",
        )  # fmt: skip

    @classmethod
    def schema_rules(cls) -> Iterator[dict[str, Any]]:
        unversioned = {"properties": {"product_version": ABSENT}}
        yield where(IS_DEVELOPER, firmware=unversioned | {"items": unversioned})

    def check(self, context: Context) -> Iterator[Mistake]:
        if self.product_version is not None and context.kind is Kind.DEVELOPER:
            yield Mistake("product_version", "no product version in a developer profile", "remove it")
