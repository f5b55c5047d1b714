"""``may_start``: asks the other side about a unit before anything is written to it or about it.

A refusal counts when it was given twice. No answer in time: the unit starts, or waits, as the config file says.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Protocol

from drivers.clock import Deadline

from ..engine.events import StationNote
from ..engine.step import StepContext
from ..errors import StepFault, UnitRejected
from ..settings.outside import MAY_START
from ..words.say import Say
from .channel import Hook, HookTrouble, MayStartAnswer, body_of, read_may_start
from .messages import IDENTITIES, unit_of

AGAIN_S = 1.0
HOLD_POLL_S, HOLD_LIMIT_S = 5.0, 8 * 3600.0
SHOWN = 30
"""Characters of a refusal that stand in the slot; the record has all of it."""


class Known(Protocol):
    """A unit at the bench."""

    def current(self, name: str) -> str | None:
        """Return what holds of the values told under ``name``; None if nobody told one."""
        ...


class MayStart:
    """Asks every hook that wants to be asked, one after the other. Thread-safe."""

    def __init__(self, hooks: Sequence[Hook], station_id: str) -> None:
        self._hooks, self._station_id = tuple(hook for hook in hooks if hook.asks), station_id

    def __call__(self, ctx: StepContext, batch: str, profile: str, known: Known) -> None:
        """Return when the unit may start; raises `UnitRejected` with the other side's own sentence."""
        facts = {name: value for name in ("device_id", *IDENTITIES) if (value := known.current(name)) is not None}
        for hook in self._hooks:
            key = f"{self._station_id}-{ctx.attempt}"
            message = {
                "key": key, "event": MAY_START, "station": self._station_id, "at": ctx.clock.utc().isoformat(),
                "slot": ctx.slot, "attempt": ctx.attempt, "batch": batch, "profile": profile,
                **unit_of(facts.get("device_id", ""), facts),
            }  # fmt: skip
            _settle(hook, ctx, functools.partial(_ask, hook, ctx, body_of(message), key))


def _settle(hook: Hook, ctx: StepContext, ask: Callable[[], MayStartAnswer]) -> None:
    """Ask, and once more after a refusal; the time it takes is no time of the step."""
    left_s = ctx.deadline.remaining
    answer = _answered(hook, ctx, ask)
    if answer is not None and not answer.starts:
        ctx.clock.sleep(AGAIN_S, ctx.cancel)
        answer = _answered(hook, ctx, ask)
    ctx.deadline = Deadline.after(ctx.clock, left_s)
    if answer is not None and not answer.starts:
        reason = answer.reason or "it gives no reason"
        raise UnitRejected(
            f"hook {hook.name} refuses the unit: {reason}; ask whoever runs it",
            say=Say("hook_refused", reason=reason[:SHOWN]),
        )


def _ask(hook: Hook, ctx: StepContext, body: bytes, key: str) -> MayStartAnswer:
    return read_may_start(hook.channel.send(body, key, hook.timeout_s, ctx.cancel))


def _answered(hook: Hook, ctx: StepContext, ask: Callable[[], MayStartAnswer]) -> MayStartAnswer | None:
    """Return the answer; None where there is none and the unit starts all the same."""
    try:
        return ask()
    except HookTrouble as error:
        trouble = error
    if not hook.holds:
        reason = f"hook {hook.name}: {trouble}; slot {ctx.slot} starts without its answer"
        ctx.announce(StationNote(at=ctx.clock.utc(), reason=reason))
        return None
    shift = Deadline.after(ctx.clock, HOLD_LIMIT_S)
    with ctx.held(Say("hook_hold", hook=hook.name)):
        while not shift.expired:
            ctx.clock.sleep(HOLD_POLL_S, ctx.cancel)
            try:
                return ask()
            except HookTrouble as error:
                trouble = error
    raise StepFault(f"waited a whole shift for hook {hook.name}: {trouble}", say=Say("hook_hold", hook=hook.name))
