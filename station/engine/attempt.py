"""One attempt: one walk of a profile on one unit in one slot, from the first journal line to the verdict.

The lanes run side by side: the calling (slot) thread speaks to the unit, every other lane has a thread of its
own. All look at the same walk under one condition. An exception of a step becomes an outcome once, here.
"""

from __future__ import annotations

import contextlib
import enum
import logging
from dataclasses import dataclass, replace

from drivers.clock import CancelToken, Clock, ClockThread, Deadline
from drivers.errors import (
    Cancelled,
    Disconnected,
    DriverError,
    OutcomeUnknown,
    Stalled,
    Swapped,
    TransferFailed,
)
from drivers.plain_text import printable

from ..errors import JournalError, JournalHeld, classify_error
from ..model import OutboxItem, Outcome, StepRecord, Verdict
from ..words.say import Say
from . import walk
from .events import AttemptFinished, AttemptStarted, Event, Head, StepFinished, StepStarted
from .ports import JournalPort, Seat, Session
from .records import OutboxQueued
from .step import Emit, ScanDesk, Step, StepContext, StepResult
from .waiting import Waiting
from .walk import Lane, StepPlan

log = logging.getLogger(__name__)

VANISH_GRACE_S = 1.5
"""How long the bus may take to confirm that a unit is gone after a transfer found no device (ABORTED within 2 s)."""


class Stop(enum.Enum):
    """Why an attempt ends before its whole profile is walked: what the operator is told, outcome, reason on record."""

    VANISHED = (Say("unplugged_too_early"), Outcome.ABORTED, "the unit left its port")
    OPERATOR = (Say("stopped_by_operator"), Outcome.ABORTED, "stopped by the operator")
    SHUTDOWN = (Say("station_closing"), Outcome.ABORTED, "the station was asked to stop")
    PART = (Say("part_walked"), Outcome.ABORTED, "only a part of the profile was walked; walk it all for a verdict")

    @property
    def result(self) -> StepResult:
        """The result of a step that was ended for this reason."""
        say, outcome, reason = self.value
        return StepResult(outcome, reason=reason, say=say, is_unit_gone=self is Stop.VANISHED)


@dataclass(frozen=True, slots=True)
class _Judgement:
    """The verdict, the result that decided it, and the step that failed (empty: none)."""

    verdict: Verdict
    result: StepResult
    failed_step: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended, after it was committed and published."""

    verdict: Verdict
    reason: str
    generation: int  # the port's arrival the verdict belongs to; a later one is another visit
    is_unit_gone: bool = False  # unplugged, or swapped for another: the port is free for the next
    unrecorded: tuple[Event, ...] = ()  # events to record once the journal accepts them again


class Attempt:
    """Runs ``work`` to its verdict. Call `run` once, on the slot's thread; `stop` from any thread."""

    def __init__(
        self, seat: Seat, work: Session, clock: Clock, journal: JournalPort, publish: Emit, desk: ScanDesk
    ) -> None:
        self._seat, self._work, self._clock = seat, work, clock
        self._journal, self._publish, self._desk = journal, publish, desk
        self._condition = clock.condition()
        self._finished: dict[str, Outcome] = {}
        self._running: set[str] = set()
        self._results: list[tuple[StepPlan, StepResult]] = []
        self._stop: Stop | None = None
        self._lane_tokens: dict[str, CancelToken] = {}
        self._plans: tuple[StepPlan, ...] = work.plans
        self._is_part = False
        self.is_judged = (
            False  # the verdict is committed and about to be published: later requests concern the next attempt
        )

    @property
    def device_id(self) -> str | None:
        return self._work.device_id

    @property
    def names(self) -> frozenset[str]:
        return self._work.names

    def stop(self, why: Stop) -> None:
        """End the attempt soon; the first reason given wins."""
        with self._condition:
            self._stop = self._stop or why
            self._condition.notify_all()
        self._seat.cancel.cancel()

    def run(self, only: frozenset[str] | None = None) -> Ending:
        """Walk to the end. ``only`` limits the walk to those steps (a technician repeats one); it then never passes."""
        started = self._clock.now()
        if only is not None:
            whole, self._plans = self._plans, walk.limited(self._plans, only)
            self._is_part = len(self._plans) < len(whole)
        names = tuple(plan.name for plan in self._plans)
        first = AttemptStarted(
            port_path=self._seat.port.port_path.value, batch=self._work.batch, profile=self._work.profile,
            steps=names, **self._head(),
        )  # fmt: skip
        missing: tuple[Event, ...] = (first,)
        try:
            with self._waiting():
                self._record(first)
            missing = ()
            others = [self._thread(lane) for lane in Lane if lane is not Lane.UNIT]
            self._lane(Lane.UNIT)
            for thread in others:
                thread.join()
            with self._waiting():
                return self._finish(self._clock.now() - started)
        except JournalError as error:
            return self._without_journal(error, self._clock.now() - started, missing)

    # --- lanes ---

    def _thread(self, lane: Lane) -> ClockThread:
        return self._clock.thread(f"slot-{self._seat.slot.number}-{lane}", lambda: self._lane(lane))

    def _lane(self, lane: Lane) -> None:
        while (plan := self._next(lane)) is not None:
            try:
                result = self._perform(plan)
            except Exception as error:  # the journal or a bug; if this lane died here the other would wait for ever
                result = StepResult(Outcome.ERROR, reason=sentence_of(error), say=classify_error(error).say)
            self._ended(plan, result)  # counts for the verdict even if the journal refused the record

    def _next(self, lane: Lane) -> StepPlan | None:
        """Wait until a step of this lane may start; None when it has none left."""
        with self._condition:
            while True:
                left = [p for p in self._plans if p.lane == lane and p.name not in self._finished]
                if not left or self._is_over():
                    return None
                running = frozenset(self._running)
                for plan in walk.ready(self._plans, self._finished, running, self._work.held_back):
                    if plan.lane == lane:
                        self._running.add(plan.name)
                        return plan
                self._condition.wait()

    def _is_over(self) -> bool:
        return self._stop is not None or walk.is_stopped(self._finished)

    def _ended(self, plan: StepPlan, result: StepResult) -> None:
        with self._condition:
            self._running.discard(plan.name)
            self._finished[plan.name] = result.outcome
            self._lane_tokens.pop(plan.name, None)
            self._results.append((plan, result))
            if walk.is_stopped(self._finished):
                for token in self._lane_tokens.values():
                    token.cancel()
            self._condition.notify_all()

    # --- one step ---

    def _perform(self, plan: StepPlan) -> StepResult:
        started = self._clock.now()
        self._publish(StepStarted(step=plan.name, title=plan.title, **self._head()))
        context = self._context(plan)
        with self._waiting(context):
            result = _as_left(self._guarded(self._work.steps[plan.name], context), context)
        seconds = self._clock.now() - started
        with self._waiting(step=plan.name):
            self._record(
                StepFinished(
                    step=plan.name, outcome=result.outcome, reason=result.reason, proof=result.proof, seconds=seconds,
                    measurements=tuple(context.measurements), **self._head(),
                )
            )  # fmt: skip
        return result

    def _waiting(self, context: StepContext | None = None, step: str = "") -> contextlib.AbstractContextManager[None]:
        """Set how this thread waits for the journal: a running step can be stopped; its end is recorded in any case."""
        return self._journal.waiting_as(Waiting(self._publish, self._head, context.step if context else step, context))

    def _context(self, plan: StepPlan) -> StepContext:
        token = self._seat.cancel if plan.lane is Lane.UNIT else self._lane_token(plan)
        return StepContext(
            step=plan.name, slot=self._seat.slot.number, attempt=self._seat.attempt, clock=self._clock,
            limit_s=plan.limit_s, cancel=token, announce=self._publish,
            record=self._record, desk=self._desk, device_id=self._work.device_id,
        )  # fmt: skip

    def _lane_token(self, plan: StepPlan) -> CancelToken:
        token = self._seat.cancel.child()
        with self._condition:
            self._lane_tokens[plan.name] = token
            if self._is_over():
                token.cancel()
        return token

    def _guarded(self, step: Step, context: StepContext) -> StepResult:
        """Run a step and turn whatever it raises into an outcome. The only place that does."""
        try:
            return step(context)
        except Cancelled:
            return self._interrupted()
        except _OF_A_UNIT_THAT_MAY_BE_GONE as error:
            return self._gone(error)
        except Exception as error:
            judged = classify_error(error)
            if judged.is_bug:
                log.exception("step %s of slot %d broke", context.step, context.slot)
            return StepResult(
                judged.outcome, reason=sentence_of(error), say=judged.say,
                is_unit_gone=isinstance(error, Swapped),
            )  # fmt: skip

    def _interrupted(self) -> StepResult:
        with self._condition:
            if self._stop is not None:
                return self._stop.result
            culprit = next((name for name, o in self._finished.items() if o in _BAD), "another step")
        return StepResult(Outcome.SKIPPED, reason=f"not finished: {culprit} ended the walk")

    def _gone(self, error: DriverError) -> StepResult:
        """Decide whether the unit left, after a transfer found none or broke: by the bus, not by one transfer."""
        port = self._seat.port
        until = Deadline.after(self._clock, VANISH_GRACE_S)
        while not until.expired and port.current is not None and self._stop is None:
            self._clock.sleep(0.05)
        if self._stop is not None:
            return self._stop.result
        if port.current is None:
            return Stop.VANISHED.result
        say = Say("silent") if isinstance(error, Disconnected) else classify_error(error).say
        return StepResult(Outcome.ERROR, reason=sentence_of(error), say=say)

    # --- the end ---

    def _finish(self, seconds: float) -> Ending:
        generation = self._seat.port.generation
        judged = self._judge()
        result, head = judged.result, self._head()
        finished = AttemptFinished(
            verdict=judged.verdict, batch=self._work.batch, failed_step=judged.failed_step, reason=result.reason,
            say=result.say, seconds=seconds, wire=self._wire(judged.verdict), **head,
        )  # fmt: skip
        owed = self._owed(head) if judged.verdict is Verdict.PENDING else ()
        self._journal.record(finished, *owed, *self._work.follows(finished))
        self.is_judged = True
        self._publish(finished)
        if judged.verdict is Verdict.FAIL:
            self._work.signal(True)
        return Ending(judged.verdict, result.reason, generation, result.is_unit_gone)

    def _wire(self, verdict: Verdict) -> tuple[str, ...]:
        return self._work.wire() if verdict in (Verdict.FAIL, Verdict.ERROR) else ()

    def _judge(self) -> _Judgement:
        # if a stop ended two steps, name the one at work on the unit, whichever lane ended first
        results = sorted(self._results, key=lambda pair: pair[0].lane is not Lane.UNIT) if self._stop else self._results
        records = [StepRecord(plan.name, result.outcome, result.reason) for plan, result in results]
        final, bad = walk.verdict(records), walk.failed_step(records)
        stop = self._stop or (Stop.PART if self._is_part and bad is None else None)
        if stop is not None and (bad is None or final < Verdict.ABORTED):
            gone = next((result for _, result in results if result.is_unit_gone), stop.result)
            return _Judgement(
                Verdict.ABORTED, gone if stop is Stop.VANISHED else stop.result, bad.step if bad else ""
            )  # fmt: skip
        if bad is not None:
            worst = next(r for p, r in self._results if p.name == bad.step and r.outcome is bad.outcome)
            return _Judgement(final, worst, bad.step)
        owed = next((result for _, result in self._results if result.outcome is Outcome.DEFERRED), None)
        return _Judgement(final, replace(owed, say=owed.say or Say("pending")) if owed else _PASSED)

    def _owed(self, head: Head) -> tuple[OutboxQueued, ...]:
        device_id = self._work.device_id or ""
        owed = [(plan.name, result) for plan, result in self._results if result.outcome is Outcome.DEFERRED]
        items = tuple(OutboxItem(self._seat.attempt, device_id, name, result.owed) for name, result in owed)
        menders = tuple(result.mender.value for _, result in owed)
        return (OutboxQueued(items=items, menders=menders, **head),) if items else ()

    def _without_journal(self, error: JournalError, seconds: float, missing: tuple[Event, ...]) -> Ending:
        """End without a record, and so without a pass; only the screen can say so for now."""
        finished = AttemptFinished(
            verdict=Verdict.ERROR, batch=self._work.batch, reason=str(error), say=classify_error(error).say,
            seconds=seconds, wire=self._wire(Verdict.ERROR), **self._head(),
        )  # fmt: skip
        self.is_judged = True
        for event in (*missing, finished):
            self._publish(event)
        unrecorded = (*missing, finished) if isinstance(error, JournalHeld) else ()
        return Ending(Verdict.ERROR, str(error), self._seat.port.generation, unrecorded=unrecorded)

    def _record(self, event: Event) -> None:
        self._journal.record(event)
        self._publish(event)

    def _head(self) -> Head:
        return {
            "at": self._clock.utc(), "slot": self._seat.slot.number,
            "device_id": self._work.device_id, "attempt": self._seat.attempt,
        }  # fmt: skip


_LEFT_DARK = frozenset({"unplugged_too_early", "did_not_return"})


def _as_left(result: StepResult, context: StepContext) -> StepResult:
    """If the unit vanished in a cut window, say that it may stay dark and what revives it."""
    if context.cut is None or result.say.key not in _LEFT_DARK:
        return result
    return replace(result, say=context.cut.say, reason=f"{result.reason}. {context.cut.reason}")


_PASSED = StepResult(Outcome.DONE, say=Say("pass"))
_OF_A_UNIT_THAT_MAY_BE_GONE = (Disconnected, TransferFailed, OutcomeUnknown, Stalled)
"""How a transfer may fail while the unit is being unplugged (reference usb-and-serial 3.7)."""
_BAD = frozenset({Outcome.FAILED, Outcome.ERROR, Outcome.ABORTED})


def sentence_of(error: BaseException) -> str:
    """Return the error's own sentence, fit for any screen, or its class name when it has none."""
    return printable(str(error)) or type(error).__name__
