"""Compose the technician's view of one slot as lines of text. Pure."""

from __future__ import annotations

from ..model import AS_IT_IS, Measurement
from ..words.catalogue import Words
from ..words.cells import pad, width_of, wrap
from ..words.say import Say
from .look import Glyphs, Look
from .state import SlotState, StepLine, off_say

MIN_PROOF = 20  # minimum cells beside the seconds to show a proof there


def summary(slot: SlotState, glyphs: Glyphs, words: Words) -> list[str]:
    """Compose the unit's identity, its verdict and the reason."""
    look = slot.look
    doing = words.step_title(slot.current.step, slot.current.title) if slot.current is not None else ""
    face = f"{glyphs.shape(look)} {words.face(look.value).word or doing}".strip()
    port = words.text("details-port", port=slot.port_path or "?")
    head = [words.text("log-slot", slot=str(slot.number)), face, slot.name, slot.platform, slot.mode, port]
    lines = ["   ".join(part for part in head if part)]
    if slot.batch or slot.profile:
        made = (
            words.text("details-batch", batch=slot.batch), words.text("details-profile", profile=slot.profile),
            words.text("details-attempt", attempt=slot.attempt or ""),
        )  # fmt: skip
        lines.append("   ".join(made))
    if slot.seen is not None:
        lines.append(words.seen_before(slot.seen, with_zone=True))
    if slot.off is not None:
        lines.append(words.line(off_say(slot.off)))
    elif slot.ask is not None:
        lines.append(f"{words.line(slot.ask.say)} {words.led(slot.ask.led)}".rstrip())
    elif look is Look.WAITS and (held := slot.waits_for) is not None:
        queue = [words.line(Say("before_it", count=str(held.before)))] if held.before else []
        lines.append(words.joined([words.line(held.say), *queue]))
    if slot.verdict is not None:
        where = slot.failed_step or words.text("details-all-steps")
        lines.append(words.text("log-why", what=where, why=slot.reason or words.line(slot.say)))
    return lines


def steps(slot: SlotState, glyphs: Glyphs, chosen: int, width: int, words: Words) -> list[str]:
    """List each step with outcome, seconds and proof or reason, then its measurements, in ``width`` cells.

    A long proof continues in its column, or below the step if the column is too narrow.
    """
    lines: list[str] = []
    for index, step in enumerate(slot.steps):
        mark = glyphs.cursor if index == chosen else " "
        took = words.seconds(step.seconds) if step.outcome is not None else ""
        title, state = words.step_title(step.step, step.title), _state(step, words)
        head = f"{mark} {pad(title, 16)} {pad(state, 9)} {' ' * (8 - width_of(took))}{took}  "
        proof = step.proof or step.reason
        beside = wrap(proof, width - width_of(head)) if width - width_of(head) >= MIN_PROOF else []
        first, *rest = beside or [""]
        lines.append(f"{head}{first}".rstrip())
        lines += [" " * width_of(head) + text for text in rest]
        lines += [] if beside else [f"      {text}" for text in wrap(proof, max(MIN_PROOF, width - 6))]
        for measured in step.measurements:
            mark = glyphs.differ if measured.is_out else " "
            lines.append(f"    {mark} {_measurement(measured, words)}")
    return lines


def _state(step: StepLine, words: Words) -> str:
    if step.outcome is not None:
        return words.outcome(step.outcome)
    if not step.is_running:
        return ""
    if step.held:
        return words.face(Look.WAITS.value).word
    return f"{round(step.share * 100)} %" if step.share is not None else "..."


def _measurement(m: Measurement, words: Words) -> str:
    limits = f"  ({m.bounds})" if m.bounds else ""
    wanted = f"  ({words.text('details-wanted', version=m.wanted)})" if m.wanted else ""
    value = f"{m.value:.10g}" if isinstance(m.value, float) else m.value
    return f"{m.name} {value} {m.unit}{limits}{wanted}"


def identities(slot: SlotState, glyphs: Glyphs, words: Words) -> list[str]:
    """List every identity with its sources; differing values are marked and listed one below the other.

    For one that changed, show the newest value and the former ones.
    """
    lines: list[str] = []
    for row in slot.identities:
        mark = glyphs.agree if row.agrees else glyphs.differ
        values = dict.fromkeys(value for value, _ in row.sources)
        for value in values:
            sources = ", ".join(source for other, source in row.sources if other == value)
            was = f"  {words.text('details-was', values=', '.join(row.former))}" if row.former else ""
            lines += [f"{mark} {row.name:<11} {value}{was}", f"    {sources}"]
    return lines


def modules(slot: SlotState, glyphs: Glyphs, words: Words) -> list[str]:
    """List firmware wanted and held; a module that is not in the profile is marked neither right nor wrong."""
    lines: list[str] = []
    for name, wanted, held in slot.modules:
        held_now = words.text("details-held", version=held or "-")
        if wanted == AS_IT_IS:
            lines += [f"{glyphs.neutral} {name}", f"    {held_now}"]
            continue
        mark = glyphs.agree if wanted == held else glyphs.differ
        lines += [f"{mark} {name}", f"    {words.text('details-wanted', version=wanted or '-')}   {held_now}"]
    return lines
