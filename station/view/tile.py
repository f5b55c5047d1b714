"""Compose one slot, line by line, for an area of a given size. Pure: a slot's state in, lines out.

The headline (word and shape) fills the rows the lines below leave. If rows are short, the least
important lines are dropped first; the headline and the one action stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..local_time import countdown
from ..words.catalogue import Sentence, Words
from ..words.cells import fit, tail, width_of, wrap
from ..words.say import Say
from . import bigtext
from .look import UNICODE, Glyphs, Look, light
from .state import SlotState, off_say

BIG_ROWS = 3  # of the smallest block letters
DISC_ROWS = 5  # of a status light large enough to be seen from the conveyor
MAX_BAR = 40
_QUIET = (Look.RUNNING, Look.WAITS, Look.OFF)  # nobody has to come
AIRY_ROWS = 8  # with more rows than this, a gap separates the headline from the lines below it


@dataclass(frozen=True, slots=True)
class Place:
    """The cells to fill, with terminal, language and phase of the blinking light."""

    width: int
    height: int
    words: Words
    glyphs: Glyphs = UNICODE
    is_lit: bool = True  # the blinking light is in its bright phase
    is_mixed: bool = False  # the bench makes several products: a tile says what kind of unit is in it


@dataclass(frozen=True, slots=True)
class Line:
    """One line, to be centred."""

    text: str
    is_bold: bool = False
    colour: str = ""  # of the status light, else the slot's own


@dataclass(frozen=True, slots=True)
class _Part:
    """Lines that are shown or dropped together. ``keep``: 0 is dropped last, larger numbers earlier."""

    keep: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Head:
    """The headline. ``blocks``: the text drawn in block letters where ``words`` cannot be."""

    shape: str
    words: str
    short: str
    blocks: str
    is_loud: bool  # a verdict, YOUR TURN, or the number of an empty slot

    @property
    def plain(self) -> tuple[str, ...]:
        """Return the forms without block letters, longest first."""
        if not self.shape:
            return (self.words,)
        forms = (f"{self.shape} {self.words}", f"{self.shape} {self.short}", f"{self.shape}{self.short}")
        return forms if self.is_loud else (*forms, self.words)


def compose(slot: SlotState, place: Place) -> list[Line]:
    """Return at most ``place.height`` lines of at most ``place.width`` cells."""
    if place.width <= 0 or place.height <= 0:
        return []
    head = _head(slot, place)
    parts = _BODIES[slot.look](slot, place)
    body = _trimmed(parts, place.height - _least_rows(head, parts, place))
    free = place.height - len(body)
    disc = _disc(slot, place, free)
    free -= len(disc)
    lines = _headline(head, place, free - (free > AIRY_ROWS))
    gap = [Line("")] if len(lines) < free and lines and (body or disc) else []
    return [*lines, *gap, *disc, *body]


# --- the headline ---


def _head(slot: SlotState, place: Place) -> _Head:
    look = slot.look
    if look is Look.EMPTY:
        number = str(slot.number)
        return _Head("", number, number, number, is_loud=True)
    face = place.words.face(look.value)
    long, short = (face.word, face.short) if face.word else (_title(slot, place.words),) * 2
    return _Head(place.glyphs.shape(look), long, short, face.blocks or long, is_loud=look not in _QUIET)


def _title(slot: SlotState, words: Words) -> str:
    """Return the title of the running step, between two steps of the last one, and before the first a greeting."""
    ended = [line for line in slot.steps if line.outcome is not None]
    current = slot.current or (ended[-1] if ended and slot.is_walking else None)
    if current is not None:
        return words.step_title(current.step, current.title)
    return words.line(Say("starting" if slot.is_walking else "arrived"))


def _headline(head: _Head, place: Place, rows: int) -> list[Line]:
    drawn = _drawn(head, place, rows, head.words)
    if drawn:
        return [Line(text, is_bold=True) for text in drawn]
    if head.blocks != head.words and (drawn := _drawn(head, place, rows - 1, head.blocks)):
        return [*(Line(text, is_bold=True) for text in drawn), Line(fit(head.words, place.width), is_bold=True)]
    plain = next((text for text in head.plain if width_of(text) <= place.width), head.plain[-1])
    return [Line(fit(plain, place.width), is_bold=True)]


def _drawn(head: _Head, place: Place, rows: int, word: str) -> tuple[str, ...]:
    """Draw ``word`` in the largest block letters that fit, with the shape: drawn too, or as a character beside it.

    States that need nobody are in ordinary letters, so that the screen is calm while all goes well.
    """
    if not head.is_loud or rows < 1:
        return ()
    width = place.width - (2 if place.width > 24 else 0)  # margins of a large tile
    bare = _arrangements("", word.upper())
    if not head.shape:
        only = bigtext.draw(bare, width, rows, ascii_only=place.glyphs.ascii_only)
        return only.lines if only else ()
    margin = width_of(head.shape) + 1
    beside = bigtext.draw(bare, width - margin, rows, ascii_only=place.glyphs.ascii_only)
    full = None if place.glyphs.ascii_only else bigtext.draw(_arrangements(head.shape, word.upper()), width, rows)
    if full and (beside is None or full.area * 2 >= beside.area):
        return full.lines
    return _with_shape(head.shape, beside.lines) if beside else ()


def _with_shape(shape: str, lines: tuple[str, ...]) -> tuple[str, ...]:
    middle = (len(lines) - 1) // 2
    blank = " " * width_of(shape)
    return tuple(f"{shape if i == middle else blank} {text}" for i, text in enumerate(lines))


def _arrangements(shape: str, text: str) -> tuple[tuple[str, ...], ...]:
    """Return the possible layouts: on one line or a line per word, the shape in front or on its own line."""
    parts = tuple(text.split())
    if not shape:
        return ((text,), parts)
    return ((f"{shape} {text}",), (f"{shape} {parts[0]}", *parts[1:]), (shape, *parts)) if parts else ()


def _least_rows(head: _Head, body: list[_Part], place: Place) -> int:
    """Return the rows the lines below must leave: enough for block letters, on one line or two, if the reason and the
    one action still fit; else one. The unit's name is less important than that."""
    needed = sum(len(part.lines) for part in body if part.keep <= 1)
    for rows in (BIG_ROWS, 2 * BIG_ROWS):
        extra = 0 if _drawn(head, place, rows, head.words) else 1
        if rows + extra + needed <= place.height and _drawn(head, place, rows, head.blocks if extra else head.words):
            return rows + extra
    return 1


def _disc(slot: SlotState, place: Place, rows: int) -> list[Line]:
    """Draw the status light large, if the headline still has room for its block letters."""
    led = light(slot.ask.led) if slot.ask is not None else None
    if led is None or slot.look is not Look.HANDS or rows < DISC_ROWS + 2 * BIG_ROWS or place.glyphs.ascii_only:
        return []
    drawn = bigtext.draw([["●"]], place.width, DISC_ROWS)
    if drawn is None:
        return []
    is_dark = led.blinks and not place.is_lit
    lines = [Line(" " * len(text) if is_dark else text, colour=led.colour) for text in drawn.lines]
    return [*lines, Line("")]


# --- the lines below it ---


def _trimmed(parts: list[_Part], rows: int) -> list[Line]:
    """Return the most important parts that fit as a whole, in their order: half a sentence would mislead."""
    kept: set[int] = set()
    for index, part in sorted(enumerate(parts), key=lambda pair: pair[1].keep):
        if len(part.lines) <= rows:
            kept.add(index)
            rows -= len(part.lines)
    return [line for index, part in enumerate(parts) if index in kept for line in part.lines]


def _said(text: str, place: Place, keep: int, *, is_bold: bool = False, most: int = 4) -> _Part:
    return _Part(keep, tuple(Line(part, is_bold) for part in wrap(text, place.width)[:most]))


def _whole(says: tuple[str, ...], place: Place, keep: int) -> _Part:
    """Make one part of the lines of a sentence: its first half alone would mislead."""
    return _Part(keep, tuple(line for text in says for line in _said(text, place, keep).lines))


def _short(text: str, place: Place, keep: int, colour: str = "") -> _Part:
    return _Part(keep, (Line(fit(text, place.width), colour=colour),) if text else ())


def _whole_or_none(forms: tuple[str, ...], place: Place, keep: int, colour: str = "") -> _Part:
    """Show the first of ``forms`` that fits, else nothing: none of them means anything when it is cut."""
    return _short(next((text for text in forms if width_of(text) <= place.width), ""), place, keep, colour)


def _name(slot: SlotState, place: Place, keep: int = 2) -> list[_Part]:
    """Compose the unit's name, on a mixed bench below its platform's."""
    kind = (slot.platform, slot.platform.partition(" / ")[0]) if place.is_mixed else ()
    return [_whole_or_none(kind, place, 6), _short(tail(slot.name, place.width), place, keep)]


def _seen(slot: SlotState, place: Place) -> list[_Part]:
    return [_said(place.words.seen_before(slot.seen), place, 5, most=2)] if slot.seen else []


def _empty(_slot: SlotState, place: Place) -> list[_Part]:
    return [_said(place.words.face(Look.EMPTY.value).do, place, 1, most=2)]


def _off(slot: SlotState, place: Place) -> list[_Part]:
    """Compose why it is out of service, and since when."""
    said = place.words.say(off_say(slot.off)) if slot.off else None
    return [_said(text, place, 1, most=2) for text in (said.says if said else ())]


def _running(slot: SlotState, place: Place) -> list[_Part]:
    current = slot.current
    parts = []
    if current is not None and current.share is not None:
        parts.append(_short(_bar(current.share, place), place, 0))
    if slot.is_writing:
        warning = next((line.warning for line in slot.steps if line.is_running and line.warning), Say("do_not_unplug"))
        parts.append(_said(place.words.line(warning), place, 0, is_bold=True))
    parts += _name(slot, place, 1)
    if current is not None and current.seconds_left is not None:
        parts.append(_short(place.words.text("tile-left", time=countdown(current.seconds_left)), place, 2))
    if current is not None:
        parts.append(_whole_or_none((current.note,), place, 4))
    if slot.steps:
        done, all_steps = str(slot.steps_done), str(len(slot.steps))
        forms = (place.words.text("tile-steps", done=done, all=all_steps), f"{done}/{all_steps}")
        parts.append(_whole_or_none(forms, place, 3))
    return parts + _seen(slot, place)


def _waits(slot: SlotState, place: Place) -> list[_Part]:
    """Compose what it waits for, how many are ahead of it, and that no action is needed."""
    held = slot.waits_for
    if held is None:
        return []
    said = place.words.say(held.say) or place.words.say(Say("cloud_hold")) or Sentence()
    queue = _said(place.words.line(Say("before_it", count=str(held.before))), place, 1) if held.before else _Part(1, ())
    return [
        _whole(said.says, place, 2),
        queue,
        _said(said.do, place, 0, is_bold=True),
        *_name(slot, place, 3),
        *_seen(slot, place),
    ]


def _bar(share: float, place: Place) -> str:
    percent = f" {round(share * 100):3d} %"
    cells = min(MAX_BAR, place.width - len(percent))
    if cells < 3:
        return percent.strip()
    full = round(share * cells)
    return place.glyphs.bar_full * full + place.glyphs.bar_rest * (cells - full) + percent


def _hands(slot: SlotState, place: Place) -> list[_Part]:
    ask = slot.ask
    if ask is None:
        return []
    said = place.words.say(ask.say) or place.words.say(Say("hands_default")) or Sentence()
    parts = []
    led = light(ask.led)
    if led is not None:
        dot = place.glyphs.dot if place.is_lit or not led.blinks else " " * len(place.glyphs.dot)
        long, short = place.words.led(ask.led), place.words.led_colour(ask.led)
        parts.append(_whole_or_none((f"{dot} {long}", f"{dot} {short}", f"{dot}{short}", dot), place, 1, led.colour))
    parts.append(_whole(said.says, place, 2))
    parts.append(_said(said.do, place, 0, is_bold=True))
    return [*parts, *_name(slot, place, 3)]


def _judged(slot: SlotState, place: Place) -> list[_Part]:
    """Compose the reason, then the one action. For a key missing in the catalogue, use the recorded reason."""
    said = place.words.say(slot.say)
    says = said.says if said else (slot.reason,)
    action = (said.do if said else "") or place.words.face(slot.look.value).do
    return [
        *(_said(text, place, 1) for text in says),
        _said(action, place, 0, is_bold=True),
        *_name(slot, place),
        _short(place.words.seconds(slot.seconds), place, 4),
        *_seen(slot, place),
    ]


_BODIES: dict[Look, Callable[[SlotState, Place], list[_Part]]] = {
    Look.EMPTY: _empty,
    Look.OFF: _off,
    Look.RUNNING: _running,
    Look.WAITS: _waits,
    Look.HANDS: _hands,
    Look.PASS: _judged,
    Look.PENDING: _judged,
    Look.FAIL: _judged,
    Look.ABORTED: _judged,
    Look.ERROR: _judged,
}
