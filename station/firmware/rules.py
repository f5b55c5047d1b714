"""The vendor's rules that depend on the Device OS version: H7 H8 (setup done).

Pure data and look-ups; nothing here talks to a unit.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.platforms import OsVersion, Platform


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
        return Decision(False, "H7", f"only Gen 3 units have a setup-done flag, this is a unit of {platform.name}")
    if device_os < platform.setup_done_before:
        return _NEEDED
    return Decision(False, "H8", f"Device OS 4.0 and later have no setup-done flag, this is {device_os}")
