"""Sends a firmware update to a running unit, over and over where that may help, and follows it through the restart."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from ..clock import CancelToken, Clock, Deadline
from ..errors import (
    Cancelled,
    DeadlineExceeded,
    NeedsHands,
    OutcomeUnknown,
    OutOfRequests,
    RequestRejected,
    Stalled,
    TransferFailed,
    TransferTimeout,
)
from ..platforms import Kind
from ..transport import UsbCandidate
from ..wire import requests
from ..wire.image.host import Image
from ..wire.patience import standing
from ..wire.requests import Request
from ..wire.usb import Mode
from .dialogue import Progress, Trace
from .holding import Goal
from .update import RETRY_PAUSE_S, First, Retries, apply_s, check_module, send_update

T = TypeVar("T")

LISTENING_SETTLE_S = 1.0
"""Between entering listening mode and an update, for the network to stop (reference firmware-and-dfu 5.3).

Nothing the unit can be asked says that it has: request 300 tells of the cloud only. A new unit listens already and
is not waited for.
"""
_BY_REQUEST = frozenset({Kind.REQUEST})


class Updated(Protocol):
    """What an update needs of a unit. Implemented by `ParticleDevice`."""

    def present(self) -> UsbCandidate: ...
    def ask(self, request: Request[T], deadline: Deadline | None = None) -> T: ...
    def undo(self, request: Request[None]) -> None: ...
    def undo_listening(self) -> None: ...
    def is_listening(self, deadline: Deadline) -> bool: ...
    def reach(self, goal: Goal, deadline: Deadline, kinds: frozenset[Kind] = ...) -> None: ...
    def restart(
        self, reason: str, wanted: Mode, deadline: Deadline, act: Callable[[], bool], vanish_s: float = ...
    ) -> None: ...
    def send_restart(self, request: Request[None], deadline: Deadline) -> bool: ...


class Updating:
    """Updates of one unit. One owner thread."""

    def __init__(self, unit: Updated, clock: Clock, cancel: CancelToken, trace: Trace) -> None:
        self._unit, self._clock, self._cancel, self._trace = unit, clock, cancel, trace

    def run(self, image: Image, deadline: Deadline, on_progress: Progress) -> None:
        """Send ``image`` and wait until the unit is back, as `ParticleDevice.update_over_control`."""
        check_module(self._unit.present().usb_id.platform_id or 0, image)
        retries, refused = Retries(), None
        while True:
            try:
                return self._update(image, deadline, on_progress)
            except DeadlineExceeded as error:
                if refused is None:
                    raise
                raise standing(refused) from error
            except (RequestRejected, OutOfRequests, OutcomeUnknown, Stalled, TransferFailed, TransferTimeout) as error:
                refused = error if isinstance(error, RequestRejected) else refused
                retry = retries.after(error)
                if retry is None or deadline.remaining <= RETRY_PAUSE_S:
                    if isinstance(error, RequestRejected):
                        raise standing(error) from error
                    raise
                self._trace(f"update: {error}; trying again")
            self._clock.sleep(RETRY_PAUSE_S, self._cancel)
            if retry.first is First.RESET:
                self._unit.reach(Goal.RESTART, deadline)
            elif retry.first is First.SAFE_MODE:
                self._unit.reach(Goal.SAFE, deadline, _BY_REQUEST)

    def _update(self, image: Image, deadline: Deadline, on_progress: Progress) -> None:
        unit = self._unit
        with self._quiet(deadline):
            try:
                send_update(unit, image, deadline, on_progress)
            except Cancelled:
                unit.undo(requests.cancel_firmware_update())
                raise
            finish = requests.finish_firmware_update(validate_only=False)
            unit.restart(
                "update", Mode.APPLICATION, deadline, lambda: unit.send_restart(finish, deadline),
                apply_s(image.function),
            )  # fmt: skip

    @contextlib.contextmanager
    def _quiet(self, deadline: Deadline) -> Iterator[None]:
        """Hold the unit in listening mode, if it allows that, to keep its network quiet; undone if the block fails.

        If the block succeeds, the unit has restarted into whatever mode it chooses.
        """
        was_listening = self._unit.is_listening(deadline)
        try:
            if not was_listening:
                with contextlib.suppress(NeedsHands):
                    self._unit.reach(Goal.LISTENING, deadline, _BY_REQUEST)
                    self._clock.sleep(min(LISTENING_SETTLE_S, deadline.remaining), self._cancel)
            yield
        except BaseException:
            if not was_listening:
                self._unit.undo_listening()
            raise
