"""The window that exports a batch: format and folder, how far it is, and where the file lies."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.worker import get_current_worker

from ...view.ink import bar, line
from ...view.look import Glyphs, Look
from ...view.records import BatchRow, Exported, Records
from ...words.catalogue import Words
from ...words.cells import fit
from .page import Asking, inked

TELL_S = 0.1
"""Seconds between two looks at how far an export is."""
BAR = 30
ROOM = 58
"""Cells for a format and what it is: on a screen of 80 columns there are no more."""


class Went(Message):
    """So many units are written. A newer one stands for all before it."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Went)


class _Stopped(Exception):
    """Somebody closed the window before the export was through."""


class Export(Asking, ModalScreen[None]):
    """Exports ``row`` on a thread of its own; Escape stops it, and then nothing is left behind."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Close")]

    def __init__(self, row: BatchRow, records: Records, words: Words, glyphs: Glyphs) -> None:
        super().__init__()
        self._row, self._records, self._words, self._glyphs = row, records, words, glyphs
        self._is_busy = False

    def compose(self) -> ComposeResult:
        """Lay out the formats, cut to the screen, above the folder."""
        text = self._words.text
        with Vertical(id="window"):
            yield Static(Content(text("page-export", batch=self._row.batch.id)), classes="title")
            width = max((len(one.name) for one in self._records.formats), default=0)
            about = self._words.format_about
            told = (f"{one.name:{width}}  {about(one.name, one.about)}" for one in self._records.formats)
            formats = OptionList(*(Content(fit(one, ROOM)) for one in told), id="format")
            formats.styles.width = ROOM + 6
            yield formats
            yield Static(Content(text("page-folder")), classes="title")
            yield Input(self._records.folder, id="folder")
            yield Static(id="problem")
            yield Static(Content(text("page-export-keys")), classes="title")

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0 if self._records.formats else None
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self, _event: OptionList.OptionSelected) -> None:
        self._start()

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        self._start()

    def _start(self) -> None:
        at = self.query_one(OptionList).highlighted
        if self._is_busy or at is None:
            return
        self._is_busy = True
        batch, name = self._row.batch.id, self._records.formats[at].name
        folder, went = self.query_one("#folder", Input).value, self._went()
        self.on_went(Went(0))
        self.ask("export", lambda: self._records.export(batch, name, folder, went), self._done)

    def _went(self) -> Callable[[int], None]:
        """Return what the exporting thread calls: it tells this window now and then, and ends when that closed."""
        told_at = time.monotonic()

        def went(units: int) -> None:
            nonlocal told_at
            if get_current_worker().is_cancelled:
                raise _Stopped
            if time.monotonic() - told_at >= TELL_S:
                told_at = time.monotonic()
                self.post_message(Went(units))

        return went

    def on_went(self, message: Went) -> None:
        """Draw how far it is."""
        if self._is_busy:
            total = max(1, self._row.figures.units)
            of = self._words.text("page-of", count=str(min(message.units, total)), target=str(total))
            self._say(
                inked(
                    [line(*bar(message.units / total, BAR, Look.PASS, self._glyphs, self._glyphs.bar_rest), f"  {of}")]
                )
            )

    def _done(self, exported: Exported) -> None:
        self._is_busy = False
        self._say(Content(self._words.text("page-exported", path=exported.path, rows=exported.rows)))

    def failed(self, why: str) -> None:
        self._is_busy = False
        self._say(Content(why))

    def _say(self, text: Content) -> None:
        self.query_one("#problem", Static).update(text)

    def action_close(self) -> None:
        self.workers.cancel_node(self)
        self.dismiss(None)
