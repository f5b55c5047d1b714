"""The firmware of the shipped profiles: synthetic, so that the station can be tried without the vendor's files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from drivers.platforms import ModuleFunction, Platform, platforms
from drivers.virtual.synthetic import SOFTDEVICES, SyntheticFile, application, release, softdevice, versions

PRODUCT_OS = "6.3.4"
DEVELOPER_OS = "5.8.0"
PRODUCT_VERSION = 7
"""Product firmware version of the "widget" applications, as the product profiles state it."""


def example_files() -> tuple[SyntheticFile, ...]:
    """Generate releases and applications for every platform that has them, reproducibly."""
    found: list[SyntheticFile] = []
    for row in platforms():
        if PRODUCT_OS in versions(row.id):
            found += release(row.id, PRODUCT_OS)
            found += [
                application(row.id, PRODUCT_OS, product_version=PRODUCT_VERSION, seed=seed)
                for seed in ("widget", "selftest")
            ]
        if DEVELOPER_OS in versions(row.id):
            found += release(row.id, DEVELOPER_OS)
            found.append(application(row.id, DEVELOPER_OS))
    return tuple(found)


def write_synthetic_files(folder: Path, rows: Iterable[Platform]) -> None:
    """Write the example files to ``folder``, and for ``rows`` every synthetic release, application and SoftDevice."""
    write_example_files(folder)
    for row in rows:
        has_radio_stack = row.slot(ModuleFunction.RADIO_STACK, 0) is not None
        files = [softdevice(row.id, fwid) for fwid in SOFTDEVICES if has_radio_stack]
        for version in versions(row.id):
            files += [*release(row.id, version), application(row.id, version)]
        for file in files:
            (folder / file.name).write_bytes(file.data)


def write_example_files(folder: Path) -> None:
    """Write the example files to ``folder`` (created if absent), except those that are already there unchanged."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in example_files():
        path = folder / file.name
        if not path.is_file() or path.read_bytes() != file.data:
            path.write_bytes(file.data)
