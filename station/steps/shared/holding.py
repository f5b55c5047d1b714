"""Gets hold of a unit for a step: by command, and where it obeys none, by the operator's hands. Rules H1 H3 H11.

The commands are `drivers.devices.holding`; here are the words and the light for the hands (provisioning-rules 3.1 to
3.4: every text says at which colour to let go, as holding on erases what was set up).
"""

from __future__ import annotations

import contextlib
from typing import Protocol

from drivers.clock import CancelToken, Clock, Deadline
from drivers.devices import Goal, ParticleDevice
from drivers.errors import DeadlineExceeded, DidNotReturn, NeedsHands
from drivers.platforms import Platform, platform

from ...words.say import Say


class Asker(Protocol):
    """Who asks a unit: how long that may take, and whose hands help. Implemented by `StepContext`."""

    @property
    def clock(self) -> Clock: ...
    @property
    def cancel(self) -> CancelToken: ...
    @property
    def deadline(self) -> Deadline: ...
    def hands(self, say: Say, led: str = "") -> contextlib.AbstractContextManager[None]:
        """Ask somebody for one action while the block runs. ``led``: name of the light to look for."""
        ...


def by_hand(goal: Goal, row: Platform) -> tuple[Say, str]:
    """Return what the operator is asked for a goal, and the light the unit shows when it is there ("": no certain one).

    ``row``: the unit's, as not all call that button the same.
    """
    return {
        Goal.NORMAL: (Say("reset_by_hand"), ""),
        Goal.LISTENING: (Say("listening_by_hand", button=row.button), "blinking dark blue"),
        Goal.SAFE: (Say("safe_by_hand", button=row.button), "breathing magenta"),
        Goal.DFU: (Say("dfu_by_hand", button=row.button), "blinking yellow"),
        Goal.RESTART: (Say("reset_by_hand"), ""),
    }[goal]


def hold(device: ParticleDevice, ctx: Asker, goal: Goal, hands_s: float | None = None) -> str:
    """Bring the unit into a mode and return how, "" for by command; raises as `ParticleDevice.reach` and `await_mode`.

    Hands that are not there end after ``hands_s``, at the latest with the step's limit.
    """
    try:
        device.reach(goal, ctx.deadline)
        return ""
    except NeedsHands as refused:
        try:
            ask_hands(device, ctx, goal, hands_s)
        except (DeadlineExceeded, DidNotReturn) as error:
            raise type(error)(f"{refused}; nobody did that in time") from error
        return f"by hand ({'; '.join(refused.tried)})"


def ask_hands(device: ParticleDevice, ctx: Asker, goal: Goal, hands_s: float | None = None) -> None:
    """Ask the operator to bring the unit into a mode, and wait for it; raises as `ParticleDevice.await_mode`."""
    say, led = by_hand(goal, platform(device.platform_id or 0))
    with ctx.hands(say, led=led):
        device.await_mode(goal, ctx.deadline if hands_s is None else ctx.deadline.sooner(hands_s))
