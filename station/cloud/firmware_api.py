"""Requests about a product's firmware as values: what was uploaded, what is released, the binaries. Pure.

Facts: reference cloud-api 4.4, 6.3; rules D1 to D3, D8.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .body import Answer, Fields, kind_of
from .call import Call, ProductRef, product_path
from .errors import BadAnswer
from .evidence import Route

MAX_VERSION = 65_535
MAX_BINARY_BYTES = 4 << 20
"""More than any application, with what it is bundled with, takes."""


@dataclass(frozen=True, slots=True)
class FirmwareVersion:
    """One version of a product's firmware, and to whom it is released."""

    version: int
    is_default: bool = False
    groups: tuple[str, ...] = ()


def firmware(ref: ProductRef) -> Call[tuple[FirmwareVersion, ...]]:
    """List all versions that were uploaded."""
    what = f"list the firmware of product {ref}"
    return Call(Route.FIRMWARE, "GET", f"{product_path(ref)}/firmware", what, lambda a: _read(a, what))


def firmware_binary(ref: ProductRef, version: int) -> Call[bytes]:
    """Fetch the file of one version, as it is delivered over the air."""
    what = f"fetch version {version} of the firmware of product {ref}"
    path = f"{product_path(ref)}/firmware/{version}/binary"
    return Call(Route.BINARY, "GET", path, what, lambda a: a.file, most_bytes=MAX_BINARY_BYTES, takes_long=True)


def wanted_version(
    versions: Sequence[FirmwareVersion], *, lock: int | None = None, groups: Collection[str] = ()
) -> int | None:
    """Return what the cloud brings a unit to: its lock, else the highest version of its groups, else the default.

    None where nothing is released to it: it stays as it is.
    """
    if lock is not None:
        return lock
    of_groups = [one.version for one in versions if set(one.groups) & set(groups)]
    usual = [one.version for one in versions if one.is_default]
    return max(of_groups or usual, default=None)


def _read(answer: Answer, what: str) -> tuple[FirmwareVersion, ...]:
    rows = answer.body
    if not isinstance(rows, list) or len(rows) > MAX_VERSION:
        raise BadAnswer(f"{what}: the cloud sent {kind_of(rows)}, expected a list of at most {MAX_VERSION}")
    return tuple(_version(Fields(row, what), what) for row in rows)


def _version(fields: Fields, what: str) -> FirmwareVersion:
    """Read one row; the flag of the default has two spellings (6.3)."""
    version = fields.number("version")
    if version is None or not 1 <= version <= MAX_VERSION:
        raise BadAnswer(f"{what}: the cloud lists a version {version}, expected 1 to {MAX_VERSION}")
    is_default = fields.flag("product_default") or fields.flag("current")
    return FirmwareVersion(version, is_default, fields.texts("groups"))
