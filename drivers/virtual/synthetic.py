"""Firmware in the vendor's format with seeded content, for wherever a complete Device OS is needed.

Every file says "synthetic" in its name and in its first payload bytes. Reference firmware-and-dfu 3.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SyntheticFile:
    """A firmware file: ``synthetic-boron-system-part1@6.3.4.bin`` and its bytes."""

    name: str
    data: bytes


def release(platform_id: int, version: str) -> tuple[SyntheticFile, ...]:
    """Bootloader, SoftDevice and system part of one Device OS version."""
    raise NotImplementedError


def application(
    platform_id: int, device_os: str, *, product_id: int = 0xFFFF, product_version: int = 0xFFFF, seed: str = "tinker"
) -> SyntheticFile:
    """An application built for ``device_os``; product 0xFFFF means no product."""
    raise NotImplementedError
