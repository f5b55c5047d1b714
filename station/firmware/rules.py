"""Decision tables of the vendor's rules about Device OS versions: H7 H8 (setup done).

Pure data and look-ups; nothing here talks to a unit.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.platforms import OsVersion, Platform


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer with the rule it rests on."""

    needed: bool
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class _SetupDoneRow:
    generation: int | None  # None: every generation
    before: OsVersion | None  # None: every Device OS
    decision: Decision


# The first row that fits decides. Device OS is the one on the unit *after* updating (H7). A pre-release
# of 4.0.0 counts as 4.x, as the vendor's "3.x or earlier" does: hence the bound 4.0.0-0.
_SETUP_DONE: tuple[_SetupDoneRow, ...] = (
    _SetupDoneRow(
        3,
        OsVersion.parse("4.0.0-0"),
        Decision(True, "H7", "Gen 3 with Device OS 3.x or older boots into listening mode without it"),
    ),
    _SetupDoneRow(3, None, Decision(False, "H8", "Device OS 4.0 and later have no setup-done flag")),
    _SetupDoneRow(None, None, Decision(False, "H7", "only Gen 3 units have a setup-done flag")),
)


def needs_setup_done(platform: Platform, device_os: OsVersion) -> Decision:
    """Must setup done be set on this platform with this Device OS (H7 H8)?"""
    for row in _SETUP_DONE:
        if row.generation in (None, platform.generation) and (row.before is None or device_os < row.before):
            return row.decision
    raise AssertionError("the last row fits every unit")
