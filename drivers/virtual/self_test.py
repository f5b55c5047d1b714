"""Replies of an application to request 10: those of a synthetic application called ``selftest`` (`programs`).

Any other application has no handler. It measures the unit's own
values (`Board.sensors`), so that two units with the same firmware report different ones.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from types import MappingProxyType

from ..identity import DeviceId
from ..wire.results import ResultCode
from .control_service import Outcome

Value = float | int | str | bool

QUESTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"selftest": ("vbat", "temp", "accel", "fw"), "charger": ("charge", "current")}
)
"""Question -> values in the reply, which is JSON, but for ``charger`` lines of ``key=value``."""
_IN_LINES = frozenset({"charger"})
_WORK_S = 0.2
_GARBAGE = bytes(range(0x80, 0xC0))


def sensors(device_id: DeviceId) -> dict[str, Value]:
    """Generate the measurable values of a good unit, from its battery's volts to the mA at its plug."""
    dice = random.Random(f"sensors {device_id}")
    return {
        "vbat": round(dice.uniform(3.85, 4.05), 2),
        "temp": round(dice.uniform(21.0, 27.0), 1),
        "accel": "ok",
        "fw": "v1.4.2",
        "charge": "done",
        "current": dice.randint(380, 420),
        "idle_ma": round(dice.uniform(6.0, 9.0), 2),
    }


def answer(question: bytes, values: Mapping[str, Value], says: str) -> Outcome:
    """Handle request 10. ``says``: the reply forced by a fault, "" for none."""
    name = question.decode("ascii", "replace")
    if says == "silence":
        return Outcome(is_lost=True)
    if says == "garbage":
        return Outcome(data=_GARBAGE, seconds=_WORK_S)
    if says == "unknown" or name not in QUESTIONS:
        return Outcome(ResultCode.NOT_SUPPORTED)
    told: dict[str, object] = {key: values[key] for key in QUESTIONS[name]}
    key, _, ordered = says.partition(":")
    if key in told:
        told[key] = _value(ordered)
    if name in _IN_LINES:
        return Outcome(data="".join(f"{key}={value}\n" for key, value in told.items()).encode(), seconds=_WORK_S)
    return Outcome(data=json.dumps(told).encode(), seconds=_WORK_S)


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
