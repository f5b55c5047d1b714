"""How far a step is: seconds left are reckoned from its own pace."""

from __future__ import annotations

from typing import cast

import pytest

from drivers.clock import SimulatedClock
from station.engine.events import Event, StepProgress
from station.engine.step import PACE_SHARE, ScanDesk, StepContext


def test_seconds_left_follow_the_pace_and_are_not_guessed_before_there_is_one() -> None:
    clock = SimulatedClock()
    told: list[Event] = []
    with clock.registered():
        ctx = StepContext(
            step="firmware", slot=1, attempt="a-1", clock=clock, limit_s=60.0,
            cancel=clock.token(), announce=told.append, record=told.append, desk=cast(ScanDesk, None),
        )  # fmt: skip
        for share, took in ((0.0, 0.0), (PACE_SHARE / 2, 1.0), (0.25, 4.0), (0.5, 5.0), (1.0, 10.0)):
            clock.sleep(took)
            ctx.progress(share, writing=True)
    left = [event.seconds_left for event in told if isinstance(event, StepProgress)]
    assert left == [None, None, pytest.approx(15.0), pytest.approx(10.0), None]
