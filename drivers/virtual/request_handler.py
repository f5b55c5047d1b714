"""The form of everything that works on a control request in a virtual unit."""

from __future__ import annotations

from collections.abc import Callable

from .control_service import Outcome
from .system import RunningSystem

Handler = Callable[[RunningSystem, bytes], Outcome]


def query(handler: Callable[[RunningSystem], Outcome]) -> Handler:
    """Make a handler of one that needs no payload and looks at none."""
    return lambda system, _payload: handler(system)
