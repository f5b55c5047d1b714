"""An update over the air that a unit may take while it is walked: its restarts are nobody's unplugging.

The cloud begins one when it likes, so a step that one breaks off begins again; running a step twice is harmless.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from drivers.clock import Clock, Deadline
from drivers.errors import DeadlineExceeded, Disconnected, DriverError, OutcomeUnknown, Stalled, TransferFailed
from drivers.hotplug import PortWatch

from ...engine.step import Step, StepContext, StepResult
from ...errors import StepFault
from ...words.say import Say

RETURN_S = 90.0
"""How long a unit may be away: it copies what it got and starts, some seconds to half a minute, maybe twice over."""
PULLED_S = 20.0
"""From when on the operator is told that it may have been unplugged."""
NOTICED_S = 1.5
"""How long the bus may take to show that a unit is gone after a transfer found none."""
LONGEST_S = 24 * 3600.0
MOST_RESTARTS = 8
"""Of one step: an application, and all the modules that it needs."""
_BROKEN_OFF = (Disconnected, TransferFailed, OutcomeUnknown, Stalled)


class Air:
    """What may happen over the air to the unit on ``port``. ``is_due``: the cloud has, or may get, something for it.

    Used by the thread that speaks to the unit, one at a time.
    """

    def __init__(self, port: PortWatch, clock: Clock) -> None:
        self._port, self._clock = port, clock
        self._announced = contextlib.ExitStack()
        self._away_since: float | None = None
        self.is_due = False
        self.may_restart = False

    def expect(self) -> None:
        """From now on the unit may restart by itself, if anything is due; for what it was before is over."""
        if self.is_due and not self.may_restart:
            self._announced.enter_context(
                self._port.expecting("an update over the air", Deadline.after(self._clock, LONGEST_S))
            )
            self.may_restart = True

    def over(self) -> None:
        """Nothing is due any more: a unit that leaves now is unplugged."""
        self._announced.close()
        self.is_due = self.may_restart = False

    def is_away(self) -> bool:
        """Return whether the unit is restarting now. Raises `StepFault` for one that does not come back."""
        if not self.may_restart or self._port.current is not None:
            self._away_since = None
            return False
        now = self._clock.now()
        self._away_since = now if self._away_since is None else self._away_since
        if now - self._away_since > RETURN_S:
            raise StepFault(
                f"the unit left its port during an update over the air and is not back after {RETURN_S:.0f} s; plug it "
                "in again and leave it there: the cloud begins the update again", say=Say("unplugged_too_early"),
            )  # fmt: skip
        return True

    def await_return(self, ctx: StepContext) -> None:
        """Wait until the unit is back on its port; after a while say that it may have been unplugged."""
        with contextlib.ExitStack() as told:
            begun, is_told = self._clock.now(), False
            while self.is_away():
                if not is_told and self._clock.now() - begun >= PULLED_S:
                    is_told = True
                    told.enter_context(ctx.held(Say("unplugged_too_early")))
                with contextlib.suppress(DeadlineExceeded):
                    self._port.wait_for(lambda _: True, Deadline.after(self._clock, 1.0), ctx.cancel)

    def unless_away(self, ask: Callable[[], bool]) -> bool:
        """Return what ``ask`` says of the unit, False while it restarts."""
        if self.is_away():
            return False
        generation = self._port.generation
        try:
            return ask()
        except DriverError:
            if self._has_restarted(generation):
                return False
            raise

    def surviving(self, step: Step) -> Step:
        """Wrap a step on the unit so that it begins again when such a restart broke it off."""

        def begun_again(ctx: StepContext) -> StepResult:
            for _ in range(MOST_RESTARTS):
                generation = self._port.generation
                try:
                    return step(ctx)
                except _BROKEN_OFF:
                    if not self._has_restarted(generation):
                        raise
                self.await_return(ctx)
            return step(ctx)

        return begun_again

    def _has_restarted(self, generation: int) -> bool:
        """Return whether the unit has left since the arrival of that number; the bus may show it a little later."""
        until = Deadline.after(self._clock, NOTICED_S)
        while self.may_restart and not until.expired:
            if self._port.current is None or self._port.generation != generation:
                return True
            self._clock.sleep(0.05)
        return False
