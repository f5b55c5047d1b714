"""How far a write is, and what a cut would leave of the unit meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from drivers.devices import Goal
from drivers.platforms import platform
from drivers.wire.image.host import Image

from ...engine.step import Cut, StepContext
from ...firmware.cuts import CutWindow
from ...firmware.plan import UpdatePlan
from ...words.say import NOTHING, Say
from .holding import by_hand


class Span:
    """Progress of one module in a run of several: from ``start`` on, ``width`` of the whole (0.0-1.0).

    From the beginning of its cut ``window`` on it says what a cut would leave.
    """

    def __init__(
        self, ctx: StepContext, note: str, start: float = 0.0, width: float = 1.0, window: CutWindow | None = None
    ) -> None:
        self._ctx, self._note, self._window = ctx, note, window
        self._start, self._width = start, width

    def __call__(self, share: float) -> None:
        window = self._window if self._window is not None and share >= self._window.begins else None
        if window is not None:
            self._ctx.cut = Cut(say=_after_a_cut(window), reason=window.reason)
        self._ctx.progress(
            self._start + share * self._width, writing=True, note=self._note,
            say=Say("would_stay_dark") if window else NOTHING,
        )  # fmt: skip


def _after_a_cut(window: CutWindow) -> Say:
    return Say("hands_default") if window.needs_debugger else by_hand(Goal.DFU, platform(window.image.platform_id))[0]


@contextlib.contextmanager
def cut_window(ctx: StepContext, plan: UpdatePlan, image: Image) -> Iterator[CutWindow | None]:
    """The cut window of writing ``image``; it is over when the block ends well."""
    yield next((window for window in plan.windows if window.image is image), None)
    ctx.cut = None
