"""The types of the platform table, and its parser for TOML texts. Pure: no file is opened here.

The table only states facts; `drivers.guard` decides from these rows what may be written.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from ..errors import BadPlatformRow, DriverError, UnknownPlatform
from .capabilities import Capabilities, Capability, Kind
from .kinds import Reports, Via, WritePolicy
from .parts import NEVER, Bootloader, DctField, FlashTiming, Memory, ModuleSlot, Region
from .versions import OsRange, OsVersion

T = TypeVar("T")


_NOT_SUPPORTED = -120  # result of a request nobody in the unit knows (reference usb-and-serial 4.12)


@dataclass(frozen=True, slots=True)
class Platform:
    """One row of the platform table."""

    family: str
    id: int
    slug: str
    other_slugs: tuple[str, ...]  # trade names included
    name: str
    usb_name: str  # what its product strings begin with
    serial_prefix: str  # of the serial numbers of one of its SKUs
    device_id_prefix: str
    is_named_by_mac: bool  # Device ID = prefix + Wi-Fi MAC, serial number ends with its last six digits (A13)
    has_wifi: bool
    scans_wifi: bool  # its Wi-Fi is there to be scanned with, never joined
    has_cellular: bool
    was_sold: bool  # to anybody outside the vendor
    has_serial_numbers: bool  # every unit has one (A4)
    blank_serial_result: int  # result of request 21 where none was ever programmed (usb-and-serial 1.3)
    sets_wifi_in_listening_mode: bool  # H5
    device_os: OsRange  # releases that exist for it
    oldest_device_os: OsVersion | None  # none of its units may be taken back below that (D9)
    requests_since: OsVersion | None  # first Device OS with control requests; None: all have them
    out_needs_data: bool  # a vendor request to the unit completes only with a data stage (usb-and-serial 3.8)
    setup_done_before: OsVersion | None  # first Device OS without a setup-done flag; None: no version has one
    button: str  # what is printed beside the one that is held for listening mode and DFU
    updates_through: OsVersion | None  # Device OS it has to run before control requests bring it a newer one
    listening_timeout_s: int  # it leaves listening mode by itself after so long; 0: never
    skips_blank_erase: bool  # told to erase a blank page its bootloader returns at once (firmware-and-dfu 1.8)
    dct_through_system_parts: int  # first bootloader version that reaches the DCT only through whole system parts
    memories: tuple[Memory, ...]
    regions: tuple[Region, ...]
    modules: tuple[ModuleSlot, ...]
    system_part_needs: tuple[tuple[int, int], ...]  # (function, index), in the order of the header
    bootloader: Bootloader
    dct_fields: tuple[DctField, ...]
    dct_length: int
    capabilities: Capabilities = field(repr=False)

    @property
    def has_mac(self) -> bool:
        """Return whether it has a Wi-Fi MAC address to record (A13)."""
        return self.has_wifi or self.scans_wifi

    def is_listed(self, request_type: int) -> bool:
        """Return whether some of its units lack that control request, so that `knows_request` may return False."""
        return self.capabilities.depends_on_version(Kind.REQUEST, request_type)

    def knows_request(self, request_type: int, device_os: OsVersion) -> bool:
        """Return whether a unit with ``device_os`` answers that request; True for requests not in the table."""
        return self.refusal(request_type, device_os) is None

    def refusal(self, request_type: int, device_os: OsVersion) -> int | None:
        """Return the result with which ``device_os`` refuses that request whatever it asks; None if it answers it."""
        has_requests = self.requests_since is None or device_os >= self.requests_since
        if not has_requests or not self.capabilities.has(Kind.REQUEST, request_type, device_os):
            return _NOT_SUPPORTED
        return self.capabilities.hole(request_type, device_os)

    def knows_raw(self, index: int, device_os: OsVersion) -> bool:
        """Return whether a unit with ``device_os`` answers the raw vendor request with that wIndex."""
        return self.capabilities.has(Kind.RAW, index, device_os)

    def knows_command(self, key: str, device_os: OsVersion) -> bool:
        """Return whether the console of ``device_os`` has that command; True for keys not in the table."""
        return self.capabilities.has(Kind.COMMAND, key, device_os)

    def reports(self, field: str, device_os: OsVersion) -> bool:
        """Return whether ``device_os`` fills that field of an answer ("554.imei"); True for fields not in the table."""
        return self.capabilities.has(Kind.FIELD, field, device_os)

    def memory(self, alt: int) -> Memory:
        """Return the memory with alternate setting ``alt``; the platform has to have it."""
        return next(row for row in self.memories if row.alt == alt)

    def region(self, name: str) -> Region:
        """Return the region called ``name``; the platform has to have it."""
        return next(row for row in self.regions if row.name == name)

    @property
    def setup_done_field(self) -> DctField | None:
        """Return where DFU may write the setup-done flag; None on a unit that has none there."""
        return next((one for one in self.dct_fields if one.name == "setup_done" and one.writable), None)

    @property
    def assets(self) -> Region | None:
        """Return where the unit keeps its application's files; None on a unit that takes none."""
        return next((row for row in self.regions if row.largest is not None), None)

    def slot(self, function: int, index: int) -> ModuleSlot | None:
        """Find the slot of a module, by its index or legacy index; None if it has no place on this platform."""
        for row in self.modules:
            if row.function == function and index in (row.index, row.legacy_index):
                return row
        return None

    def ota_slot(self, device_os: OsVersion) -> Region | None:
        """Find the update slot that ``device_os`` reads at boot (reference firmware-and-dfu 2.5).

        None: it stores updates in the first whole page behind its system part, wherever that ends.
        """
        return next((r for r in self.regions if r.write is WritePolicy.SCRATCH and device_os in r.exists), None)


@dataclass(frozen=True, slots=True)
class Release:
    """One Device OS release: the module versions of its system part and of its bootloader."""

    system_version: int
    device_os: str
    bootloader_version: int  # 0: nobody wrote it down


@dataclass(frozen=True, slots=True)
class PlatformTable:
    """All platforms, by id."""

    by_id: Mapping[int, Platform]

    def platforms(self) -> tuple[Platform, ...]:
        """List them by ascending id."""
        return tuple(self.by_id[key] for key in sorted(self.by_id))

    def platform(self, platform_id: int) -> Platform:
        """Find the row of ``platform_id``; raises `UnknownPlatform`."""
        found = self.by_id.get(platform_id)
        if found is None:
            known = ", ".join(f"{row.name} ({row.id})" for row in self.platforms())
            raise UnknownPlatform(f"platform {platform_id} is not one this station knows; it knows {known}")
        return found

    def platform_by_slug(self, slug: str) -> Platform:
        """Find the row called ``slug`` ("argon"); raises `UnknownPlatform`."""
        for row in self.platforms():
            if slug.lower() in (row.slug, *row.other_slugs):
                return row
        known = ", ".join(row.slug for row in self.platforms())
        raise UnknownPlatform(f"platform {slug[:40]!r} is not one of {known}")


# --- reading --------------------------------------------------------------------------------


def read_table(texts: Iterable[tuple[str, str]]) -> PlatformTable:
    """Read families, request rows and platforms from ``texts``: pairs of a name for error messages, and TOML.

    A row may be in a different text than its family. Raises `BadPlatformRow`.
    """
    documents = [(name, _parsed(name, text)) for name, text in texts]
    families: dict[str, Any] = {}
    capabilities: list[Capability] = []
    for name, document in documents:
        families |= document.get("family", {})
        for kind in Kind:
            read = functools.partial(Capability.parse, kind)
            capabilities += [_checked(name, row, read) for row in document.get(kind, ())]
    found: dict[int, Platform] = {}
    for name, document in documents:
        for row in document.get("platform", ()):
            platform = _checked(name, row, lambda row: _platform(row, families, capabilities))
            if any(platform.id == other.id or _slugs(platform) & _slugs(other) for other in found.values()):
                raise BadPlatformRow(f"{name}: platform {platform.slug} ({platform.id}) has a row already; remove one")
            found[platform.id] = platform
    return PlatformTable(MappingProxyType(found))


def _slugs(platform: Platform) -> set[str]:
    return {platform.slug, *platform.other_slugs}


def _parsed(name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, TypeError, AttributeError) as error:
        raise BadPlatformRow(f"{name}: not the TOML of platform rows ({error}); correct it") from error


def _checked(name: str, row: dict[str, Any], make: Callable[[dict[str, Any]], T]) -> T:
    try:
        return make(row)
    except (KeyError, TypeError, ValueError, DriverError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise BadPlatformRow(f"{name}: platform row {row.get('slug', '')!r}: {what}; correct it") from error


def _platform(row: dict[str, Any], families: Mapping[str, Any], capabilities: Iterable[Capability]) -> Platform:
    family = families[row["family"]]
    uncertain: Mapping[str, Any] = family["uncertain"]
    facts = family["all"] | row
    _check_keys(facts)
    slots = {name: _slot(name, row, uncertain) for name, row in family["module"].items()}
    memories = [family["memory"][name] for name in facts.pop("memories")]
    dct = next(memory for memory in memories if "fields" in memory)
    made = {
        "other_slugs": tuple(facts.pop("other_slugs", ())),
        "usb_name": facts.pop("usb_name", row["name"]),
        "device_os": OsRange.parse(*(uncertain.get(end, end) for end in facts.pop("device_os", ("", "")))),
        "modules": tuple(slots[name] for name in facts.pop("modules")),
        "system_part_needs": tuple((slots[n].function, slots[n].index) for n in facts.pop("system_part_needs")),
        **{key: OsVersion.parse(text) if (text := facts.pop(key, "")) else None for key in _VERSIONS},
        **{key: facts.pop(key, usual) for key, usual in _USUAL.items()},
    }
    return Platform(
        **(facts | made),
        memories=tuple(map(_memory, memories)),
        regions=tuple(_region(memory["alt"], r, uncertain) for memory in memories for r in memory.get("regions", ())),
        bootloader=_bootloader(family["bootloader"], uncertain),
        dct_fields=tuple(DctField(**entry) for entry in dct["fields"]),
        dct_length=dct["length"],
        capabilities=Capabilities.of(capabilities, row["family"], row["slug"], _radios(facts | made)),
    )


def _bootloader(facts: Mapping[str, Any], uncertain: Mapping[str, Any]) -> Bootloader:
    versions = {key: _number(at, uncertain) for key, at in facts.items() if key != "restores_factory_image"}
    return Bootloader(**versions, restores_factory_image=facts.get("restores_factory_image", False))


def _radios(facts: Mapping[str, Any]) -> dict[str, bool]:
    has_wifi, scans = facts["has_wifi"], facts["scans_wifi"]
    return {"wifi": has_wifi, "scan": has_wifi or scans, "cellular": facts["has_cellular"]}


_KEYS = frozenset({
    "family", "id", "slug", "name", "serial_prefix", "device_id_prefix", "has_wifi", "has_cellular",
    "has_serial_numbers", "sets_wifi_in_listening_mode", "out_needs_data", "memories", "modules", "system_part_needs",
})  # fmt: skip
_USUAL = {
    "button": "MODE", "listening_timeout_s": 0, "dct_through_system_parts": NEVER, "was_sold": True,
    "skips_blank_erase": False, "scans_wifi": False, "is_named_by_mac": False, "blank_serial_result": -1,
}  # fmt: skip
_VERSIONS = ("setup_done_before", "requests_since", "oldest_device_os", "updates_through")
_OPTIONAL_KEYS = {*_USUAL, *_VERSIONS, "other_slugs", "usb_name", "device_os"}


def _check_keys(facts: Mapping[str, Any]) -> None:
    if unknown := facts.keys() - _KEYS - _OPTIONAL_KEYS:
        raise ValueError(f"a row has no key {', '.join(sorted(unknown))}")
    if missing := _KEYS - facts.keys():
        raise ValueError(f"it lacks {', '.join(sorted(missing))}")


def _memory(row: dict[str, Any]) -> Memory:
    sectors = row.get("sectors") or [[(row["end"] - row["start"]) // row["erase_unit"], row["erase_unit"]]]
    told = {key: row[key] for key in ("alt", "name", "start", "end", "layout")}
    timing = FlashTiming(**row["timing"]) if "timing" in row else None
    return Memory(**told, sectors=tuple((count, size) for count, size in sectors), timing=timing)


def _slot(name: str, row: dict[str, Any], uncertain: Mapping[str, Any]) -> ModuleSlot:
    page = row.get("erase_first_write_last")
    return ModuleSlot(**{
        "name": name,
        **row,
        "end": row.get("end", row["start"] + row["max_size"]),
        "via": Via(row["via"]),
        "reports": Reports(row.get("reports", Reports.HASH)),
        "erase_first_write_last": None if page is None else _number(page, uncertain),
        "taken_before": OsVersion.parse(row["taken_before"]) if "taken_before" in row else None,
        "once_ended": _once_ended(row["once_ended"], uncertain) if "once_ended" in row else None,
    })  # fmt: skip


def _once_ended(row: tuple[int | str, str], uncertain: Mapping[str, Any]) -> tuple[int, OsVersion]:
    end, until = row
    return _number(end, uncertain), OsVersion.parse(until)


def _region(alt: int, row: dict[str, Any], uncertain: Mapping[str, Any]) -> Region:
    return Region(
        name=row["name"],
        alt=alt,
        start=row["start"],
        end=_number(row["end"], uncertain),
        write=WritePolicy(row["write"]),
        modules=tuple((function, index) for function, index in row.get("modules", ())),
        exists=OsRange.parse(row.get("since", ""), row.get("before", "")),
        also_erase=tuple(_number(at, uncertain) for at in row.get("also_erase", ())),
        largest=row.get("largest"),
    )


def _number(value: int | str, uncertain: Mapping[str, Any]) -> int:
    """Resolve a value that a row gives as the name of an entry in the section of uncertain facts."""
    return int(uncertain[value]) if isinstance(value, str) else value
