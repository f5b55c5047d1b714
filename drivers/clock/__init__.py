"""Time, waiting and cancellation: every wait in drivers and station goes through a `Clock`.

`SystemClock` is the machine's monotonic clock (optionally running faster, for a demo). `SimulatedClock` jumps
to the next due time whenever none of its registered threads is runnable.
"""

from .protocol import CancelToken, Clock, ClockThread, Condition, Deadline
from .simulated import EPOCH, SimulatedClock
from .system import SystemClock

__all__ = [
    "EPOCH", "CancelToken", "Clock", "ClockThread", "Condition", "Deadline", "SimulatedClock", "SystemClock",
]  # fmt: skip
