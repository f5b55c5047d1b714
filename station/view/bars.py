"""The one-line texts around the slots: header, log, keys. Pure: state and a width in, text out."""

from __future__ import annotations

import datetime

from rich.cells import cell_len

from ..figures import percent
from ..local_time import clock_time
from ..model import VERDICT_WORD, Verdict
from .look import Glyphs
from .state import BatchLine, BenchState, LogLine
from .text import fit

KEYS = (
    ("1-9", "slot"),
    ("Enter", "details"),
    ("R", "retry"),
    ("L", "light"),
    ("S", "type a label"),
    ("B", "batch"),
    ("F", "find"),
    ("?", "help"),
    ("Q", "leave"),
)  # fmt: skip
_SOONEST = ("F", "B", "S", "L", "R", "Enter", "1-9", "?")
"""Which key a narrow screen no longer names, least needed first; `help` tells of all."""

DETAILS_KEYS = (
    ("Up] [Down", "choose a step"),
    ("Enter", "run it"),
    ("R", "retry"),
    ("L", "light"),
    ("X", "stop"),
    ("Esc", "back"),
)
_SOONEST_DETAILS = ("L", "Up] [Down", "Enter", "R", "X")


def header(state: BenchState, width: int, glyphs: Glyphs) -> str:
    """What is made, how far it is, cloud, outbox, operator. Narrow screens show what is worth most."""
    parts = [  # (text, its place among all by worth)
        (_virtual(state, glyphs), 0),
        *_batch_parts(state, glyphs),
        (f"cloud {_cloud(state.is_cloud_up, glyphs)}", 2 if state.is_cloud_up is False else 5),
        (f"owed {state.outbox}", 4 if state.outbox else 9),
        (f"op {state.operator}" if state.operator else "", 8),
    ]
    return _joined([part for part in parts if part[0]], width, glyphs)


def notice_line(state: BenchState, notice: str, width: int, glyphs: Glyphs) -> str:
    """``notice`` where there is only the header to say it; that the units are virtual is said all the same."""
    return fit(glyphs.separator.join(part for part in (_virtual(state, glyphs), notice) if part), width)


def _virtual(state: BenchState, glyphs: Glyphs) -> str:
    """What nobody may take for real: the units, and time that does not pass as on the wall."""
    if not state.is_virtual:
        return ""
    if state.speed is None:
        return "VIRTUAL, simulated time"
    return "VIRTUAL" if state.speed == 1.0 else f"VIRTUAL {glyphs.times}{state.speed:.2g}"


def _cloud(is_up: bool | None, glyphs: Glyphs) -> str:
    """Until somebody asked it, nobody knows."""
    if is_up is None:
        return glyphs.cloud_unknown
    return glyphs.cloud_up if is_up else glyphs.cloud_down


def _joined(parts: list[tuple[str, int]], width: int, glyphs: Glyphs) -> str:
    """The parts that fit, chosen by worth; the first of all is shown even if it has to be cut."""
    kept: list[tuple[str, int]] = []
    for part in sorted(parts, key=lambda part: part[1]):
        wider = [one for one in parts if one in kept or one is part]
        if not kept or cell_len(glyphs.separator.join(text for text, _ in wider)) <= width:
            kept = wider
    return fit(glyphs.separator.join(text for text, _ in kept), width)


def _batch_parts(state: BenchState, glyphs: Glyphs) -> list[tuple[str, int]]:
    if not state.batches:
        return [("no batch open", 1)]
    figures = state.figures
    passed = figures.passed if state.target is None else f"{figures.passed}/{state.target}"
    share = percent(figures.first_pass_yield, glyphs.nothing)
    names = ", ".join(product(line) for line in state.batches)
    which = f"batch {state.batches[0].batch.id}" if len(state.batches) == 1 else f"{len(state.batches)} batches"
    return [(names, 3), (which, 6), (f"{passed} {VERDICT_WORD[Verdict.PASS]}", 1), (f"FPY {share}", 7)]


def product(line: BatchLine) -> str:
    return f"{line.title} r{line.batch.profile.revision}"


def log_line(line: LogLine, width: int, glyphs: Glyphs, tz: datetime.tzinfo | None) -> str:
    """``10:14:03 UTC+8  slot 1  P044AB1234567  PASS in 21.4 s``"""
    at = clock_time(line.at, tz)
    shape = glyphs.shape(line.look) if line.look else ""
    where = f"slot {line.slot}" if line.slot else ""
    return fit("  ".join(part for part in (at, where, line.name, f"{shape} {line.text}".strip()) if part), width)


def footer(state: BenchState, width: int) -> str:
    """The keys that work now; the way out stays however narrow it gets."""
    idle = {"R", "L"} if not any(slot.is_present for slot in state.slots) else set()
    return _keys_line([key for key in KEYS if key[0] not in idle], _SOONEST, width)


def details_footer(width: int) -> str:
    """As `footer` for the technician's view; the way back stays."""
    return _keys_line(list(DETAILS_KEYS), _SOONEST_DETAILS, width)


def _keys_line(keys: list[tuple[str, str]], soonest: tuple[str, ...], width: int) -> str:
    """Whole keys or none: those of ``soonest`` go one by one until the others fit."""
    for going in ("", *soonest):
        keys = [key for key in keys if key[0] != going]
        text = "  ".join(f"[{key}] {what}" for key, what in keys)
        if len(text) <= width:
            break
    return fit(text, width)
