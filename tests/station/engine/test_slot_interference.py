"""A slot's thread and its attempt, with a real journal and steps of the test's own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from drivers.clock import SimulatedClock
from drivers.hotplug import PortWatch
from drivers.identity import PortPath
from drivers.wire.usb import UsbId
from station.engine.attempt import Stop
from station.engine.commands import Mode
from station.engine.events import AttemptFinished, AttemptStarted, Event
from station.engine.ports import Seat, Terminal
from station.engine.runner import SlotRunner
from station.engine.step import Step, StepContext, StepResult, already, done
from station.engine.walk import Lane, StepPlan
from station.errors import UnitRejected
from station.journal import Journal
from station.model import SlotInfo, Verdict
from station.words.say import Say

BORON = UsbId(0x2B04, 0xC00D)


@dataclass(frozen=True)
class Entry:
    """What is plugged in: enough of a candidate for whoever does not open it."""

    port_path: PortPath
    address: tuple[int, int]
    usb_id: UsbId = BORON


@dataclass
class Work:
    """The steps of one story, in the order given."""

    acts: Mapping[str, Step]
    batch: str = ""
    profile: str = "story"
    device_id: str | None = None
    held_back: Mapping[str, frozenset[str]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    signals: list[bool] = field(default_factory=list)
    is_closed: bool = False

    @property
    def plans(self) -> tuple[StepPlan, ...]:
        names = tuple(self.acts)
        return tuple(
            StepPlan(name, name, Lane.UNIT, names[at - 1 : at] if at else (), 60.0) for at, name in enumerate(names)
        )

    @property
    def steps(self) -> Mapping[str, Step]:
        return self.acts

    def wire(self) -> tuple[str, ...]:
        return ()

    def follows(self, finished: AttemptFinished) -> tuple[Event, ...]:
        return ()

    def signal(self, on: bool) -> bool:
        self.signals.append(on)
        return True

    def enter(self, mode: Mode, expected: str, begins: Callable[[str], None]) -> None:
        raise NotImplementedError(mode)

    def console(self, expected: str, begins: Callable[[str], None]) -> contextlib.AbstractContextManager[Terminal]:
        raise NotImplementedError(expected)

    def close(self) -> None:
        self.is_closed = True


class Slot:
    """One slot with its journal; ``opens`` makes the work of each attempt."""

    def __init__(self, directory: Path, clock: SimulatedClock, opens: Callable[[Seat], Work]) -> None:
        self.clock, self._opens = clock, opens
        self.journal = Journal.open(directory, "story", clock)
        self.port = PortWatch(PortPath("1-1"), clock)
        self.events: list[Event] = []
        self.works: list[Work] = []
        self.runner = SlotRunner(SlotInfo(1, "1-1"), self.port, clock, self, self.journal, self.events.append)
        self._address = 0

    def open(self, seat: Seat) -> Work:
        work = self._opens(seat)
        self.works.append(work)
        return work

    def plug(self) -> None:
        self._address += 1
        self.port.attached(Entry(PortPath("1-1"), (1, self._address)))  # type: ignore[arg-type]
        self.runner.port_changed()

    def unplug(self) -> None:
        self.port.detached()
        self.runner.port_changed()

    @property
    def verdicts(self) -> list[Verdict]:
        return [event.verdict for event in self.events if isinstance(event, AttemptFinished)]

    def last(self) -> AttemptFinished:
        return next(event for event in reversed(self.events) if isinstance(event, AttemptFinished))


@contextlib.contextmanager
def slot(directory: Path, opens: Callable[[Seat], Work]) -> Iterator[Slot]:
    clock = SimulatedClock()
    with clock.registered():
        made = Slot(directory, clock, opens)
        made.runner.start()
        try:
            yield made
        finally:
            made.runner.stop()
            made.runner.join()
            with contextlib.suppress(Exception):
                made.journal.close()


def fine(ctx: StepContext) -> StepResult:
    return already("seen")


def unrecordable(ctx: StepContext) -> StepResult:
    """A record the journal refuses: this is no plain value."""
    ctx.measure("level", object(), "dBm")  # type: ignore[arg-type]
    return done("read back")


def test_a_step_whose_record_the_journal_refuses_is_no_pass(tmp_path: Path) -> None:
    with slot(tmp_path, lambda _: Work({"identify": fine, "wifi": unrecordable})) as bench:
        bench.plug()
        bench.clock.sleep(5)
        assert bench.verdicts == [Verdict.ERROR]
        assert (bench.last().sentence, bench.last().failed_step) == ("journal_failed", "wifi")


def test_a_unit_that_is_rejected_when_its_session_is_opened_fails_and_the_slot_goes_on(tmp_path: Path) -> None:
    def opens(_: Seat) -> Work:
        raise UnitRejected("another SKU", say=Say("wrong_sku", found="BRN402", wanted="BRN404"))

    with slot(tmp_path, opens) as bench:
        bench.plug()
        bench.clock.sleep(1)
        bench.unplug()
        bench.plug()
        bench.clock.sleep(1)
        assert bench.verdicts == [Verdict.FAIL, Verdict.FAIL]
        assert (bench.last().sentence, bench.last().values) == ("wrong_sku", ("BRN402", "BRN404"))


def test_a_slot_outlives_a_journal_that_cannot_be_written(tmp_path: Path) -> None:
    """Every slot ends ERROR, also the one whose session was never opened (design 6)."""
    fits = [False, True]

    def opens(_: Seat) -> Work:
        if not fits.pop(0):
            raise UnitRejected("another SKU", say=Say("wrong_sku"))
        return Work({"identify": fine})

    with slot(tmp_path, opens) as bench:
        bench.journal.close()
        for _ in range(2):
            bench.plug()
            bench.clock.sleep(1)
            bench.unplug()
        assert bench.verdicts == [Verdict.ERROR, Verdict.ERROR]
        assert {event.sentence for event in bench.events if isinstance(event, AttemptFinished)} == {"journal_failed"}


def test_a_stop_while_the_work_is_set_up_ends_the_attempt(tmp_path: Path) -> None:
    def opens(seat: Seat) -> Work:
        bench.runner.stop()
        return Work({"identify": fine, "wifi": lambda ctx: pytest.fail("walked on after the stop")})

    with slot(tmp_path, opens) as bench:
        bench.plug()
        bench.clock.sleep(1)
        assert bench.verdicts == [Verdict.ABORTED]
        assert bench.last().say == Stop.SHUTDOWN.result.say


def test_a_newcomer_during_the_last_commit_gets_its_own_attempt(tmp_path: Path) -> None:
    """The verdict belongs to the unit that had it, however fast the hands are."""

    def swap(on: bool) -> bool:
        bench.unplug()
        bench.plug()
        return on

    def opens(_: Seat) -> Work:
        work = Work({"identify": fails if not bench.works else fine})
        work.signal = swap  # type: ignore[method-assign]
        return work

    def fails(ctx: StepContext) -> StepResult:
        raise UnitRejected("a bad unit")

    with slot(tmp_path, opens) as bench:
        bench.plug()
        bench.clock.sleep(5)
        assert bench.verdicts == [Verdict.FAIL, Verdict.PASS]
        assert len([event for event in bench.events if isinstance(event, AttemptStarted)]) == 2


def test_every_work_is_closed_whatever_came_of_it(tmp_path: Path) -> None:
    def breaks(ctx: StepContext) -> StepResult:
        raise RuntimeError("a bug")

    with slot(tmp_path, lambda _: Work({"identify": breaks})) as bench:
        bench.plug()
        bench.clock.sleep(1)
        assert bench.verdicts == [Verdict.ERROR]
        assert bench.last().sentence == "check_station"
        assert [work.is_closed for work in bench.works] == [True]
