"""The application's own answers to request 10: those of a synthetic application called ``selftest``.

Flash decides whether there is one: any other application has no handler. What it measures is the unit's own
(`Board.sensors`), so that two units with the same firmware tell different values.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from types import MappingProxyType

from ..identity import DeviceId
from ..wire.results import ResultCode
from .control_service import Outcome
from .families import family_of
from .memory import UnitMemory

NAME = "selftest"
"""Of the application, as `synthetic.application` is given it."""

Value = float | int | str | bool

_LABEL = b"application selftest "
_LABEL_WITHIN = 512  # bytes from the module's start: vectors, header, then the text that names a synthetic file

QUESTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"selftest": ("vbat", "temp", "accel", "fw"), "charger": ("charge", "current")}
)
"""What it understands, and the values in its answer: JSON, but ``charger`` in lines ``key=value``."""
_IN_LINES = frozenset({"charger"})
_WORK_S = 0.2
_GARBAGE = bytes(range(0x80, 0xC0))


def sensors(device_id: DeviceId) -> dict[str, Value]:
    """What there is to measure on a good unit, from volts at its battery to mA at its plug."""
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


def is_held(memory: UnitMemory) -> bool:
    """Tell whether the application in effect is the one that tests itself."""
    found = family_of(memory.platform_id).find_application(memory)
    return found is not None and _LABEL in memory.internal.read(found.address, _LABEL_WITHIN)


def answer(question: bytes, values: Mapping[str, Value], says: str) -> Outcome:
    """Answer request 10. ``says``: what a fault orders in place of the truth, "" for nothing."""
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
