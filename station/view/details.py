"""The technician's view of one slot as lines of text. Pure."""

from __future__ import annotations

import datetime

from ..model import AS_IT_IS
from . import words
from .look import FACES, Glyphs, Look
from .state import SlotState, StepLine
from .text import seconds, wrap

MIN_PROOF = 20  # cells beside the seconds that are worth using


def summary(slot: SlotState, glyphs: Glyphs, tz: datetime.tzinfo | None) -> list[str]:
    """Who it is, what the verdict is and why."""
    look = slot.look
    doing = slot.current.title if slot.current is not None else ""
    face = f"{glyphs.shape(look)} {FACES[look].word or doing}".strip()
    head = [f"slot {slot.number}", face, slot.name, slot.platform, slot.mode, f"port {slot.port_path or '?'}"]
    lines = ["   ".join(part for part in head if part)]
    if slot.batch or slot.profile:
        lines.append(f"batch {slot.batch}   profile {slot.profile}   attempt {slot.attempt or ''}")
    if slot.seen is not None:
        lines.append(words.seen_before(slot.seen, tz, with_zone=True))
    if slot.ask is not None:
        light = words.led(slot.ask.led)
        lines.append(f"{words.line(slot.ask.say.key, slot.ask.say.values)} {light.words if light else ''}".rstrip())
    elif look is Look.WAITS and (held := slot.waits_for) is not None:
        queue = f" {words.line('before_it', (str(held.before),))}" if held.before else ""
        lines.append(f"{words.line(held.say.key, held.say.values)}{queue}")
    if slot.verdict is not None:
        lines.append(f"{slot.failed_step or 'all steps'}: {slot.reason or words.line(slot.say.key, slot.say.values)}")
    return lines


def steps(slot: SlotState, glyphs: Glyphs, chosen: int, width: int) -> list[str]:
    """One line a step with its outcome, seconds and proof or reason, then its measurements, in ``width`` cells.

    What does not fit beside the seconds goes on below the proof, or below the step where that is too narrow.
    """
    lines: list[str] = []
    for index, step in enumerate(slot.steps):
        mark = glyphs.cursor if index == chosen else " "
        head = f"{mark} {step.title:<16} {_state(step):<9} {_took(step):>8}  "
        proof = step.proof or step.reason
        beside = wrap(proof, width - len(head)) if width - len(head) >= MIN_PROOF else []
        first, *rest = beside or [""]
        lines.append(f"{head}{first}".rstrip())
        lines += [" " * len(head) + text for text in rest]
        lines += [] if beside else [f"      {text}" for text in wrap(proof, max(MIN_PROOF, width - 6))]
        lines += [f"      {_measurement(step, i)}" for i in range(len(step.measurements))]
    return lines


def _state(step: StepLine) -> str:
    if step.outcome is not None:
        return words.OUTCOME_WORDS[step.outcome]
    if not step.is_running:
        return ""
    if step.held:
        return "WAITS"
    return f"{round(step.share * 100)} %" if step.share is not None else "..."


def _took(step: StepLine) -> str:
    return seconds(step.seconds) if step.outcome is not None else ""


def _measurement(step: StepLine, index: int) -> str:
    m = step.measurements[index]
    limits = f"  ({'' if m.low is None else m.low}..{'' if m.high is None else m.high})"
    value = f"{m.value:g}" if isinstance(m.value, float) else m.value
    return f"{m.name} {value} {m.unit}{limits if (m.low, m.high) != (None, None) else ''}"


def identities(slot: SlotState, glyphs: Glyphs) -> list[str]:
    """Every identity with every source that gave it; values that differ stand one below the other, marked.

    Of one that changed the newest value is shown, and what it was before.
    """
    lines: list[str] = []
    for row in slot.identities:
        mark = glyphs.agree if row.agrees else glyphs.differ
        values = dict.fromkeys(value for value, _ in row.sources)
        for value in values:
            sources = ", ".join(source for other, source in row.sources if other == value)
            was = f"  (was {', '.join(row.former)})" if row.former else ""
            lines += [f"{mark} {row.name:<11} {value}{was}", f"    {sources}"]
    return lines


def modules(slot: SlotState, glyphs: Glyphs) -> list[str]:
    """Firmware wanted and held; a module nobody asked for is neither right nor wrong."""
    lines: list[str] = []
    for name, wanted, held in slot.modules:
        if wanted == AS_IT_IS:
            lines += [f"{glyphs.neutral} {name}", f"    held {held or '-'}"]
            continue
        mark = glyphs.agree if wanted == held else glyphs.differ
        lines += [f"{mark} {name}", f"    wanted {wanted or '-'}   held {held or '-'}"]
    return lines
