"""Loads the files of a profile for one platform, release and application, and checks them against each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from types import MappingProxyType

from drivers.platforms import ModuleFunction, Platform, os_versions_of_module
from drivers.wire.image.asset import asset_module
from drivers.wire.image.host import AssetDependency, Image, parse_image
from drivers.wire.messages.modules import ModuleInfo
from drivers.wire.usb import Mode

from ..errors import BadInput
from ..settings.profile import Kind, Profile
from .checks import PlanRefused, ProductFirmware, can_be_protected, check_bundle
from .modules import BOOTLOADER, SYSTEM_PART, ReadBacks, image_key, release_text
from .plan import UpdatePlan, check_files, make_plan
from .sections import PROTECTION_FROM, PROTECTION_FROM_BOOTLOADER, DeviceOs, FileRef, Firmware
from .store import FirmwareStore


@dataclass(frozen=True, slots=True)
class ReleaseFiles:
    """What `make_plan` needs of a profile. ``release`` is empty when it has no [device_os]; ``assets``: the files its
    application is bundled with, as modules.
    """

    release: tuple[Image, ...]
    application: Image | None
    firmware: Firmware | None
    assets: tuple[Image, ...] = ()

    @property
    def bundled(self) -> tuple[AssetDependency, ...]:
        """Return what of the application's needs the files cover."""
        return self.application.assets if self.application is not None and self.assets else ()

    def product(self, profile: Profile, number: int | None) -> ProductFirmware | None:
        """Return the product facts to check an application with. ``number``: the product's, None if it is not known."""
        if profile.kind is Kind.DEVELOPER:
            return None
        return ProductFirmware(number, self.firmware.product_version if self.firmware else None)


def files_of(profile: Profile) -> tuple[FileRef, ...]:
    """Return every file a profile names, each once."""
    device_os = profile.section(DeviceOs)
    return tuple(dict.fromkeys((*(device_os.modules if device_os else ()), *profile.sections(Firmware))))


def load_release(profile: Profile, platform: Platform, store: FirmwareStore, product: int | None) -> ReleaseFiles:
    """Return the profile's files for ``platform``; raises `BadInput` when one is missing, wrong or out of place.

    A file's own header says which platform it is for, so one profile may list the files of several. ``product``: the
    number of the profile's product, None if it has none or is not known by number.
    """
    release = _release(profile, platform, store)
    loaded = [(row, *store.load_application(row)) for row in profile.sections(Firmware)]
    fitting = [
        (row, image, assets) for row, image, assets in loaded if _of_profile(profile, image).platform_id == platform.id
    ]
    if len(fitting) > 1:
        names = " and ".join(image.name for _, image, _ in fitting)
        raise BadInput(f"profile {profile.id}: {names} are both applications for {platform.name}; name one")
    if not fitting:
        if profile.sections(Firmware):
            raise BadInput(f"profile {profile.id}: no application of [firmware] is for {platform.name}; add one")
        return _fitting(profile, platform, ReleaseFiles(release, None, None), product)
    row, image, assets = fitting[0]
    if image.function != ModuleFunction.USER_PART:
        raise BadInput(
            f"profile {profile.id}: {image.describe()} is not an application; list it in [device_os] modules"
        )
    modules = tuple(parse_image(asset_module(one.name, one.content), f"asset {one.name}") for one in assets)
    return _fitting(profile, platform, ReleaseFiles(release, image, row, modules), product)


def _fitting(profile: Profile, platform: Platform, files: ReleaseFiles, product: int | None) -> ReleaseFiles:
    """Return ``files`` if a unit can hold them together; raises `BadInput`."""
    try:
        check_files(platform, files.release, files.application, files.product(profile, product))
        check_bundle(platform, files.release, files.assets)
    except PlanRefused as error:
        raise BadInput(f"profile {profile.id}: {error}") from error
    return files


def plan_update(
    profile: Profile,
    platform: Platform,
    files: ReleaseFiles,
    held: Iterable[ModuleInfo] | None,
    *,
    product: int | None,
    serial: str | None = None,
    assets: Collection[AssetDependency] = (),
    read_back: ReadBacks = MappingProxyType({}),
    without_dfu: str = "",
) -> UpdatePlan:
    """Plan the update of a unit to ``profile``; raises `PlanRefused`.

    ``held``: its module info, None for a unit in DFU. ``product``: the number of its product, if it is known.
    ``read_back``: what was read back from flash so far. ``without_dfu``: as for `make_plan`.
    """
    device_os = profile.section(DeviceOs)
    return make_plan(
        platform, held, files.release, files.application, mode=Mode.DFU if held is None else Mode.APPLICATION,
        allow_downgrade=device_os is not None and device_os.allow_downgrade,  # H4
        product=files.product(profile, product), skus=profile.skus, serial=serial,
        assets=assets, bundled=files.bundled, read_back=read_back, without_dfu=without_dfu,
    )  # fmt: skip


def _release(profile: Profile, platform: Platform, store: FirmwareStore) -> tuple[Image, ...]:
    device_os = profile.section(DeviceOs)
    if device_os is None:
        return ()
    applications = {row.sha256 for row in profile.sections(Firmware)}
    loaded = [(ref, _of_profile(profile, image)) for ref in device_os.modules for image in store.load_modules(ref)]
    fitting = [(ref, image) for ref, image in loaded if image.platform_id == platform.id]
    if not fitting:
        raise BadInput(f"profile {profile.id}: no module of [device_os] is for {platform.name}; add its files")
    for ref, image in fitting:
        if (
            image.function == ModuleFunction.USER_PART and ref.sha256 not in applications
        ):  # else part of a combined file
            raise BadInput(f"profile {profile.id}: {image.name} is an application; name {ref.file} in [firmware]")
    release = tuple(image for _, image in fitting if image.function != ModuleFunction.USER_PART)
    _check_version(profile, device_os, release)
    _check_protection(profile, platform, device_os, release)
    return release


def _of_profile(profile: Profile, image: Image) -> Image:
    if not profile.fits(image.platform_id):
        names = ", ".join(f"{row.name} ({row.id})" for row in profile.platforms)
        raise BadInput(
            f"profile {profile.id}: {image.name} is for platform {image.platform_id}, the profile for {names}; "
            "name the file of the right platform"
        )
    return image


def _check_protection(profile: Profile, platform: Platform, device_os: DeviceOs, release: tuple[Image, ...]) -> None:
    """Check that a bootloader with device protection is flashed if, and only if, the profile asks for it (3.12)."""
    locking = next((image for image in release if image.is_locking), None)
    if not device_os.protection:
        if locking is not None:
            raise BadInput(
                f"profile {profile.id}: {locking.name} puts every unit it is written to under device protection, for "
                "good; name the plain bootloader, or write protection = true below [device_os]"
            )
        return
    said = f"profile {profile.id}: [device_os] says protection = true, but"
    if not can_be_protected(platform):
        raise BadInput(f"{said} a {platform.name} has no device protection; remove that line, name a plain bootloader")
    if locking is None:
        raise BadInput(
            f"{said} none of its modules of platform {platform.id} locks a unit; add its protected bootloader"
        )
    if image_key(locking) != BOOTLOADER or locking.version < PROTECTION_FROM_BOOTLOADER:
        raise BadInput(
            f"{said} {locking.describe()} protects no unit; name the protected bootloader of Device OS "
            f"{PROTECTION_FROM} or later ({PROTECTION_FROM_BOOTLOADER})"
        )


def _check_version(profile: Profile, device_os: DeviceOs, release: tuple[Image, ...]) -> None:
    """Check the stated version against the system part: a file name proves nothing (reference firmware-and-dfu 4.1)."""
    system = next((image for image in release if image_key(image) == SYSTEM_PART), None)
    if system is None:
        raise BadInput(f"profile {profile.id}: [device_os] modules hold no system part; add it")
    found = os_versions_of_module(system.version)
    if found and str(device_os.version) not in found:
        raise BadInput(
            f"profile {profile.id}: [device_os] says {device_os.version}, but {system.name} is "
            f"Device OS {release_text(system.version)}; correct one of them"
        )
