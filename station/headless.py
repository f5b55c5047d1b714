"""Print the events of a bench without a screen, one a line, as words or as JSON."""

from __future__ import annotations

import collections
import json
import threading
from collections.abc import Callable
from typing import Any, TextIO

from drivers.plain_text import escaped

from .engine.console_events import ConsoleClosed, ConsoleOpened, HandWorkBegun
from .engine.events import (
    AttemptFinished,
    AttemptStarted,
    BatchOpened,
    BatchSealShown,
    BatchSummary,
    CloudStateChanged,
    CommandDone,
    CommandRefused,
    Event,
    HandsNeeded,
    LightSeen,
    OutboxSettled,
    OwedWorkStuck,
    ScanRead,
    SlotPutBack,
    SlotTakenOut,
    StationFault,
    StationNote,
    StationStarted,
    StationStopped,
    StepFinished,
    StepHeld,
    StepProgress,
    StepResumed,
    UnitArrived,
    UnitIdentified,
    UnmappedPort,
    VerdictRevised,
)
from .engine.records import ListImported
from .local_time import clock_time
from .model import TRIAL, SlotInfo, Verdict
from .words.catalogue import Words
from .words.cells import pad
from .words.say import Say

MAX_WAITING = 50_000
"""Lines that wait for a slow reader: some minutes of a full bench."""
CLOSE_S = 10.0


def _station(event: StationStarted, words: Words) -> str:
    """Say what the header of a screen would say first."""
    text = words.text
    cloud = {None: text("headless-cloud-unknown"), True: text("headless-cloud-up"), False: text("headless-cloud-down")}
    slots = text("headless-slots", count=len(event.slots))
    told = {"station": event.station_id, "slots": slots, "cloud": cloud[event.cloud]}
    watched = _watched(event.slots, words)
    if not event.virtual:
        return text("headless-started", **told, watched=watched)
    if event.speed == 1.0:
        return text("headless-started-virtual", **told, watched=watched)
    faster = event.speed is not None and text("headless-faster", times=words.figure(f"{event.speed:.2g}"))
    return text("headless-started-paced", **told, watched=watched, pace=faster or text("headless-simulated"))


def _watched(slots: tuple[SlotInfo, ...], words: Words) -> str:
    """Name the ports being watched."""
    ports = ", ".join(slot.port_path for slot in slots if slot.port_path)
    if not ports:
        return words.text("headless-watches-all")
    return words.text("headless-watches-ports" if "," in ports else "headless-watches-port", ports=ports)


def _identified(event: UnitIdentified, words: Words) -> str:
    unit = f"{event.platform} {event.label}"
    return words.text("headless-seen", unit=unit, verdict=event.seen.verdict.name) if event.seen else unit


def _step(event: StepFinished, words: Words) -> str:
    why = f"{event.outcome.value} ({event.proof or event.reason}) {words.tenths(event.seconds)}"
    return words.text("log-why", what=event.step, why=why)


def _hands(event: HandsNeeded, words: Words) -> str:
    asked = words.text("headless-hands", face=words.face("hands").word, what=words.line(event.say))
    return asked + (f" ({words.led(event.led)})" if event.led else "")


def _held(event: StepHeld, words: Words) -> str:
    queue = [words.line(Say("before_it", count=str(event.before)))] if event.before else []
    step = event.step or words.text("headless-record")
    return words.text("headless-held", step=step, what=words.joined([words.line(event.say), *queue]))


def _scan(event: ScanRead, words: Words) -> str:
    answer = words.line(event.say) if event.say else event.reason or words.text("headless-taken")
    return words.text("headless-scan", read=event.shown, what=answer)


def _finished(event: AttemptFinished, words: Words) -> str:
    ended = words.text("log-ended", verdict=event.verdict.name, took=words.tenths(event.seconds))
    return _because(ended, event.reason, words)


def _revised(event: VerdictRevised, words: Words) -> str:
    now = words.text("headless-revised", unit=event.device_id or "", verdict=event.verdict.name)
    return _because(now, event.reason, words)


def _because(what: str, why: str, words: Words) -> str:
    return words.text("log-why", what=what, why=why) if why else what


def _settled(event: OutboxSettled, words: Words) -> str:
    what = f"{event.outcome.value} {event.reason or event.proof}"
    return words.text("headless-owed", action=event.action, unit=event.device_id or "", what=what)


def _cloud(event: CloudStateChanged, words: Words) -> str:
    if event.reachable:
        return words.text("headless-cloud-answers")
    return words.text("headless-cloud-gone", why=event.reason)


def _batch(event: BatchOpened, words: Words) -> str:
    revision = str(event.batch.profile.revision)
    told = words.text("headless-batch", batch=event.batch.id, title=event.title, revision=revision)
    return words.text("header-trial", product=told) if event.batch.release == TRIAL else told


def _list(event: ListImported, words: Words) -> str:
    lines = ", ".join(f"{count} {state}" for state, count in event.lines.items())
    return words.text("headless-list", list=event.file, product=str(event.product), lines=lines)


_WORDS: dict[type[Event], Callable[[Any, Words], str]] = {
    ListImported: _list,
    StationStarted: _station,
    StationStopped: lambda e, words: words.text("headless-stopped", why=e.reason),
    BatchOpened: _batch,
    AttemptStarted: lambda e, words: words.text(
        "headless-attempt", attempt=e.attempt, profile=e.profile or words.text("headless-no-profile")
    ),
    UnitIdentified: _identified,
    StepFinished: _step,
    HandsNeeded: _hands,
    ScanRead: _scan,
    StepHeld: _held,
    StepResumed: lambda e, words: words.text("headless-resumed", step=e.step or words.text("headless-record")),
    AttemptFinished: _finished,
    OutboxSettled: _settled,
    OwedWorkStuck: lambda e, words: words.text(
        "headless-stuck", action=e.action, unit=e.device_id or "", what=e.reason
    ),
    VerdictRevised: _revised,
    CloudStateChanged: _cloud,
    UnitArrived: lambda e, _words: e.reason,
    UnmappedPort: lambda e, words: words.text("headless-stranger", port=e.port_path),
    SlotTakenOut: lambda e, words: words.text("headless-off", why=e.why),
    SlotPutBack: lambda _, words: words.text("headless-on"),
    CommandRefused: lambda e, words: words.text("headless-refused", why=e.reason),
    CommandDone: lambda e, words: words.text(f"did-{e.did}", what=e.what),
    HandWorkBegun: lambda _, words: words.text("hand-work"),
    ConsoleOpened: lambda _, words: words.text("console-opened"),
    ConsoleClosed: lambda e, words: words.text(f"console-ended-{e.why}", slot=str(e.slot), why=e.reason),
    LightSeen: lambda e, words: words.text("log-why", what=words.text("details-light"), why=words.led(e.light)),
    BatchSealShown: lambda e, words: words.line(Say("batch_sealed", batch=e.batch, key=e.key)),
    StationFault: lambda e, words: words.text("headless-fault", why=e.reason),
    StationNote: lambda e, words: words.text("headless-note", why=e.reason),
}  # fmt: skip


def as_words(event: Event, words: Words) -> str | None:
    """Format an event for a person; None for events meant only for a screen. Reasons stay as recorded, in English."""
    told = _WORDS.get(type(event))
    if told is None or (isinstance(event, UnitArrived) and not event.say):
        return None
    where = words.text("log-slot", slot=str(event.slot)) if event.slot else words.text("headless-station")
    return escaped(f"{clock_time(event.at, words.tz)}  {pad(where, 8)}  {told(event, words)}")


def as_json(event: Event) -> str | None:
    """Format an event as one JSON object, ASCII only; None for progress, which a log has no use for."""
    return None if isinstance(event, StepProgress) else json.dumps(event.to_json())


class Printer:
    """Writes events as they come, on a thread of its own: a reader who stalls never stalls a slot.

    When the reader goes away, writing ends without an error. Up to ``MAX_WAITING`` lines are queued for a slow
    reader; lines beyond that are counted, and the count is printed once there is room.
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
        """Write what is still queued, for at most ten seconds.

        Raises whatever ended the writing, unless the reader left.
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
    """Keeps the last verdict of every unit, for the summary and the exit status.

    An attempt on something that never told its Device ID is no unit (`station.figures`), but nothing that passed.
    """

    def __init__(self) -> None:
        self._verdicts: dict[str, Verdict] = {}  # by Device ID
        self._nameless: list[Verdict] = []
        self._faults = 0
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, AttemptFinished | VerdictRevised):
                if event.device_id is None:
                    self._nameless.append(event.verdict)
                else:
                    self._verdicts[event.device_id] = event.verdict
            elif isinstance(event, StationFault):
                self._faults += 1

    @property
    def units(self) -> dict[str, int]:
        """Count the units by verdict, worst last."""
        with self._lock:
            counted = collections.Counter(self._verdicts.values())
        return {verdict.name: counted[verdict] for verdict in sorted(counted)}

    @property
    def exit_status(self) -> int:
        """Return 0 if all units passed, 1 if some did not, 3 if the station itself failed."""
        with self._lock:
            ends = (*self._verdicts.values(), *self._nameless)
            if self._faults and not ends:
                return 3
            return int(any(verdict is not Verdict.PASS for verdict in ends))

    @property
    def exit_status_of_screen(self) -> int:
        """Return 3 if the station itself failed, else 0: a person saw the verdicts before leaving."""
        status = self.exit_status
        return status if status == 3 else 0


def summary_words(summary: BatchSummary, words: Words) -> str:
    """Sum up a run in one line."""
    units = ", ".join(f"{count} {words.verdict(Verdict[name])}" for name, count in summary.units.items())
    line = words.text(
        "headless-summary", units=units or words.text("headless-no-unit"), seconds=f"{summary.seconds:.0f}",
        flash=str(summary.flash_writes), cloud=str(summary.cloud_writes), transfers=str(summary.transfers),
    )  # fmt: skip
    return f"{line}\n"
