"""The firmware of the shipped profiles: synthetic, so that the station can be tried without the vendor's files."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from drivers.platforms import ModuleFunction, OsVersion, Platform, platforms, release_of
from drivers.virtual.synthetic import (
    NO_PRODUCT,
    SOFTDEVICES,
    SyntheticFile,
    application,
    release,
    softdevice,
    versions,
)
from drivers.wire.image.host import Image, parse_image

from ..errors import BadInput
from ..settings.profile import Profile
from .sections import DeviceOs, Firmware

PRODUCT_OS = "6.3.4"
DEVELOPER_OS = "5.8.0"
PRODUCT_VERSION = 7
"""Product firmware version of the "widget" applications, as the product profiles state it."""
_OLDEST_KEPT = {"photon": "0.4.9", "p1": "1.5.2", "electron": "1.5.2"}
"""Units of these platforms keep their Device OS: the oldest one that the widget of the platform runs on."""
_NEEDS_NO_PRODUCT_ID_SINCE = OsVersion.parse("1.5.0")  # D7


def example_product(row: Platform) -> int:
    """Return the number of the product that the widgets of a platform belong to, where no shipped profile names one."""
    return 12_300 + row.id


def example_release(row: Platform) -> str | None:
    """Return the Device OS that the units of a platform get; None where they keep theirs."""
    made = versions(row.id)
    if row.slug in _OLDEST_KEPT:
        return None
    return PRODUCT_OS if PRODUCT_OS in made else made[-1]


def widget(
    row: Platform, seed: str = "widget", device_os: str | None = None, version: int = PRODUCT_VERSION
) -> SyntheticFile:
    """Generate the application of a platform's product for ``device_os``; None: for what its units get or keep."""
    device_os = device_os or example_release(row) or _OLDEST_KEPT[row.slug]
    is_bound = OsVersion.parse(device_os) < _NEEDS_NO_PRODUCT_ID_SINCE
    number = example_product(row) if is_bound else NO_PRODUCT
    return application(row.id, device_os, product_id=number, product_version=version, seed=seed)


def example_files() -> tuple[SyntheticFile, ...]:
    """Generate releases and applications for every platform that has them, reproducibly."""
    found: list[SyntheticFile] = []
    for row in platforms():
        found.append(widget(row))
        if PRODUCT_OS in versions(row.id):
            found += [*release(row.id, PRODUCT_OS), widget(row, "selftest")]
        if DEVELOPER_OS in versions(row.id):
            found += [*release(row.id, DEVELOPER_OS), application(row.id, DEVELOPER_OS)]
    return tuple(found)


def synthetic_release(row: Platform, version: OsVersion) -> tuple[Image, ...]:
    """Generate the modules of a release. Raises `BadInput` where there never was one."""
    try:
        if str(version) not in versions(row.id) and release_of(str(version)) is None:
            raise KeyError(version)
        return tuple(parse_image(one.data, one.name) for one in release(row.id, str(version)))
    except KeyError:
        known = ", ".join(versions(row.id))
        raise BadInput(f"there is no Device OS {version} for {row.name} to make; name one of {known}") from None


def write_synthetic_files(folder: Path, profiles: Iterable[Profile]) -> None:
    """Write the example files to ``folder``, and whatever else can be generated of the files ``profiles`` name."""
    write_example_files(folder)
    for profile in profiles:
        device_os = profile.section(DeviceOs)
        named = (*(device_os.modules if device_os else ()), *profile.sections(Firmware))
        write_more_files(folder, profile.platforms, {one.file for one in named})


def write_more_files(folder: Path, rows: Iterable[Platform], names: Collection[str] | None = None) -> None:
    """Write those of ``names`` (None: all) that can be generated for ``rows`` and are not in ``folder`` yet."""
    there = {path.name for path in folder.iterdir()}
    for row in rows if names is None or not there.issuperset(names) else ():
        for file in _files(row):
            if file.name not in there and (names is None or file.name in names):
                (folder / file.name).write_bytes(file.data)


def _files(row: Platform) -> Iterable[SyntheticFile]:
    """Generate every synthetic release, application and SoftDevice of a platform."""
    if row.slot(ModuleFunction.RADIO_STACK, 0) is not None:
        yield from (softdevice(row.id, fwid) for fwid in SOFTDEVICES)
    for version in versions(row.id):
        yield from (*release(row.id, version), application(row.id, version))


def write_example_files(folder: Path) -> None:
    """Write the example files to ``folder`` (created if absent), except those that are already there unchanged."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in example_files():
        path = folder / file.name
        if not path.is_file() or path.read_bytes() != file.data:
            path.write_bytes(file.data)
