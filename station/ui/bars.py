"""The one-line texts around the slots: header, log, keys. Pure: state and a width in, text out."""

from __future__ import annotations

import datetime

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


def header(state: BenchState, width: int, glyphs: Glyphs) -> str:
    """What is made, how far it is, cloud, outbox, operator. Narrow screens lose the least needed first."""
    cloud = glyphs.cloud_down if state.is_cloud_up is False else glyphs.cloud_up
    parts = [  # (text, how soon it goes)
        ("VIRTUAL" if state.is_virtual else "", 3),
        *_batch_parts(state),
        (f"FPY {state.first_pass_yield * 100:.1f} %" if state.first_pass_yield is not None else "", 4),
        (f"cloud {cloud}", 1),
        (f"outbox {state.outbox}", 2 if state.outbox else 6),
        (f"op {state.operator}" if state.operator else "", 5),
    ]
    parts = [part for part in parts if part[0]]
    while True:
        text = glyphs.separator.join(part for part, _ in parts)
        if len(text) <= width or len(parts) == 1:
            return fit(text, width)
        parts.remove(max(parts, key=lambda part: part[1]))


def _batch_parts(state: BenchState) -> list[tuple[str, int]]:
    count = f"{state.done}/{state.target}" if state.target is not None else f"{state.done} done"
    if not state.batches:
        return [("no batch open", 0)]
    if len(state.batches) == 1:
        (only,) = state.batches
        return [(product(only), 3), (f"batch {only.batch.id}", 3), (count, 0)]
    names = ", ".join(product(line) for line in state.batches)
    return [(names, 3), (f"{len(state.batches)} batches", 2), (count, 0)]


def product(line: BatchLine) -> str:
    return f"{line.title} r{line.batch.profile.revision}"


def log_line(line: LogLine, width: int, glyphs: Glyphs, tz: datetime.tzinfo | None) -> str:
    """``10:14:03  slot 1  P044AB1234567  PASS in 21.4 s``"""
    at = line.at.astimezone(tz).strftime("%H:%M:%S")
    shape = glyphs.shape(line.look) if line.look else ""
    where = f"slot {line.slot}" if line.slot else ""
    return fit("  ".join(part for part in (at, where, line.name, f"{shape} {line.text}".strip()) if part), width)


def footer(state: BenchState, width: int) -> str:
    """The keys that work now; help and leave stay however narrow it gets."""
    idle = {"R", "L"} if not any(slot.is_present for slot in state.slots) else set()
    shown = [key for key in KEYS if key[0] not in idle]
    while True:
        text = "  ".join(f"[{key}] {what}" for key, what in shown)
        if len(text) <= width or len(shown) == 1:
            return fit(text, width)
        shown.pop(-3 if len(shown) > 2 else 0)
