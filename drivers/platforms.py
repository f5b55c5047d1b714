"""The platform table: ids, radios, flash map, module slots, configuration fields, capabilities by Device OS.

The facts stand in ``platforms.toml``; this module gives them types. Nothing here decides anything:
what may be written is decided by `drivers.guard`, from these rows.
"""

from __future__ import annotations

import enum
import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from types import MappingProxyType
from typing import Any

from .errors import BadIdentity, UnknownPlatform
from .identity import quoted


class ModuleFunction(enum.IntEnum):
    """What a firmware module is for (reference firmware-and-dfu 3.3)."""

    NONE = 0  # an empty dependency
    RESOURCE = 1  # obsolete
    BOOTLOADER = 2  # starts the unit; never written raw by a host
    MONOLITHIC = 3  # system and user part in one
    SYSTEM_PART = 4  # Device OS
    USER_PART = 5  # the application
    SETTINGS = 6  # obsolete
    NCP = 7  # firmware of the network co-processor
    RADIO_STACK = 8  # the SoftDevice; its header is not stored in flash
    ASSET = 9  # a file for the application


class WritePolicy(enum.StrEnum):
    """What a host may do to a region."""

    NO = "no"  # nothing, ever
    DFU = "dfu"  # write the modules listed for it
    OTA = "ota"  # nothing raw; control-request updates get there
    SCRATCH = "scratch"  # written by the unit while it receives an update


class Via(enum.StrEnum):
    """The way a module gets into a unit."""

    DFU = "dfu"  # raw, to its own address
    OTA = "ota"  # control-request update, applied at the next boot


class Capability(enum.StrEnum):
    """What a unit can do, or does wrong, depending on its Device OS."""

    SETUP_DONE = "setup_done"  # the setup-done bit exists (H7 H8)
    SYNCHRONOUS_LISTENING = "synchronous_listening"  # START_LISTENING answers when it has happened
    CHUNKED_PAYLOADS = "chunked_payloads"  # payloads may be split over several SENDs
    MODULE_HASHES = "module_hashes"  # module info in the new form, with hashes
    HIDDEN_WIFI = "hidden_wifi"  # a join may name a hidden network
    STORE_CREDENTIALS = "store_credentials"  # request 507: store without joining
    IMEI_REQUEST = "imei_request"  # request 554 tells the IMEI too
    CONSOLE_POWERS_MODEM = "console_powers_modem"  # console i switches the modem on, 10 to 20 s
    INTERFACE_LIST_BROKEN = "interface_list_broken"  # request 400 fails with -100: ask 401 by index
    DEVICE_PROTECTION = "device_protection"  # the unit may be protected
    LARGE_USER_PART = "large_user_part"  # applications live in the 256 KiB slot, module index 2
    SYSTEM_AT_28000 = "system_at_28000"  # the system part starts at 0x28000; see `UNCERTAIN`


_VERSION = re.compile(r"(\d{1,5})\.(\d{1,5})\.(\d{1,5})(?:-([0-9A-Za-z.-]{1,40}))?")


@functools.total_ordering
@dataclass(frozen=True, slots=True)
class OsVersion:
    """A Device OS version, ordered as semantic versioning says: ``5.0.0-rc.1 < 5.0.0``."""

    major: int
    minor: int
    patch: int
    prerelease: str = ""

    @classmethod
    def parse(cls, text: str) -> OsVersion:
        """The version ``text`` says, with or without a leading ``v``; raises `BadIdentity`."""
        match = _VERSION.fullmatch(text.strip().removeprefix("v"))
        if match is None:
            raise BadIdentity(f"Device OS version{quoted(text)} is not written like 6.2.0 or 5.0.0-rc.1")
        major, minor, patch, prerelease = match.groups()
        return cls(int(major), int(minor), int(patch), prerelease or "")

    def _key(self) -> tuple[object, ...]:
        parts = tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in self.prerelease.split("."))
        return (self.major, self.minor, self.patch, not self.prerelease, parts)

    def __lt__(self, other: OsVersion) -> bool:
        return self._key() < other._key()

    def __str__(self) -> str:
        suffix = f"-{self.prerelease}" if self.prerelease else ""
        return f"{self.major}.{self.minor}.{self.patch}{suffix}"


@dataclass(frozen=True, slots=True)
class Alternate:
    """One memory of a unit in DFU mode; ``start``/``end`` are the addresses DfuSe uses for it."""

    alt: int
    name: str
    start: int
    end: int
    erase_unit: int  # bytes, of the part itself, whatever an old descriptor says
    must_erase: bool  # programming needs an erase first
    layout: str  # the memory map string of an unprotected unit


@dataclass(frozen=True, slots=True)
class Region:
    """A range of one memory, what it holds and what a host may do to it."""

    name: str
    alt: int
    start: int
    end: int
    write: WritePolicy
    modules: tuple[tuple[int, int], ...] = ()  # (function, index) pairs that live here
    since: OsVersion | None = None
    before: OsVersion | None = None
    also_erase: tuple[int, ...] = ()  # pages elsewhere that become stale with a write here

    @property
    def size(self) -> int:
        return self.end - self.start

    def exists_in(self, device_os: OsVersion) -> bool:
        return _within(device_os, self.since, self.before)


@dataclass(frozen=True, slots=True)
class ModuleSlot:
    """Where one kind of module belongs."""

    name: str
    function: int
    index: int
    start: int
    max_size: int
    prefix_offset: int
    via: Via
    drop_prefix: bool = False
    legacy_index: int | None = None
    legacy_start: int | None = None


@dataclass(frozen=True, slots=True)
class DctField:
    """A named place in the configuration memory (alternate setting 1)."""

    name: str
    offset: int
    size: int
    writable: bool = False


@dataclass(frozen=True, slots=True)
class _CapabilityRow:
    capability: Capability
    families: frozenset[str]
    radio: str  # "wifi", "cellular", or "" for every unit
    ranges: tuple[tuple[OsVersion | None, OsVersion | None], ...]


@dataclass(frozen=True, slots=True)
class Platform:
    """One row of the platform table."""

    id: int
    slug: str
    name: str
    generation: int
    usb_family: str
    has_wifi: bool
    has_cellular: bool
    control_interface: int
    device_id_prefix: str
    alternates: tuple[Alternate, ...]
    regions: tuple[Region, ...]
    modules: tuple[ModuleSlot, ...]
    dct_fields: tuple[DctField, ...]
    dct_length: int
    _capabilities: tuple[_CapabilityRow, ...] = field(repr=False, default=())

    def capabilities(self, device_os: OsVersion) -> frozenset[Capability]:
        """What this platform can do with ``device_os`` (reference usb-and-serial 6)."""
        return frozenset(row.capability for row in self._capabilities if self._has(row, device_os))

    def _has(self, row: _CapabilityRow, device_os: OsVersion) -> bool:
        radios = {"": True, "wifi": self.has_wifi, "cellular": self.has_cellular}
        return (
            self.usb_family in row.families
            and radios[row.radio]
            and any(_within(device_os, since, before) for since, before in row.ranges)
        )

    def alternate(self, alt: int) -> Alternate:
        return next(row for row in self.alternates if row.alt == alt)

    def slot(self, function: int, index: int) -> ModuleSlot | None:
        """The slot of a module, legacy indices included; None if it has none here."""
        for row in self.modules:
            if row.function == function and index in (row.index, row.legacy_index):
                return row
        return None

    def dct_field(self, name: str) -> DctField | None:
        return next((row for row in self.dct_fields if row.name == name), None)

    def ota_slot(self, device_os: OsVersion) -> Region:
        """The update slot that ``device_os`` reads at boot (reference firmware-and-dfu 2.5)."""
        return next(r for r in self.regions if r.write is WritePolicy.SCRATCH and r.exists_in(device_os))


def _within(version: OsVersion, since: OsVersion | None, before: OsVersion | None) -> bool:
    return (since is None or since <= version) and (before is None or version < before)


# --- what the reference is not certain of ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The section ``[uncertain]`` of the table, where each fact stands with its doubt."""

    second_header_page: int  # address; erased first and written last
    stale_system_page: int  # address; erased when the image at 0x30000 takes over
    clear_override_bootloader: int  # module version


# --- reading the table ----------------------------------------------------------------------


def _version(text: str) -> OsVersion | None:
    return OsVersion.parse(text) if text else None


def _region(row: dict[str, Any]) -> Region:
    return Region(
        name=row["name"],
        alt=row["alt"],
        start=row["start"],
        end=row["end"],
        write=WritePolicy(row["write"]),
        modules=tuple((function, index) for function, index in row.get("modules", ())),
        since=_version(row.get("since", "")),
        before=_version(row.get("before", "")),
        also_erase=tuple(getattr(UNCERTAIN, at) if isinstance(at, str) else at for at in row.get("also_erase", ())),
    )


def _capability(row: dict[str, Any]) -> _CapabilityRow:
    return _CapabilityRow(
        Capability(row["name"]),
        frozenset(row["families"]),
        row.get("radio", ""),
        tuple((_version(since), _version(before)) for since, before in row["ranges"]),
    )


def _platform(row: dict[str, Any], table: dict[str, Any]) -> Platform:
    plain = {key: value for key, value in row.items() if key not in ("flash_map", "modules")}
    flash_map = table["flash_map"][row["flash_map"]]
    dct = table["dct"][flash_map["dct"]]
    slots = table["modules"][row["usb_family"]]
    return Platform(
        **plain,
        alternates=tuple(Alternate(**alternate) for alternate in flash_map["alternates"]),
        regions=tuple(_region(region) for region in flash_map["regions"]),
        modules=tuple(ModuleSlot(**{**slots[n], "name": n, "via": Via(slots[n]["via"])}) for n in row["modules"]),
        dct_fields=tuple(DctField(**entry) for entry in dct["fields"]),
        dct_length=dct["length"],
        _capabilities=tuple(_capability(entry) for entry in table["capability"]),
    )


def _load() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("platforms.toml").read_text("utf-8"))


_TABLE = _load()
UNCERTAIN = Uncertain(**_TABLE["uncertain"])
"""Facts of the reference that nobody has seen on hardware; use them by name."""
_PLATFORMS: Mapping[int, Platform] = MappingProxyType({r["id"]: _platform(r, _TABLE) for r in _TABLE["platform"]})


@dataclass(frozen=True, slots=True)
class Release:
    """One Device OS release: the module versions of its system part and of its bootloader."""

    system_version: int
    device_os: str
    bootloader_version: int


RELEASES: tuple[Release, ...] = tuple(Release(*row) for row in _TABLE["device_os"]["releases"])
"""Known releases from 3.0.0-alpha.1 on, oldest first (reference firmware-and-dfu, appendix A)."""


def platforms() -> tuple[Platform, ...]:
    """All platforms this program knows, by ascending id."""
    return tuple(_PLATFORMS[key] for key in sorted(_PLATFORMS))


def platform(platform_id: int) -> Platform:
    """The row of ``platform_id``; raises `UnknownPlatform`."""
    found = _PLATFORMS.get(platform_id)
    if found is None:
        known = ", ".join(f"{row.name} ({row.id})" for row in platforms())
        raise UnknownPlatform(f"platform {platform_id} is not one this station knows; it knows {known}")
    return found


def platform_by_slug(slug: str) -> Platform:
    """The row called ``slug`` ("argon"); raises `UnknownPlatform`."""
    for row in platforms():
        if row.slug == slug.lower():
            return row
    raise UnknownPlatform(f"platform {slug[:40]!r} is not one of {', '.join(row.slug for row in platforms())}")


def os_version_of_module(module_version: int) -> str | None:
    """Device OS version of a system part's module version, or None if the table does not know it.

    Where a module version was used twice the last release counts. Never compute it: it is a counter.
    """
    return next((row.device_os for row in reversed(RELEASES) if row.system_version == module_version), None)


def release_of(device_os: str) -> Release | None:
    """The row of the release called ``device_os`` ("6.2.0"), or None."""
    return next((row for row in RELEASES if row.device_os == device_os), None)
