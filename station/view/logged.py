"""Add to the log of a `BenchState`, and say which unit an event is about."""

from __future__ import annotations

from dataclasses import replace

from ..engine import events as ev
from ..model import Verdict
from ..words.cells import tail
from .look import VERDICT_LOOK
from .reduce_slot import id_of
from .state import LOG_LINES, BenchState, LogLine, SlotState


def is_current(slot: SlotState, event: ev.Event) -> bool:
    """Return whether ``event`` is of the attempt in ``slot``."""
    return event.attempt is None or slot.attempt is None or slot.attempt == event.attempt


def name_of(state: BenchState, event: ev.Event) -> str:
    """Return the unit's label if it was seen on this screen, else the end of its Device ID."""
    slot = state.slot(event.slot)
    if slot is not None and slot.label and is_current(slot, event):
        return slot.label
    past = next((p for p in state.history if event.attempt and p.attempt == event.attempt), None)
    return past.label if past else tail(id_of(event) or "", 12)


def logged(
    state: BenchState, event: ev.Event, text: str, *, name: str = "", verdict: Verdict | None = None
) -> BenchState:
    """Return ``state`` with a new line of the log."""
    look = VERDICT_LOOK[verdict] if verdict is not None else None
    return replace(state, log=(LogLine(event.at, text, event.slot, name, look), *state.log)[:LOG_LINES])
