"""The machine's monotonic clock, in real time or faster by a constant factor."""

from __future__ import annotations

import contextlib
import datetime
import threading
import time
from collections.abc import Callable, Iterator

from ..errors import Cancelled
from .protocol import CancelToken, ClockThread, Condition, wait_for_predicate


class _SystemToken:
    def __init__(self) -> None:
        self._cancelled = False
        self._room = threading.Condition()
        self._conditions: list[threading.Condition] = []
        self._children: list[_SystemToken] = []

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled

    def child(self) -> CancelToken:
        token = _SystemToken()
        with self._room:
            self._children.append(token)
            is_late = self._cancelled
        if is_late:
            token.cancel()
        return token

    def cancel(self) -> None:
        with self._room:
            self._cancelled = True
            waiting, children = list(self._conditions), list(self._children)
            self._room.notify_all()
        for child in children:
            child.cancel()
        for condition in waiting:
            with condition:
                condition.notify_all()

    def check(self) -> None:
        if self._cancelled:
            raise Cancelled("stopped on request")

    @contextlib.contextmanager
    def wakes(self, condition: threading.Condition) -> Iterator[None]:
        with self._room:
            self._conditions.append(condition)
        try:
            yield
        finally:
            with self._room:
                self._conditions.remove(condition)


class _SystemCondition:
    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self._condition = threading.Condition()

    def __enter__(self) -> object:
        return self._condition.__enter__()

    def __exit__(self, *exc: object) -> None:
        self._condition.release()

    def wait(self, timeout_s: float | None = None, cancel: CancelToken | None = None) -> bool:
        real_s = None if timeout_s is None else timeout_s / self._clock.speed
        if cancel is None:
            return self._condition.wait(real_s)
        cancel.check()
        assert isinstance(cancel, _SystemToken)
        with cancel.wakes(self._condition):
            cancel.check()  # it may have been set just before we registered
            woken = self._condition.wait(real_s)
        cancel.check()
        return woken

    def wait_for(
        self, predicate: Callable[[], bool], timeout_s: float | None = None, cancel: CancelToken | None = None
    ) -> bool:
        return wait_for_predicate(self, self._clock, predicate, timeout_s, cancel)

    def notify_all(self) -> None:
        self._condition.notify_all()


class _SystemThread:
    def __init__(self, name: str, target: Callable[[], None], clock: SystemClock) -> None:
        self._clock = clock
        self._thread = threading.Thread(target=target, name=name, daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        return self._thread.name

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def join(self, timeout_s: float | None = None) -> bool:
        self._thread.join(None if timeout_s is None else timeout_s / self._clock.speed)
        return not self._thread.is_alive()


class SystemClock:
    """The machine's monotonic clock, running ``speed`` times as fast (1.0 = real time). All methods are thread-safe."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed: float = speed
        self._start = time.monotonic()
        self._start_utc = datetime.datetime.now(datetime.UTC)

    def now(self) -> float:
        return (time.monotonic() - self._start) * self.speed

    def utc(self) -> datetime.datetime:
        if self.speed == 1.0:
            return datetime.datetime.now(datetime.UTC)
        return self._start_utc + datetime.timedelta(seconds=self.now())

    def sleep(self, seconds: float, cancel: CancelToken | None = None) -> None:
        """Wait as `Clock.sleep` does, for ``seconds`` divided by ``speed`` of real time."""
        if cancel is None:
            time.sleep(max(0.0, seconds) / self.speed)
            return
        condition = self.condition()
        with condition:
            condition.wait_for(lambda: False, seconds, cancel)
        cancel.check()

    def condition(self) -> Condition:
        return _SystemCondition(self)

    def token(self) -> CancelToken:
        return _SystemToken()

    def thread(self, name: str, target: Callable[[], None]) -> ClockThread:
        return _SystemThread(name, target, self)

    def registered(self) -> contextlib.AbstractContextManager[None]:
        """Do nothing: real time passes without counting threads."""
        return contextlib.nullcontext()

    def standing_in(self) -> contextlib.AbstractContextManager[None]:
        """Do nothing: real time passes without counting threads."""
        return contextlib.nullcontext()
