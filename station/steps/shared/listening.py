"""Holds a unit in listening mode while a step talks to its console. Rule H1."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from drivers.devices import Goal, ParticleDevice

from .holding import Asker, hold


@contextlib.contextmanager
def listening(device: ParticleDevice, ctx: Asker) -> Iterator[None]:
    """Keep the unit listening while the block runs; afterwards it is in the mode it was found in."""
    if device.is_listening(ctx.deadline):
        yield
        return
    try:
        hold(device, ctx, Goal.LISTENING)
        yield
    except BaseException:
        device.undo_listening()
        raise
    device.leave_listening(ctx.deadline)
