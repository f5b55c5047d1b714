"""The signature of a virtual unit's handlers for control requests."""

from __future__ import annotations

from collections.abc import Callable

from .control_service import Outcome
from .system import RunningSystem

Handler = Callable[[RunningSystem, bytes], Outcome]


def query(handler: Callable[[RunningSystem], Outcome]) -> Handler:
    """Adapt a handler that ignores the payload."""
    return lambda system, _payload: handler(system)
