"""Preconditions of a plan: platform, place, product (D6 D7), minimum (D9), downgrade (H4), dependencies.

Pure. Every refusal is a `PlanRefused` with one sentence and a code, raised before anything is written.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from drivers.platforms import ModuleFunction, OsVersion, Platform, Via, os_version_of_module, platform
from drivers.wire.control.tables import RequestType
from drivers.wire.image.host import AssetDependency, Dependency, Image
from drivers.wire.image.tables import FLAG_COMBINED, FLAG_COMPRESSED, FLAG_DROP_PREFIX, FLAG_ENCRYPTED

from ..errors import UnitRejected
from ..settings.sku import PLATFORM_MINIMUMS, SkuMinimum, minimum_for_serial, minimum_for_sku, minimums_of_platform
from ..words.say import Say
from .modules import SYSTEM_PART, Held, Key, image_key, module_name, version_text
from .sections import PROTECTION_FROM


class Refusal(enum.StrEnum):
    """Why there is no plan."""

    WRONG_PLATFORM = "wrong_platform"  # a file of another platform
    NOT_FLASHABLE = "not_flashable"  # a kind, address or size without a place on this platform
    PRODUCT = "product"  # D1 D6 D7: product id or version in the application
    MINIMUM = "minimum"  # D9: older than the SKU allows
    DOWNGRADE = "downgrade"  # H4: older than what the unit holds, and the profile does not allow it
    DEPENDENCY = "dependency"  # a module would lack another one
    ASSETS = "assets"  # the application would lack its assets


_SENTENCES = {Refusal.DOWNGRADE: "downgrade_refused", Refusal.DEPENDENCY: "dependency_missing"}
"""The operator's message, where it says more than that the firmware does not fit."""


class PlanRefused(UnitRejected):
    """No update of this unit can succeed: FAIL. Nothing was written; ``code`` says why."""

    def __init__(self, message: str, code: Refusal, **values: str) -> None:
        super().__init__(message, say=Say(_SENTENCES.get(code, "firmware_refused"), **values))
        self.code = code


@dataclass(frozen=True, slots=True)
class ProductFirmware:
    """The product a unit joins: its number (None: not known yet) and the firmware version stated for it."""

    number: int | None
    version: int | None = None


_D6_FROM = 4000  # module version of the first 4.0.0 pre-release
_D7_WILDCARD_FROM = 1500  # module version of the first 1.5.0 pre-release


def check_place(platform: Platform, image: Image) -> None:
    """Check that the file is for this platform, and that its kind, form, address and size have a place there.

    Raises `PlanRefused`. What the write guard would refuse has to be refused here, before the first write.
    """
    if image.platform_id != platform.id:
        raise PlanRefused(
            f"{image.name} is for platform {image.platform_id}, this is a {platform.name} ({platform.id}); "
            "name the file of the right platform in the profile",
            Refusal.WRONG_PLATFORM,
        )
    slot = platform.slot(image.function, image.index)
    if slot is None:
        _no_place(platform, image, "has no place for it")
    if slot.via is Via.NEVER:
        _no_place(platform, image, "has that from its chip's maker and takes no other")
    if not slot.has_prefix_at(image.prefix_offset) or bool(image.flags & FLAG_DROP_PREFIX) != slot.drop_prefix:
        _no_place(platform, image, "expects the header of such a module at another place")
    if slot.via is Via.DFU and image.flags & (FLAG_COMPRESSED | FLAG_COMBINED | FLAG_ENCRYPTED):
        _no_place(platform, image, "takes such a module plain only")
    is_legacy = image.index == slot.legacy_index
    starts = {slot.legacy_start} if is_legacy else {slot.begin(len(image.flash_bytes))}
    if slot.legacy_index is None and slot.legacy_start is not None:
        starts.add(slot.legacy_start)
    if image.start not in starts:
        _no_place(platform, image, f"has no such module at {image.start:#x}")
    room = slot.room(image.start, _device_os_of(image))
    if len(image.flash_bytes) > room:
        _no_place(platform, image, f"has room for {room} bytes")


def _device_os_of(image: Image) -> OsVersion | None:
    found = os_version_of_module(image.version) if image.function == ModuleFunction.SYSTEM_PART else None
    return OsVersion.parse(found) if found else None


def _no_place(platform: Platform, image: Image, why: str) -> NoReturn:
    raise PlanRefused(
        f"{image.describe()}, {len(image.data)} bytes, cannot go into a {platform.name}: it {why}; "
        "take it out of the profile",
        Refusal.NOT_FLASHABLE,
    )


def check_product(application: Image, system_version: int, product: ProductFirmware | None) -> None:
    """Check the product id in the application (D6 D7); ``product`` None means a developer unit.

    ``system_version`` is the module version of the system part the application will run on. Ids 0 and
    0xFFFF and the platform's own id (the wildcard) count as no product. Raises `PlanRefused`.
    """
    number = application.product()
    if number is not None and product is None:
        fault = "this unit joins no product; build it without PRODUCT_ID"
    elif number is not None and system_version >= _D6_FROM:
        fault = "from Device OS 4.0 on it must not name one (D6); build it without PRODUCT_ID"
    elif number is not None and product is not None and product.number != number:
        fault = f"this unit joins {_product_text(product)} (D7); name the application of that product"
    elif number is None and product is not None and system_version < _D7_WILDCARD_FROM:
        fault = "before Device OS 1.5 it must name its product (D7); build it with PRODUCT_ID"
    else:
        _check_version(application, product)
        return
    named = "names no product" if number is None else f"names product {number}"
    raise PlanRefused(f"{application.name} {named}, but {fault}", Refusal.PRODUCT)


def _product_text(product: ProductFirmware) -> str:
    return (
        "a product whose number is not known from the cloud yet"
        if product.number is None
        else f"product {product.number}"
    )


def _check_version(application: Image, product: ProductFirmware | None) -> None:
    if product is None or product.version in (None, application.product_version):
        return
    raise PlanRefused(
        f"{application.name} says product firmware version {application.product_version}, the profile says "
        f"{product.version} (D2): the cloud would replace it; correct product_version or build it again",
        Refusal.PRODUCT,
    )


def check_assets(application: Image | None, available: Collection[AssetDependency]) -> None:
    """Check that all assets of the application, without which it does not start, are ``available``: on the unit or
    bundled with the file. Raises `PlanRefused`.
    """
    if application is None:
        return
    missing = [asset.name for asset in application.assets if asset not in available]
    if missing:
        raise PlanRefused(
            f"{application.name} needs the assets {', '.join(missing)}, which the unit does not show; "
            "name the bundle (.zip) that holds application and assets",
            Refusal.ASSETS,
        )


_ASSETS_TOLD_FROM = OsVersion.parse("5.6.0")
"""First Device OS that tells what assets it has (reference usb-and-serial 4.2); it takes them from 5.5.0 on."""
_BLOCK, _BLOCK_OVERHEAD, _BLOCKS_RESERVED = 4096, 8, 10  # of the asset store (reference firmware-and-dfu 3.11)


def check_bundle(platform: Platform, release: Sequence[Image], assets: Sequence[Image]) -> None:
    """Check that a unit can keep the files of a bundle, given as modules, and tell so. Raises `PlanRefused`."""
    if not assets:
        return
    place = platform.assets
    if place is None or place.largest is None:
        raise PlanRefused(
            f"{assets[0].name}: a {platform.name} keeps no assets; name an application without", Refusal.ASSETS
        )
    too_large = next((one for one in assets if len(one.data) > (place.largest or 0)), None)
    if too_large is not None:
        raise PlanRefused(
            f"{too_large.name} takes {len(too_large.data)} bytes, a {platform.name} takes {place.largest} in one; "
            "make it smaller",
            Refusal.ASSETS,
        )
    blocks = sum(-(-len(one.data) // (_BLOCK - _BLOCK_OVERHEAD)) for one in assets)
    room = place.size // _BLOCK - _BLOCKS_RESERVED
    if blocks > room:
        raise PlanRefused(
            f"the assets need {blocks} blocks of 4 KiB, a {platform.name} has {room}; leave some out", Refusal.ASSETS
        )
    system = next((one for one in release if image_key(one) == SYSTEM_PART), None)
    device_os = os_version_of_module(system.version) if system is not None else None
    if device_os is not None and OsVersion.parse(device_os) < _ASSETS_TOLD_FROM:
        raise PlanRefused(
            f"Device OS {device_os} does not tell what assets a unit has, so nobody could prove them; "
            f"choose {_ASSETS_TOLD_FROM} or later",
            Refusal.ASSETS,
        )


def check_minimum(system: Image | None, skus: Sequence[str], serial: str | None) -> None:
    """Check that the Device OS is not older than the minimum of the unit's SKU (D9). Raises `PlanRefused`.

    A unit without a known serial number may be any SKU of its platform.
    """
    device_os = os_version_of_module(system.version) if system else None
    if system is None or device_os is None:
        return
    rows: list[SkuMinimum | None] = [minimum_for_sku(sku) for sku in skus]
    rows.append(minimum_for_serial(serial) if serial else None)
    rows.append(PLATFORM_MINIMUMS.get(system.platform_id))
    if not serial and depends_on_sku(system, skus):
        rows += minimums_of_platform(system.platform_id)
    ours = platform(system.platform_id)
    if ours.oldest_device_os is not None:
        rows.append(SkuMinimum(ours.name, (), ours.oldest_device_os))
    row = max((one for one in rows if one is not None), key=lambda one: one.device_os, default=None)
    if row is not None and OsVersion.parse(device_os) < row.device_os:
        raise PlanRefused(
            f"Device OS {device_os} is older than {row.device_os}, the minimum of a {row.sku} (D9); "
            f"choose {row.device_os} or later in the profile"
            + (
                ""
                if serial or skus or not row.serial_prefixes
                else ", or name its skus: this unit does not say what it is"
            ),
            Refusal.MINIMUM,
        )


def depends_on_sku(system: Image | None, skus: Sequence[str]) -> bool:
    """Return whether only some SKUs of the platform may run ``system`` (D9) and ``skus`` does not say which it is."""
    device_os = os_version_of_module(system.version) if system else None
    if system is None or device_os is None or skus:
        return False
    return any(OsVersion.parse(device_os) < row.device_os for row in minimums_of_platform(system.platform_id))


def check_downgrade(images: Sequence[Image], held: Mapping[Key, Held], allowed: bool) -> None:
    """Check that nothing is older than what the unit holds, unless ``allowed`` (H4). Raises `PlanRefused`.

    Applications have no order.
    """
    for image in images:
        there = held.get(image_key(image))
        if allowed or there is None or image.function == ModuleFunction.USER_PART or not there.is_intact:
            continue
        if image.version < there.version:
            raise downgrade_refused(image, there.version)


def downgrade_refused(image: Image, held: int) -> PlanRefused:
    """Return the error for a unit that holds version ``held``, newer than ``image`` of the profile."""
    return PlanRefused(
        f"the unit holds {module_name(*image_key(image))} {version_text(image.function, held, None)}, newer than "
        f"{version_text(image.function, image.version, None)} of the profile (H4); "
        "set the unit aside, or write allow_downgrade = true below [device_os]",
        Refusal.DOWNGRADE,
    )


def check_dependencies(platform: Platform, images: Mapping[Key, Image], held: Mapping[Key, Held] | None) -> None:
    """Check that every module that will be on the unit has the modules it needs. Raises `PlanRefused`.

    ``held`` is what stays or is replaced (the caller leaves out applications that are removed); None: unknown. What
    DFU mode cannot read is then left to the check after the update: the unit has to run for that.
    """
    hidden = unreadable(platform) if held is None else frozenset()
    wanting: list[tuple[str, tuple[Dependency, ...]]] = [
        (f"{module_name(*key)} {image.version} ({image.name})", image.dependencies) for key, image in images.items()
    ]
    for key, there in (held or {}).items():
        if key not in images and there.is_intact:
            wanting.append((f"{module_name(*key)} {there.version} on the unit", there.dependencies))
    for who, dependencies in wanting:
        for needed in dependencies:
            is_needed = needed.function != ModuleFunction.NONE and (needed.function, needed.index) not in hidden
            if is_needed and (fault := _missing(needed, images, held)):
                raise _lacking(who, needed, fault)


def unreadable(platform: Platform) -> frozenset[Key]:
    """Name the modules of ``platform`` on chips that DFU mode does not show."""
    return frozenset((slot.function, slot.index) for slot in platform.modules if not slot.is_readable)


def lacked(images: Mapping[Key, Image]) -> Key | None:
    """Find the first module that ``images`` need and lack: a unit has to hold it, and in DFU cannot say so."""
    needs = (one for image in images.values() for one in image.dependencies if one.function != ModuleFunction.NONE)
    missing = (one for one in needs if (one.function, one.index) not in images)
    return next(((one.function, one.index) for one in missing), None)


def can_be_protected(platform: Platform) -> bool:
    """Whether units of that platform know device protection, with any Device OS (reference firmware-and-dfu 9)."""
    return platform.knows_request(RequestType.GET_PROTECTED_STATE, PROTECTION_FROM)


def takes_updates(platform: Platform, system_version: int | None) -> bool:
    """Whether a unit with that system part takes modules by control request; True where its version is not listed."""
    device_os = os_version_of_module(system_version) if system_version is not None else None
    return device_os is None or platform.knows_request(RequestType.START_FIRMWARE_UPDATE, OsVersion.parse(device_os))


def check_receiver(platform: Platform, images: Sequence[Image], system_version: int | None) -> None:
    """Check that those of ``images`` that do not go over DFU are taken by the system part that runs when they are sent.

    Raises `PlanRefused`.
    """
    device_os = os_version_of_module(system_version) if system_version is not None else None
    for image in images:
        slot = platform.slot(image.function, image.index)
        if device_os is None or slot is None or slot.via is not Via.OTA:
            continue
        if not takes_updates(platform, system_version):
            if image.function == ModuleFunction.BOOTLOADER and platform.ota_slot(OsVersion.parse(device_os)):
                continue  # through that slot, in DFU (firmware-and-dfu 4.6)
            advice = "choose a newer Device OS"
        elif slot.taken_before is not None and OsVersion.parse(device_os) >= slot.taken_before:
            advice = f"update it on units that run a Device OS before {slot.taken_before}"
        else:
            continue
        raise PlanRefused(
            f"{image.name} goes to a running unit only, and Device OS {device_os} of a {platform.name} does not take "
            f"it over USB; take it out of the profile, or {advice}",
            Refusal.NOT_FLASHABLE,
        )


def check_together(images: Mapping[Key, Image]) -> None:
    """Check that no file needs a newer version of another one among them. Needs no unit. Raises `PlanRefused`."""
    _check_parts(images)
    for key, image in images.items():
        for needed in image.dependencies:
            if (needed.function, needed.index) in images and (fault := _missing(needed, images, None)):
                raise _lacking(f"{module_name(*key)} {image.version} ({image.name})", needed, fault)


def _check_parts(images: Mapping[Key, Image]) -> None:
    """Check that no part of a Device OS of several parts is missing or of another release (4.4)."""
    first = images.get(SYSTEM_PART)
    if first is None:
        return
    for slot in platform(first.platform_id).modules:
        if slot.function != ModuleFunction.SYSTEM_PART:
            continue
        part = images.get((slot.function, slot.index))
        if part is None or part.version != first.version:
            found = (
                "there is none" if part is None else f"{part.name} is {version_text(part.function, part.version, None)}"
            )
            raise PlanRefused(
                f"{first.name} needs system part {slot.index} of the same release, but {found}; "
                f"name the {slot.name} of that release in the profile",
                Refusal.DEPENDENCY,
                module=f"system part {slot.index}",
            )


def _lacking(who: str, needed: Dependency, fault: str) -> PlanRefused:
    name = module_name(needed.function, needed.index)
    return PlanRefused(
        f"{who} needs {name} {needed.version} or newer, but {fault}; "
        f"add {name} {needed.version} or newer to the profile's modules",
        Refusal.DEPENDENCY,
        module=f"{name} {needed.version}",
    )


def _missing(needed: Dependency, images: Mapping[Key, Image], held: Mapping[Key, Held] | None) -> str:
    """Say why ``needed`` is not met; "" when it is."""
    key = (needed.function, needed.index)
    image = images.get(key)
    if image is not None:
        return "" if image.version >= needed.version else f"the release contains {image.version}"
    if held is None:
        return "the release has none and a unit in DFU does not say what it holds"
    there = held.get(key)
    if there is None or not there.is_intact:
        return "neither the unit nor the release has one"
    return "" if there.version >= needed.version else f"the unit holds {there.version} and the release has none"


def system_version_after(images: Mapping[Key, Image], held: Mapping[Key, Held] | None) -> int | None:
    """Return the module version of the system part after the update; None when unknown."""
    if SYSTEM_PART in images:
        return images[SYSTEM_PART].version
    there = (held or {}).get(SYSTEM_PART)
    return there.version if there else None
