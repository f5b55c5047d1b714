"""Finishes cloud work that is owed, without the unit, and never twice.

One thread for the station. An item is settled only after its step read the result back; a crash in
between repeats the step, which then observes that it is done already.
"""

from __future__ import annotations

import contextlib
import datetime
import logging

from drivers.clock import Clock, ClockThread
from drivers.errors import Cancelled

from ..errors import CloudError, JournalError, StepFault, UnitRejected, blame
from ..model import OutboxItem, Outcome
from .attempt import sentence_of
from .events import OutboxChanged, StationFault
from .ports import JournalPort, OutboxDesk
from .step import Emit, StepResult, deferred
from .waiting import Waiting

log = logging.getLogger(__name__)

RETRY_S = (2.0, 5.0, 10.0, 20.0, 30.0)
"""Pauses between rounds while the cloud does not answer; the last one repeats."""
_LONGER = 1.5
"""A failed item waits longer than its round, so that the next round begins with another one."""


class OutboxWorker:
    """Settles due items in order. `wake` after new items were queued."""

    def __init__(self, clock: Clock, journal: JournalPort, desk: OutboxDesk, publish: Emit) -> None:
        self._clock, self._journal, self._desk, self._publish = clock, journal, desk, publish
        self._condition = clock.condition()
        self._token = clock.token()
        self._failures = 0
        self._has_news = True
        self._told: set[str] = set()  # faults that are known by now
        self._thread: ClockThread | None = None

    def start(self) -> None:
        self._thread = self._clock.thread("outbox", self._loop)

    def stop(self) -> None:
        self._token.cancel()
        if self._thread is not None:
            self._thread.join()

    def wake(self) -> None:
        """New items, or the cloud is back: look now. What was tried a moment ago still waits its time."""
        with self._condition:
            self._has_news = True
            self._failures = 0
            self._condition.notify_all()

    def _loop(self) -> None:
        waiting = Waiting.of_station(self._publish, self._clock, self._token)
        with contextlib.suppress(Cancelled), self._journal.waiting_as(waiting):
            while True:
                pause_s = self._pause()
                with self._condition:
                    self._condition.wait_for(lambda: self._has_news, pause_s, self._token)
                    self._has_news = False
                self._guarded_round()

    def _guarded_round(self) -> None:
        """A journal that fails must not end owed work for good: it is told once, and tried again later."""
        try:
            self._round()
            self._told.discard("journal")
        except JournalError as error:
            self._failures += 1
            self._tell("journal", sentence_of(error))

    def _tell(self, what: str, reason: str) -> None:
        """A fault of the station; once, however often ``what`` fails."""
        if what not in self._told:
            self._publish(StationFault(at=self._clock.utc(), reason=reason))
        self._told.add(what)

    def _pause(self) -> float | None:
        """Seconds until the next look; None (until woken) when nothing is owed."""
        with contextlib.suppress(JournalError):  # the next round tells
            if self._journal.waiting() == 0:
                return None
        return self._retry_s(self._failures)

    def _round(self) -> None:
        while due := self._journal.due(self._clock.utc()):  # a settled item may take others with it
            if not self._try(due[0]):
                self._failures += 1
                return
            self._failures = 0
            self._publish(OutboxChanged(at=self._clock.utc(), waiting=self._journal.waiting()))

    def _try(self, item: OutboxItem) -> bool:
        """False when the cloud could not be asked: then the rest of the round would fare no better."""
        try:
            result = self._desk.finish(item, self._token)
        except CloudError as error:
            self._postpone(item, _LONGER * self._retry_s(self._failures + 1), sentence_of(error))
            return False
        except (Cancelled, JournalError):
            raise
        except (UnitRejected, StepFault) as error:
            judged = blame(error)
            result = StepResult(judged.outcome, reason=sentence_of(error), sentence=judged.sentence)
        except Exception as error:  # a token that is not set, a bug: nothing the unit's record should end by
            log.exception("outbox item %s of %s broke", item.action, item.device_id)
            what = f"owed {item.action} of {item.device_id}"
            self._tell(what, f"{what}: {sentence_of(error)}; it is tried again")
            result = deferred(sentence_of(error), item.body)
        if result.outcome is Outcome.DEFERRED:
            self._postpone(item, RETRY_S[-1], result.reason)
            return True
        for event in self._journal.settle(item, result.outcome, result.reason, result.proof):
            self._publish(event)
        return True

    def _postpone(self, item: OutboxItem, seconds: float, reason: str) -> None:
        self._journal.postpone(item, self._clock.utc() + datetime.timedelta(seconds=seconds), reason)

    def _retry_s(self, failures: int) -> float:
        return RETRY_S[min(failures, len(RETRY_S) - 1)]
