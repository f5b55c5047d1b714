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
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from drivers.clock import Clock, ClockThread
from drivers.errors import Cancelled

from ..engine.attempt import sentence_of
from ..engine.events import OutboxChanged, OwedWorkStuck, StationFault
from ..engine.ports import Finish, JournalPort, OutboxDesk
from ..engine.step import Emit, StepResult, deferred
from ..engine.waiting import Waiting
from ..errors import CloudError, JournalError, UnitRejected
from ..model import EVERYWHERE, Mender, OutboxItem, Outcome, place_of
from ..words.say import Say
from . import pace
from .owed_orders import OwedOrders

log = logging.getLogger(__name__)

RETRY_S = (2.0, 5.0, 10.0, 20.0, 30.0)
"""Pauses between rounds while the cloud does not answer; the last one repeats."""
_LONGER = 1.5
"""A failed item waits longer than the pause between rounds, so that the next round starts with another one."""
LOOK_S = 1.0
"""Seconds between two tries of items that wait for something of their own, all together (reference cloud-api 9)."""
PATIENCE_S = {"sim": 24 * 3600.0}
"""How long an action may wait before a person is told; the first activation of a SIM may take a day (reference 8.3)."""
USUAL_PATIENCE_S = 3600.0
_LOOKS = 4
"""Tries before a person is told: part of the wait may have been the cloud's absence."""
ORDERS_S = 5.0
"""How soon an order that was left at a command line is seen while something is owed."""
GROUP = 500
"""Units whose owed step is done together: lists are read once for all of them, imports sent in one request."""
_TWICE = 2
"""Items in a row that met the same trouble, of the network or of their product; the others would fare no better."""


@dataclass(slots=True)
class _Hold:
    """Work at one place, such as a product, that was refused for no unit's sake, and the ``rounds`` that met so."""

    refused: int = 0
    rounds: int = 0
    until: float = 0.0  # seconds of the clock; nothing else of that place is tried before


class OutboxWorker:
    """Settles due items in order. Call `wake` after new items were queued."""

    def __init__(
        self, clock: Clock, journal: JournalPort, desk: OutboxDesk, publish: Emit, orders: OwedOrders | None = None
    ) -> None:
        self._clock, self._journal, self._desk, self._publish = clock, journal, desk, publish
        self._orders = orders
        self._condition = clock.condition()
        self._token = clock.token()
        self._failures = 0
        self._has_news = True
        self._told: set[str] = set()  # faults reported already
        self._causes: dict[OutboxItem, Say] = {}  # what a person has to fix before an item can be settled
        self._tries: dict[OutboxItem, int] = {}  # items that wait for something of their own, as the journal has them
        self._holds: defaultdict[str, _Hold] = defaultdict(_Hold)  # by place
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
                self._wait()
                self._guarded_round()

    def _wait(self) -> None:
        """Wait until something is due or new, or an order was left."""
        pause_s = self._pause()
        until = None if pause_s is None else self._clock.now() + pause_s
        while not self._has_news and (until is None or self._clock.now() < until):
            with self._condition:
                slice_s = None if until is None else min(ORDERS_S, until - self._clock.now())
                self._condition.wait_for(lambda: self._has_news, slice_s, self._token)
            if self._orders is not None and self._orders.are_there:
                break
        self._has_news = False

    def _guarded_round(self) -> None:
        """Run a round; a journal error is reported once and the round tried again later."""
        try:
            self._obey()
            self.settle_due()
            self._told.discard("journal")
        except JournalError as error:
            self._failures += 1
            self._tell("journal", sentence_of(error))

    def _obey(self) -> bool:
        """Carry out what was ordered at a command line meanwhile; False if nothing was."""
        orders = tuple(self._orders.take()) if self._orders is not None else ()
        for order in orders:
            for event in order.carry_out(self._journal):
                self._publish(event)
            self._failures = 0
            self._holds.clear()
            self._publish(OutboxChanged(at=self._clock.utc(), waiting=self._journal.waiting()))
        return bool(orders)

    def _tell(self, what: str, reason: str) -> None:
        """Report a fault of the station, once, however often ``what`` fails."""
        if what not in self._told:
            self._publish(StationFault(at=self._clock.utc(), reason=reason))
        self._told.add(what)

    def _pause(self) -> float | None:
        """Return the seconds until the next round, None (until woken) when nothing is owed."""
        usual_s = self._retry_s(self._failures)
        with contextlib.suppress(JournalError):  # the next round reports it
            if self._journal.waiting() == 0:
                return None
            due_s = (self._journal.next_due(self._clock.utc()) - self._clock.utc()).total_seconds()
            free_s = min((hold.until for hold in self._holds.values()), default=0.0) - self._clock.now()
            return max(usual_s, due_s if due_s > 0 else free_s)
        return usual_s

    def settle_due(self, only: Collection[str] | None = None) -> None:
        """Try everything that is due, on this thread; stop when the cloud does not answer. ``only``: these attempts."""
        away = 0
        while away < _TWICE and (group := self._next_group(only)):
            finish = self._prepared(group)
            for item in group:
                if not self._is_free(item):
                    continue
                if self._try(item, finish):
                    away = self._failures = 0
                    self._publish(OutboxChanged(at=self._clock.utc(), waiting=self._journal.waiting()))
                elif (away := away + 1) >= _TWICE:
                    break
                if self._obey():
                    break
        self._failures += away > 0

    def _next_group(self, only: Collection[str] | None) -> list[OutboxItem]:
        """Of the first due item of each attempt, those that owe the same step as the very first: at most `GROUP`.

        What was tried least comes first: polls come last, and one bad unit cannot speak for all of its product.
        """
        self._tries = dict(self._journal.tries())
        heads: dict[str, OutboxItem] = {}
        for item in self._journal.due(self._clock.utc()):
            if only is None or item.attempt in only:
                heads.setdefault(item.attempt, item)
        free = sorted(filter(self._is_free, heads.values()), key=lambda item: self._tries.get(item, 0))
        return list(itertools.islice((item for item in free if item.action == free[0].action), GROUP))

    def _is_free(self, item: OutboxItem) -> bool:
        """Say whether nothing holds up all work at the place of ``item``."""
        hold = self._holds.get(place_of(item.body)) if self._holds else None
        return hold is None or self._clock.now() >= hold.until

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
        except Exception as error:  # a bug: no verdict about the unit
            log.exception("outbox item %s of %s broke", item.action, item.device_id)
            what = f"owed {item.action} of {item.device_id}"
            self._tell(what, f"{what}: {sentence_of(error)}; it is tried again")
            result = replace(deferred(sentence_of(error), item.body), mender=Mender.PROFILE)
        if result.outcome is Outcome.DEFERRED:
            mender = Mender.PRODUCT if result.say and result.mender is Mender.NOBODY else result.mender
            most_s = pace.LONGEST_S if mender is Mender.NOBODY else pace.PERSON_S
            self._put_off(item, most_s, result.reason, mender)
            if result.say and (key := f"{item.attempt}/{item.action}") not in self._told:  # a person has to act
                self._told.add(key)
                self._publish(self._stuck(item, result.reason, say=result.say))
            return True
        for event in self._journal.settle(item, result.outcome, result.reason, result.proof):
            self._publish(event)
        self._tries.pop(item, None)
        self._causes.pop(item, None)
        self._holds.pop(place_of(item.body), None)
        return True

    def _not_now(self, item: OutboxItem, error: CloudError) -> bool:
        """Postpone ``item`` and report, once, who can fix the cause. False when other items would fail the same way."""
        reason = error.told
        if error.who:
            if error.say not in self._causes.values():
                self._publish(self._stuck(item, reason, say=error.say))
            self._causes[item] = error.say
        if error.is_widespread:
            self._postpone(item, _LONGER * self._retry_s(self._failures + 1), reason, error.mender, EVERYWHERE)
            return False
        self._put_off(item, pace.MEND_S, reason, error.mender, self._held_up(item, error))
        return True

    def _held_up(self, item: OutboxItem, error: CloudError) -> str:
        """Return the place of ``item`` if the second refusal in a row there holds up its work, else "".

        2,400 units of a paused product then cost two requests a round, and not two of each.
        """
        if not error.who:
            return ""
        place = place_of(item.body)
        hold = self._holds[place]
        hold.refused += 1
        if hold.refused < _TWICE:
            return ""
        hold.rounds, hold.refused = hold.rounds + 1, 0
        hold.until = self._clock.now() + pace.pause_s(hold.rounds, pace.MEND_S)
        return place

    def _put_off(self, item: OutboxItem, most_s: float, reason: str, mender: Mender, scope: str = "") -> None:
        """Postpone ``item``, longer after each try and the more such items there are."""
        tries = self._tries[item] = self._tries.get(item, 0) + 1
        pause_s = pace.pause_s(tries, most_s, least_s=LOOK_S * len(self._tries))
        self._journal.postpone(item, pace.next_try(self._clock.utc(), pause_s), reason, mender, scope)
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

    def _postpone(self, item: OutboxItem, seconds: float, reason: str, mender: Mender, scope: str) -> None:
        at = self._clock.utc() + datetime.timedelta(seconds=seconds)
        self._journal.postpone(item, at, reason, mender, scope)

    def _retry_s(self, failures: int) -> float:
        return RETRY_S[min(failures, len(RETRY_S) - 1)]


def _failing(error: Exception, _item: OutboxItem) -> StepResult:
    raise error
