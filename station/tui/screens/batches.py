"""The screen of batches: open ones with their progress, closed ones, and how the chosen one goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from ...engine.commands import CloseBatch, Command, ScanField
from ...view import batches
from ...view.ink import Line, chosen, line
from ...view.look import Glyphs
from ...view.records import BatchRow, BatchStory, Part, Records
from ...view.state import BenchState, FieldScan
from ...words.say import Say
from .asking import Question
from .export import Export
from .find import Find
from .new_batch import NewBatch
from .page import SOON_S, Asking, Following, Keyed, inked
from .work import Owed, Rework

MIN_ROWS = 3
MORE = 100
"""So many closed batches are read at a time."""


class Batches(Following, Asking, Keyed):
    """Lists batches, the open ones first, above what the chosen one came to so far."""

    takes_scans: ScanField = "batch"
    KEYS = "page-batches-keys"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close"),
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("n", "new", "New batch"),
        Binding("c", "shut", "Close the batch"),
        Binding("e", "export", "Export"),
        Binding("o", "owed", "Owed"),
        Binding("w", "rework", "Rework"),
        Binding("f", "find", "Find"),
    ]

    def __init__(
        self,
        state: BenchState,
        send: Callable[[Command], None],
        profiles: tuple[str, ...],
        records: Records,
        glyphs: Glyphs,
    ) -> None:
        super().__init__()
        self._state, self._send, self._profiles = state, send, profiles
        self._records, self._glyphs = records, glyphs
        self._shut: Part[BatchRow] = Part()
        self._story: BatchStory | None = None
        self._chosen = ""  # by name: lists change while one looks at them
        self._taken, self._sealed = state.field_scan, state.sealed
        self._soon: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out the list above; figures, Pareto and yield by the hour of the chosen batch below."""
        with Vertical(id="page"):
            yield Static(id="list", classes="panel")
            with Horizontal(id="batch-story"):
                yield Static(id="figures", classes="panel")
                with Vertical(id="plots"):
                    yield Static(id="pareto", classes="panel")
                    yield Static(id="yields", classes="panel")
            yield Static(id="problem")
            yield Static(id="keys")

    def on_mount(self) -> None:
        text = self._state.words.text
        for name, title in (("list", "page-batches"), ("pareto", "page-pareto"), ("yields", "page-yields")):
            self.query_one(f"#{name}", Static).border_title = Content(text(title))
        self._choose(0)
        self._read_closed()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def show(self, state: BenchState) -> None:
        """Draw the list; read closed batches and figures again where they changed."""
        before, self._state = self._state, state
        if not self._chosen:  # the page was opened before the first batch was told of
            self._choose(0)
        self._draw_list()
        if len(state.batches) < len(before.batches):
            self._read_closed()
        if [one.figures for one in state.batches] != [one.figures for one in before.batches] and self._soon is None:
            self._soon = self.set_timer(SOON_S, self._is_due)
        if state.field_scan is not self._taken:
            self._scanned(state.field_scan)
        if state.sealed is not None and state.sealed is not self._sealed:
            self._sealed = state.sealed
            self._say(state.words.line(state.sealed.say))

    def _is_due(self) -> None:
        self._soon = None
        self._read_story()

    # --- the list ---

    @property
    def _rows(self) -> tuple[BatchRow, ...]:
        opened = batches.open_rows(self._state)
        names = {row.batch.id for row in opened}
        return (*opened, *(row for row in self._shut.rows if row.batch.id not in names))

    @property
    def _at(self) -> int:
        return next((at for at, row in enumerate(self._rows) if row.batch.id == self._chosen), 0)

    @property
    def _row(self) -> BatchRow | None:
        rows = self._rows
        return rows[self._at] if rows else None

    def _choose(self, at: int) -> None:
        rows = self._rows
        if rows:
            self._chosen = rows[max(0, min(at, len(rows) - 1))].batch.id
            self._read_story()
        self._draw()

    def action_choose(self, by: int) -> None:
        self._say("")
        self._choose(self._at + by)
        if len(self._rows) - self._at < self._room and len(self._shut.rows) < self._shut.total:
            start = len(self._shut.rows)
            self.ask("more", lambda: self._records.closed(start, MORE), self._more)

    def _read_closed(self) -> None:
        count = max(MORE, len(self._shut.rows) + 1)
        self.ask("closed", lambda: self._records.closed(0, count), self._has_closed)

    def _has_closed(self, part: Part[BatchRow]) -> None:
        self._shut = part
        if self._chosen:
            self._draw_list()
        else:
            self._choose(0)

    def _more(self, part: Part[BatchRow]) -> None:
        if part.start == len(self._shut.rows):
            self._shut = Part((*self._shut.rows, *part.rows), 0, part.total)
            self._draw_list()

    def _read_story(self) -> None:
        if name := self._chosen:
            self.ask("story", lambda: self._records.story(name), self._has_story)

    def _has_story(self, story: BatchStory | None) -> None:
        self._story = story
        self._draw_story()

    def failed(self, why: str) -> None:
        self._say(why)

    # --- drawing ---

    def _draw(self) -> None:
        self.show_keys()
        self._draw_list()
        self._draw_story()

    @property
    def _room(self) -> int:
        return max(MIN_ROWS, self.size.height // 4)

    def _draw_list(self) -> None:
        panel, words = self.query_one("#list", Static), self._state.words
        rows, at, room = self._rows, self._at, self._room
        top = max(0, min(at - room // 2, len(rows) - room))
        panel.styles.height = 2 + max(1, min(room, len(rows)))
        lines = batches.listed(rows[top : top + room], max(20, panel.content_size.width - 2), words, self._glyphs)
        panel.update(inked(chosen(lines, at - top, self._glyphs) or [line(words.line(Say("no_batch")))]))
        hidden = len(self._state.batches) + self._shut.total > room
        total = str(max(len(rows), len(self._state.batches) + self._shut.total))
        panel.border_subtitle = Content(words.text("page-of", count=str(at + 1), target=total) if hidden else "")

    def _draw_story(self) -> None:
        story, words, glyphs = self._story, self._state.words, self._glyphs
        if story is None or story.row.batch.id != self._chosen:
            return
        live = next((row for row in batches.open_rows(self._state) if row.batch.id == self._chosen), None)
        if live is not None:  # never older than the header
            story = replace(story, row=replace(story.row, figures=live.figures, batch=live.batch))
        self._put("figures", lambda width, _: batches.figures(story, width, words, glyphs))
        self._put("pareto", lambda width, height: batches.pareto(story.causes, width, height, words, glyphs))
        self._put("yields", lambda width, height: batches.yields(story.hours, width, height, words, glyphs))
        self.query_one("#figures", Static).border_title = Content(self._chosen)

    def _put(self, name: str, drawn: Callable[[int, int], list[Line]]) -> None:
        panel = self.query_one(f"#{name}", Static)
        size = panel.content_size
        panel.update(inked(drawn(max(10, size.width), max(1, size.height))))

    def _say(self, text: str) -> None:
        self.query_one("#problem", Static).update(Content(text))

    # --- scans and keys ---

    def _scanned(self, scan: FieldScan | None) -> None:
        """Choose the batch that was scanned; of one that is not there, ask for what it takes to open it."""
        self._taken = scan
        if scan is None or scan.field != self.takes_scans or self.app.screen is not self:
            return
        self._say(scan.problem)
        if not scan.text:
            return
        place = next((at for at, row in enumerate(self._rows) if row.batch.id == scan.text), None)
        if place is not None:
            self._choose(place)
        else:
            self._open_form(scan.text)

    def action_new(self) -> None:
        self._open_form("")

    def _open_form(self, name: str) -> None:
        def opened(batch: str | None) -> None:
            if batch:
                self._chosen = batch
                self._choose(self._at)

        self._say("")
        self.app.push_screen(NewBatch(self._state, self._send, self._profiles, self._glyphs, name), opened)

    def action_shut(self) -> None:
        """Close the chosen batch after asking: it cannot be reopened."""
        row = self._row
        if row is None or row.closed_at is not None:
            return
        batch = row.batch.id

        def answered(answer: bool | None) -> None:
            if answer:
                self._say("")
                self._send(CloseBatch(batch))

        at_work = sum(slot.is_unjudged and slot.batch == batch for slot in self._state.slots)
        say = Say("close_busy_batch", count=str(at_work), batch=batch) if at_work else Say("close_batch", batch=batch)
        self.app.push_screen(Question(say, self._state.words), answered)

    def action_export(self) -> None:
        if (row := self._row) is not None:
            self.app.push_screen(Export(row, self._records, self._state.words, self._glyphs))

    def action_owed(self) -> None:
        self.app.push_screen(Owed(self._state, self._send, self._records, self._glyphs))

    def action_rework(self) -> None:
        self.app.push_screen(Rework(self._state, self._records, self._glyphs))

    def action_find(self) -> None:
        self.app.push_screen(Find(self._state, self._records, self._glyphs))

    def action_close(self) -> None:
        self.dismiss(None)
