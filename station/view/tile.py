"""Compose one slot for an area of a given size. Pure: a slot's state in, a `Tile` out.

The grid depends on the size alone, so that nothing moves when the state changes: word, sentence and action, gauge
(bar, light, place in the queue), name of the unit. The border has the slot's number top left, the time bottom right.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..local_time import countdown
from ..words.catalogue import Face, Sentence, Words
from ..words.cells import break_words, fit, tail, width_of, wrap
from ..words.say import Say
from . import bigtext
from .look import LIGHT_GROUND, UNICODE, Glyphs, Look, light
from .state import SlotState, off_say

LETTER_ROWS = 3  # of the smallest block letters
LETTER_COLUMNS = 16  # of TURN in them; its sign may go into the border
AIRY_ROWS = 10  # from this height on a row is free below the word
MAX_BAR = 40
PAGE_S = 1.5  # so long stands each part of an action on a tile that has one row for it
BORDER_ENDS = 4  # cells of a border beside its text
NAME_CELLS = 8  # of a name that people may take for whole
_QUIET = (Look.RUNNING, Look.WAITS, Look.OFF)  # nobody has to come: no block letters


@dataclass(frozen=True, slots=True)
class TileGrid:
    """The rows of a tile, from the top, by its inner size alone. A row that a small tile lacks is empty.

    Rows are given up in this order: second line of text, name (then in the border), gauge (then on the last row of the
    word where no letters are), letters.
    """

    width: int
    height: int
    word: range
    text: range
    gauge: range
    name: range

    @classmethod
    @functools.lru_cache
    def of(cls, width: int, height: int) -> TileGrid:
        """Return the grid of ``width`` x ``height`` cells."""
        if width <= 0 or height <= 0:
            return cls(0, 0, *[range(0)] * 4)
        least = LETTER_ROWS if width >= LETTER_COLUMNS and height > LETTER_ROWS else 1
        free = height - least
        text = min(free, 1)
        gauge = min(free - text, 1)
        name = min(free - text - gauge, 1)
        text += min(free - text - gauge - name, 1 + (height > 7) + (height > AIRY_ROWS))
        gap = int(height >= AIRY_ROWS)
        end = height - name
        word = range(end - gauge - text - gap)
        bar = range(end - gauge, end) if gauge else word[-1:]
        return cls(width, height, word, range(end - gauge - text, end - gauge), bar, range(end, height))


@dataclass(frozen=True, slots=True)
class Place:
    """The cells to fill, with terminal and language. ``seconds``: the time by which lights blink and parts turn."""

    width: int
    height: int
    words: Words
    glyphs: Glyphs = UNICODE
    seconds: float = 0.0
    is_mixed: bool = False  # the bench makes several products: a tile says what kind of unit is in it


@dataclass(frozen=True, slots=True)
class Line:
    """One line, to be centred."""

    text: str = ""
    is_bold: bool = False
    colour: str = ""  # of the status light, else the slot's own
    ground: str = ""  # below it, else the slot's own


@dataclass(frozen=True, slots=True)
class Tile:
    """A composed slot: the text in the border above, as many lines as the place has rows, the text below."""

    title: str
    lines: tuple[Line, ...]
    foot: str


@dataclass(frozen=True, slots=True)
class _Content:
    """What a slot says, before it is fitted. The first of ``gauge`` and ``foot`` that fits is shown."""

    said: Sentence
    gauge: tuple[Line, ...] = ()
    foot: tuple[str, ...] = ()
    aside: str = ""  # shown in the sentence's place if it has none, and only whole
    is_first_worth_most: bool = False  # where only one line fits: the sentence rather than the action
    takes_turns: bool = False  # where only one line fits: its parts, one after the other, and the gauge stays


def compose(slot: SlotState, place: Place) -> Tile:
    """Fill the place: its number of lines, each at most ``place.width`` cells."""
    grid = TileGrid.of(place.width, place.height)
    if not grid.height:
        return Tile(str(slot.number), (), "")
    content = _CONTENTS[slot.look](slot, place)
    head, title = _head(slot, place, grid)
    lines = [Line()] * grid.height
    lines[grid.word.start : grid.word.stop] = head
    is_hidden = grid.gauge and lines[grid.gauge.start] != Line()  # by letters
    text = _text(content, grid, place, _gauge(content, grid) if is_hidden else Line())
    lines[grid.text.start : grid.text.start + len(text)] = text
    if grid.gauge and lines[grid.gauge.start] == Line():  # neither letters nor a warning of two lines are there
        lines[grid.gauge.start] = _gauge(content, grid)
    name = slot.name if slot.look is not Look.OFF else ""
    if grid.name:
        lines[grid.name.start] = Line(_end_of(name, grid.width))
    return Tile(title, tuple(lines), _foot(content.foot, "" if grid.name else name, grid.width - BORDER_ENDS))


def _gauge(content: _Content, grid: TileGrid) -> Line:
    return next((line for line in content.gauge if width_of(line.text) <= grid.width), Line())


def sentence(slot: SlotState, words: Words) -> Sentence:
    """Return what the slot says, in full."""
    return _CONTENTS[slot.look](slot, Place(0, 0, words)).said


def _foot(forms: tuple[str, ...], name: str, width: int) -> str:
    """Join the end of the unit's name with the time, which stays at the right."""
    time = next((form for form in forms if width_of(form) <= width), "")
    room = width - width_of(time) - (1 if time else 0)
    return " ".join(filter(None, (_end_of(name, room), time)))


def _end_of(name: str, room: int) -> str:
    """Return the end of a unit's name, with a mark where the start is cut; the few cells of a border have no mark."""
    mark = "~" if width_of(name) > room >= NAME_CELLS else ""
    return mark + fit(tail(name, room - len(mark)), room - len(mark))


# --- the word ---


def _head(slot: SlotState, place: Place, grid: TileGrid) -> tuple[list[Line], str]:
    """Return the rows of the word, and the text of the border: the number, with whatever the letters leave out."""
    title = [str(slot.number)]
    rows = len(grid.word)
    if slot.look is Look.EMPTY:
        drawn = _drawn("", str(slot.number), grid.width, rows, is_ascii=place.glyphs.ascii_only)
        return _middle(_bold(drawn or (fit(title[0], grid.width),)), rows), title[0]
    face = place.words.face(slot.look.value)
    shape = place.glyphs.shape(slot.look)
    letters, left_out = _letters(slot.look, face, shape, place, rows)
    for part in left_out:
        if width_of(" ".join([*title, part])) <= grid.width - BORDER_ENDS:  # half a word says nothing
            title.append(part)
    lines = _bold(letters)
    if not letters:
        word = face.word or step_title(slot, place.words)
        forms = [f"{shape} {word}", f"{shape} {face.short or word}", f"{shape}{face.short or word}"]
        if not face.word and slot.steps:  # rather than half a name
            forms.append(f"{shape} {slot.steps_done}/{len(slot.steps)}")
        lines = _bold([_first_fitting(forms, grid.width)])
    if place.is_mixed and slot.platform:
        room = grid.width - BORDER_ENDS - width_of(place.glyphs.cursor)  # of the tile that is selected
        names = ([*title, name] for name in (slot.platform, slot.platform.partition(" / ")[0]))
        title = next((parts for parts in names if width_of(" ".join(parts)) <= room), title)
    return _middle(lines, rows), fit(" ".join(title), max(grid.width, 2))


def _letters(look: Look, face: Face, shape: str, place: Place, rows: int) -> tuple[Sequence[str], list[str]]:
    """Draw the word in block letters, else the short one, with the sign where there is room; and say what is not drawn.

    States that need nobody are in ordinary letters: a bench is calm while all goes well.
    """
    if look in _QUIET:
        return (), []
    for word in dict.fromkeys((face.word, face.blocks)):
        for sign in (shape, ""):
            if drawn := _drawn(sign, word, place.width, rows, is_ascii=place.glyphs.ascii_only):
                return drawn, [
                    part for part, is_drawn in ((shape, sign), (face.word, word == face.word)) if not is_drawn
                ]
    return (), []


@functools.lru_cache(maxsize=1024)
def _drawn(shape: str, word: str, width: int, rows: int, *, is_ascii: bool) -> tuple[str, ...]:
    """Draw ``word`` as large as it fits, with the shape: drawn too, or as a character beside it. () if nothing fits."""
    width -= 2 if width > 24 else 0  # margins of a large tile
    if not shape:
        only = bigtext.draw(_arrangements("", word.upper()), width, rows, ascii_only=is_ascii)
        return only.lines if only else ()
    margin = width_of(shape) + 1
    beside = bigtext.draw(_arrangements("", word.upper()), width - margin, rows, ascii_only=is_ascii)
    full = None if is_ascii else bigtext.draw(_arrangements(shape, word.upper()), width, rows)
    if full and (beside is None or full.area * 2 >= beside.area):
        return full.lines
    return _with_shape(shape, beside.lines) if beside else ()


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


def _bold(texts: Sequence[str]) -> list[Line]:
    return [Line(text, is_bold=True) for text in texts]


def _middle(lines: list[Line], rows: int) -> list[Line]:
    above = (rows - len(lines)) // 2
    return [*[Line()] * above, *lines, *[Line()] * (rows - len(lines) - above)]


def step_title(slot: SlotState, words: Words) -> str:
    """Return the title of the running step, between two steps of the last one, and before the first a greeting."""
    ended = [line for line in slot.steps if line.outcome is not None]
    current = slot.current or (ended[-1] if ended and slot.is_walking else None)
    if current is not None:
        return words.step_title(current.step, current.title)
    return words.line(Say("starting" if slot.is_walking else "arrived"))


def _first_fitting(forms: Sequence[str], width: int) -> str:
    return next((form for form in forms if width_of(form) <= width), fit(forms[-1], width))


# --- sentence and action ---


def _text(content: _Content, grid: TileGrid, place: Place, hidden: Line) -> list[Line]:
    """Fill the rows of text, sentence above and action at the bottom: the full form if it fits, else the short one.

    On a single row stands what is worth most, in the narrowest tiles on the gauge's as well. ``hidden``: the gauge if
    it has no row, to take its turn.
    """
    rows, width, said = len(grid.text), grid.width, content.said
    if rows == 1:
        has_second = grid.gauge.start == grid.text.stop and not content.takes_turns
        return _worth_most(content, place, 1 + has_second, hidden)
    says, does = _wrapped(said.says, place), _wrapped((said.do,), place)
    if len(says) + len(does) > rows and said.short:
        cut = 1 if said.says and said.do else len(said.short) if said.says else 0
        says, does = _wrapped(said.short[:cut], place), _wrapped(said.short[cut:], place)
    if not says and width_of(content.aside) <= width and len(does) < rows:
        says = [content.aside]
    if len(says) + len(does) > rows:
        does = [] if content.is_first_worth_most else does[:rows]
    if len(says) > rows - len(does):  # nobody has a form that fits: a cut end shows as one
        kept = rows - len(does)
        says = [*says[: kept - 1], fit(" ".join(says[kept - 1 :]) + " ", width)] if kept else []
    gap = rows - len(says) - len(does)
    return [*map(Line, says), *[Line()] * gap, *(Line(text, is_bold=True) for text in does)]


def _worth_most(content: _Content, place: Place, rows: int, hidden: Line) -> list[Line]:
    """Say what is worth most: on one row, or broken over ``rows`` where nothing fits one; nothing rather than half.

    What asks for hands takes turns with its parts and with what is ``hidden``; all else stands still.
    """
    said = content.said
    cut = len(said.short) if not said.do else 1 if said.says else 0
    matter, action = (said.says[:1], said.short[:cut][:1]), ((said.do,) if said.do else (), said.short[cut:])
    order = ((matter, False), (action, True)) if content.is_first_worth_most else ((action, True), (matter, False))
    ranked = [(form, is_bold) for forms, is_bold in order for form in forms if form]
    for form, is_bold in ranked:
        if all(width_of(text) <= place.width for text in form):
            return [_turn(form, hidden, place.seconds, is_bold=is_bold)]
    if content.takes_turns and ranked:
        shortest, is_bold = [one for one in ranked if one[1] == ranked[0][1]][-1]
        return [_turn(_wrapped(shortest, place), hidden, place.seconds, is_bold=is_bold)]
    for form, is_bold in ranked:
        broken = [break_words(text, place.width, place.words.breaks) for text in form]
        if all(broken) and sum(map(len, broken)) <= rows:
            return [Line(text, is_bold) for lines in broken for text in lines]
    return []


def _turn(parts: Sequence[str], hidden: Line, seconds: float, *, is_bold: bool) -> Line:
    turns = [*(Line(text, is_bold) for text in parts), *([hidden] if hidden.text else [])]
    return turns[int(seconds / PAGE_S) % len(turns)]


def _wrapped(texts: Sequence[str], place: Place) -> list[str]:
    return [line for text in texts for line in wrap(text, place.width, place.words.breaks)]


# --- what each look says ---


def _empty(_slot: SlotState, place: Place) -> _Content:
    return _Content(Sentence(do=place.words.face(Look.EMPTY.value).do))


def _off(slot: SlotState, place: Place) -> _Content:
    """Say why it is out of service, and since when."""
    return _Content((place.words.say(off_say(slot.off)) if slot.off else None) or Sentence())


def _running(slot: SlotState, place: Place) -> _Content:
    current, words = slot.current, place.words
    gauge: list[Line] = []
    foot: tuple[str, ...] = ()
    note = ""
    if current is not None:
        note = current.note
        if current.share is not None:
            gauge.append(Line(_bar(current.share, place)))
        if current.seconds_left is not None:
            left = countdown(current.seconds_left)
            foot = (words.text("tile-left", time=left), left)
    if slot.steps:
        done, all_steps = str(slot.steps_done), str(len(slot.steps))
        gauge += [Line(words.text("tile-steps", done=done, all=all_steps)), Line(f"{done}/{all_steps}")]
    said = Sentence()
    if slot.is_writing:
        warning = next((line.warning for line in slot.steps if line.is_running and line.warning), Say("do_not_unplug"))
        said = words.say(warning) or said
    return _Content(said, tuple(gauge), foot, note or _seen(slot, place))


def _bar(share: float, place: Place) -> str:
    percent = f" {round(share * 100):3d} %"
    cells = min(MAX_BAR, place.width - len(percent))
    if cells < 3:
        return percent.strip()
    full = round(share * cells)
    return place.glyphs.bar_full * full + place.glyphs.bar_rest * (cells - full) + percent


def _waits(slot: SlotState, place: Place) -> _Content:
    """Say what it waits for and how many are ahead of it."""
    held = slot.waits_for
    if held is None:
        return _Content(Sentence())
    said = place.words.say(held.say) or place.words.say(Say("cloud_hold")) or Sentence()
    queue = (Line(place.words.line(Say("before_it", count=str(held.before)))),) if held.before else ()
    return _Content(said, queue, is_first_worth_most=True)


def _hands(slot: SlotState, place: Place) -> _Content:
    ask = slot.ask
    if ask is None:
        return _Content(Sentence())
    said = place.words.say(ask.say) or place.words.say(Say("hands_default")) or Sentence()
    led = light(ask.led)
    if led is None:
        return _Content(said, takes_turns=True)
    dot, colour = place.glyphs.lamp(led.glow(place.seconds)), led.colour_at(place.seconds)
    long, short = place.words.led(ask.led), place.words.led_colour(ask.led)
    forms = (f" {dot} {long} ", f" {dot} {short} ", f"{dot} {short}", f"{dot}{short}", dot)
    gauge = tuple(Line(form, colour=colour, ground=LIGHT_GROUND) for form in forms)
    return _Content(said, gauge, takes_turns=True)


def _judged(slot: SlotState, place: Place) -> _Content:
    """Say the reason and the one action. For a key missing in the catalogue, use the recorded reason."""
    said = place.words.say(slot.say) or Sentence((slot.reason,) if slot.reason else ())
    action = said.do or place.words.face(slot.look.value).do
    seen = _seen(slot, place)
    took = place.words.seconds(slot.seconds)
    return _Content(Sentence(said.says, action, said.short), (Line(seen),) if seen else (), (took,))


def _seen(slot: SlotState, place: Place) -> str:
    return place.words.seen_before(slot.seen) if slot.seen else ""


_CONTENTS: dict[Look, Callable[[SlotState, Place], _Content]] = {
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
