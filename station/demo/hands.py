"""Virtual hands: one pair a slot plugs in, scans or presses buttons when asked, looks at the verdict and unplugs."""

from __future__ import annotations

from collections.abc import Callable

from drivers.clock import CancelToken, Clock, ClockThread
from drivers.errors import Cancelled
from drivers.virtual.bus import VirtualBus
from drivers.virtual.unit import UnitMode, VirtualUnit

from ..engine.events import AttemptFinished, AttemptStarted, Event, HandsDone, HandsNeeded
from ..model import Verdict
from .options import DemoOptions, port_of

DARK_S = 30.0
"""How long virtual hands wait for a unit that does not appear on USB before they take the next one."""
GAP_S = 1.0
"""Between one unit and the next in a slot."""


class Hands:
    """The hands at one slot, on a thread of their own. `start` them, pass events to `saw`, then `join` or `stop`."""

    def __init__(
        self,
        bus: VirtualBus,
        slot: int,
        options: DemoOptions,
        clock: Clock,
        make_unit: Callable[[int, int], VirtualUnit],
        scan: Callable[[str, int], None],
        read_label: Callable[[str], str | None],
        leaves: Callable[[int, VirtualUnit], None],
    ) -> None:
        self.slot = slot
        self._bus, self._options, self._clock = bus, options, clock
        self._make_unit, self._scan, self._leaves = make_unit, scan, leaves
        self._read_label = read_label
        self._condition = clock.condition()
        self._token: CancelToken = clock.token()
        self._seen: list[Event] = []
        self._walks: set[str | None] = set()  # attempts begun while the present unit was in
        self._past: set[str | None] = set()  # those of the units before it, whose ends may still be told
        self._thread: ClockThread | None = None
        self.failure: Exception | None = None
        self.has_dark_unit = False  # it never came up, so no walk judged it
        self.has_unwanted_unit = False  # no open batch takes it, so it was taken out unwalked

    def start(self) -> None:
        """Begin to plug in."""
        self._thread = self._clock.thread(f"hands-{self.slot}", self._run)

    def join(self) -> None:
        """Wait until there is nothing more to plug in; without ``once`` that is never."""
        if self._thread is not None:
            self._thread.join()

    def stop(self) -> None:
        """Stop at the next wait and join; the unit stays plugged in."""
        self._token.cancel()
        self.join()

    def saw(self, event: Event) -> None:
        """Take in an event of this slot. Called on any thread."""
        if isinstance(event, AttemptStarted | AttemptFinished | HandsNeeded | HandsDone):
            with self._condition:
                if isinstance(event, AttemptStarted):
                    self._walks.add(event.attempt)
                self._seen.append(event)
                self._condition.notify_all()

    def _run(self) -> None:
        turn = 0
        try:
            self._clock.sleep(0.2 * self.slot, self._token)
            while True:
                self._walk(self._make_unit(self.slot, turn))
                turn += 1
                if self._is_through(turn):
                    return
                self._clock.sleep(GAP_S, self._token)
        except Cancelled:
            return
        except Exception as error:  # a full disk, say: told by `Demo.check`
            self.failure = error

    def _is_through(self, turn: int) -> bool:
        """Return whether no unit is left for the ``turn``-th turn of this slot."""
        options = self._options
        return options.once if options.total is None else self.slot + turn * options.units > options.total

    def _walk(self, unit: VirtualUnit) -> None:
        """Have ``unit`` walked; where so many come in all, a second time if it was judged and did not pass."""
        came: set[VirtualUnit] = {unit}
        verdict = self._work(unit, came)
        if self._options.total is not None and verdict is not None and verdict not in _GOOD:
            self._clock.sleep(GAP_S, self._token)
            self._work(unit, came)
        for one in came:
            one.close()

    def _work(self, unit: VirtualUnit, came: set[VirtualUnit]) -> Verdict | None:
        """Plug ``unit`` in until its verdict is seen, and return that; ``came`` gets what is unplugged then, too."""
        port, verdict = port_of(self.slot), None
        with self._condition:
            self._seen.clear()
            self._past |= self._walks
        self._bus.plug(port, unit)
        while (event := self._next_event(unit)) is not None:
            if isinstance(event, HandsNeeded) and event.sentence in _UNWANTED:
                if self._looks(unit, verdict):
                    self.has_unwanted_unit = True
                    break
            elif isinstance(event, HandsNeeded):
                self._scan_what(event) if event.waits_for_scan else self._press(event)
            elif isinstance(event, AttemptFinished) and event.attempt not in self._past:
                verdict = event.verdict
                if self._looks(unit, verdict):
                    break
        last = self._present
        if last is not None:
            came.add(last)
            self._leaves(self.slot, last)
        self._bus.unplug(port)
        return verdict

    def _next_event(self, unit: VirtualUnit) -> Event | None:
        """Wait for the next event of this slot; None when its unit stays dark and will never be walked."""
        while True:
            with self._condition:
                if self._condition.wait_for(lambda: bool(self._seen), DARK_S, self._token):
                    return self._seen.pop(0)
                is_walked = bool(self._walks - self._past)
            if not (is_walked or self._is_coming(unit) or self._is_shown):
                self.has_dark_unit = True
                return None

    @property
    def _is_shown(self) -> bool:
        present = self._present
        return present is not None and present.presence is not None

    @property
    def _present(self) -> VirtualUnit | None:
        """The unit on the port now: after a fault perhaps not the one that was plugged in."""
        found = self._bus.unit_at(port_of(self.slot))
        return found if isinstance(found, VirtualUnit) else None

    def _looks(self, unit: VirtualUnit, verdict: Verdict | None) -> bool:
        """Look at the slot for a while, longer if a unit is on its way. False: one came and is being walked.

        With ``keeps_bad`` a unit that did not pass stays in its slot until a technician has it walked again.
        """
        show_s = None if self._options.keeps_bad and verdict not in _GOOD else self._options.show_s
        while True:
            was_coming = self._is_coming(unit)
            with self._condition:
                is_walked = self._condition.wait_for(
                    lambda: any(isinstance(event, AttemptStarted) for event in self._seen),
                    show_s,
                    self._token,
                )
            if is_walked or not (was_coming or self._is_coming(unit)):
                return not is_walked

    def _is_coming(self, unit: VirtualUnit) -> bool:
        """Whether an ordered fault is not over yet: the unit or its successor is to be plugged in, or boots."""
        present = self._present
        return unit.successor is not None if present is None else present.mode is UnitMode.STARTING

    def _scan_what(self, asked: HandsNeeded) -> None:
        """Scan the label of the unit that is there after a while, or its SIM card, unless a person was faster."""
        if (unit := self._reached()) is not None:
            label = self._read_label(unit.device_id) if asked.sentence in _PRINTED else unit.label
            if label is not None:
                self._scan(str(unit.spec.iccid) if asked.sentence in _CARD else label, self.slot)

    def _press(self, asked: HandsNeeded) -> None:
        """Do with the buttons of the unit what the screen asks for, after a while."""
        press = _BUTTONS.get(asked.sentence)
        if press is not None and (unit := self._reached()) is not None:
            press(unit)

    def _reached(self) -> VirtualUnit | None:
        """Return the unit that is there when the hands get to it; None if something happened before."""
        with self._condition:
            faster = self._condition.wait_for(lambda: bool(self._seen), self._options.scan_after_s, self._token)
        return None if faster else self._present


_GOOD = frozenset({Verdict.PASS, Verdict.PENDING})
"""After these nobody plugs a unit in again."""
_UNWANTED = frozenset({"wrong_platform", "no_profile"})
"""What a slot says of a unit that is to be taken out."""
_CARD = frozenset({"scan_card", "card_differs", "not_the_card"})
"""What a walk asks for a SIM card with (keys of the catalogue)."""
_PRINTED = frozenset({"scan_printed", "old_label", "label_in_doubt"})
"""What it asks for the label with that it has just printed."""
_BUTTONS: dict[str, Callable[[VirtualUnit], None]] = {
    "dfu_by_hand": VirtualUnit.press_mode_button,
    "listening_by_hand": VirtualUnit.hold_mode_button,
}
"""What is done when a walk asks for hands (a key of the catalogue)."""
