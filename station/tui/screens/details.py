"""One slot from half a metre: framed panels, and what a technician may do with the unit in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from ...engine.commands import (
    Command,
    EnterMode,
    Mode,
    OpenConsole,
    PrintLabel,
    RunStep,
    SaveReport,
    SaveTrace,
    SignalUnit,
    TellLight,
)
from ...view import details
from ...view.bars import details_footer, details_keys, told_stray
from ...view.look import LIGHTS, Glyphs
from ...view.panels import Line, Panel, bold, dim
from ...view.state import BenchState, SlotState
from ...words.cells import fit, pad, wrap
from ..widgets.panel import PanelBox
from .asking import stop
from .choosing import BEAT_S, Choice, Draw
from .console import ConsoleWindow
from .page import Following, Keyed, Window

PANELS = ("steps", "identity", "firmware", "wire")
"""In the order Tab goes through them."""
WIDE, HIGH = 100, 30
"""A screen of at least so many cells shows all panels, a smaller one the head and one of them."""
_MODES: tuple[Mode, ...] = ("dfu", "listening", "safe", "reset")


class Details(Following, Keyed):
    """The technician's view of one slot. It stays with the unit it shows: the next one is another visit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "Back"),
        Binding("tab", "panel(1)", show=False, priority=True),
        Binding("shift+tab", "panel(-1)", show=False, priority=True),
        Binding("up", "choose(-1)", show=False, priority=True),
        Binding("down", "choose(1)", show=False, priority=True),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("enter", "run", "Run the step"),
        Binding("f", "from_here", "Retry from here"),
        Binding("r", "retry", "Retry"),
        Binding("l", "light", "Light"),
        Binding("m", "mode", "Mode"),
        Binding("k", "console", "Console"),
        Binding("p", "pattern", "Light seen"),
        Binding("v", "bytes", "Bytes"),
        Binding("t", "trace", "Save the wire"),
        Binding("s", "report", "Save a report"),
        Binding("n", "label", "Print the label again"),
        Binding("c", "copy", "Copy"),
        Binding("x", "stop", "Stop"),
    ]

    def __init__(
        self,
        number: int,
        state: BenchState,
        send: Callable[[Command], None],
        glyphs: Glyphs,
        *,
        is_animated: bool = True,
    ) -> None:
        super().__init__()
        self._number, self._state, self._send = number, state, send
        self._glyphs, self._is_animated = glyphs, is_animated
        self._chosen, self._panel = 0, PANELS[0]
        self._is_chosen_by_hand = self._is_raw = False
        self._seconds = 0.0
        self._unit = state.slot(number)  # as it was last with its Device ID
        self._is_gone = False  # not in the slot any more, and shown as it left
        self._reply = ""  # to the last key, or what the station has said since

    def compose(self) -> ComposeResult:
        """Lay out the head above, steps on the left, identity and firmware on the right, the wire below."""
        yield PanelBox("head", lambda width: self._made("head", width))
        with Horizontal(id="middle"):
            yield PanelBox("steps", lambda width: self._made("steps", width))
            with Vertical(id="right"):
                yield PanelBox("identity", lambda width: self._made("identity", width))
                yield PanelBox("firmware", lambda width: self._made("firmware", width))
        yield PanelBox("wire", lambda width: self._made("wire", width))
        yield Static(id="reply")
        yield Static(id="keys")

    def _made(self, name: str, width: int) -> Panel | None:
        """Compose one panel for ``width`` cells from the latest state of the slot."""
        slot, words = self._slot(), self._state.words
        if slot is None:
            return None
        match name:
            case "head":
                return details.head(slot, self._glyphs, words, width, seconds=self._seconds)
            case "steps":
                return details.steps(slot, self._glyphs, words, width, self._chosen)
            case "identity":
                return details.identities(slot, self._glyphs, words, width)
            case "firmware":
                return details.modules(slot, self._glyphs, words, width)
            case _:
                return details.wire(slot, words, width, self._glyphs, is_raw=self._is_raw)

    def on_mount(self) -> None:
        self.show(self._state)
        if self._is_animated:
            self.set_interval(BEAT_S, self._beat)

    def on_resize(self) -> None:
        self.show(self._state)

    def _beat(self) -> None:
        self._seconds += BEAT_S
        slot = self._slot()
        if slot is not None and (slot.light_seen or slot.ask is not None) and self.is_current:
            self.query_one("#head", PanelBox).show()

    def show(self, state: BenchState) -> None:
        """Draw the unit from ``state``; if it has left the slot, as it was last."""
        self._reply = _said_since(self._state, state) or self._reply
        self._state = state
        self._follow(state.slot(self._number))
        slot = self._slot()
        if slot is None or not self.is_mounted:
            return
        if not self._is_chosen_by_hand:
            self._chosen = details.worth_a_look(slot)
        self._chosen = max(0, min(self._chosen, len(slot.all_steps) - 1))
        self._arrange()
        for box in self.query(PanelBox):
            box.show()
        width = self.size.width - 2
        reply = wrap(self._reply or self._gone() or state.notice, width)
        self._put("reply", "\n".join([*reply[:1], *filter(None, [fit(" ".join(reply[1:]), width)])]))
        self.query_one("#reply").display = bool(reply)
        self.show_keys()

    def show_keys(self) -> None:
        slot, words, over = self._slot(), self._state.words, self.app.screen
        if slot is not None:
            lines = details_footer(slot, self.size.width - 2, words, told_stray(self.stray, words))
            self._put("keys", words.text(over.answers) if isinstance(over, Window) else "\n".join(lines))
            self.query_one("#keys").set_class(bool(self.stray), "-notice")

    def keys_told(self) -> list[str]:
        return details_keys(self._state.words)

    def on_screen_suspend(self) -> None:
        """Name the keys of the window that covers this screen; Textual calls it."""
        self.show_keys()

    def on_screen_resume(self) -> None:
        self.show_keys()

    def _arrange(self) -> None:
        """Show all panels, or on a small screen the head and the one chosen with Tab."""
        has_room = self.size.width >= WIDE and self.size.height >= HIGH
        self.set_class(not has_room, "-small")
        for name in PANELS:
            self.query_one(f"#{name}").display = has_room or name == self._panel
            self.query_one(f"#{name}").set_class(name == self._panel, "-current")
        self.query_one("#middle").display = has_room or self._panel != "wire"
        self.query_one("#right").display = has_room or self._panel in ("identity", "firmware")

    def _put(self, where: str, text: str) -> None:
        self.query_one(f"#{where}", Static).update(Content(text))

    def _slot(self) -> SlotState | None:
        return self._unit if self._is_gone else self._state.slot(self._number)

    def _follow(self, now: SlotState | None) -> None:
        """Notice that the unit left the slot, or is back: ``now`` is what the slot holds."""
        unit = self._unit
        if now is None:
            return
        if unit is None or unit.device_id in (None, now.device_id):
            self._unit, self._is_gone = now, False
            return
        is_retried = now.device_id is None and now.is_present  # begins before the Device ID is read again
        if not self._is_gone and not is_retried:
            self._unit = replace(unit, is_present=False, is_walking=False, asks=(), held=None)
            self._is_gone, self._reply = True, ""

    def _gone(self) -> str:
        """Say that the unit shown is not in the slot any more; empty as long as it is."""
        if not self._is_gone:
            return ""
        now = self._state.slot(self._number)
        key = "details-other-unit" if now is not None and now.is_present else "details-unit-left"
        return self._state.words.text(key, slot=str(self._number))

    def _say(self, key: str, **values: str) -> None:
        """Reply to a key, until the next one, or until the station says something."""
        self._reply = self._state.words.text(key, **values)
        self.show(self._state)

    def _clear(self) -> None:
        self._reply = ""

    # --- looking ---

    def action_panel(self, by: int) -> None:
        """Go to the next panel, or back to the one before."""
        self._clear()
        self._panel = PANELS[(PANELS.index(self._panel) + by) % len(PANELS)]
        self.show(self._state)

    def action_choose(self, by: int) -> None:
        """Choose another step; in the other panels scroll by a line."""
        self._clear()
        if self._panel != "steps":
            self.query_one(f"#{self._panel}", PanelBox).scroll_relative(y=by, animate=False)
            return
        self._chosen, self._is_chosen_by_hand = self._chosen + by, True
        self.show(self._state)

    def action_page(self, by: int) -> None:
        box = self.query_one(f"#{self._panel}", PanelBox)
        box.scroll_relative(y=by * max(1, box.size.height - 1), animate=False)

    def action_bytes(self) -> None:
        """Show the bytes below each exchange of the wire, or hide them; say so if there are none."""
        self._clear()
        self._panel = "wire"
        slot = self._slot()
        if slot is not None and slot.has_bytes:
            self._is_raw = not self._is_raw
            self.show(self._state)
        else:
            self._say("details-no-bytes" if slot is not None and slot.trace else "details-no-wire")

    # --- doing ---

    def _idle_unit(self) -> SlotState | None:
        """Return the slot if a unit is in it and nothing runs; else say why nothing can be done now."""
        slot = self._slot()
        self._clear()
        if slot is None or not slot.is_present:
            self._reply = self._gone() or self._state.words.text("details-no-unit", slot=str(self._number))
            self.show(self._state)
        elif slot.is_unjudged:
            self._say("details-at-work", slot=str(self._number))
        else:
            return slot
        return None

    def action_run(self) -> None:
        self._run(lambda _slot: ())

    def action_from_here(self) -> None:
        """Run the chosen step and all behind it."""
        self._run(lambda slot: tuple(step.step for step in slot.all_steps[self._chosen + 1 :]))

    def _run(self, then: Callable[[SlotState], tuple[str, ...]]) -> None:
        slot = self._idle_unit()
        if slot is None:
            return
        if not slot.all_steps:
            self._say("details-no-steps")
            return
        chosen = slot.all_steps[self._chosen]
        following = then(slot)
        self._send(RunStep(self._number, chosen.step, following))
        title = self._state.words.step_title(chosen.step, chosen.title)
        self._say("details-runs-from" if following else "details-runs", step=title)

    async def action_retry(self) -> None:
        if self._idle_unit() is not None:
            self._is_chosen_by_hand = False
            await self.run_action("app.retry")

    def action_light(self) -> None:
        """Let the light of the unit be a rainbow, or its own again."""
        if (slot := self._idle_unit()) is not None:
            self._send(SignalUnit(self._number, not slot.is_lit))

    def action_mode(self) -> None:
        """Ask for a mode, and bring the unit into it."""
        if self._idle_unit() is None:
            return
        text = self._state.words.text

        def draw(name: str, _seconds: float) -> Line:
            return (bold(pad(text(f"mode-{name}"), 16)), dim(text(f"mode-{name}-does")))

        def chosen(name: str | None) -> None:
            mode = next((mode for mode in _MODES if mode == name), None)
            if mode is not None and (slot := self._idle_unit()) is not None:
                self._send(EnterMode(self._number, mode, slot.attempt or "", slot.device_id or ""))
                self._say("details-enters", mode=text(f"mode-{mode}"))

        self._choose("details-choose-mode", _MODES, draw, chosen)

    def action_console(self) -> None:
        """Open the console of the unit in a window."""
        slot = self._idle_unit()
        if slot is not None:
            self.app.push_screen(ConsoleWindow(self._number, self._state, self._send))
            self._send(OpenConsole(self._number, slot.attempt or "", slot.device_id or ""))

    def action_pattern(self) -> None:
        """Ask what the light of the unit does, and keep it with its attempt: support asks for it."""
        slot, words = self._slot(), self._state.words
        self._clear()
        if slot is None or not slot.attempt:
            self._say("details-no-attempt")
            return
        attempt, device_id = slot.attempt, slot.device_id or ""

        def draw(name: str, seconds: float) -> Line:
            return details.lamp_spans(name, self._glyphs, words, seconds, width=22)

        def chosen(name: str | None) -> None:
            if name is not None:
                self._send(TellLight(self._number, attempt, device_id, name))

        self._choose("details-choose-light", tuple(LIGHTS), draw, chosen)

    def _choose(self, title: str, names: tuple[str, ...], draw: Draw, chosen: Callable[[str | None], None]) -> None:
        text = self._state.words.text
        window = Choice(text(title), names, draw, text("window-choose"), is_animated=self._is_animated)
        self.app.push_screen(window, chosen)

    def action_report(self) -> None:
        """Have all that is known of the attempt saved to a file."""
        slot = self._slot()
        self._clear()
        if slot is None or not slot.attempt:
            self._say("details-no-attempt")
            return
        self._send(SaveReport(self._number, slot.attempt, details.trace_text(slot)))
        self._say("details-saving")

    def action_trace(self) -> None:
        """Have the exchanges on the wire saved to a file."""
        slot = self._slot()
        self._clear()
        if slot is None or not slot.trace:
            self._say("details-no-wire")
            return
        self._send(SaveTrace(self._number, slot.attempt or "", details.trace_text(slot)))
        self._say("details-saving")

    def action_label(self) -> None:
        """Print the label of the unit once more, also while its walk asks for it; refused where it had none."""
        slot = self._slot()
        is_asked_for = slot is not None and slot.is_present and slot.is_unjudged and slot.has_label
        if is_asked_for or self._idle_unit() is not None:
            self._send(PrintLabel(self._number))
            self._say("details-prints")

    def action_copy(self) -> None:
        """Put what support asks for first into the clipboard of the terminal: Device ID, light, verdict, reason."""
        slot = self._slot()
        self._clear()
        if slot is None or not slot.device_id:
            self._say("details-no-unit", slot=str(self._number))
            return
        self.app.copy_to_clipboard(details.for_support(slot, self._state.words))
        self._say("details-copied")

    def action_stop(self) -> None:
        """Ask whether to stop the attempt that runs."""
        slot = self._slot()
        self._clear()
        if slot is not None and slot.is_walking and slot.verdict is None:
            stop(self.app, slot, self._state.words, self._slot, self._send)
        else:
            self._say("details-nothing-runs", slot=str(self._number))

    def action_back(self) -> None:
        self.dismiss(None)


def _said_since(before: BenchState, state: BenchState) -> str:
    """Return what the station answered or noticed last; verdicts stand in their slots."""
    if state.notice and state.notice != before.notice:
        return state.notice
    last = before.log[0] if before.log else None
    new = itertools.takewhile(lambda one: one is not last, state.log)
    return next((f"{one.name}  {one.text}".strip() for one in new if one.look is None), "")
