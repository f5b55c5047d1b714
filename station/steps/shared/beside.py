"""Lets a step read the unit on a second thread, while it waits for a person on its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from drivers.errors import Cancelled

from ...engine.step import StepContext
from ...words.say import Say
from .holding import Asker


class _HandsLater(Exception):
    """The work needs somebody's hands, who is asked for something else already."""


class Beside:
    """Work on the unit that has begun: until it is over the unit belongs to its thread. Implements `Asker` for it."""

    def __init__(self, ctx: StepContext, work: Callable[[Asker], None]) -> None:
        self.clock, self.cancel, self.deadline = ctx.clock, ctx.cancel, ctx.deadline
        self.failed = ctx.cancel.child()
        """Set when the work has failed: what the step waits for meanwhile is of no use any more."""
        self.error: Exception | None = None
        self._work = work
        self._thread = ctx.clock.thread(f"slot-{ctx.slot}-beside", self._run)

    def hands(self, say: Say, led: str = "") -> contextlib.AbstractContextManager[None]:  # noqa: ARG002 - of `Asker`
        """Raise what ends the work: there is one screen for each slot, and it asks for something else."""
        raise _HandsLater

    def wait(self) -> None:
        """Wait until the work is over."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._work(self)
        except _HandsLater as error:
            self.error = error
        except Exception as error:
            self.error = error
            self.failed.cancel()


@contextlib.contextmanager
def beside(ctx: StepContext, work: Callable[[Asker], None]) -> Iterator[Beside]:
    """Run ``work`` while the block runs, and wait for both; raises what either raised, the block first.

    Work that turns out to need hands is done anew after the block.
    """
    other = Beside(ctx, work)
    try:
        yield other
    except Cancelled:
        other.wait()
        if other.error is None or ctx.cancel.is_cancelled:
            raise
        raise other.error from None
    finally:
        other.wait()
    if isinstance(other.error, _HandsLater):
        work(ctx)
    elif other.error is not None:
        raise other.error
