"""Runs one thread per slot: waits for a unit, runs its attempt, keeps the verdict until the unit leaves.

Decides nothing about steps (`walk`) or ports (`line`), and never touches another slot.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, replace

from drivers.clock import CancelToken, Clock, ClockThread
from drivers.errors import Cancelled, Disconnected
from drivers.hotplug import PortWatch

from ..errors import JournalError, JournalHeld, NoBatchOpen, classify_error
from ..model import OUTCOME_VERDICT, SlotInfo, Verdict
from ..scan.reading import Reading
from ..words.say import NOTHING
from .attempt import Attempt, Ending, Stop, sentence_of
from .commands import EnterMode, OpenConsole
from .console import Conversation
from .console_events import ConsoleClosed
from .entering import enter
from .events import (
    AttemptFinished,
    AttemptStarted,
    CommandDone,
    CommandRefused,
    Event,
    HandsNeeded,
    Head,
)
from .ports import JournalPort, Seat, SessionOpener
from .scanner import ScannerTurn, SlotDesk
from .step import Emit
from .waiting import Waiting

log = logging.getLogger(__name__)

RECORD_AGAIN_S = 5.0
"""How often a slot tries again to record an attempt whose end the journal could not take in time."""
GONE_S = 0.5
"""Seconds from a transfer that failed until the enumerator tells that its unit is gone."""


@dataclass(frozen=True, slots=True)
class _Job:
    """Work queued for an idle slot. ``steps`` None walks everything.

    ``signal`` only switches the LED signal, ``mode`` only brings the unit into one, ``console`` only opens that.
    """

    steps: frozenset[str] | None = None
    signal: bool | None = None
    mode: EnterMode | None = None
    console: OpenConsole | None = None

    @property
    def is_walk(self) -> bool:
        return self.signal is None and self.mode is None and self.console is None


class SlotRunner:
    """Owns the thread of one slot. Call `start`, then `port_changed` on every arrival and departure.

    ``scanner``: shared by all slots of a bench.
    """

    def __init__(
        self,
        slot: SlotInfo,
        port: PortWatch,
        clock: Clock,
        bench: SessionOpener,
        journal: JournalPort,
        publish: Emit,
        scanner: ScannerTurn | None = None,
    ) -> None:
        self.slot, self.port = slot, port
        self._clock, self._bench, self._journal, self._publish = clock, bench, journal, publish
        self._condition = clock.condition()
        self._desk = SlotDesk(clock, scanner or ScannerTurn(clock), slot.number, lambda: self.names)
        self._jobs: list[_Job] = []
        self._attempt: Attempt | None = None
        self._errands: CancelToken | None = None  # of what is done outside of an attempt now
        self._talk: Conversation | None = None  # at the unit's console now
        self._judged: frozenset[str] = frozenset()  # identities of the unit that had the last attempt
        self._handled = -1  # generation of the port whose unit has its verdict
        self._batches = 0  # how often the open batches changed since the station started
        self._awaits_batch = False  # the unit on the port does
        self._unrecorded: tuple[Event, ...] = ()  # of an attempt that ended while the journal was unavailable
        self._is_stopping = False
        self._thread: ClockThread | None = None

    def start(self) -> None:
        """Start the slot's thread."""
        self._thread = self._clock.thread(f"slot-{self.slot.number}", self._loop)

    def stop(self) -> None:
        """Ask the running attempt and the thread to end; `join` waits for both."""
        with self._condition:
            self._is_stopping = True
            attempt = self._attempt
            self._condition.notify_all()
            if self._talk is not None:
                self._talk.end("stopping")
            if self._errands is not None:
                self._errands.cancel()
        if attempt is not None:
            attempt.stop(Stop.SHUTDOWN)

    def join(self) -> None:
        """Wait until the thread of a stopped runner has ended."""
        if self._thread is not None:
            self._thread.join()

    # --- called by the line, on its threads ---

    def port_changed(self) -> None:
        """Take note of an arrival or departure: wake up, or end the attempt whose unit left unexpectedly."""
        with self._condition:
            attempt, talk = self._attempt, self._talk
            self._condition.notify_all()
        if self.port.current is not None or self.port.is_restart_expected:
            return
        if attempt is not None:
            attempt.stop(Stop.VANISHED)
        if talk is not None:
            talk.end("left")

    def batches_changed(self) -> None:
        """Take note that a batch was opened or closed: a unit that waits for one is looked at again."""
        with self._condition:
            self._batches += 1
            is_awaited, self._awaits_batch = self._awaits_batch, False
        if is_awaited:
            self._ask(_Job())

    def abort(self) -> None:
        """End the running attempt as stopped by the operator."""
        with self._condition:
            attempt = self._attempt
        if attempt is not None:
            attempt.stop(Stop.OPERATOR)

    def retry(self, steps: frozenset[str] | None = None) -> None:
        """Walk the unit again (or only ``steps``) as soon as the slot is idle."""
        self._ask(_Job(steps=steps))

    def signal(self, on: bool) -> None:
        """Switch the unit's LED signal on or off as soon as the slot is idle."""
        self._ask(_Job(signal=on))

    def enter(self, command: EnterMode) -> None:
        """Bring the unit into the mode asked for as soon as the slot is idle."""
        self._ask(_Job(mode=command))

    def open_console(self, command: OpenConsole) -> None:
        """Open the unit's console as soon as the slot is idle; whatever is asked of the slot next closes it."""
        self._ask(_Job(console=command))

    def type(self, text: str) -> None:
        """Send ``text`` to the console that is open; without one nothing happens."""
        talk = self._talk
        if talk is not None:
            talk.type(text)

    def close_console(self) -> None:
        """Close the console, or do not open it any more."""
        with self._condition:
            self._jobs = [job for job in self._jobs if job.console is None]
            if self._talk is not None:
                self._talk.end("closed")

    def scan(self, read: Reading) -> None:
        """Queue a scan for the step that asks for one."""
        self._desk.put(read)

    @property
    def is_waiting_scan(self) -> bool:
        return self._desk.is_waiting

    @property
    def is_running(self) -> bool:
        return self._attempt is not None

    @property
    def is_unjudged(self) -> bool:
        """Whether an attempt is running whose verdict is not published yet."""
        attempt = self._attempt
        return attempt is not None and not attempt.is_judged

    @property
    def names(self) -> frozenset[str]:
        """Every identity known of the unit in this slot; empty once it left."""
        with self._condition:
            if self._attempt is not None:
                return self._attempt.names
            is_there = self.port.current is not None and self.port.generation == self._handled
            return self._judged if is_there else frozenset()

    def neighbour(self, number: str) -> int:
        """Return the other slot whose unit has that number; 0 if none has."""
        return self._desk.neighbour(number)

    # --- the slot's own thread ---

    def _ask(self, job: _Job) -> None:
        """Queue ``job``, replacing a queued one of the same kind."""
        with self._condition:
            self._jobs = [other for other in self._jobs if other.is_walk is not job.is_walk]
            self._jobs.append(job)
            if self._talk is not None:
                self._talk.end("walk" if job.is_walk else "command")
            self._condition.notify_all()

    def _has_work(self) -> bool:
        return self._is_stopping or (
            self.port.current is not None and (bool(self._jobs) or self.port.generation != self._handled)
        )

    def _loop(self) -> None:
        while True:
            with self._condition:
                has_work = self._condition.wait_for(self._has_work, RECORD_AGAIN_S if self._unrecorded else None)
                is_stopping = self._is_stopping
            self._record_late()
            if is_stopping:
                return
            if not has_work:
                continue
            with self._condition:
                if self.port.generation != self._handled:  # those jobs were for the unit before this one
                    self._jobs.clear()
                job = self._jobs.pop(0) if self._jobs else _Job()
            if job.is_walk:
                self._run(job)
            else:
                self._errand(job)

    def _record_late(self) -> None:
        """Record an attempt that ended while the journal was unavailable; its unit is then walked again."""
        if not self._unrecorded:
            return
        try:
            self._journal.record(*self._unrecorded)
        except JournalHeld:
            return
        except JournalError as error:
            log.error("slot %d: an attempt has no end in the journal: %s", self.slot.number, error)
        else:
            self._handled = -1
        self._unrecorded = ()

    def _head(self, attempt: str) -> Head:
        return {"at": self._clock.utc(), "slot": self.slot.number, "device_id": None, "attempt": attempt}

    def _run(self, job: _Job) -> None:
        seat = Seat(self.slot, self.port, f"a-{secrets.token_hex(6)}", self._clock.token())
        with self._condition:
            generation, batches, self._awaits_batch = self.port.generation, self._batches, False
        self._desk.clear()
        try:
            work = self._bench.open(seat)
        except NoBatchOpen as error:
            self._await_batch(error, job, generation, batches)
            return
        except Exception as error:
            with self._journal.waiting_as(Waiting(self._publish, lambda: self._head(seat.attempt))):
                self._refuse(seat, error)
            self._handled = generation
            return
        attempt = Attempt(seat, work, self._clock, self._journal, self._publish, self._desk)
        with self._condition:
            self._attempt = attempt
            is_too_late = self._is_stopping
        if is_too_late:
            attempt.stop(Stop.SHUTDOWN)
        self.port_changed()
        try:
            ending = attempt.run(job.steps)
        finally:
            work.close()
            with self._condition:
                self._judged, self._attempt = attempt.names, None
        self._settle(ending, generation)
        self._unrecorded += ending.unrecorded

    def _await_batch(self, error: NoBatchOpen, job: _Job, generation: int, batches: int) -> None:
        """Ask to open a batch or to take the unit out, and leave it unjudged; ``batches``: their count at the look."""
        with self._condition:
            if self._handled != generation:
                self._judged = frozenset()  # that was another unit
            self._handled = generation
            self._awaits_batch = self._batches == batches
        if self._awaits_batch:
            self._publish(HandsNeeded(at=self._clock.utc(), slot=self.slot.number, step="", say=error.say))
        else:  # they changed meanwhile
            self._ask(job)

    def _settle(self, ending: Ending, began: int) -> None:
        """Note which arrival the verdict belongs to: a unit on the port after that one left is new.

        ``began``: generation of the port when the attempt began. If it is still the same, no new unit can be there,
        so one that reports another Device ID at every read is not walked again and again.
        """
        with self._condition:
            if not ending.is_unit_gone or self.port.generation == began:
                self._handled = ending.generation

    def _refuse(self, seat: Seat, error: Exception) -> None:
        """Record an attempt that ended before a session could be opened, with the reason."""
        judged = classify_error(error)
        if judged.is_bug:
            log.exception("slot %d: no attempt could be set up", self.slot.number)
        head = {"slot": self.slot.number, "attempt": seat.attempt}
        started = AttemptStarted(at=self._clock.utc(), port_path=self.port.port_path.value, **head)  # type: ignore[arg-type]
        finished = AttemptFinished(
            at=self._clock.utc(), verdict=OUTCOME_VERDICT[judged.outcome], reason=sentence_of(error),
            failed_step="identify", say=judged.say, **head,  # type: ignore[arg-type]
        )  # fmt: skip
        try:
            self._journal.record(started, finished)
        except JournalError as failure:  # no record, no verdict but ERROR
            finished = replace(
                finished,
                verdict=Verdict.ERROR,
                reason=sentence_of(failure),
                say=classify_error(failure).say,
            )
            self._unrecorded += (started, finished) if isinstance(failure, JournalHeld) else ()
        self._publish(started)
        self._publish(finished)

    def _errand(self, job: _Job) -> None:
        """Do what a technician asked of the unit outside of an attempt, and publish whether it worked.

        A restart in it is no new arrival: the verdict of the unit stays.
        """
        token = self._clock.token()
        talk = None
        if job.console is not None:
            talk = Conversation(job.console, self._clock, token, self._publish, self._journal.record)
        with self._condition:
            self._errands, self._talk, began = token, talk, self.port.generation
            if self._is_stopping:
                token.cancel()
        try:
            done = self._carried_out(job, Seat(self.slot, self.port, "", token), talk)
        except Cancelled:
            if talk is None:
                return
            done = talk.ended()
        except Exception as error:
            self._publish(self._not_done(error, talk))
            return
        finally:
            with self._condition:
                self._errands = self._talk = None
        if not (isinstance(done, ConsoleClosed) and done.why == "left"):
            with self._condition:
                if self._handled == began:
                    self._handled = self.port.generation
        self._publish(done)

    def _not_done(self, error: Exception, talk: Conversation | None) -> Event:
        """Say why what was asked of the unit could not be done, or broke off."""
        if classify_error(error).is_bug:
            log.exception("slot %d: what was asked of its unit broke", self.slot.number)
        if talk is None:
            say = error.say if isinstance(error, NoBatchOpen) else NOTHING
            return CommandRefused(at=self._clock.utc(), slot=self.slot.number, say=say, reason=sentence_of(error))
        self._clock.sleep(GONE_S)  # a port breaks off a moment before the unit is seen to leave
        if self.port.current is None:
            talk.end("left")
        return talk.ended(sentence_of(error))

    def _carried_out(self, job: _Job, seat: Seat, talk: Conversation | None) -> Event:
        work = self._bench.open(seat)
        head = {"at": self._clock.utc(), "slot": self.slot.number}
        try:
            if talk is not None:
                with self._journal.waiting_as(Waiting(self._publish, talk.head, cancel=seat.cancel)):
                    talk.hold(work)
                return talk.ended()
            if job.mode is not None:
                return enter(job.mode, work, self._clock, seat.cancel, self._journal, self._publish)
            if work.signal(bool(job.signal)):
                return CommandDone(**head, did="light-on" if job.signal else "light-off")  # type: ignore[arg-type]
        finally:
            work.close()
        raise Disconnected("the light cannot be switched; the unit's application has to run for that")
