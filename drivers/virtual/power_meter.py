"""``station-virtual-meter``: a power meter for virtual units, as an example of a program that tests units.

It is given a unit's identity as JSON on standard input, and prints what that unit draws while idle, in mA.
"""

from __future__ import annotations

import json
import sys

from ..identity import DeviceId
from .self_test import sensors


def main() -> int:
    """Measure the unit named on standard input; 1 if none is."""
    try:
        device_id = DeviceId.parse(json.load(sys.stdin)["device_id"])
    except (ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"no Device ID on standard input: {error!r}\n")
        return 1
    sys.stdout.write(json.dumps({"idle_ma": sensors(device_id)["idle_ma"]}) + "\n")
    return 0
