"""What the supervisor's screens share: they follow the state, and ask the records on threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from ...engine.commands import ScanField
from ...view.bars import told_stray
from ...view.ink import Ink, Line, keys
from ...view.state import BenchState

T = TypeVar("T")
SOON_S = 0.5
"""So long after a change the records are asked again, once for all changes meanwhile."""
STRAY_S = 5.0
"""So long it is told that a key does nothing, unless another one follows."""


def inked(lines: Iterable[Line]) -> Content:
    """Return lines with the colours of the palette."""
    return Content("\n").join(
        Content.assemble(*((piece.text, _style(piece)) for piece in one)) if one else Content("") for one in lines
    )


def _style(piece: Ink) -> str:
    if piece.look is None:
        return piece.style
    name = piece.look.value
    ground = f"${name}-fill" if piece.is_drawn else f"${name}-text on ${name}-fill"
    return f"{piece.style} {ground}".strip()


class Keyed(Screen[None]):
    """Names in the last line the keys that work, and there a key that does nothing: no other message gives way to that.

    ``KEYS``: the key of the text that names them.
    """

    KEYS: ClassVar[str] = ""
    _state: BenchState
    stray = ""  # the last key, if it does nothing here
    _stray_timer: Timer | None = None

    def on_key(self, event: events.Key) -> None:
        """Notice a key that nothing takes; one typed into a field does not come here. Textual calls it."""
        if self._stray_timer is not None:
            self._stray_timer.stop()
            self._stray_timer = None
        stray = "" if event.key in self.active_bindings else _label(event)
        if stray:
            self._stray_timer = self.set_timer(STRAY_S, self._forget)
        if stray != self.stray:
            self.stray = stray
            self.show_keys()

    def keys_told(self) -> list[str]:
        """Return every key of this page with what it does, each as ``[R] retry``; none: those of the bench."""
        return (
            [one.strip() for one in self._state.words.text(self.KEYS).split("  ") if one.strip()] if self.KEYS else []
        )

    def _forget(self) -> None:
        self.stray = ""
        self.show_keys()

    def show_keys(self) -> None:
        """Draw the line of the keys, as many as fit."""
        words, line = self._state.words, self.query_one("#keys", Static)
        line.update(Content(keys(words.text(self.KEYS), self.size.width - 2, told_stray(self.stray, words))))
        line.set_class(bool(self.stray), "-notice")


def _label(key: events.Key) -> str:
    """Return what stands on a key: ``Z``, ``F5``, ``PAGEUP``."""
    return (key.character if key.is_printable and key.character and key.character.strip() else key.key).upper()


def keys_of(screen: Screen[Any]) -> list[str]:
    """Return the keys of the page on top; none: those of the bench."""
    return screen.keys_told() if isinstance(screen, Keyed) else []


class Asking:
    """Asks the records on threads of their own. To be mixed into a `Screen`.

    A later question of a group takes the place of an earlier one, whose answer is dropped.
    """

    def __init__(self) -> None:
        super().__init__()
        self._answers: dict[str, Callable[[Any], None]] = {}

    def ask(self, group: str, question: Callable[[], T], answered: Callable[[T], None]) -> None:
        """Have ``answered`` called with what ``question`` returns, unless another question of ``group`` follows."""
        assert isinstance(self, Screen)
        self._answers[group] = answered
        self.run_worker(question, group=group, thread=True, exclusive=True, exit_on_error=False)

    def failed(self, why: str) -> None:
        """Say that a question could not be answered."""

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Hand an answer to who asked for it; Textual calls it."""
        if event.state is WorkerState.SUCCESS:
            self._answers[event.worker.group](event.worker.result)
        elif event.state is WorkerState.ERROR:
            self.failed(str(event.worker.error))


class Following:
    """A screen that is shown every new state. ``takes_scans``: its field that a scan goes to, if it has one."""

    takes_scans: ScanField = ""

    def show(self, state: BenchState) -> None:
        """Draw ``state``."""


class Window:
    """A small screen over the bench. ``answers``: the key of the text that names the keys it takes."""

    answers = "page-close"
