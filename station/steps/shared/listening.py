"""Brings a unit into listening mode: by request, and where it does not obey, by the operator's hand. Rule H1."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from drivers.devices import ParticleDevice
from drivers.errors import DeadlineExceeded, OutOfRequests, RequestRejected, Stalled

from ...engine.step import StepContext
from ...words.say import Say

OBEY_S = 10.0
POLL_S = 0.5


@contextlib.contextmanager
def listening(device: ParticleDevice, ctx: StepContext) -> Iterator[None]:
    """The unit listens while the block runs; afterwards it is in the mode it was found in."""
    if device.is_listening(ctx.deadline):
        yield
        return
    try:
        _enter(device, ctx)
        yield
    except BaseException:
        device.undo_listening()
        raise
    device.leave_listening(ctx.deadline)


def _enter(device: ParticleDevice, ctx: StepContext) -> None:
    try:
        device.enter_listening(ctx.deadline.sooner(OBEY_S))
    except (RequestRejected, OutOfRequests, Stalled, DeadlineExceeded):
        with ctx.hands(Say("listening_by_hand"), led="blinking dark blue"):
            while not device.is_listening(ctx.deadline):
                ctx.deadline.check("listening mode by hand")
                ctx.clock.sleep(POLL_S, ctx.cancel)
