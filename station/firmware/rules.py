"""The vendor's rules that depend on the Device OS version: H7 H8 (setup done), and modems that keep their speed.

Pure data and look-ups; nothing here talks to a unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.platforms import OsVersion, Platform
from drivers.wire.image.host import Image

from ..settings.sku import sku_row
from .checks import PlanRefused, Refusal, check_minimum
from .modules import version_text


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision and the rule it is based on."""

    needed: bool
    rule: str
    reason: str


_NEEDED = Decision(True, "H7", "Gen 3 with Device OS 3.x or older boots into listening mode without it")


def needs_setup_done(platform: Platform, device_os: OsVersion) -> Decision:
    """Decide whether setup done must be set (H7 H8); ``device_os`` is the one on the unit *after* updating."""
    if platform.setup_done_before is None:
        return Decision(False, "H7", f"only Gen 3 units have a setup-done flag, no {platform.name}")
    if device_os < platform.setup_done_before:
        return _NEEDED
    return Decision(False, "H8", f"Device OS 4.0 and later have no setup-done flag, this is {device_os}")


_SPEED_KEPT_FROM, _SPEED_SET_FROM = 2000, 1512
"""Module versions of the first 2.0.0 pre-release and of 1.5.2."""
_KEEPS_SPEED = ("BRN402", "B402")
"""SKUs with a modem that remembers the speed at which 2.0.0 and later speak to it (reference firmware-and-dfu 4.4)."""


def check_versions(system: Image | None, held: int | None, skus: Sequence[str], serial: str | None) -> None:
    """Check the minimum of the unit's SKU (D9), and that its modem can be spoken to afterwards; raises `PlanRefused`.

    ``held``: module version of the system part on the unit, None: unknown. A unit of unknown SKU is trusted.
    """
    check_minimum(system, skus, serial)
    if system is None or held is None or not system.version < _SPEED_SET_FROM <= _SPEED_KEPT_FROM <= held:
        return
    row = sku_row(serial) if serial else None
    if any(sku.startswith(_KEEPS_SPEED) for sku in (row.skus if row is not None else skus)):
        raise PlanRefused(
            "the modem keeps the speed at which Device OS 2.0 and later speak to it, and Device OS before 1.5.2 cannot "
            f"change that; take the unit to 1.5.2 first and let it connect once, or keep {version_text(4, held, None)}",
            Refusal.DOWNGRADE,
        )
