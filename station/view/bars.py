"""Compose the lines around the slots: header, log, keys. Pure: state and a width in, text out."""

from __future__ import annotations

from dataclasses import dataclass

from ..figures import Figures, counts, percent
from ..local_time import clock_time
from ..model import TRIAL, Verdict
from ..words.catalogue import Words
from ..words.cells import fit, width_of
from . import tile
from .look import Glyphs, Look
from .state import BatchLine, BenchState, LogLine, SlotState

KEYS = (
    ("1-9", "key-slot"),
    ("Enter", "key-details"),
    ("R", "key-retry"),
    ("L", "key-light"),
    ("X", "key-stop"),
    ("S", "key-label"),
    ("O", "key-off"),
    ("B", "key-batch"),
    ("F", "key-find"),
    ("?", "key-help"),
    ("Q", "key-leave"),
)  # fmt: skip
"""Label of a key, and what it does (a key of the catalogue)."""
_DROPPED_FIRST = ("O", "F", "B", "S", "L", "X", "R", "Enter", "1-9", "?")
"""Keys a narrow screen omits, the least needed first; the help page lists all."""

_BATCH_BAR, _BATCH_BAR_FROM = 10, 100
"""Cells of the bar to a batch's target, on screens of at least so many columns."""

_ARROWS = "Up, Down"
DETAILS_KEYS = (
    ("Tab", "key-panel"),
    (_ARROWS, "key-choose"),
    ("Enter", "key-run"),
    ("F", "key-from"),
    ("R", "key-retry"),
    ("L", "key-light"),
    ("M", "key-mode"),
    ("K", "key-console"),
    ("P", "key-pattern"),
    ("V", "key-bytes"),
    ("T", "key-trace"),
    ("S", "key-report"),
    ("N", "key-print"),
    ("C", "key-copy"),
    ("X", "key-stop"),
    ("?", "key-help"),
    ("Esc", "key-back"),
)
FOOTER_ROWS = 2
_DROPPED_FIRST_IN_DETAILS = ("N", "V", "T", "C", "K", "L", _ARROWS, "P", "X", "M", "F", "R", "S", "Enter", "Tab", "?")


def header(state: BenchState, width: int, glyphs: Glyphs) -> str:
    """Compose product, progress, cloud, owed work and operator; on a narrow screen only the most important."""
    words = state.words
    cloud = words.text("header-cloud", state=_cloud(state.is_cloud_up, glyphs))
    parts = [  # (text, rank: 0 is the most important)
        (_virtual(state, glyphs), 0),
        *_batch_parts(state, width, glyphs),
        (cloud, 2 if state.is_cloud_up is False else 5),
        (words.text("header-owed", count=str(state.outbox)), 4 if state.outbox else 9),
        (words.text("header-operator", badge=state.operator) if state.operator else "", 8),
    ]
    return _joined([part for part in parts if part[0]], width, glyphs)


@dataclass(frozen=True, slots=True)
class Frame:
    """The lines around the slots. ``line``: above the keys; ``is_notice``: a message rather than a slot's sentence."""

    header: str
    log: tuple[str, ...]
    line: str
    is_notice: bool
    keys: str


def frame(
    state: BenchState,
    width: int,
    log_rows: int,
    glyphs: Glyphs,
    hint: str = "",
    selected: int | None = None,
    stray: str = "",
) -> Frame:
    """Compose the lines around the slots. ``hint`` is the reply to the last key, and replaces the station's notice.

    ``stray``: the last key, if it does nothing.

    The line above the keys has the current message, else the whole sentence of the selected slot; with none selected,
    of the one that has waited longest for hands.
    """
    notice = hint or state.notice or (state.words.line(state.stranger) if state.stranger else "")
    slot = state.slot(selected) if selected is not None else _longest_asking(state)
    line = notice or (_whole(slot, width, glyphs, state.words) if slot is not None else "")
    log = tuple(log_line(one, width, glyphs, state.words) for one in state.log[:log_rows])
    keys = footer(state, width, selected, told_stray(stray, state.words))
    return Frame(header(state, width, glyphs), log, fit(line, width), bool(notice), keys)


def _longest_asking(state: BenchState) -> SlotState | None:
    asking = [(slot.ask.since, slot) for slot in state.slots if slot.look is Look.HANDS and slot.ask is not None]
    since = min((since for since, _ in asking if since is not None), default=None)
    return next((slot for at, slot in asking if at == since), None)


def _whole(slot: SlotState, width: int, glyphs: Glyphs, words: Words) -> str:
    """Write the full sentence of a slot on one line, with its number, unit and word if there is room for them."""
    title = tile.step_title(slot, words) if slot.is_walking else ""  # between two steps that of the last one
    word = f"{glyphs.shape(slot.look)} {words.face(slot.look.value).word or title}".strip()
    where, said = words.text("log-slot", slot=str(slot.number)), words.joined(tile.sentence(slot, words).lines)
    forms = ((where, slot.name, word, said), (where, slot.name, said), (where, said), (said,))
    lines = ["  ".join(filter(None, form)) for form in forms]
    return next((line for line in lines if width_of(line) <= width), lines[-1])


def _virtual(state: BenchState, glyphs: Glyphs) -> str:
    """Mark virtual units, and the speed of time if it is not real; "" for real units."""
    if not state.is_virtual:
        return ""
    if state.speed is None:
        return state.words.text("header-simulated")
    virtual = state.words.text("header-virtual")
    return virtual if state.speed == 1.0 else f"{virtual} {glyphs.times}{state.words.figure(f'{state.speed:.2g}')}"


def _cloud(is_up: bool | None, glyphs: Glyphs) -> str:
    """Return the sign for the cloud's state, which is unknown before the first request."""
    if is_up is None:
        return glyphs.cloud_unknown
    return glyphs.cloud_up if is_up else glyphs.cloud_down


def _joined(parts: list[tuple[str, int]], width: int, glyphs: Glyphs) -> str:
    """Join the parts that fit, chosen by rank; the most important is shown even if it must be cut."""
    kept: list[tuple[str, int]] = []
    for part in sorted(parts, key=lambda part: part[1]):
        wider = [one for one in parts if one in kept or one is part]
        if not kept or width_of(glyphs.separator.join(text for text, _ in wider)) <= width:
            kept = wider
    return fit(glyphs.separator.join(text for text, _ in kept), width)


def _batch_parts(state: BenchState, width: int, glyphs: Glyphs) -> list[tuple[str, int]]:
    if not state.batches:
        return [(state.words.text("header-no-batch"), 1)]
    words, figures = state.words, state.figures
    passed = f"{figures.passed} {words.verdict(Verdict.PASS)}"
    if state.target is not None:
        passed = f"{figures.passed}/{state.target} {words.verdict(Verdict.PASS)}"
        full = round(min(1.0, figures.passed / max(1, state.target)) * _BATCH_BAR) if width >= _BATCH_BAR_FROM else None
        if full is not None:
            passed += f" {glyphs.share_full * full}{glyphs.share_rest * (_BATCH_BAR - full)}"
    share = words.figure(percent(figures.first_pass_yield, glyphs.nothing))
    names = ", ".join(product(line, words) for line in state.batches)
    which = (
        words.text("header-batch", batch=state.batches[0].batch.id) if len(state.batches) == 1
        else words.text("header-batches", count=str(len(state.batches)))
    )  # fmt: skip
    return [
        (names, 3), (which, 6), (passed, 1),
        (words.text("header-yield", share=share), 7),
    ]  # fmt: skip


def product(line: BatchLine, words: Words) -> str:
    """Return title and revision of a batch's profile: ``WIDGET-BORON r7``, and that it is a trial."""
    name = f"{line.title} r{line.batch.profile.revision}"
    return words.text("header-trial", product=name) if line.batch.release == TRIAL else name


def told(figures: Figures, target: int | None, words: Words, nothing: str) -> str:
    """Sum up a batch: ``126/500 PASS, 3 FAIL; FPY 97.7 %, final yield 98.4 %, 4 retests``."""
    first, final = (
        words.figure(percent(share, nothing)) for share in (figures.first_pass_yield, figures.final_yield)
    )  # fmt: skip
    yields = words.text("figure-yields", first=first, final=final, retests=figures.retests)
    return f"{counts(figures, target, words.verdict)}; {yields}"


def log_line(line: LogLine, width: int, glyphs: Glyphs, words: Words) -> str:
    """Write one event: ``10:14:03 UTC+8  slot 1  P044AB1234567  PASS in 21.4 s``."""
    at = clock_time(line.at, words.tz)
    shape = glyphs.shape(line.look) if line.look else ""
    where = words.text("log-slot", slot=str(line.slot)) if line.slot else ""
    name = "" if line.name in line.text else line.name  # said once
    return fit("  ".join(part for part in (at, where, name, f"{shape} {line.text}".strip()) if part), width)


def told_stray(key: str, words: Words) -> str:
    """Say that a key does nothing; "" for none."""
    return words.text("key-none", cap=f"[{key}]") if key else ""


def footer(state: BenchState, width: int, selected: int | None = None, first: str = "") -> str:
    """Name the keys that work now, for the selected or the only slot, behind ``first``; the way out always stays."""
    number = selected if selected is not None or len(state.slots) != 1 else state.slots[0].number
    slot = state.slot(number) if number is not None else None
    idle = set() if slot is not None else {"Enter", "O"}
    idle |= {"1-9"} if len(state.slots) == 1 else set()
    if slot is None or not slot.is_present:
        idle |= {"R", "L"}
    idle |= {"R", "L", "O"} if slot is not None and slot.is_unjudged else {"X"}
    return _keys_line([key for key in KEYS if key[0] not in idle], _DROPPED_FIRST, width, state.words, first)


def details_footer(slot: SlotState, width: int, words: Words, first: str = "") -> list[str]:
    """Name the keys of the technician's view that work now behind ``first``, in at most two lines.

    The way back stays at any width.
    """
    idle = {"X"} if not slot.is_walking else {"Enter", "F", "R", "L", "M", "K"}
    idle |= {"Enter", "F", "R", "L", "M", "K"} if not slot.is_present else set()
    idle |= set() if slot.device_id else {"C"}
    idle |= set() if slot.is_present and slot.has_label else {"N"}
    idle |= set() if slot.trace else {"T"}
    idle |= set() if slot.has_bytes else {"V"}
    idle |= set() if slot.attempt else {"S", "P"}
    keys = [key for key in DETAILS_KEYS if key[0] not in idle]
    for dropped in ("", *_DROPPED_FIRST_IN_DETAILS):
        keys = [key for key in keys if key[0] != dropped]
        lines = [first]
        for text in (f"{cap(key, words)} {words.text(what)}" for key, what in keys):
            wider = f"{lines[-1]}  {text}" if lines[-1] else text
            lines = [*lines[:-1], wider] if width_of(wider) <= width else [*lines, text]
        if len(lines) <= FOOTER_ROWS:
            break
    return [fit(one, width) for one in lines]


def bench_keys(words: Words) -> list[str]:
    """Name every key of the bench with what it does, as the help page tells it."""
    more = {"key-slot": "help-numbers"}
    return [f"{cap(key, words)} {words.text(more.get(what, what))}" for key, what in KEYS]


def details_keys(words: Words) -> list[str]:
    """Name every key of the technician's view with what it does."""
    return [f"{cap(key, words)} {words.text(what)}" for key, what in DETAILS_KEYS]


def cap(key: str, words: Words) -> str:
    """Return a key's label in brackets; the arrows have a name in each language."""
    return f"[{words.text('cap-up')}] [{words.text('cap-down')}]" if key == _ARROWS else f"[{key}]"


def _keys_line(
    keys: list[tuple[str, str]], dropped_first: tuple[str, ...], width: int, words: Words, first: str
) -> str:
    """Join whole keys behind ``first``, dropping those in ``dropped_first`` one by one until the rest fits."""
    for dropped in ("", *dropped_first):
        keys = [key for key in keys if key[0] != dropped]
        told = (f"{cap(key, words)} {words.text(what)}" for key, what in keys)
        text = "  ".join([first, *told] if first else told)
        if width_of(text) <= width:
            break
    return fit(text, width)
