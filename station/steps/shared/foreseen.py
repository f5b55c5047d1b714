"""What a later step would refuse because of the Device OS alone: told before the first write, and once more there.

Design 2.1: no unit is flashed for minutes to end on what its profile and its first answer show. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from drivers.platforms import OsVersion, Platform
from drivers.wire import requests

from ...errors import StepFault
from ...firmware.rules import needs_setup_done
from ...words.say import Say
from .wifi_networks import WifiGoal


def check_setup_done(row: Platform, device_os: OsVersion) -> None:
    """Raise `StepFault` for a unit that needs the setup-done flag (H7) which neither a request nor DFU sets."""
    can_be_set = row.setup_done_field is not None or sets_by_request(row, device_os)
    if needs_setup_done(row, device_os).needed and not can_be_set:
        raise StepFault(
            f"Device OS {device_os} of a {row.name} cannot be told that setup is done, and may come up in listening "
            "mode; name a newer Device OS in the profile",
            say=Say("firmware_refused"),
        )


def sets_by_request(row: Platform, device_os: OsVersion) -> bool:
    """Return whether ``device_os`` is asked for the setup-done flag and told to set it; else it lies in DFU only."""
    return row.knows_request(requests.is_setup_done().type_id, device_os)


def check_forgetting(row: Platform, device_os: OsVersion, goals: Iterable[WifiGoal]) -> None:
    """Raise `StepFault` for a unit that shall forget a network and has no request for it."""
    forgets = (requests.remove_known_network("-"), requests.old_clear_credentials())
    if not (all(goal.is_kept for goal in goals) or any(row.knows_request(one.type_id, device_os) for one in forgets)):
        raise StepFault(
            f"no request makes a {row.name} with Device OS {device_os} forget a network; write keep = true in [wifi], "
            "or another Device OS",
            say=Say("check_station"),
        )
