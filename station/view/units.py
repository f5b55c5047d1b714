"""Compose lists of units, what they owe, and the whole life of one. Pure: answers in, lines out."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from ..local_time import zone
from ..model import Mender, Outcome
from ..words.catalogue import Words
from ..words.cells import fit, pad, tail, wrap
from .ink import BOLD, DIM, Ink, Line, chip, columns, cut, line, told
from .look import Glyphs, Look
from .records import Identity, Life, OwedRow, UnitRow, Walk

MENDERS = {
    Mender.NETWORK: "mender-network", Mender.ACCOUNT: "mender-account", Mender.PRODUCT: "mender-product",
    Mender.PROFILE: "mender-profile", Mender.VENDOR: "mender-vendor", Mender.NOBODY: "mender-nobody",
}  # fmt: skip
"""Who can mend what, as keys of the catalogue."""
_LABEL, _ID, _DAY = 16, 24, 16
_SIGNS = {
    Outcome.ALREADY: Look.PASS, Outcome.DONE: Look.PASS, Outcome.SKIPPED: Look.EMPTY, Outcome.DEFERRED: Look.PENDING,
    Outcome.FAILED: Look.FAIL, Outcome.ABORTED: Look.ABORTED, Outcome.ERROR: Look.ERROR,
}  # fmt: skip


def moment(at: datetime.datetime | None, words: Words) -> str:
    """Format a day and a time by the clock of the bench: ``2026-11-22 10:14``; "" for none."""
    return "" if at is None else f"{at.astimezone(words.tz):%Y-%m-%d %H:%M}"


def _name(unit: UnitRow) -> str:
    """Return what people call a unit: its label, else the end of its Device ID."""
    return told(unit.label, 40) or tail(told(unit.device_id, 40), 12)


def found(rows: Sequence[UnitRow], width: int, words: Words, glyphs: Glyphs) -> list[Line]:
    """List units: what a narrow screen needs first, its label and how it ended."""
    return _cut([
        [
            _name(one), chip(one.verdict, words, glyphs, is_by_hand=one.is_by_hand), Ink(moment(one.at, words), DIM),
            told(one.platform, 12), told(one.batch, 40), Ink(told(one.device_id, 40), DIM),
        ]
        for one in rows
    ], [_LABEL, 0, _DAY, 9, 18, _ID], width)  # fmt: skip


def to_rework(rows: Sequence[UnitRow], width: int, words: Words, glyphs: Glyphs) -> list[Line]:
    """List units that failed: where, of what, and why."""
    return _cut([
        [
            _name(one), Ink(words.step_title(one.step) if one.step else glyphs.nothing, BOLD),
            Ink(words.text("log-slot", slot=str(one.slot)), DIM), Ink(moment(one.at, words), DIM),
            fit(told(one.batch, 40), 18), told(one.reason),
        ]
        for one in rows
    ], [_LABEL, 14, 0, _DAY, 0, 0], width)  # fmt: skip


def owed(rows: Sequence[OwedRow], width: int, words: Words) -> list[Line]:
    """List units that owe work: who can mend what is in the way, what that is, since when."""
    return _cut([
        [
            _name(one.unit), Ink(words.text(MENDERS[one.mender]), BOLD),
            words.step_title(one.steps[0]) + (f" +{len(one.steps) - 1}" if len(one.steps) > 1 else ""),
            Ink(moment(one.unit.at, words), DIM), told(one.reason) or words.text("page-its-turn"),
        ]
        for one in rows
    ], [_LABEL, 0, 20, _DAY, 0], width)  # fmt: skip


def _cut(cells: Sequence[Sequence[Ink | str]], widths: Sequence[int], width: int) -> list[Line]:
    return [cut(one, width) for one in columns(cells, widths)]


def life(told_of: Life, width: int, words: Words, glyphs: Glyphs) -> list[Line]:
    """Tell the whole life of a unit: who it is, what it owes, and every attempt with its steps, the newest first.

    The last exchanges with it, of the newest attempt that has them, or why they were lost, come at the end.
    """
    unit, text = told_of.unit, words.text
    lines = [
        line(
            Ink(f"{told(unit.platform, 20)} {_name(unit)}", BOLD),
            "  ",
            chip(unit.verdict, words, glyphs, is_by_hand=unit.is_by_hand),
        ),
        line(
            Ink(
                text("page-first-seen", at=moment(told_of.first_seen, words), zone=zone(told_of.first_seen, words.tz)),
                DIM,
            )
        ),
        line(),
        line(Ink(text("details-identities"), BOLD)),
        *_identities(told_of.identities, words),
        line(),
    ]
    if told_of.owed:
        lines.append(line(Ink(text("page-owes"), BOLD)))
        for one in told_of.owed:
            steps = ", ".join(words.step_title(step) for step in one.steps)
            lines.append(line(f"  {steps}: ", Ink(text(MENDERS[one.mender]), BOLD), f"  {told(one.reason)}"))
        lines.append(line())
    lines.append(line(Ink(text("page-attempts", count=len(told_of.walks)), BOLD)))
    for walk in told_of.walks:
        lines += [*_walk(walk, words, glyphs), line()]
    lines += next((_wire(walk, width, words) for walk in told_of.walks if walk.wire or walk.is_wire_lost), [])
    return [cut(one, width) for one in lines]


def _identities(identities: Sequence[Identity], words: Words) -> list[Line]:
    """List names and values, and behind each value its source and the earlier ones: behind a long one they may go."""
    names = columns([[Ink(f"  {told(one.name, 24).replace('_', ' ')}", DIM)] for one in identities], [0])
    lines = []
    for name, one in zip(names, identities, strict=True):
        former = words.text("details-was", values=", ".join(told(old, 40) for old in one.former)) if one.former else ""
        source = Ink(f"  {told(one.source, 40)}  {former}".rstrip(), DIM)
        lines.append(line(*name, f"  {pad(told(one.value, 80), _ID)}", source))
    return lines


def _wire(walk: Walk, width: int, words: Words) -> list[Line]:
    head = line(Ink(words.text("details-wire"), BOLD), Ink(f"  {moment(walk.row.at, words)}", DIM))
    if walk.is_wire_lost:
        return [head, *(line(Ink(f"  {part}", DIM)) for part in wrap(words.text("details-wire-lost"), width - 2))]
    return [head, *(line(f"  {part}") for one in walk.wire for part in wrap(told(one), width - 2))]


def _walk(walk: Walk, words: Words, glyphs: Glyphs) -> list[Line]:
    row = walk.row
    seconds = "" if walk.seconds is None else words.seconds(walk.seconds)
    who = words.text("header-operator", badge=told(walk.operator, 20)) if walk.operator else ""
    head = line(
        chip(row.verdict, words, glyphs, is_by_hand=row.is_by_hand), Ink(f"  {moment(row.at, words)}", BOLD),
        f"  {words.text('details-batch', batch=told(row.batch, 40) or glyphs.nothing)}",
        f"  {words.text('log-slot', slot=str(row.slot))}  {told(walk.station, 20)}  {seconds}  ", Ink(who, DIM),
    )  # fmt: skip
    why = [line(f"  {told(row.reason)}")] if row.reason else []
    steps: list[list[Ink | str]] = [
        [
            Ink(f"  {glyphs.shape(_SIGNS[one.outcome])}"), words.step_title(one.step), Ink(words.outcome(one.outcome)),
            Ink(f"{words.tenths(one.seconds):>9}", DIM), told(one.reason or one.proof),
        ]
        for one in walk.steps
    ]  # fmt: skip
    return [head, *why, *columns(steps, [6, 16, 10, 0, 0], 1)]
