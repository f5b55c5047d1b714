"""The bench screen as a Textual app: events in through `feed`, commands out through ``send``.

It owns no thread and no device, keeps only view state (such as the selected slot), and restores the
terminal on exit.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath
from typing import ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.timer import Timer

from ..engine.commands import BindPort, Command, PutSlotBack, RetrySlot, Scan, ScanField, SignalUnit, TakeSlotOut
from ..engine.events import Event
from ..model import SlotInfo
from ..scan.codes import COMMAND, code_of
from ..view.layout import Rows, in_order
from ..view.look import ASCII, LIGHT, UNICODE, Palette
from ..view.records import NoRecords, Records
from ..view.reduce import replay
from ..view.state import BenchState, SlotState
from ..words.catalogue import Words
from ..words.say import Say
from .digits import Digits
from .driver import TerminalDriver
from .keyboard import Keyboard, meant
from .messages import EventsWaiting, LeaveNow, Silence
from .pump import EventPump
from .scanner import Broken, Found, Scanned, Typed
from .screens.asking import Question, TypeLabel, TypeReason, stop
from .screens.batches import Batches
from .screens.bench import BenchScreen
from .screens.choosing import BEAT_S
from .screens.details import Details
from .screens.find import Find
from .screens.help import Help
from .screens.page import Following, keys_of
from .sounds import Sounds
from .terminal import is_ascii_terminal, palette_of_terminal, variables_of

DRAW_S = 0.1  # between two drawings of progress: a bar that moves ten times a second looks smooth
_SHEETS = ("station", "supervisor")


class BenchApp(App[None]):
    """Draws the station's slots and turns keys into commands.

    ``feed`` and ``leave`` may be called from any thread, before, during and after `run`.
    ``send`` is called with every command on the app's thread and must not block. ``on_ready`` is called there once the
    screen is up, to start the engine. ``palette`` and ``ascii_only`` are detected from the terminal unless given;
    ``rows``: the slots as on the bench; ``records`` answers the supervisor's screens; ``words`` is the language, and
    the time zone of displayed times; ``is_animated=False`` keeps lights from blinking, for snapshots.
    """

    CSS_PATH: ClassVar[list[str | PurePath]] = [Path(__file__).with_name(f"{name}.tcss") for name in _SHEETS]
    ENABLE_COMMAND_PALETTE = False
    TITLE = "station"
    digit_s = 1.0  # seconds within which a second digit belongs to the first
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "Leave"),
        Binding("ctrl+q,ctrl+c", "leave", "Leave", show=False, priority=True),
        Binding("question_mark", "help", "Help"),
    ]

    def __init__(
        self,
        slots: tuple[SlotInfo, ...],
        send: Callable[[Command], None],
        words: Words,
        *,
        profiles: tuple[str, ...] = (),
        rows: Rows = (),
        records: Records | None = None,
        palette: Palette | None = None,
        ascii_only: bool | None = None,
        is_animated: bool = True,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        self._palette = palette or palette_of_terminal()
        self.glyphs = ASCII if (is_ascii_terminal() if ascii_only is None else ascii_only) else UNICODE
        self._profiles, self._words, self._is_animated, self._rows = profiles, words, is_animated, rows
        self._records, self._send, self._on_ready = records or NoRecords(), send, on_ready
        self.sounds: Sounds | None = None  # none: silence
        self.state = BenchState.of(slots, words)
        self.selected: int | None = None
        self._foreseen: int | None = None  # the slot to draw as selected, 0: none, until a key is known to be typed
        self._hint = ""  # reply to the last key, until the next one
        self._is_standing = self._must_leave = False
        self._digits = Digits()
        self._tens_timer: Timer | None = None
        self._drawn_at = self._seconds = 0.0  # the latter is the time by which lights blink
        self._draw_timer: Timer | None = None
        self._pump = EventPump(lambda: self._post(EventsWaiting()))
        self.keyboard = Keyboard(self, self._act, self._foresee)
        self._keys_to_scan = {"RETRY": self.action_retry, "LIGHT": self.action_light, "STOP": self.action_stop}
        # the terminal's own colours where the palette has none; with NO_COLOR that means no colours at all
        super().__init__(driver_class=TerminalDriver, ansi_color=True)
        self.theme = "ansi-light" if self._palette is LIGHT else "ansi-dark"
        self.set_class(self.glyphs.ascii_only, "-ascii")

    # --- from other threads ---

    def feed(self, event: Event) -> None:
        """Show ``event``. Any thread; never blocks."""
        self._pump.put(event)

    def leave(self) -> None:
        """Close the screen without asking. Any thread."""
        self._must_leave = True
        self._post(LeaveNow())

    def _post(self, message: EventsWaiting | LeaveNow) -> None:
        if not self._is_standing:
            return  # `on_mount` handles what was queued before it
        try:
            self.post_message(message)
        except RuntimeError:  # the event loop has just ended
            self._pump.close()

    # --- drawing ---

    def get_default_screen(self) -> Screen[None]:
        return BenchScreen(self.glyphs, self._rows)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the palette as variables of station.tcss."""
        return super().get_theme_variable_defaults() | variables_of(self._palette)

    def on_mount(self) -> None:
        """Draw the events fed so far, then follow new ones; Textual calls it once."""
        self._show()
        if self._is_animated:
            self.set_interval(BEAT_S, self._beat)
        if self._on_ready is not None:
            self.call_after_refresh(self._on_ready)
        self._is_standing = True
        self._drain()
        if self._must_leave:
            self.exit()

    def on_events_waiting(self, message: EventsWaiting) -> None:
        """Draw at once what somebody waits for; progress at most every `DRAW_S`, so that no key queues behind it."""
        wait = self._drawn_at + DRAW_S - message.time
        if self._pump.is_urgent or wait <= 0:
            self._drawn_at = message.time
            self._drain()
        elif self._draw_timer is None:
            self._drawn_at += DRAW_S
            self._draw_timer = self.set_timer(wait, self._drain)

    def on_leave_now(self, _message: LeaveNow) -> None:
        self._drain()
        self.exit()

    def on_unmount(self) -> None:
        self._pump.close()

    def _drain(self) -> None:
        if self._draw_timer is not None:
            self._draw_timer.stop()
            self._draw_timer = None
        if waiting := self._pump.take():
            before, self.state = self.state, replay(self.state, waiting)
            self._show()
            if self.sounds is not None and not self.sounds.hear(before, self.state):
                self.sounds = None
                self._say(Say("no_sound"))

    def _show(self) -> None:
        selected = self.selected if self._foreseen is None else self._foreseen or None
        for screen in self.screen_stack:
            if isinstance(screen, BenchScreen):
                screen.show(self.state, hint=self._hint, selected=selected, seconds=self._seconds)
            elif isinstance(screen, Following):
                screen.show(self.state)
        if isinstance(self.screen, Question):
            self.screen.look()

    def _beat(self) -> None:
        self._seconds += BEAT_S
        if any(slot.ask is not None for slot in self.state.slots):
            self._show()

    def _say(self, said: Say) -> None:
        """Show a reply to a key or scan, until the next one."""
        self._hint = self._words.line(said)
        self._show()

    # --- input ---

    async def on_event(self, event: events.Event) -> None:
        """Pass every key through the keyboard, which puts them in order and keeps those of a scanner."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            self.keyboard.press(event)
        else:
            await super().on_event(event)

    def on_silence(self, message: Silence) -> None:
        self.keyboard.silence(message.seconds)

    def _foresee(self, key: events.Key | None) -> None:
        """Mark the slot that a digit is about to select; None takes that back."""
        self._foreseen = None
        if key is not None:
            number = self._digits.number(int(key.key), self._numbers) if key.key.isdecimal() else None
            if number is None or not isinstance(self.screen, BenchScreen) or self._would_bind(number):
                return
            self._foreseen = 0 if number == self.selected else number
        self._show()

    async def _act(self, found: Found[events.Key]) -> None:
        self._foreseen = None
        if self._hint:
            self._hint = ""
            self._show()
        match found:
            case Typed(keys):
                for key in keys:
                    await super().on_event(meant(key, self.focused))
            case Scanned(text):
                self._scanned(text)
            case Broken():
                self._say(Say("scan_unreadable"))

    def _scanned(self, text: str) -> None:
        """Route a scan to the field of the open screen, else to the engine, with the slot named by S if any."""
        slot: int | None = None
        field: ScanField = ""
        if isinstance(self.screen, TypeLabel):
            slot = self.screen.slot
            self.screen.dismiss(None)
        elif isinstance(self.screen, Following):
            field = self.screen.takes_scans
        self._heard(text, slot, field)

    def _heard(self, text: str, slot: int | None, field: ScanField = "") -> None:
        """Press the key that a code stands for, with its question if there is one; the station answers all others."""
        kind, word = code_of(text.strip())
        press = self._keys_to_scan.get(word.upper()) if kind == COMMAND else None
        if press is not None:
            press(self.state.only_unit)
        else:
            self._send(Scan(text, slot, field))

    # --- actions ---

    def action_digit(self, digit: int) -> None:
        """Select a slot by number: if a second digit follows within `digit_s`, the first one counts as the tens.

        A single digit selects at once, but binds a port only after the second digit can no longer come: binding is
        permanent.
        """
        number = self._digits.number(digit, self._numbers)
        if self._tens_timer is not None:
            self._tens_timer.stop()
        if self._digits.press(digit, self._numbers):
            self._tens_timer = self.set_timer(self.digit_s, self._stands_alone)
            if self._would_bind(digit):
                return
        if number:
            self.action_slot(number)
        elif digit:
            self._say(Say("no_slot", slot=str(digit)))

    def _stands_alone(self) -> None:
        if (digit := self._digits.stand_alone()) and self._would_bind(digit):
            self.action_slot(digit)

    @property
    def _numbers(self) -> list[int]:
        return in_order([slot.number for slot in self.state.slots], self._rows)

    def _would_bind(self, number: int) -> bool:
        slot = self.state.slot(number)
        return slot is not None and slot.port_path is None and bool(self.state.unknown_ports)

    def action_slot(self, number: int) -> None:
        """Select a slot, or bind the unit on an unknown port to one that has no port yet. 0 selects none."""
        if number and self.state.slot(number) is None:
            return
        if self._would_bind(number):
            self._send(BindPort(number, self.state.unknown_ports[0]))
            return
        self.selected = None if number in (0, self.selected) else number
        self._show()

    def action_move(self, by: int) -> None:
        """Select the slot ``by`` places further (-1: back), wrapping around; the first or last if none is selected."""
        numbers = self._numbers
        if self.selected in numbers:
            self.selected = numbers[(numbers.index(self.selected) + by) % len(numbers)]
        elif numbers:
            self.selected = numbers[0 if by > 0 else -1]
        self._show()

    def action_details(self) -> None:
        slot = self._chosen_slot()
        if slot is not None:
            self.push_screen(Details(slot.number, self.state, self._send, self.glyphs, is_animated=self._is_animated))

    def action_retry(self, otherwise: int | None = None) -> None:
        """Retry the unit in the selected slot, else in ``otherwise``."""
        slot = self._chosen_unit(otherwise)
        if slot is not None and not self._is_at_work(slot):
            self._send(RetrySlot(slot.number))

    def action_stop(self, otherwise: int | None = None) -> None:
        slot = self._chosen_unit(otherwise)
        if slot is not None and slot.is_unjudged:
            stop(self, slot, self._words, lambda: self.state.slot(slot.number), self._send)
        elif slot is not None:
            self._say(Say("nothing_runs", slot=str(slot.number)))

    def action_light(self, otherwise: int | None = None) -> None:
        slot = self._chosen_unit(otherwise)
        if slot is not None and not self._is_at_work(slot):
            self._send(SignalUnit(slot.number, not slot.is_lit))

    def action_label(self) -> None:
        """Ask for a label, of the selected slot if there is one."""
        slot = self.selected

        def typed(text: str | None) -> None:
            if text:
                self._heard(text, slot)

        self.push_screen(TypeLabel(slot, self._words), typed)

    def action_off(self) -> None:
        """Ask why the selected slot goes out of service; a slot that is out of service comes back at once."""
        slot = self._chosen_slot()
        if slot is None or self._is_at_work(slot):
            return
        if slot.off is not None:
            self._send(PutSlotBack(slot.number))
            return

        def typed(why: str | None) -> None:
            if why:
                self._send(TakeSlotOut(slot.number, why))

        self.push_screen(TypeReason(slot.number, self._words), typed)

    def action_batch(self) -> None:
        self.push_screen(Batches(self.state, self._send, self._profiles, self._records, self.glyphs))

    def action_find(self) -> None:
        self.push_screen(Find(self.state, self._records, self.glyphs))

    def action_help(self) -> None:
        self.push_screen(Help(self.glyphs, self._words, keys_of(self.screen), is_animated=self._is_animated))

    def action_leave(self) -> None:
        """Leave; ask first while attempts are in progress. A second Q does not answer the question."""
        if isinstance(self.screen, Question):
            return
        if not self.state.is_busy:
            self._left(True)
            return
        self.push_screen(
            Question(Say("leave_writing" if self.state.is_writing else "leave_running"), self._words), self._left
        )

    async def action_quit(self) -> None:
        self.action_leave()

    def _left(self, answer: bool | None) -> None:
        if answer:
            self.exit()

    def _is_at_work(self, slot: SlotState) -> bool:
        """Return whether the unit in ``slot`` is at work, and say so."""
        if slot.is_unjudged:
            self._say(Say("slot_at_work", slot=str(slot.number)))
        return slot.is_unjudged

    def _chosen_slot(self, otherwise: int | None = None) -> SlotState | None:
        """Return the selected slot, else slot ``otherwise``, else the only one; ask for a choice between several."""
        number = self.selected if self.selected is not None else otherwise
        if number is None and len(self.state.slots) == 1:
            return self.state.slots[0]
        if number is None:
            self._say(Say("choose_slot"))
            return None
        return self.state.slot(number)

    def _chosen_unit(self, otherwise: int | None = None) -> SlotState | None:
        """Return the slot of `_chosen_slot` if it holds a unit."""
        slot = self._chosen_slot(otherwise)
        if slot is not None and not slot.is_present:
            self._say(Say("nothing_there", slot=str(slot.number)))
            return None
        return slot
