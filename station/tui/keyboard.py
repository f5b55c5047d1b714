"""The order of keys: each acts on the screen that the one before it led to, and a scan is kept from the keys.

Textual gives a key to whatever has the focus when it comes, which may be a screen that an earlier key, still on its way
through the widgets, is about to cover. Here a key waits until the one before it has had all its effects.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from textual import events
from textual.app import App
from textual.widget import Widget
from textual.widgets import Input

from .messages import ScannerPaused
from .scanner import Found, ScanDetector, Typed

PATIENCE_S = 5.0
"""Seconds after which the next key no longer waits: a widget that is taken away never answers."""


def meant(key: events.Key, focused: Widget | None) -> events.Key:
    """Make key bindings case-insensitive outside input fields."""
    if isinstance(focused, Input) or key.key != key.character or not key.character.isupper():
        return key
    small = key.character.lower()
    return events.Key(small, small)


LATE_S = 0.002
"""Seconds by which a timer may be late before that means that the program stood still."""

GRACE_S = 0.005
"""Seconds to read what has come meanwhile, after the program stood still."""

FRESH_S = 0.010
"""Seconds; a key younger than this was read just now."""


class Keyboard:
    """Sorts the keys of ``app`` into typed and scanned, and has ``act`` called with one after the other.

    ``foresee`` is called with a key that will most likely turn out to be typed, some time before that is sure and `act`
    is called, and with None if it was a scanner's after all: what it does must show nothing but what can be taken back.
    A key's time is that at which it was read. On a busy machine the program stands still now and then, longer than a
    scanner between two characters; what comes meanwhile waits in the terminal, and its time says nothing.

    To be used on the app's thread: `press` for each key, `pause` for each `ScannerPaused` that the app gets.
    """

    def __init__(
        self,
        app: App[None],
        act: Callable[[Found[events.Key]], Awaitable[None]],
        foresee: Callable[[events.Key | None], None],
    ) -> None:
        self._app, self._act, self._foresee = app, act, foresee
        self.is_input_waiting: Callable[[], bool] = lambda: False  # unread, in the terminal
        self._detector: ScanDetector[events.Key] = ScanDetector()
        self._waiting: deque[Found[events.Key]] = deque()
        self._is_acting = False
        self._timed_for: float | None = None  # when the next `pause` is to come
        self._foreseen: events.Key | None = None

    @property
    def is_idle(self) -> bool:
        """Return whether every key so far has acted."""
        return self._detector.due is None and not self._is_acting

    def press(self, key: events.Key) -> None:
        """Take a key. It acts later, when it is known to be no part of a scan and no earlier one is at work."""
        due = self._detector.due
        # had the program not stood still, `pause` would have come before
        is_late = due is not None and key.time >= due and time.monotonic() - key.time < FRESH_S
        self._take(self._detector.key(key, key.key, key.character, key.time, is_read_late=is_late), key.time)

    def pause(self, at: float) -> None:
        """Release what is held back, as all keys pressed before ``at`` have been taken."""
        planned, self._timed_for = self._timed_for, None
        is_late = planned is not None and at - planned > LATE_S
        if self._detector.due is not None and (is_late or self.is_input_waiting()):
            self._call_pause(at + GRACE_S)
            return
        self._take(self._detector.idle(at), at)
        lone = self._detector.lone
        if (
            lone is not None
            and lone is not self._foreseen
            and not self._is_acting
            and at >= self._detector.likely_typed
        ):
            self._foreseen = lone
            self._foresee(lone)

    def _call_pause(self, at: float) -> None:
        self._timed_for = at
        wait = max(0.0, at - time.monotonic())
        asyncio.get_running_loop().call_later(wait, lambda: self._app.post_message(ScannerPaused()))

    def _take(self, found: list[Found[events.Key]], at: float) -> None:
        for one in found:
            self._waiting.extend([Typed((key,)) for key in one.keys] if isinstance(one, Typed) else [one])
        if self._waiting and not self._is_acting:
            self._is_acting = True
            self._app.run_worker(self._act_in_order(), group="keyboard")
        if self._foreseen is not None and self._detector.lone is not self._foreseen:
            self._foreseen = None
            if not self._waiting:  # the key that acts now takes its place
                self._foresee(None)
        if self._detector.due is not None and self._timed_for is None:
            likely = self._detector.likely_typed
            self._call_pause(likely if at < likely else self._detector.due)

    async def _act_in_order(self) -> None:
        try:
            while self._waiting:
                one, screen = self._waiting.popleft(), self._app.screen
                await self._act(one)
                if isinstance(one, Typed) or self._app.screen is not screen:
                    await self._all_through()
        finally:
            self._is_acting = False

    async def _all_through(self) -> None:
        """Wait until the last key has had its effects.

        A key passes from the widget with the focus through those around it to the app, where it acts; what it makes a
        widget say (a field: submitted) passes the same way once more. It is through when two callbacks have gone that
        way, one after the other, and have found the same screen and focus at both ends.
        """
        unchanged = 0
        while unchanged < 2:
            before = self._app.screen, self._app.focused
            await self._pass_through()
            unchanged = unchanged + 1 if before == (self._app.screen, self._app.focused) else 0

    async def _pass_through(self) -> None:
        """Have a callback called by the widget with the focus, then by each around it, and by the app at last."""
        around = iter((self._app.focused or self._app.screen).ancestors_with_self)
        through = asyncio.Event()

        def passed() -> None:
            if not any(node.call_later(passed) for node in around):  # one that is closing takes no callback
                through.set()

        passed()
        try:
            await asyncio.wait_for(through.wait(), PATIENCE_S)
        except TimeoutError:
            return
