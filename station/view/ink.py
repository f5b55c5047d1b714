"""Lines of coloured text, and the few bars and columns the supervisor's pages are made of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..model import Verdict
from ..words.catalogue import Words
from ..words.cells import clean, fit, pad, width_of
from .look import VERDICT_LOOK, Glyphs, Look

DIM, BOLD = "dim", "bold"
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class Ink:
    """A piece of a line. ``look``: drawn on the fill of that state; ``style``: "", `DIM` or `BOLD`.

    ``is_drawn``: with the fill of ``look`` as its colour, and not as its ground (bars).
    """

    text: str
    style: str = ""
    look: Look | None = None
    is_drawn: bool = False


Line = tuple[Ink, ...]


def line(*pieces: Ink | str) -> Line:
    """Make a line; plain text has no colour of its own."""
    return tuple(Ink(piece) if isinstance(piece, str) else piece for piece in pieces)


def plain(inked: Line) -> str:
    """Return the characters of a line."""
    return "".join(piece.text for piece in inked)


def cut(inked: Line, width: int) -> Line:
    """Cut a line to ``width`` cells."""
    kept: list[Ink] = []
    for piece in inked:
        room = width - sum(width_of(one.text) for one in kept)
        if room <= 0:
            break
        if width_of(piece.text) > room:  # what follows a cut one has no place, even where only its padding went
            kept.append(Ink(fit(piece.text.rstrip(), room), piece.style, piece.look, piece.is_drawn))
            break
        kept.append(piece)
    return tuple(kept)


def chip(verdict: Verdict | None, words: Words, glyphs: Glyphs, *, is_by_hand: bool = False) -> Ink:
    """Return sign and word of a verdict, as wide as the widest; without one: that it is not finished.

    ``is_by_hand``: it is not proven any more, and the unit is somebody's turn.

    All but PASS stand on the ground of their state: what is as it should be does not shout.
    """
    width = max(width_of(_word(one, words, glyphs)) for one in Verdict) + 2
    if verdict is None:
        return Ink(pad(f" {fit(words.text('page-unfinished'), width - 2)}", width), DIM)
    if is_by_hand:
        sign = f"{glyphs.shape(Look.HANDS)} {words.face(Look.HANDS.value).word}"
        return Ink(pad(f" {fit(sign, width - 2)}", width), BOLD, Look.HANDS)
    text = pad(f" {_word(verdict, words, glyphs)}", width)
    return Ink(text, BOLD, None if verdict is Verdict.PASS else VERDICT_LOOK[verdict])


def _word(verdict: Verdict, words: Words, glyphs: Glyphs) -> str:
    return f"{glyphs.shape(VERDICT_LOOK[verdict])} {words.verdict(verdict)}"


def bar(share: float, width: int, look: Look | None, glyphs: Glyphs, rest: str = "") -> Line:
    """Draw a bar of ``width`` cells, filled to ``share`` (0.0 to 1.0) in eighths of a cell; whole cells in ASCII.

    A share above nothing shows at least an eighth. ``rest`` fills what is left, one character, dim.
    """
    share = min(1.0, max(0.0, share))
    if glyphs.ascii_only:
        full, part = round(share * width) or int(share > 0), ""
        drawn = glyphs.bar_full * full
    else:
        eighths = round(share * width * 8) or int(share > 0)
        full, part = eighths // 8, _EIGHTHS[eighths % 8].strip()
        drawn = "█" * full + part
    left = max(0, width - width_of(drawn))
    return line(Ink(drawn, look=look, is_drawn=True), Ink((rest or " ") * left, DIM))


def columns(rows: Sequence[Sequence[Ink | str]], widths: Sequence[int], gap: int = 2) -> list[Line]:
    """Put cells below each other, each column cut to its width; one of width 0 takes what its longest cell takes."""
    real = [
        width or max((width_of(_text(row[at])) for row in rows), default=0) for at, width in enumerate(widths)
    ]  # fmt: skip
    made = []
    for row in rows:
        pieces: list[Ink] = []
        for cell, width in zip(row, real, strict=True):
            ink = cell if isinstance(cell, Ink) else Ink(cell)
            pieces += [Ink(pad(fit(ink.text, width), width), ink.style, ink.look, ink.is_drawn), Ink(" " * gap)]
        made.append(tuple(pieces[:-1]))
    return made


def _text(cell: Ink | str) -> str:
    return cell if isinstance(cell, str) else cell.text


def chosen(inked: Iterable[Line], at: int, glyphs: Glyphs) -> list[Line]:
    """Mark the line with the number ``at`` by a sign in front, and by bold text."""
    return [
        line(Ink(f"{glyphs.cursor} ", BOLD), *(_bold(piece) for piece in one)) if number == at else line("  ", *one)
        for number, one in enumerate(inked)
    ]


def _bold(piece: Ink) -> Ink:
    return piece if piece.style or piece.look else Ink(piece.text, BOLD)


def keys(text: str, width: int, first: str = "") -> str:
    """Return the keys of a page that fit, whole ones: those that come first go first, the way out stays.

    ``first`` stands before them and stays, too.
    """
    kept, ahead = [one.strip() for one in text.split("  ") if one.strip()], [first] if first else []
    while len(kept) > 1 and width_of("  ".join([*ahead, *kept])) > width:
        kept.pop(0)
    return "  ".join([*ahead, *kept])


def told(text: str, limit: int = 400) -> str:
    """Return a text of the records as it may be shown on one line."""
    return clean(text, limit)
