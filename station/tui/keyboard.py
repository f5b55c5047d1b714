"""The order of keys: each acts on the screen that the one before it led to, and a scan is kept from the keys.

Textual gives a key to whatever has the focus when it comes, which may be a screen that an earlier key, still on its way
through the widgets, is about to cover. Here a key waits until the one before it has had all its effects.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from textual import events
from textual.app import App
from textual.widget import Widget
from textual.widgets import Input

from .scanner import LIKELY_S, Found, ScanDetector, Typed

PATIENCE_S = 5.0
"""Seconds after which the next key no longer waits: a widget that is taken away never answers."""


def meant(key: events.Key, focused: Widget | None) -> events.Key:
    """Make key bindings case-insensitive outside input fields."""
    if isinstance(focused, Input) or key.key != key.character or not key.character.isupper():
        return key
    small = key.character.lower()
    return events.Key(small, small)


class Keyboard:
    """Sorts the keys of ``app`` into typed and scanned, and has ``act`` called with one after the other.

    ``foresee`` is called with a key that will most likely turn out to be typed, some time before that is sure and `act`
    is called, and with None if it was a scanner's after all: what it does must show nothing but what can be taken back.

    To be used on the app's thread: `press` for each key, `silence` for each `Silence` that the app gets.
    """

    def __init__(
        self,
        app: App[None],
        act: Callable[[Found[events.Key]], Awaitable[None]],
        foresee: Callable[[events.Key | None], None],
    ) -> None:
        self._app, self._act, self._foresee = app, act, foresee
        self._detector: ScanDetector[events.Key] = ScanDetector()
        self._waiting: deque[Found[events.Key]] = deque()
        self._is_acting = False
        self._foreseen: events.Key | None = None

    @property
    def is_idle(self) -> bool:
        """Return whether every key so far has acted."""
        return not self._detector.is_holding and not self._is_acting

    def press(self, key: events.Key) -> None:
        """Take a key. It acts later, when it is known to be no part of a scan and no earlier one is at work."""
        self._take(self._detector.key(key, key.key, key.character, key.time))

    def silence(self, seconds: float) -> None:
        """Release what is held back, as nothing followed it for ``seconds``; or foresee that it will be."""
        self._take(self._detector.silence(seconds))
        lone = self._detector.lone
        if lone is not None and lone is not self._foreseen and not self._is_acting and seconds >= LIKELY_S:
            self._foreseen = lone
            self._foresee(lone)

    def _take(self, found: list[Found[events.Key]]) -> None:
        for one in found:
            self._waiting.extend([Typed((key,)) for key in one.keys] if isinstance(one, Typed) else [one])
        if self._waiting and not self._is_acting:
            self._is_acting = True
            self._app.run_worker(self._act_in_order(), group="keyboard")
        if self._foreseen is not None and self._detector.lone is not self._foreseen:
            self._foreseen = None
            if not self._waiting:  # the key that acts now takes its place
                self._foresee(None)

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
