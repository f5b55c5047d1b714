"""SKUs and the oldest Device OS their units may run (D9). Pure data and look-ups."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.platforms import OsVersion


@dataclass(frozen=True, slots=True)
class SkuMinimum:
    """Units sold under SKUs that begin with ``sku`` never run a Device OS older than ``device_os`` (D9)."""

    sku: str
    serial_prefixes: tuple[str, ...]  # first four characters of the serial numbers of exactly these SKUs
    device_os: OsVersion


SKU_MINIMUMS: tuple[SkuMinimum, ...] = (
    SkuMinimum("BRN404X", ("P044",), OsVersion.parse("4.0.1")),
    SkuMinimum("B404X", ("P042",), OsVersion.parse("4.0.1")),
    SkuMinimum("E404X", ("P052",), OsVersion.parse("4.0.1")),
    SkuMinimum("B404", ("P033",), OsVersion.parse("2.3.0")),
)
"""Longer SKUs before their beginnings: BRN404X is no BRN404, B404X no B404."""


def minimum_for_sku(sku: str) -> SkuMinimum | None:
    """The row of a SKU such as "BRN404XKIT", or None if it has no minimum."""
    return next((row for row in SKU_MINIMUMS if sku.upper().startswith(row.sku)), None)


def minimum_for_serial(serial: str) -> SkuMinimum | None:
    """The row of a unit by the first four characters of its serial number, or None."""
    return next((row for row in SKU_MINIMUMS if serial[:4].upper() in row.serial_prefixes), None)
