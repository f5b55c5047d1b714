"""Compose the pages beside the bench screen (batches, find, help) as lines of text. Pure."""

from __future__ import annotations

from ..local_time import clock_time
from ..model import is_batch_name
from ..words.catalogue import Words
from ..words.cells import fit, pad, wrap
from ..words.say import NOTHING, Say
from .bars import KEYS, product, told
from .look import LIGHTS, VERDICT_LOOK, Glyphs, Look
from .state import BenchState, Past

MAX_FOUND = 30
MAX_TARGET = 1_000_000


def batches(state: BenchState, chosen: int, width: int, height: int, glyphs: Glyphs) -> list[str]:
    """List the open batches with their figures; the ``chosen`` one (from 0) is marked.

    Of more than ``height`` lines show those around it, whole batches only.
    """
    blocks = []
    for index, entry in enumerate(state.batches):
        mark = glyphs.cursor if index == chosen else " "
        figures = told(entry.figures, entry.target, state.words, glyphs.nothing)
        name = f"{mark} {entry.batch.id}  {product(entry, state.words)}"
        blocks.append([name, *(f"    {line}" for line in wrap(figures, width - 4))])
    first = 0
    while first < chosen and sum(map(len, blocks[first : chosen + 1])) > height:
        first += 1
    lines: list[str] = []
    for block in blocks[first:]:
        if lines and len(lines) + len(block) > height:
            break
        lines += block
    return lines or [state.words.line(Say("no_batch"))]


def problem_of(batch: str, profile: str, target: str) -> Say:
    """Return what is wrong with the fields of a new batch; `NOTHING` if they are valid."""
    if not batch or not profile:
        return Say("batch_wrong")
    if not is_batch_name(batch):
        return Say("batch_name")
    if target and not (target.isascii() and target.isdigit() and 0 < int(target) <= MAX_TARGET):
        return Say("target_wrong")
    return NOTHING


def found(state: BenchState, wanted: str, width: int, glyphs: Glyphs) -> list[str]:
    """List the attempts of units with ``wanted`` in a number or label, newest first; all attempts for ""."""
    wanted = wanted.strip().lower()
    past = [past for past in state.history if not wanted or past.matches(wanted)]
    rows = [fit(_attempt(one, state.words, glyphs), width) for one in past[:MAX_FOUND]]
    return rows or [state.words.line(Say("find_nothing"))]


def _attempt(past: Past, words: Words, glyphs: Glyphs) -> str:
    """Compose an attempt, beginning with what a narrow screen has to show: the unit and its verdict."""
    slot = words.text("log-slot", slot=f"{past.slot:<2}")
    verdict = pad(f"{glyphs.shape(VERDICT_LOOK[past.verdict])} {words.verdict(past.verdict)}", 16)
    begins = f"{clock_time(past.at, words.tz)}  {slot}  {past.label:<16}  {verdict}"
    return f"{begins}  {past.device_id:<24}  {words.seconds(past.seconds):>8}  {past.batch}  {past.reason}"


def help_lines(words: Words, glyphs: Glyphs) -> list[str]:
    """Explain every sign, key and light in one line each."""
    text = words.text
    faces = [(look, words.face(look.value)) for look in Look if look is not Look.EMPTY]
    signs = [
        f"  {pad(glyphs.shape(look), 5)}{pad(face.word or text('help-its-step'), 15)}{face.means}"
        for look, face in faces
    ]
    more = {"1-9": "help-numbers"}
    keys = [f"  {pad(key, 7)}{text(more.get(key, what))}" for key, what in KEYS]
    lights = [f"  {pad(words.led(name), 21)}{words.led_means(name)}" for name in LIGHTS]
    return [
        text("help-signs"), *signs, "", text("help-keys"), *keys, "", text("help-lights"), *lights, "",
        text("page-close"),
    ]  # fmt: skip
