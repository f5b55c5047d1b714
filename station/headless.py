"""The bench without a screen: the same events, one a line, as words or as JSON."""

from __future__ import annotations

import collections
import json
import threading
from collections.abc import Callable
from typing import TextIO

from .engine.events import (
    AttemptFinished,
    AttemptStarted,
    BatchOpened,
    BatchSummary,
    CloudStateChanged,
    CommandRefused,
    Event,
    HandsNeeded,
    OutboxSettled,
    OwedWorkStuck,
    ScanRead,
    StationFault,
    StationStarted,
    StationStopped,
    StepFinished,
    StepHeld,
    StepProgress,
    StepResumed,
    UnitIdentified,
    UnmappedPort,
    VerdictRevised,
)
from .local_time import clock_time
from .model import VERDICT_WORD, SlotInfo, Verdict
from .plain_text import clean
from .view.words import line

MAX_WAITING = 50_000
"""Lines that wait for a slow reader: some minutes of a full bench."""
CLOSE_S = 10.0


def _where(event: Event) -> str:
    return f"slot {event.slot}" if event.slot else "station"


def _station(event: StationStarted) -> str:
    """What the header of a screen says first."""
    pace = "simulated time" if event.speed is None else f"time {event.speed:.2g} times as fast"
    kind = f", VIRTUAL units{'' if event.speed == 1.0 else f', {pace}'}" if event.virtual else ""
    cloud = {None: "was not asked yet", True: "answers", False: "does not answer"}[event.cloud]
    return f"station {event.station_id}: {len(event.slots)} slots{kind}; cloud {cloud}; {_watched(event.slots)}"


def _watched(slots: tuple[SlotInfo, ...]) -> str:
    """Where a unit is looked for, and that it is waited for."""
    ports = ", ".join(slot.port_path for slot in slots if slot.port_path)
    where = f"USB port{'s' if ',' in ports else ''} {ports}" if ports else "every USB port"
    return f"watches {where} and waits for a unit"


def _held(event: StepHeld) -> str:
    queue = f" {line('before_it', (str(event.before),))}" if event.before else ""
    return f"{event.step or 'the record'} WAITS: {line(event.say.key, event.say.values)}{queue}"


def _scan(event: ScanRead) -> str:
    answer = line(event.say.key, event.say.values) if event.say else event.reason or "taken"
    return f"scan {event.shown}: {answer}"


def _step(event: Event) -> str:
    assert isinstance(event, StepFinished)
    return f"{event.step}: {event.outcome.value} ({event.proof or event.reason}) {event.seconds:.1f} s"


_WORDS: dict[type[Event], Callable[..., str]] = {
    StationStarted: _station,
    StationStopped: lambda e: f"stopped: {e.reason}",
    BatchOpened: lambda e: f"batch {e.batch.id}: {e.title} revision {e.batch.profile.revision}",
    AttemptStarted: lambda e: f"attempt {e.attempt} with {e.profile or 'no profile'}",
    UnitIdentified: lambda e: (
        f"{e.platform} {e.label}" + (f", seen before: {VERDICT_WORD[e.seen.verdict]}" if e.seen else "")
    ),
    StepFinished: _step,
    HandsNeeded: lambda e: f"YOUR TURN: {line(e.say.key, e.say.values)}" + (f" ({e.led})" if e.led else ""),
    ScanRead: _scan,
    StepHeld: _held,
    StepResumed: lambda e: f"{e.step or 'the record'} goes on",
    AttemptFinished: lambda e: (
        f"{VERDICT_WORD[e.verdict]} in {e.seconds:.1f} s" + (f": {e.reason}" if e.reason else "")
    ),
    OutboxSettled: lambda e: f"owed {e.action} of {e.device_id}: {e.outcome.value} {e.reason or e.proof}",
    OwedWorkStuck: lambda e: f"owed {e.action} of {e.device_id} WAITS: {e.reason}",
    VerdictRevised: lambda e: f"{e.device_id} is now {VERDICT_WORD[e.verdict]}" + (f": {e.reason}" if e.reason else ""),
    CloudStateChanged: lambda e: "cloud answers" if e.reachable else f"cloud does not answer: {e.reason}",
    UnmappedPort: lambda e: f"a unit on port {e.port_path}, which is no slot's",
    CommandRefused: lambda e: f"not done: {e.reason}",
    StationFault: lambda e: f"station fault: {e.reason}",
}


def as_words(event: Event) -> str | None:
    """One line for a person; None for events that are only for a screen."""
    words = _WORDS.get(type(event))
    return None if words is None else clean(f"{clock_time(event.at)}  {_where(event):8}  {words(event)}")


def as_json(event: Event) -> str | None:
    """One JSON object, in ASCII for any terminal; progress is left out, as a log has no use for it."""
    return None if isinstance(event, StepProgress) else json.dumps(event.to_json())


class Printer:
    """Writes events as they come, on a thread of its own: a reader who stalls never stalls a slot.

    A reader who went away is no error, but the end of the writing. Up to ``MAX_WAITING`` lines wait for a slow
    one; what comes beyond is counted, and the count is told as soon as there is room.
    """

    def __init__(self, out: TextIO, form: Callable[[Event], str | None]) -> None:
        self._out, self._form = out, form
        self._room = threading.Condition()
        self._lines: collections.deque[str] = collections.deque()
        self._lost = 0
        self._is_closing = self._is_deaf = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        line = self._form(event)
        if line is None or self._is_deaf:
            return
        with self._room:
            if len(self._lines) >= MAX_WAITING:
                self._lost += 1
                return
            if self._lost:
                reason = f"{self._lost} events were not printed: whoever reads them is too slow"
                self._lost = 0
                self._lines.append(self._form(StationFault(at=event.at, reason=reason)) or reason)
            self._lines.append(line)
            self._room.notify_all()

    def close(self) -> None:
        """Write what still waits, for ten seconds at most.

        Raises what ended the writing, unless it was the reader who left.
        """
        with self._room:
            self._is_closing = True
            self._room.notify_all()
        self._thread.join(CLOSE_S)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while (line := self._next()) is not None:
            try:
                self._out.write(line + "\n")
                self._out.flush()
            except Exception as error:  # kept for `close`: a thread that dies in silence tells nobody
                self._is_deaf = True
                self._error = None if isinstance(error, BrokenPipeError) else error
                return

    def _next(self) -> str | None:
        with self._room:
            self._room.wait_for(lambda: bool(self._lines) or self._is_closing)
            return self._lines.popleft() if self._lines else None


class Tally:
    """The last verdict of every unit, for the summary and the exit status."""

    def __init__(self) -> None:
        self._verdicts: dict[str, Verdict] = {}
        self._faults = 0
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, AttemptFinished | VerdictRevised):
                self._verdicts[event.device_id or f"{event.slot}/{event.attempt}"] = event.verdict
            elif isinstance(event, StationFault):
                self._faults += 1

    @property
    def units(self) -> dict[str, int]:
        """Units by verdict, worst last."""
        with self._lock:
            counted = collections.Counter(self._verdicts.values())
        return {verdict.name: counted[verdict] for verdict in sorted(counted)}

    @property
    def exit_status(self) -> int:
        """0 all PASS, 1 some unit not PASS, 3 the station itself failed."""
        with self._lock:
            if self._faults and not self._verdicts:
                return 3
            return int(any(verdict is not Verdict.PASS for verdict in self._verdicts.values()))

    @property
    def exit_status_of_screen(self) -> int:
        """0 whatever became of the units: a person saw their verdicts and left. 3: the station itself failed."""
        status = self.exit_status
        return status if status == 3 else 0


def summary_words(summary: BatchSummary) -> str:
    units = ", ".join(f"{count} {VERDICT_WORD[Verdict[name]]}" for name, count in summary.units.items()) or "no unit"
    return (
        f"{units} in {summary.seconds:.0f} s; flash writes {summary.flash_writes},"
        f" cloud writes {summary.cloud_writes}, transfers {summary.transfers}\n"
    )
