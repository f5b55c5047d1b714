"""Compose the page of batches: the list, and how the chosen one goes. Pure: state and answers in, lines out."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace

from ..figures import percent, remaining
from ..model import Batch, Verdict, is_batch_name
from ..words.catalogue import Words
from ..words.cells import fit, width_of
from ..words.say import NOTHING, Say
from .bars import product
from .ink import BOLD, DIM, Ink, Line, bar, columns, cut, line, told
from .look import VERDICT_LOOK, Glyphs, Look
from .records import BatchRow, BatchStory, Cause, Hour
from .state import BatchLine, BenchState

MAX_TARGET = 1_000_000
_BAR = 10
_LABELS = 13
_MOST_MISSING = 5


def open_rows(state: BenchState) -> tuple[BatchRow, ...]:
    """Return the open batches of the screen's own state as rows: their figures are those of the header."""
    never = datetime.datetime.min.replace(tzinfo=datetime.UTC)
    return tuple(BatchRow(_with_target(one), one.title, one.figures, never) for one in state.batches)


def _with_target(one: BatchLine) -> Batch:
    return replace(one.batch, target=one.target if one.target is not None else one.batch.target)


def listed(rows: Sequence[BatchRow], width: int, words: Words, glyphs: Glyphs) -> list[Line]:
    """List batches: name, product, bar to the target, PASS of how many, first pass yield, open or when closed."""
    wide = width >= 70
    made = []
    for row in rows:
        figures, target = row.figures, row.batch.target
        reached = f"{figures.passed}/{target}" if target else str(figures.passed)
        fpy = words.text("header-yield", share=_share(figures.first_pass_yield, words, glyphs))
        ended = words.text("page-is-open") if row.closed_at is None else words.text("page-closed", at=_day(row, words))
        cells: list[Ink | str] = [Ink(told(row.batch.id, 40)), f"{reached} {words.verdict(Verdict.PASS)}", fpy]
        if wide:
            named = product(BatchLine(row.batch, told(row.title, 40)), words)
            cells.insert(1, Ink(named, DIM))
            cells.append(Ink(ended, DIM))
        elif row.closed_at is not None:
            cells.append(Ink(ended, DIM))
        else:
            cells.append("")
        made.append(cells)
    lines = columns(made, [0] * len(made[0])) if made else []
    if not wide or not any(row.batch.target for row in rows):
        return [cut(one, width) for one in lines]
    return [
        cut(line(*bar(_reached(row), _BAR, Look.PASS, glyphs, glyphs.bar_rest), "  ", *one), width)
        for row, one in zip(rows, lines, strict=True)
    ]


def _day(row: BatchRow, words: Words) -> str:
    assert row.closed_at is not None
    return f"{row.closed_at.astimezone(words.tz):%Y-%m-%d %H:%M}"


def _reached(row: BatchRow) -> float:
    return row.figures.passed / row.batch.target if row.batch.target else 0.0


def _share(share: float | None, words: Words, glyphs: Glyphs) -> str:
    return words.figure(percent(share, glyphs.nothing))


def figures(story: BatchStory, width: int, words: Words, glyphs: Glyphs) -> list[Line]:
    """Show the counts of one batch, its yields, its takt and what is left, and what of its list never came."""
    row, text = story.row, words.text
    counted, target = row.figures, row.batch.target
    room = max(6, width - _LABELS)
    lines: list[Line] = []
    if target:
        share = counted.passed / target
        of = text("page-of", count=str(counted.passed), target=str(target))
        lines.append(_labelled(words.verdict(Verdict.PASS), of, VERDICT_LOOK[Verdict.PASS]))
        lines.append(bar(share, min(width, room + _LABELS), Look.PASS, glyphs, glyphs.bar_rest))
    else:
        lines.append(_labelled(words.verdict(Verdict.PASS), str(counted.passed), VERDICT_LOOK[Verdict.PASS]))
    lines += [
        _labelled(words.verdict(verdict), str(count), VERDICT_LOOK[verdict])
        for verdict, count in counted.others
        if count
    ]
    lines += [
        _labelled("FPY", f"{_share(counted.first_pass_yield, words, glyphs)}", None, BOLD),
        _labelled(text("page-final"), _share(counted.final_yield, words, glyphs)),
        _labelled(text("page-retests"), str(counted.retests)),
        _labelled(text("page-units"), str(counted.units)),
        _labelled(text("page-takt"), glyphs.nothing if story.takt_s is None else words.seconds(story.takt_s)),
    ]
    if story.on_no_unit:
        lines.append(_labelled(text("page-no-unit"), text("page-no-unit-attempts", count=story.on_no_unit)))
    if story.worked_on:
        word = text("page-by-hand-units", count=story.worked_on)
        lines.append(_labelled(text("page-by-hand"), word, Look.HANDS))
    left_s = remaining(counted, target, story.takt_s)
    if target and row.closed_at is None:
        lines.append(_labelled(text("page-left"), glyphs.nothing if left_s is None else _long(left_s, words)))
    if story.expected is not None:
        lines += _expected(story, words)
    return [cut(one, width) for one in lines]


def _labelled(name: str, value: str, look: Look | None = None, style: str = "") -> Line:
    cells = columns([[Ink(name, DIM), Ink(value, style or BOLD)]], [_LABELS, 0])[0]
    return line(Ink("  ", look=look), " ", *cells)


def _expected(story: BatchStory, words: Words) -> list[Line]:
    expected = story.expected
    assert expected is not None
    came = words.text("page-of", count=str(expected.came), target=str(expected.listed))
    lines = [_labelled(words.text("page-expected"), came)]
    if expected.never_came:
        lines.append(line(Ink(words.text("page-never-came", count=expected.never_came), BOLD)))
        shown = [told(one, 30) for one in expected.missing[:_MOST_MISSING]]
        more = ["..."] if expected.never_came > len(shown) else []
        lines += [line(Ink(f"  {one}", DIM)) for one in (*shown, *more)]
    return lines


def _long(seconds: float, words: Words) -> str:
    """Format a time of hours: ``2 h 05 min``, ``12 min``."""
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return words.text("figure-minutes", minutes=str(minutes))
    return words.text("figure-hours", hours=str(minutes // 60), minutes=f"{minutes % 60:02d}")


def pareto(causes: Sequence[Cause], width: int, height: int, words: Words, glyphs: Glyphs) -> list[Line]:
    """Draw what attempts failed of, the most frequent first: step, slot, reason, a bar and how many."""
    if not causes:
        return [line(Ink(words.text("page-no-failures"), DIM))]
    most, total = max(one.attempts for one in causes), sum(one.attempts for one in causes)
    shown = causes if len(causes) <= height else causes[: max(1, height - 1)]
    room, digits = max(4, width // 5 if width > 60 else width // 8), len(str(most))
    steps = [words.step_title(one.step) if one.step else glyphs.nothing for one in shown]
    slots = [words.text("log-slot", slot=str(one.slot)) for one in shown]
    left = width - room - digits - 2  # cells for step, slot and reason
    why = max(8, left - sum(max(map(width_of, texts)) for texts in (steps, slots)) - 5)
    cells: list[list[Ink | str]] = [
        [Ink("  ", look=VERDICT_LOOK[one.verdict]), step, Ink(slot, DIM), fit(_reason(one, words, why), why)]
        for one, step, slot in zip(shown, steps, slots, strict=True)
    ]
    lines = []
    for one, inked in zip(shown, columns(cells, [2, 0, 0, 0], 1), strict=True):
        drawn = bar(one.attempts / most, room, VERDICT_LOOK[one.verdict], glyphs)
        lines.append(line(*cut(inked, left), " ", *drawn, f" {one.attempts:>{digits}}"))
    if len(shown) < len(causes):
        rest = total - sum(one.attempts for one in shown)
        lines.append(line(Ink(words.text("page-more-failures", count=str(rest)), DIM)))
    return [cut(one, width) for one in lines]


def _reason(one: Cause, words: Words, room: int) -> str:
    """Say a cause as the operator was told, in short where ``room`` is small; by the record if that was no sentence."""
    sentence = words.say(Say(one.sentence)) if one.sentence else None
    said = [*sentence.says[:1], *sentence.short[:1]] if sentence and sentence.says else []
    forms = [what for what in said if "?" not in what] or [told(one.example, 120)]
    return next((what for what in forms if width_of(what) <= room), forms[-1])


def yields(hours: Sequence[Hour], width: int, height: int, words: Words, glyphs: Glyphs) -> list[Line]:
    """Draw units judged for the first time by the hour: those that passed, those that did not, and the yield."""
    if not hours:
        return [line(Ink(words.text("page-no-hours"), DIM))]
    shown = hours[-max(1, height) :]
    most = max(one.judged for one in shown)
    room = max(4, width - 24)
    lines = []
    for one in shown:
        at = f"{one.at.astimezone(words.tz):%d. %H:%M}"
        good = one.first_passed / most
        bad = (one.judged - one.first_passed) / most
        passed = bar(good, max(1, round(good * room)) if one.first_passed else 0, Look.PASS, glyphs)
        failed = bar(bad, max(1, round(bad * room)) if bad else 0, Look.FAIL, glyphs)
        drawn = (*_full(passed), *_full(failed))
        filler = " " * max(0, room - sum(len(piece.text) for piece in drawn))
        share = _share(one.first_passed / one.judged, words, glyphs)
        lines.append(line(Ink(f"{at} ", DIM), *drawn, filler, f"{one.judged:>4}", Ink(f"  {share:>7}", BOLD)))
    return [cut(one, width) for one in lines]


def _full(drawn: Line) -> Line:
    """Return a bar as a solid block of its width: two of them stand side by side."""
    width = sum(len(piece.text) for piece in drawn)
    sign = next((piece.text[:1] for piece in drawn if piece.text.strip()), "")
    return (Ink((sign if sign.isascii() else "█") * width if width else "", look=drawn[0].look, is_drawn=True),)


def problem_of(batch: str, profile: str, target: str) -> Say:
    """Return what is wrong with the fields of a new batch; `NOTHING` if they are valid."""
    if not batch or not profile:
        return Say("batch_wrong")
    if not is_batch_name(batch):
        return Say("batch_name")
    if target and not (target.isascii() and target.isdigit() and 0 < int(target) <= MAX_TARGET):
        return Say("target_wrong")
    return NOTHING
