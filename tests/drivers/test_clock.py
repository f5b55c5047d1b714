"""Clocks: time jumps only when nobody is runnable, one waiter at a time, and every wait can be cancelled."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.clock import EPOCH, CancelToken, Clock, Deadline, SimulatedClock, SystemClock
from drivers.errors import Cancelled, DeadlineExceeded

BOTH = pytest.mark.parametrize("clock", [SimulatedClock(), SystemClock(speed=50.0)], ids=["simulated", "system"])
PATIENCE_S = 6000.0  # two minutes of the faster clock, for what may take as long as the machine is busy


@pytest.fixture
def clock() -> Iterator[SimulatedClock]:
    made = SimulatedClock()
    with made.registered():
        yield made


# --- both clocks ----------------------------------------------------------------------------------


@BOTH
def test_a_sleep_takes_at_least_its_time(clock: Clock) -> None:
    with clock.registered():
        began, utc = clock.now(), clock.utc()
        clock.sleep(2.0)
        assert clock.now() - began >= 2.0
        assert clock.utc() - utc >= datetime.timedelta(seconds=1.99)
        assert clock.utc().tzinfo is datetime.UTC


@BOTH
def test_a_condition_passes_a_value_between_threads(clock: Clock) -> None:
    box: list[int] = []
    room = clock.condition()

    def giver() -> None:
        clock.sleep(1.0)
        with room:
            box.append(7)
            room.notify_all()

    with clock.registered():
        thread = clock.thread("giver", giver)
        with room:
            assert room.wait_for(lambda: bool(box), timeout_s=PATIENCE_S)
        assert thread.join(PATIENCE_S)
        assert not thread.is_alive
        assert (thread.name, box) == ("giver", [7])


@BOTH
def test_a_wait_for_nothing_ends_at_its_time_out(clock: Clock) -> None:
    with clock.registered():
        began, room = clock.now(), clock.condition()
        with room:
            assert room.wait_for(lambda: False, timeout_s=3.0) is False
        assert clock.now() - began >= 3.0


@BOTH
def test_cancelling_ends_a_sleep_and_a_wait_at_once(clock: Clock) -> None:
    ended: list[str] = []

    def sleeper(token: CancelToken, by_condition: bool) -> None:
        try:
            if by_condition:
                room = clock.condition()
                with room:
                    room.wait(1e6, token)
            else:
                clock.sleep(1e6, token)
        except Cancelled:
            ended.append("cancelled")

    with clock.registered():
        began, token = clock.now(), clock.token()
        threads = [clock.thread(f"s{i}", lambda i=i: sleeper(token, bool(i))) for i in (0, 1)]  # type: ignore[misc]
        clock.sleep(5.0)
        token.cancel()
        assert all(thread.join(PATIENCE_S) for thread in threads)
    assert ended == ["cancelled"] * 2
    assert token.is_cancelled
    assert clock.now() - began < 1e6


@BOTH
def test_a_cancelled_token_lets_nobody_wait(clock: Clock) -> None:
    with clock.registered():
        token = clock.token()
        token.check()
        token.cancel()
        with pytest.raises(Cancelled):
            token.check()
        with pytest.raises(Cancelled):
            clock.sleep(1e6, token)
        room = clock.condition()
        with room, pytest.raises(Cancelled):
            room.wait(1e6, token)


@BOTH
def test_deadlines(clock: Clock) -> None:
    with clock.registered():
        deadline = Deadline.after(clock, PATIENCE_S)
        assert 0 < deadline.remaining <= PATIENCE_S
        assert deadline.sooner(1.0).at <= clock.now() + 1.0
        assert deadline.sooner(2 * PATIENCE_S).at == deadline.at
        deadline.check("waiting for the unit")
        deadline = deadline.sooner(4.0)
        clock.sleep(4.0)
        assert (deadline.expired, deadline.remaining) == (True, 0.0)
        with pytest.raises(DeadlineExceeded, match="waiting for the unit"):
            deadline.check("waiting for the unit")
        with pytest.raises(TimeoutError):
            deadline.check("it is a TimeoutError too")


def test_a_cancel_between_look_and_wait_is_not_lost() -> None:
    clock = SystemClock(speed=50.0)
    kind = type(clock.token())

    class SetRightAfterTheFirstLook(kind):  # type: ignore[misc, valid-type]
        looks = 0

        def check(self) -> None:
            super().check()
            self.looks += 1
            if self.looks == 1:
                self.cancel()

    room = clock.condition()
    with room, pytest.raises(Cancelled):
        room.wait(24 * 3600.0, SetRightAfterTheFirstLook())


# --- simulated time -------------------------------------------------------------------------------


def test_hours_pass_in_no_time(clock: SimulatedClock) -> None:
    clock.sleep(24 * 3600)
    assert clock.now() == 24 * 3600
    assert clock.utc() == EPOCH + datetime.timedelta(days=1)


def test_time_does_not_move_while_somebody_is_runnable(clock: SimulatedClock) -> None:
    woken = threading.Event()

    def sleeper() -> None:
        clock.sleep(1.0)
        woken.set()

    clock.thread("sleeper", sleeper)
    assert not woken.wait(0.05), "this thread is runnable, so no time passes"
    assert clock.now() == 0.0
    clock.sleep(2.0)
    assert woken.is_set()
    assert clock.now() == 2.0


def test_a_thread_the_clock_does_not_know_waits_without_being_counted(clock: SimulatedClock) -> None:
    woken = threading.Event()

    def stranger() -> None:
        clock.sleep(1.0)
        woken.set()

    threading.Thread(target=stranger, daemon=True).start()
    assert not woken.wait(0.05), "this thread is still runnable"
    clock.sleep(0.5)
    assert clock.now() == 0.5


@settings(max_examples=25)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=6))
def test_waiters_wake_one_at_a_time_in_order_of_due_time(delays: list[int]) -> None:
    clock = SimulatedClock()
    order: list[tuple[float, int]] = []
    with clock.registered():
        threads = []
        for number, delay in enumerate(delays):
            ready = threading.Event()

            def work(number: int = number, delay: int = delay, ready: threading.Event = ready) -> None:
                ready.set()
                clock.sleep(delay + 1.0)
                order.append((clock.now(), number))

            threads.append(clock.thread(f"t{number}", work))
            assert ready.wait(120.0)
        assert all(thread.join(1000.0) for thread in threads)
    assert [at for at, _ in order] == sorted(delay + 1.0 for delay in delays)


def test_a_run_is_repeatable() -> None:
    def run() -> list[str]:
        clock, log = SimulatedClock(), []

        def ticker(name: str, period: float) -> None:
            for _ in range(20):
                clock.sleep(period)
                log.append(f"{name}@{clock.now():.1f}")

        with clock.registered():
            threads = [clock.thread(n, lambda n=n, p=p: ticker(n, p)) for n, p in (("a", 1.0), ("b", 0.7), ("c", 1.3))]  # type: ignore[misc]
            assert all(thread.join(100.0) for thread in threads)
        return log

    first = run()
    assert len(first) == 60
    assert all(run() == first for _ in range(3))


def test_a_notified_waiter_counts_before_it_runs(clock: SimulatedClock) -> None:
    """Whoever notifies raises the count first, so time cannot jump between the notify and the wake-up."""
    room, flags = clock.condition(), {"go": False}
    seen: list[float] = []

    def waiter() -> None:
        with room:
            room.wait_for(lambda: flags["go"])
        seen.append(clock.now())

    threads = [clock.thread(f"w{i}", waiter) for i in range(4)]
    clock.sleep(1.0)
    with room:
        flags["go"] = True
        room.notify_all()
    clock.sleep(1000.0)
    assert seen == [1.0] * 4
    assert all(thread.join(1.0) for thread in threads)


def test_a_handler_stands_in_for_the_thread_that_waits_for_it(clock: SimulatedClock) -> None:
    """A registered client blocked outside the clock lets its handler's thread spend simulated time."""
    done = threading.Event()

    def handler() -> None:  # a plain thread, as a HTTP server starts one
        with clock.standing_in():
            clock.sleep(30.0)
        done.set()

    threading.Thread(target=handler, daemon=True).start()
    assert done.wait(120.0)
    assert clock.now() == 30.0


def test_a_thread_that_dies_still_gives_its_count_back(clock: SimulatedClock) -> None:
    def dies() -> None:
        raise Cancelled("on purpose")

    caught: list[object] = []
    old, threading.excepthook = threading.excepthook, lambda args: caught.append(args.exc_value)
    try:
        assert clock.thread("dies", dies).join(10.0)
    finally:
        threading.excepthook = old
    clock.sleep(1.0)
    assert isinstance(caught[0], Cancelled)
