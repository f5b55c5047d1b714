"""Listening mode of one unit through one attempt. Rule H1.

A unit that obeys is made to listen for a step and led back at once, so that its application runs again. One that
somebody's hands brought there stays until something needs it elsewhere: nobody is asked twice for what still holds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from drivers.devices import Goal, ParticleDevice

from .holding import Asker, hold


class Listening:
    """Belongs to the slot's thread. `Listening.give_back` is due before the unit has to run its application."""

    def __init__(self, device: ParticleDevice) -> None:
        self._device = device
        self._by_hand: object = None  # the unit as it was enumerated when hands made it listen; a restart ends that

    @property
    def is_by_hand(self) -> bool:
        """Whether somebody's hands made it listen, and it has not restarted since."""
        return self._by_hand is not None and self._by_hand is self._device.port.current

    def enter(self, asker: Asker) -> None:
        """Make the unit listen, by hand if need be; raises as `hold`."""
        if hold(self._device, asker, Goal.LISTENING):
            self._by_hand = self._device.port.current

    @contextlib.contextmanager
    def during(self, asker: Asker) -> Iterator[None]:
        """Keep the unit listening while the block runs; afterwards it is in the mode it was in, unless by hand."""
        device = self._device
        if device.is_listening(asker.deadline):
            yield
            return
        try:
            self.enter(asker)
            yield
        except BaseException:
            if not self.is_by_hand:
                device.undo_listening()
            raise
        if not self.is_by_hand:
            device.leave_listening(asker.deadline)

    def give_back(self, asker: Asker) -> None:
        """Let a unit that hands made listen run its application again."""
        if self.is_by_hand:
            self._device.leave_listening(asker.deadline)
            self._by_hand = None
