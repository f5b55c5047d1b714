"""Prints labels outside of a walk: the FAIL label of a unit that failed, and a label once more.

One thread a printer, which takes its turn among the slots. What waits here when the station stops is not printed: the
screen and the journal name each such label.
"""

from __future__ import annotations

import collections
import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from drivers.clock import CancelToken, Clock, ClockThread
from drivers.errors import Cancelled

from ..engine.console_events import ConsoleOpened
from ..engine.events import AttemptFinished, CommandRefused, Event, StationFault, StationNote
from ..engine.records import WriteConfirmed, WriteIntended
from ..engine.step import Emit
from ..errors import BadInput, JournalError
from ..labels.printer import LabelPrinter, PrinterTrouble
from ..labels.template import FIELDS, SECRET, Template, values_of
from ..model import Verdict
from ..settings.profile import Profile
from ..steps.label import SHIFT_S, Print
from ..steps.shared.unit import UnitMemory
from ..words.say import Say

MOST_WAITING = 64
"""Labels that wait for one printer; of more the oldest is dropped, and named."""

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
        memory: UnitMemory, publish: Emit, record: Emit,
    ) -> None:  # fmt: skip
        self._printers, self._clock, self._profile_of = printers, clock, profile_of
        self._memory, self._publish, self._record = memory, publish, record
        self._condition, self._token = clock.condition(), clock.token()
        self._jobs: dict[str, collections.deque[_Job]] = {name: collections.deque() for name in printers}
        self._last: dict[int, AttemptFinished] = {}  # by slot
        self._unproven: set[str | None] = set()  # attempts whose units were worked on by hand since
        self._printing: dict[str, tuple[_Job, CancelToken]] = {}  # by printer
        self._threads: list[ClockThread] = []

    def start(self) -> None:
        """Start a thread for each printer."""
        self._threads = [
            self._clock.thread(f"printer-{name}", functools.partial(self._loop, name)) for name in self._printers
        ]

    def stop(self) -> None:
        """End the threads; the label under way may come out. Those that did not are named, for good."""
        with self._condition:
            self._token.cancel()
            for _, token in self._printing.values():
                token.cancel()
        for thread in self._threads:
            thread.join()
        for jobs in self._jobs.values():
            while jobs:
                self._missed(jobs.popleft(), "the station stopped")

    def saw(self, event: Event) -> None:
        """Take in a verdict: it says whose label a slot would print again, and may want a FAIL label.

        No label of a PASS is printed of a unit that is worked on by hand, until it passes again.
        """
        if isinstance(event, ConsoleOpened):
            self._take_back(event.attempt)
        elif isinstance(event, AttemptFinished):
            with self._condition:
                self._last[event.slot] = event
            wanted = self._wanted(event)
            template = wanted.of(event.verdict) if wanted is not None else None
            if event.verdict is Verdict.FAIL and wanted is not None and template is not None:
                self._queue(wanted, template, event, "FAIL label")

    def print_again(self, slot: int | None) -> None:
        """Print the label of the unit that had its verdict last, in ``slot`` or (None) in any; else refuse."""
        with self._condition:
            known = [one for one in self._last.values() if slot in (None, one.slot)]
        last = max(known, key=lambda one: one.at, default=None)
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
        self._queue(wanted, template, last, "label again")

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
            zpl = template.render(self._values(template, event))
        except (BadInput, JournalError) as error:
            self._publish(StationFault(at=self._clock.utc(), reason=str(error)))
            return
        with self._condition:
            jobs = self._jobs[wanted.printer]
            dropped = jobs.popleft() if len(jobs) == MOST_WAITING else None
            jobs.append(_Job(zpl, f"{what} to {wanted.printer}", event))
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
        unit = job.of.device_id or "a unit of unknown id"
        note = StationNote(
            at=self._clock.utc(), slot=job.of.slot, device_id=job.of.device_id, attempt=job.of.attempt,
            reason=f"{job.what} was not printed for {unit} ({job.of.verdict.name}): {why}; walk it again, or write it",
        )  # fmt: skip
        try:
            self._record(note)
        except JournalError:
            self._publish(note)

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
                    self._missed(job, "the station stopped" if self._token.is_cancelled else BY_HAND)
                    self._token.check()
                except (JournalError, PrinterTrouble) as error:
                    self._publish(StationFault(at=self._clock.utc(), reason=f"{job.what}: {error}"))

    def _print(self, printer: LabelPrinter, job: _Job, token: CancelToken) -> None:
        of = job.of
        head = {"slot": of.slot, "device_id": of.device_id, "attempt": of.attempt, "step": "label", "target": "printer"}
        with printer.turn.hold(token, lambda _before: None, rank=of.slot):
            self._record(WriteIntended(at=self._clock.utc(), what=job.what, **head))  # type: ignore[arg-type]
            printer.print_label(job.zpl, token, self._waiting, SHIFT_S)
            self._record(WriteConfirmed(at=self._clock.utc(), what=job.what, **head))  # type: ignore[arg-type]

    @contextlib.contextmanager
    def _waiting(self, says: Say) -> Iterator[None]:
        what = says.key.removeprefix("printer_")
        self._publish(StationNote(at=self._clock.utc(), reason=f"a label waits for printer {says.values[0]}: {what}"))
        yield
