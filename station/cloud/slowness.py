"""Tells whoever waits for a call that it takes long, before the call has ended.

Sends nothing, and ends no call: how long one may take is the business of its caller and of `retry`.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterator
from types import TracebackType

from drivers.clock import Clock, Deadline

from ..words.say import Say

PATIENCE_S = 10.0
"""How long a call may take until whoever waits for it is told: most answers come within a second."""
Waits = Callable[[Say], contextlib.AbstractContextManager[None]]
"""Says what is waited for while its block runs."""
SLOW, FULL = Say("cloud_hold"), Say("cloud_limit")


class Waiters:
    """Who waits, by thread."""

    def __init__(self) -> None:
        self._current = threading.local()

    @contextlib.contextmanager
    def waiting_as(self, waits: Waits) -> Iterator[None]:
        """Let ``waits`` tell of slow calls of the calling thread inside the block."""
        before = self.current
        self._current.waits = waits
        try:
            yield
        finally:
            self._current.waits = before

    @property
    def current(self) -> Waits | None:
        """Return who waits for the calls of this thread."""
        found: Waits | None = getattr(self._current, "waits", None)
        return found


class Slowness:
    """One call with all its retries, as far as somebody waits for it; a context manager. For one thread."""

    def __init__(self, clock: Clock, waits: Waits | None) -> None:
        self._clock, self._waits = clock, waits
        self._until = clock.now() + PATIENCE_S
        self._told = contextlib.ExitStack()

    @property
    def left_s(self) -> float:
        """Return the seconds until it has to be told; infinite when it was, or nobody waits."""
        return math.inf if self._waits is None else max(0.0, self._until - self._clock.now())

    def within(self, deadline: Deadline | None, take: Callable[[Deadline | None], bool]) -> bool:
        """Return whether ``take`` finds room for a request before ``deadline``; say so when that takes too long."""
        if self._waits is not None and (deadline is None or self._until < deadline.at):
            if take(Deadline(self._clock, self._until)):
                return True
            self.tell(FULL)
        return take(deadline)

    def tell(self, say: Say = SLOW) -> None:
        """Say, once, what is waited for until the call ends."""
        waits, self._waits = self._waits, None
        if waits is not None:
            self._told.enter_context(waits(say))

    def ahead(self, seconds: float, say: Say) -> None:
        """Say so already when the wait of ``seconds`` that begins now is longer than what is left."""
        if seconds > self.left_s:
            self.tell(say)

    def __enter__(self) -> Slowness:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        self._told.close()
