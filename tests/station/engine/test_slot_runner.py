"""A slot's thread and its attempts, with steps told by the test and a real journal."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from drivers.clock import SimulatedClock
from drivers.errors import Disconnected, RequestRejected, Swapped, TransferTimeout
from drivers.hotplug import PortWatch
from drivers.identity import PortPath
from drivers.transport import UsbTransport
from drivers.wire.usb import PARTICLE_VENDOR_ID, UsbId
from station.engine.commands import Mode
from station.engine.events import AttemptFinished, AttemptStarted, BatchOpened, Event, StepFinished
from station.engine.ports import Seat, Terminal
from station.engine.runner import SlotRunner
from station.engine.step import Step, StepContext, StepResult, already, deferred, done
from station.engine.walk import Lane, StepPlan
from station.errors import UnitRejected
from station.journal import Journal
from station.model import Batch, Outcome, ProfileRef, SlotInfo, Verdict
from station.words.say import Say

BATCH = "B1"
DEVICE = "e00fce68aaaa000000000001"
PLANS = (
    StepPlan("identify", "Identify", Lane.UNIT, (), 30.0),
    StepPlan("firmware", "Firmware", Lane.UNIT, ("identify",), 30.0),
    StepPlan("name", "Name", Lane.CLOUD, ("identify",), 30.0),
    StepPlan("measure", "Measure", Lane.STATION, ("identify",), 30.0),
)


@dataclass(frozen=True)
class Candidate:
    """Something on a port that nobody opens."""

    number: int

    @property
    def port_path(self) -> PortPath:
        return PortPath("1-1")

    @property
    def usb_id(self) -> UsbId:
        return UsbId(PARTICLE_VENDOR_ID, 0xC00D)

    @property
    def address(self) -> tuple[int, int]:
        return (1, self.number)

    def open(self) -> UsbTransport:
        raise AssertionError("nothing here opens a unit")


@dataclass
class Script:
    """One attempt's work: what each step does when it is asked."""

    steps: Mapping[str, Step]
    plans: tuple[StepPlan, ...] = PLANS
    batch: str = BATCH
    profile: str = "p"
    device_id: str | None = DEVICE
    names: frozenset[str] = frozenset({DEVICE})
    held_back: Mapping[str, frozenset[str]] = field(default_factory=dict)
    signals: list[bool] = field(default_factory=list)
    is_closed: bool = False

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
    """One slot with its journal; the test plays hands, unit and cloud."""

    def __init__(self, directory: Path) -> None:
        self.clock = SimulatedClock()
        self.journal = Journal.open(directory, "s", self.clock)
        self.journal.record(BatchOpened(at=self.clock.utc(), batch=Batch(BATCH, ProfileRef("p", 1, "0" * 64))))
        self.port = PortWatch(PortPath("1-1"), self.clock)
        self.scripts: list[Script] = []
        self.opened: list[Seat] = []
        self.refusal: Exception | None = None
        self.events: list[Event] = []
        self.runner = SlotRunner(SlotInfo(1, "1-1"), self.port, self.clock, self, self.journal, self.events.append)
        self._arrivals = 0

    def open(self, seat: Seat) -> Script:
        """The engine's work bench."""
        self.opened.append(seat)
        if self.refusal is not None:
            raise self.refusal
        return self.scripts[min(len(self.opened), len(self.scripts)) - 1]

    def plug(self) -> None:
        self._arrivals += 1
        self.port.attached(Candidate(self._arrivals))
        self.runner.port_changed()

    def pull(self) -> None:
        self.port.detached()
        self.runner.port_changed()

    def play(self, *, seconds: float = 60.0, **steps: Callable[[StepContext], StepResult]) -> list[AttemptFinished]:
        """Plug in a unit whose steps do this, let time pass; the verdicts so far."""
        fine: dict[str, Step] = {plan.name: lambda ctx: already("seen") for plan in PLANS}
        self.scripts.append(Script({**fine, **steps}))
        self.plug()
        self.clock.sleep(seconds)
        return self.ends

    @property
    def ends(self) -> list[AttemptFinished]:
        return [event for event in self.events if isinstance(event, AttemptFinished)]

    @property
    def outcomes(self) -> dict[str, Outcome]:
        return {event.step: event.outcome for event in self.events if isinstance(event, StepFinished)}


@pytest.fixture
def slot(tmp_path: Path) -> Iterator[Slot]:
    made = Slot(tmp_path)
    with made.clock.registered():
        made.runner.start()
        yield made
        made.runner.stop()
        made.runner.join()
        made.journal.close()


def raising(error: Exception) -> Callable[[StepContext], StepResult]:
    def act(ctx: StepContext) -> StepResult:
        raise error

    return act


def waiting(seconds: float) -> Callable[[StepContext], StepResult]:
    def act(ctx: StepContext) -> StepResult:
        ctx.clock.sleep(seconds, ctx.cancel)
        return done(f"waited {seconds} s")

    return act


def test_a_walk_of_good_steps_passes_and_closes_its_work(slot: Slot) -> None:
    (end,) = slot.play()
    assert end.verdict is Verdict.PASS
    assert slot.scripts[0].is_closed
    assert isinstance(slot.events[0], AttemptStarted)
    found = slot.journal.attempt(end.attempt or "")
    assert found is not None
    assert found.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("error", "verdict", "sentence"),
    [
        (UnitRejected("bad", say=Say("wrong_label")), Verdict.FAIL, "wrong_label"),
        (RequestRejected("no", request=50, code=-130), Verdict.FAIL, "unit_refused"),
        (TransferTimeout("nothing came"), Verdict.ERROR, "silent"),
        (Swapped("other", expected="a", found="b"), Verdict.ABORTED, "swapped"),
        (ZeroDivisionError("a bug of ours"), Verdict.ERROR, "check_station"),
    ],
)
def test_what_a_step_raises_becomes_the_verdict_by_the_one_table(
    error: Exception, verdict: Verdict, sentence: str, slot: Slot
) -> None:
    ends = slot.play(firmware=raising(error))
    assert (ends[0].verdict, ends[0].sentence, ends[0].failed_step) == (verdict, sentence, "firmware")
    assert ends[0].reason == str(error)


def test_a_failed_unit_shouts_and_a_passed_one_does_not(slot: Slot) -> None:
    slot.play(firmware=raising(UnitRejected("bad")))
    assert slot.scripts[0].signals == [True]
    slot.pull()
    slot.play()
    assert slot.scripts[1].signals == []


def test_all_lanes_run_at_the_same_time(slot: Slot) -> None:
    (end,) = slot.play(firmware=waiting(10), name=waiting(10), measure=waiting(10))
    assert 10 <= end.seconds < 11


def test_a_lane_that_fails_cuts_the_waits_of_the_other_lanes_short(slot: Slot) -> None:
    def soon_bad(ctx: StepContext) -> StepResult:
        ctx.clock.sleep(0.5, ctx.cancel)  # the other lane has begun by then
        raise UnitRejected("bad")

    (end,) = slot.play(firmware=soon_bad, name=waiting(25), measure=waiting(25))
    assert end.verdict is Verdict.FAIL
    assert end.seconds < 1
    assert slot.outcomes["name"] is slot.outcomes["measure"] is Outcome.SKIPPED


def test_a_write_to_the_unit_is_ended_in_order_when_the_cloud_refuses(slot: Slot) -> None:
    (end,) = slot.play(firmware=waiting(10), name=raising(UnitRejected("in another product")))
    assert (end.verdict, end.failed_step) == (Verdict.FAIL, "name")
    assert end.seconds >= 10
    assert slot.outcomes["firmware"] is Outcome.DONE


def test_owed_work_is_committed_with_the_verdict(slot: Slot) -> None:
    (end,) = slot.play(name=lambda ctx: deferred("cloud away", "{}"))
    assert end.verdict is Verdict.PENDING
    (owed,) = slot.journal.due(slot.clock.utc())
    assert (owed.action, owed.attempt) == ("name", end.attempt)


def test_a_unit_that_leaves_unannounced_aborts_its_attempt_at_once(slot: Slot) -> None:
    slot.play(seconds=5.0, firmware=waiting(25))
    slot.pull()
    slot.clock.sleep(0.1)
    (end,) = slot.ends
    assert (end.verdict, end.sentence) == (Verdict.ABORTED, "unplugged_too_early")


def test_a_transfer_that_found_no_device_is_believed_only_with_the_bus(slot: Slot) -> None:
    """The unit still stands on the bus: a bad cable, not a hand."""
    (end,) = slot.play(firmware=raising(Disconnected("EIO")))
    assert end.verdict is Verdict.ERROR


def test_a_verdict_stays_until_another_unit_arrives(slot: Slot) -> None:
    slot.play()
    slot.clock.sleep(600)
    assert len(slot.ends) == 1
    slot.pull()
    assert len(slot.play()) == 2


def test_a_unit_that_tells_another_device_id_without_leaving_is_walked_once(slot: Slot) -> None:
    slot.play(firmware=raising(Swapped("other", expected="a", found="b")))
    assert len(slot.ends) == 1


def test_retry_walks_the_unit_again(slot: Slot) -> None:
    slot.play()
    slot.runner.retry()
    slot.clock.sleep(10)
    assert [end.verdict for end in slot.ends] == [Verdict.PASS, Verdict.PASS]
    assert len({end.attempt for end in slot.ends}) == 2


def test_a_retry_asked_for_an_empty_slot_waits_for_nobody(slot: Slot) -> None:
    slot.runner.retry()
    slot.clock.sleep(10)
    assert slot.opened == []


def test_an_operator_can_stop_an_attempt(slot: Slot) -> None:
    slot.play(seconds=5.0, firmware=waiting(25))
    slot.runner.abort()
    slot.clock.sleep(0.1)
    (end,) = slot.ends
    assert (end.verdict, end.sentence) == (Verdict.ABORTED, "stopped_by_operator")


def test_an_attempt_that_cannot_be_set_up_is_recorded_all_the_same(slot: Slot) -> None:
    slot.refusal = UnitRejected("another SKU", say=Say("wrong_sku"))
    (end,) = slot.play()
    assert (end.verdict, end.sentence) == (Verdict.FAIL, "wrong_sku")
    assert slot.journal.attempt(end.attempt or "") is not None


def test_stopping_the_slot_ends_the_attempt_and_records_it(slot: Slot) -> None:
    slot.play(seconds=5.0, firmware=waiting(25))
    slot.runner.stop()
    slot.runner.join()
    (end,) = slot.ends
    assert end.verdict is Verdict.ABORTED
    assert slot.journal.unfinished_attempts() == ()


def test_without_a_journal_nothing_passes(tmp_path: Path) -> None:
    """The disk fails in the middle of a walk: ERROR on screen, the only place left, and the next one too."""
    slot = Slot(tmp_path)
    with slot.clock.registered():
        slot.runner.start()

        def disk_fails(ctx: StepContext) -> StepResult:
            slot.journal.close()
            return done("written")

        (end,) = slot.play(firmware=disk_fails)
        assert (end.verdict, end.sentence) == (Verdict.ERROR, "journal_failed")
        slot.pull()
        assert [end.verdict for end in slot.play()] == [Verdict.ERROR] * 2
        slot.runner.stop()
        slot.runner.join()
