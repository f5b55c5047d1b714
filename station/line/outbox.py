"""Finishes owed cloud work, without the unit and only once.

One thread per station. An item is settled only after its step read the result back. After a crash in between, the
step runs again and observes that its goal is already true.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import itertools
import logging
from collections.abc import Sequence

from drivers.clock import Clock, ClockThread
from drivers.errors import Cancelled

from ..engine.attempt import sentence_of
from ..engine.events import OutboxChanged, OwedWorkStuck, StationFault
from ..engine.ports import Finish, JournalPort, OutboxDesk
from ..engine.step import Emit, StepResult, deferred
from ..engine.waiting import Waiting
from ..errors import CloudError, JournalError, UnitRejected
from ..model import OutboxItem, Outcome
from ..words.say import Say

log = logging.getLogger(__name__)

RETRY_S = (2.0, 5.0, 10.0, 20.0, 30.0)
"""Pauses between rounds while the cloud does not answer; the last one repeats."""
_LONGER = 1.5
"""A failed item waits longer than the pause between rounds, so that the next round starts with another one."""
AGAIN_S = (15.0, 30.0, 60.0, 120.0, 240.0, 480.0)
"""Pauses between the tries of an item that waits for something of its own, such as a slow SIM; the last repeats."""
MEND_S = 240.0
"""Longest of these pauses when a person may fix the cause at any moment (an account, a product)."""
LOOK_S = 1.0
"""Seconds between two tries of such items, all of them together (reference cloud-api 9)."""
PATIENCE_S = {"sim": 24 * 3600.0}
"""How long an action may wait before a person is told; the first activation of a SIM may take a day (reference 8.3)."""
USUAL_PATIENCE_S = 3600.0
_LOOKS = 4
"""Tries before a person is told: part of the wait may have been the cloud's absence."""
GROUP = 500
"""Units whose owed step is done together: lists are read once for all of them, imports sent in one request."""
_AWAY_TWICE = 2
"""Items in a row for which the cloud did not answer; the rest of the round is then skipped."""


class OutboxWorker:
    """Settles due items in order. Call `wake` after new items were queued."""

    def __init__(self, clock: Clock, journal: JournalPort, desk: OutboxDesk, publish: Emit) -> None:
        self._clock, self._journal, self._desk, self._publish = clock, journal, desk, publish
        self._condition = clock.condition()
        self._token = clock.token()
        self._failures = 0
        self._has_news = True
        self._told: set[str] = set()  # faults reported already
        self._causes: dict[OutboxItem, Say] = {}  # what a person has to fix before an item can be settled
        self._tries: dict[OutboxItem, int] = {}  # items that wait for something of their own, with their tries so far
        self._thread: ClockThread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = self._clock.thread("outbox", self._loop)

    def stop(self) -> None:
        """Cancel the item under way and end the thread; what is unsettled stays owed."""
        self._token.cancel()
        if self._thread is not None:
            self._thread.join()

    def wake(self) -> None:
        """Start a round now: there are new items, or the cloud is back. Items tried just before keep their pause."""
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
        """Run a round; a journal error is reported once and the round tried again later."""
        try:
            self._round()
            self._told.discard("journal")
        except JournalError as error:
            self._failures += 1
            self._tell("journal", sentence_of(error))

    def _tell(self, what: str, reason: str) -> None:
        """Report a fault of the station, once, however often ``what`` fails."""
        if what not in self._told:
            self._publish(StationFault(at=self._clock.utc(), reason=reason))
        self._told.add(what)

    def _pause(self) -> float | None:
        """Return the seconds until the next round, None (until woken) when nothing is owed."""
        with contextlib.suppress(JournalError):  # the next round reports it
            if self._journal.waiting() == 0:
                return None
        return self._retry_s(self._failures)

    def _round(self) -> None:
        away = 0
        while away < _AWAY_TWICE and (group := _next_group(self._journal.due(self._clock.utc()))):
            finish = self._prepared(group)
            for item in group:
                if self._try(item, finish):
                    away = self._failures = 0
                    self._publish(OutboxChanged(at=self._clock.utc(), waiting=self._journal.waiting()))
                elif (away := away + 1) >= _AWAY_TWICE:
                    break
        self._failures += away > 0

    def _prepared(self, group: Sequence[OutboxItem]) -> Finish:
        """Return what finishes the items of ``group``; what stands in the way of all is raised by each."""
        try:
            return self._desk.together(group, self._tries.keys(), self._token)
        except (Cancelled, JournalError):
            raise
        except Exception as error:
            return functools.partial(_failing, error)

    def _try(self, item: OutboxItem, finish: Finish) -> bool:
        """Try to settle ``item``; False when the cloud did not answer."""
        try:
            result = finish(item)
        except CloudError as error:
            return self._not_now(item, error)
        except (Cancelled, JournalError):
            raise
        except UnitRejected as error:
            result = StepResult(Outcome.FAILED, reason=sentence_of(error), say=error.say)
        except Exception as error:  # a missing token, a bug: no verdict about the unit
            log.exception("outbox item %s of %s broke", item.action, item.device_id)
            what = f"owed {item.action} of {item.device_id}"
            self._tell(what, f"{what}: {sentence_of(error)}; it is tried again")
            result = deferred(sentence_of(error), item.body)
        if result.outcome is Outcome.DEFERRED:
            self._put_off(item, AGAIN_S[-1], result.reason)
            if result.say and (key := f"{item.attempt}/{item.action}") not in self._told:  # a person has to act
                self._told.add(key)
                self._publish(self._stuck(item, result.reason, say=result.say))
            return True
        for event in self._journal.settle(item, result.outcome, result.reason, result.proof):
            self._publish(event)
        self._tries.pop(item, None)
        self._causes.pop(item, None)
        return True

    def _not_now(self, item: OutboxItem, error: CloudError) -> bool:
        """Postpone ``item`` and report, once, who can fix the cause. False when other items would fail the same way."""
        reason = error.told
        if error.who:
            if error.say not in self._causes.values():
                self._publish(self._stuck(item, reason, say=error.say))
            self._causes[item] = error.say
        if error.is_widespread:
            self._postpone(item, _LONGER * self._retry_s(self._failures + 1), reason)
            return False
        self._put_off(item, MEND_S, reason)
        return True

    def _put_off(self, item: OutboxItem, most_s: float, reason: str) -> None:
        """Postpone ``item``, longer after each try and the more such items there are."""
        tries = self._tries[item] = self._tries.get(item, 0) + 1
        pause_s = min(AGAIN_S[min(tries, len(AGAIN_S)) - 1], most_s)
        self._postpone(item, min(max(pause_s, LOOK_S * len(self._tries)), 2 * AGAIN_S[-1]), reason)
        if tries >= _LOOKS:
            self._tell_if_overdue(item, reason)

    def _tell_if_overdue(self, item: OutboxItem, reason: str) -> None:
        """Report, once, an item that has been owed for longer than expected."""
        key = f"{item.attempt}/{item.action}"
        since = self._journal.owed_since(item)
        if key in self._told or since is None:
            return
        waited_s = (self._clock.utc() - since).total_seconds()
        if waited_s >= PATIENCE_S.get(item.action, USUAL_PATIENCE_S):
            self._told.add(key)
            reason = f"{item.action} of {item.device_id} is owed for {waited_s / 3600:.0f} h: {reason}"
            self._publish(self._stuck(item, reason, say=Say("owed_stuck")))

    def _stuck(self, item: OutboxItem, reason: str, say: Say) -> OwedWorkStuck:
        return OwedWorkStuck(
            at=self._clock.utc(), device_id=item.device_id, attempt=item.attempt, action=item.action,
            reason=reason, say=say,
        )  # fmt: skip

    def _postpone(self, item: OutboxItem, seconds: float, reason: str) -> None:
        self._journal.postpone(item, self._clock.utc() + datetime.timedelta(seconds=seconds), reason)

    def _retry_s(self, failures: int) -> float:
        return RETRY_S[min(failures, len(RETRY_S) - 1)]


def _next_group(due: Sequence[OutboxItem]) -> list[OutboxItem]:
    """Of the first item of each attempt, those that owe the same step as the very first: at most `GROUP`."""
    heads: dict[str, OutboxItem] = {}
    for item in due:
        heads.setdefault(item.attempt, item)
    alike = (item for item in heads.values() if item.action == due[0].action)
    return list(itertools.islice(alike, GROUP))


def _failing(error: Exception, _item: OutboxItem) -> StepResult:
    raise error
