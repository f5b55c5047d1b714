"""Prints labels outside of a walk: the FAIL label of a unit that failed, and a label once more.

One thread a printer, which takes its turn among the slots. Each label is in the journal before it waits here, so a
station that stopped, in whatever way, says at its next start which ones are missing. None is printed then: what lies in
the slots and in the red bin is not what lay there, and a label may have come out unseen.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from drivers.clock import CancelToken, Clock, ClockThread
from drivers.errors import Cancelled

from ..engine.console_events import HandWorkBegun
from ..engine.events import AttemptFinished, AttemptStarted, CommandRefused, Event, StationFault, StationNote
from ..engine.records import LabelsMissed, WriteConfirmed
from ..engine.step import Emit
from ..errors import BadInput, JournalError
from ..labels.printer import LabelPrinter, PrinterTrouble
from ..labels.template import FIELDS, SECRET, Template, values_of
from ..model import Verdict
from ..settings.profile import Profile
from ..steps.label import FACT, SENT, SHIFT_S, TARGET, Print, intended
from ..steps.shared.unit import UnitMemory
from ..words.say import Say

MOST_WAITING = 64
"""Labels that wait for one printer; of more the oldest is dropped, and named."""
MOST_NAMED = 12
"""Labels that a sentence names one by one."""


class Announced(Protocol):
    """A write that was announced; ``slot`` 0: in none."""

    @property
    def attempt(self) -> str | None: ...
    @property
    def device_id(self) -> str | None: ...
    @property
    def target(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def slot(self) -> int: ...


class LabelMemory(UnitMemory, Protocol):
    """What is asked of the journal."""

    def unconfirmed_writes(self) -> Sequence[Announced]:
        """Return what was announced and did not come about, as far as anybody knows, oldest first."""
        ...


BY_HAND = "it is worked on by hand"


@dataclass(frozen=True, slots=True)
class _Job:
    """One label. ``what``: for the record."""

    zpl: bytes
    what: str
    of: AttemptFinished


class LabelDesk:
    """All printing of one station that no walk waits for. Thread-safe.

    ``profile_of``: the profile of a batch of this run; ``memory``: what the journal has of units.
    """

    def __init__(
        self, printers: Mapping[str, LabelPrinter], clock: Clock, profile_of: Callable[[str], Profile | None],
        memory: LabelMemory, publish: Emit, record: Emit,
    ) -> None:  # fmt: skip
        self._printers, self._clock, self._profile_of = printers, clock, profile_of
        self._memory, self._publish, self._record = memory, publish, record
        self._condition, self._token = clock.condition(), clock.token()
        self._jobs: dict[str, collections.deque[_Job]] = {name: collections.deque() for name in printers}
        self._last: dict[int, AttemptFinished] = {}  # by slot, while no other unit is walked there
        self._newest: AttemptFinished | None = None
        self._unproven: set[str | None] = set()  # attempts whose units were worked on by hand since
        self._printing: dict[str, tuple[_Job, CancelToken]] = {}  # by printer
        self._again = itertools.count(1)
        self._threads: list[ClockThread] = []

    def start(self) -> None:
        """Start a thread for each printer."""
        self._threads = [
            self._clock.thread(f"printer-{name}", functools.partial(self._loop, name)) for name in self._printers
        ]

    def stop(self) -> None:
        """End the threads; a label that is handed over may come out. The next start names the others."""
        with self._condition:
            self._token.cancel()
            for _, token in self._printing.values():
                token.cancel()
        for thread in self._threads:
            thread.join()

    def tell_missed(self) -> None:
        """Name the labels that a run before this one announced and nobody saw come out, in one sentence, once."""
        missed = [one for one in self._memory.unconfirmed_writes() if one.target == TARGET and one.attempt]
        named = [self._named(one) for one in missed if not self._has_its_label(one)]
        if not missed:
            return
        more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        reason = (
            f"when the station stopped, these labels had not come out, or nobody knows: {', '.join(named[:MOST_NAMED])}"
            f"{more}; look at the printer, walk those units again, or write the labels"
        )  # fmt: skip
        self._record(
            LabelsMissed(
                at=self._clock.utc(), attempts=tuple(one.attempt or "" for one in missed),
                what=tuple(one.what for one in missed), reason=reason if named else "",
            )
        )  # fmt: skip
        if named:
            self._publish(StationNote(at=self._clock.utc(), reason=reason))

    def _has_its_label(self, write: Announced) -> bool:
        """Whether a later walk of the unit saw to its label."""
        if write.what.startswith(("FAIL label", "label again")):
            return False
        return not self._memory.known_facts(write.device_id or "").get(FACT, SENT).startswith(SENT)

    @staticmethod
    def _named(write: Announced) -> str:
        where = f", slot {write.slot}" if write.slot else ""
        return f"{write.what} of {write.device_id or 'a unit of unknown id'}{where}"

    def saw(self, event: Event) -> None:
        """Take in a verdict: it says whose label a slot would print again, and may want a FAIL label.

        No label of a PASS is printed of a unit that is worked on by hand, until it passes again.
        """
        if isinstance(event, HandWorkBegun):
            self._take_back(event.attempt)
        elif isinstance(event, AttemptStarted):
            with self._condition:
                self._last.pop(event.slot, None)
        elif isinstance(event, AttemptFinished):
            with self._condition:
                self._last[event.slot] = self._newest = event
            wanted = self._wanted(event)
            if wanted is not None and wanted.fail_label is not None:
                for write in wanted.announced(event):  # by the attempt, together with its verdict
                    self._queue(wanted, wanted.fail_label, event, write.what)

    def print_again(self, slot: int | None) -> None:
        """Print the label that ``slot`` has its unit wait for, or that of the unit that had its verdict last.

        ``slot`` None: in any. Refuses where no label is to be printed again, as while another unit is walked there.
        """
        if any(printer.print_another(slot) for printer in self._printers.values()):
            return
        with self._condition:
            last = self._newest if slot is None else self._last.get(slot)
        if last is not None and last.verdict is Verdict.PASS and last.attempt in self._unproven:
            reason = f"slot {last.slot}: its unit was worked on by hand; walk it again first"
            self._publish(CommandRefused(at=self._clock.utc(), say=Say("by_hand"), reason=reason))
            return
        wanted = self._wanted(last) if last is not None else None
        template = wanted.of(last.verdict) if last is not None and wanted is not None else None
        if last is None or wanted is None or template is None:
            reason = f"no label to print again{f' in slot {slot}' if slot else ''}: only a verdict prints one"
            self._publish(CommandRefused(at=self._clock.utc(), say=Say("no_label_again"), reason=reason))
            return
        what = f"label again ({next(self._again)}) to {wanted.printer}"  # each is confirmed by itself
        self._record(intended(last, what))
        self._queue(wanted, template, last, what)

    def _take_back(self, attempt: str | None) -> None:
        """Print no label of a PASS of ``attempt`` any more, and name those that were waiting for that."""
        with self._condition:
            self._unproven.add(attempt)
            void = [
                (jobs, job) for jobs in self._jobs.values() for job in jobs
                if job.of.attempt == attempt and job.of.verdict is Verdict.PASS
            ]  # fmt: skip
            for jobs, job in void:
                jobs.remove(job)
            for job, token in self._printing.values():
                if job.of.attempt == attempt and job.of.verdict is Verdict.PASS:
                    token.cancel()
        for _, job in void:
            self._missed(job, BY_HAND)

    def _wanted(self, event: AttemptFinished) -> Print | None:
        profile = self._profile_of(event.batch)
        return profile.section(Print) if profile is not None else None

    def _queue(self, wanted: Print, template: Template, event: AttemptFinished, what: str) -> None:
        try:
            job = _Job(template.render(self._values(template, event)), what, event)
        except (BadInput, JournalError) as error:
            self._missed(_Job(b"", what, event), str(error))
            return
        with self._condition:
            jobs = self._jobs[wanted.printer]
            dropped = jobs.popleft() if len(jobs) == MOST_WAITING else None
            jobs.append(job)
            self._condition.notify_all()
        if dropped is not None:
            self._missed(dropped, f"{MOST_WAITING} newer ones wait for that printer")

    def _values(self, template: Template, event: AttemptFinished) -> dict[str, str]:
        """Return the values of the unit; a FAIL label says ``-`` for what nobody came to know of it."""
        profile, device_id = self._profile_of(event.batch), event.device_id or ""
        assert profile is not None
        facts = self._memory.known_facts(device_id) | {"device_id": device_id} if device_id else {}
        secret = self._memory.mobile_secret(device_id) if SECRET in template.fields and device_id else None
        values = values_of(
            facts, profile.ref, event.batch, event.at, secret.reveal() if secret is not None else "",
            event.verdict.name, event.reason,
        )  # fmt: skip
        return {name: values.get(name) or "-" for name in FIELDS} if event.verdict is Verdict.FAIL else values

    def _missed(self, job: _Job, why: str) -> None:
        """Name a label that will not be printed; its unit is to be walked again, or its label printed by hand."""
        of = job.of
        head = {"at": self._clock.utc(), "slot": of.slot, "device_id": of.device_id, "attempt": of.attempt}
        unit = of.device_id or "a unit of unknown id"
        reason = f"{job.what} of {unit} ({of.verdict.name}): {why}; print it again, or write it"
        with contextlib.suppress(JournalError):  # the next start names it then
            self._record(LabelsMissed(attempts=(of.attempt or "",), what=(job.what,), reason=reason, **head))  # type: ignore[arg-type]
        self._publish(StationNote(reason=reason, **head))  # type: ignore[arg-type]

    # --- the thread of one printer ---

    def _loop(self, name: str) -> None:
        with contextlib.suppress(Cancelled):
            while True:
                with self._condition:
                    self._condition.wait_for(lambda: bool(self._jobs[name]), None, self._token)
                    job, token = self._jobs[name].popleft(), self._clock.token()
                    self._printing[name] = job, token
                try:
                    self._print(self._printers[name], job, token)
                except Cancelled:
                    self._token.check()
                    self._missed(job, BY_HAND)
                except (JournalError, PrinterTrouble) as error:
                    self._publish(StationFault(at=self._clock.utc(), reason=f"{job.what}: {error}"))

    def _print(self, printer: LabelPrinter, job: _Job, token: CancelToken) -> None:
        of = job.of
        head = {"slot": of.slot, "device_id": of.device_id, "attempt": of.attempt, "step": FACT, "target": TARGET}
        with printer.turn.hold(token, lambda _before: None, rank=of.slot):
            if printer.print_label(job.zpl, token, self._waiting, SHIFT_S):
                self._record(WriteConfirmed(at=self._clock.utc(), what=job.what, **head))  # type: ignore[arg-type]
            else:
                self._missed(job, f"nobody knows whether printer {printer.name} printed it; look")

    @contextlib.contextmanager
    def _waiting(self, says: Say) -> Iterator[None]:
        what = says.key.removeprefix("printer_")
        self._publish(StationNote(at=self._clock.utc(), reason=f"a label waits for printer {says.values[0]}: {what}"))
        yield
