"""Compose the technician's view of one slot as framed panels of styled lines. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from ..model import AS_IT_IS, MODULE_FACT, Measurement, Outcome
from ..words.catalogue import Words
from ..words.cells import pad, width_of, wrap
from ..words.say import Say
from .look import Glyphs, Look, light
from .panels import Line, Panel, Span, beside, bold, dim, flowing, line, padded, plain, shortened, table
from .state import IdentityRow, SlotState, StepLine, TraceLine, off_say

OUTCOME_LOOK: dict[Outcome, Look] = {
    Outcome.ALREADY: Look.PASS,
    Outcome.DONE: Look.PASS,
    Outcome.SKIPPED: Look.OFF,
    Outcome.DEFERRED: Look.PENDING,
    Outcome.FAILED: Look.FAIL,
    Outcome.ABORTED: Look.ABORTED,
    Outcome.ERROR: Look.ERROR,
}
"""The state of a slot whose colour and sign a step has."""
NOT_PASSED = frozenset({Look.FAIL, Look.ERROR, Look.ABORTED})
WIDEST_ID = 24  # cells of a Device ID
HASH_SHOWN = 12  # characters of a hash, enough to tell two builds apart
_LABEL = 2  # cells between a label and what it is of


def panels(slot: SlotState, glyphs: Glyphs, words: Words, width: int, chosen: int = 0) -> dict[str, Panel]:
    """Compose all panels of a slot, each for ``width`` cells, by name."""
    all_of = (
        head(slot, glyphs, words, width), steps(slot, glyphs, words, width, chosen),
        identities(slot, glyphs, words, width), modules(slot, glyphs, words, width),
        wire(slot, words, width, glyphs),
    )  # fmt: skip
    return {panel.name: panel for panel in all_of}


# --- who it is, and how it went ---


def head(slot: SlotState, glyphs: Glyphs, words: Words, width: int, *, seconds: float = 0.0) -> Panel:
    """Compose the unit, its verdict, and for a bad end what was seen, what it means and what to try next.

    ``seconds``: how long its light has been shown, for the phase of its rhythm.
    """
    look = slot.look
    doing = words.step_title(slot.current.step, slot.current.title) if slot.current is not None else ""
    face = f" {glyphs.shape(look)} {words.face(look.value).word or doing}".rstrip() + " "
    lines = flowing(
        (
            Span(face, look, is_bold=True), bold(slot.label), Span(slot.platform), Span(slot.device_id or ""),
            dim(slot.mode), dim(words.text("details-port", port=slot.port_path or "?")),
        ),
        width,
    )  # fmt: skip
    if slot.batch or slot.profile:
        made = (
            words.text("details-batch", batch=slot.batch), words.text("details-profile", profile=slot.profile),
            words.text("details-attempt", attempt=slot.attempt or ""),
        )  # fmt: skip
        lines += flowing(map(dim, made), width)
    if slot.seen is not None:
        lines += [line(text) for text in wrap(words.seen_before(slot.seen, with_zone=True), width)]
    lines += [line(text) for text in wrap(_now(slot, words), width)]
    is_explained = look in NOT_PASSED or (look is Look.HANDS and not slot.is_walking)
    lines += _lamp(slot, glyphs, words, seconds) + (help_lines(slot, words, width) if is_explained else [])
    return Panel("head", words.text("log-slot", slot=str(slot.number)), tuple(lines), look)


def _now(slot: SlotState, words: Words) -> str:
    """Say what is to be done, what the unit waits for, or how it ended."""
    if slot.off is not None:
        return words.line(off_say(slot.off))
    if slot.ask is not None:
        return words.line(slot.ask.say)
    if slot.look is Look.WAITS and (held := slot.waits_for) is not None:
        queue = [words.line(Say("before_it", count=str(held.before)))] if held.before else []
        return words.joined([words.line(held.say), *queue])
    return words.line(slot.say) if slot.verdict is not None and slot.say else ""


def _lamp(slot: SlotState, glyphs: Glyphs, words: Words, seconds: float) -> list[Line]:
    """Show the light to look for, or the one a person saw, with its name and what that means."""
    name = slot.light_seen or (slot.ask.led if slot.ask is not None else "")
    lamp = light(name)
    if lamp is None:
        return []
    label = words.text("details-light") if slot.light_seen else words.text("details-light-wanted")
    return [line(dim(pad(label, width_of(label) + _LABEL)), *lamp_spans(name, glyphs, words, seconds))]


def lamp_spans(name: str, glyphs: Glyphs, words: Words, seconds: float = 0.0, width: int = 0) -> Line:
    """Draw a light as it is ``seconds`` into its rhythm, then say its name, in ``width`` cells, and what it means."""
    lamp = light(name)
    glow = lamp.glow(seconds) if lamp is not None else 0.0
    dot = Span(glyphs.lamp(glow), dot=lamp.colour_at(seconds) if lamp is not None else "")
    return (dot, Span(" "), bold(pad(words.led(name), width)), dim(f"  {words.led_means(name)}"))


def help_lines(slot: SlotState, words: Words, width: int) -> list[Line]:
    """Say what was seen, what it means, and what to try next, in this order."""
    means, next_step = words.help(slot.ask.say if slot.ask is not None else slot.say)
    where = words.step_title(slot.failed_step) if slot.failed_step else ""
    seen = f"{where}: {slot.reason}" if where and slot.reason else slot.reason or where
    told = (("details-seen", seen), ("details-means", means), ("details-try", next_step))
    labels = [(words.text(label), text) for label, text in told if text]
    room = max((width_of(label) for label, _ in labels), default=0) + _LABEL
    return [one for label, text in labels for one in beside(padded(bold(label), room), text, width)]


def how_it_ended(slot: SlotState, words: Words) -> str:
    """Say how the attempt ended, and whether that counts no more; "" before it did."""
    since = (words.line(slot.ask.say),) if slot.ask is not None else ()
    return words.joined((words.verdict(slot.verdict), *since)) if slot.verdict is not None else ""


def for_support(slot: SlotState, words: Words) -> str:
    """Write what support asks for first, one line each: the Device ID, what the light does, how it went and why."""
    rows = (
        ("details-device-id", slot.device_id or ""), ("details-unit", f"{slot.platform} {slot.label}".strip()),
        ("details-light", words.led(slot.light_seen) if slot.light_seen else ""),
        ("details-verdict", how_it_ended(slot, words)),
        ("details-seen", slot.reason),
    )  # fmt: skip
    return "\n".join(f"{words.text(label)}: {value}" for label, value in rows if value)


# --- steps ---


def worth_a_look(slot: SlotState) -> int:
    """Return the number of the step to look at first: the one that failed, else the running one, else the first."""
    bad = (n for n, step in enumerate(slot.all_steps) if step.outcome and OUTCOME_LOOK[step.outcome] in NOT_PASSED)
    running = (n for n, step in enumerate(slot.all_steps) if step.is_running)
    return next(bad, next(running, 0))


def steps(slot: SlotState, glyphs: Glyphs, words: Words, width: int, chosen: int) -> Panel:
    """List each step with its state, seconds and proof; of the ``chosen`` one all there is, below it."""
    asked = {ask.step for ask in slot.asks}
    states = [_state(step, glyphs, words, needs_hands=step.step in asked) for step in slot.all_steps]
    titles = [words.step_title(step.step, step.title) for step in slot.all_steps]
    wide = max((span.width for span in states), default=0), max(map(width_of, titles), default=0)
    lines: list[Line] = []
    keep = (0, 1)
    for index, (step, state, title) in enumerate(zip(slot.all_steps, states, titles, strict=True)):
        is_chosen = index == chosen
        took = words.seconds(step.seconds) if step.outcome is not None else ""
        name = Span(title, is_bold=is_chosen, is_dim=step.outcome is None and not step.is_running)
        chip = replace(state, text=pad(state.text, wide[0]))
        row = (
            Span(f"{glyphs.cursor if is_chosen else ' '} "), chip, Span(" "), *padded(name, wide[1] + 1),
            Span(f"{' ' * (7 - width_of(took))}{took}  "),
        )  # fmt: skip
        begins = len(lines)
        lines += _proof(step, row, width, glyphs, is_chosen=is_chosen)
        lines += _measured(step, glyphs, words, width, is_chosen=is_chosen)
        keep = (begins, len(lines)) if is_chosen else keep
    return Panel("steps", words.text("details-steps"), tuple(lines), keep=keep)


def _proof(step: StepLine, row: Line, width: int, glyphs: Glyphs, *, is_chosen: bool) -> list[Line]:
    """Put proof or reason behind ``row``: the whole one of the chosen step, else as many words as fit."""
    proof = step.proof or step.reason or step.note
    if is_chosen:
        return beside(row, proof, width, least=44)
    room = width - sum(span.width for span in row)
    short = shortened(proof, room, glyphs.more) if room >= 12 else ""
    return [(*row, dim(short))] if short else [row]


def _measured(step: StepLine, glyphs: Glyphs, words: Words, width: int, *, is_chosen: bool) -> list[Line]:
    """List the measurements of the chosen step; of others those out of their limits."""
    lines: list[Line] = []
    for one in step.measurements:
        if is_chosen or one.is_out:
            mark = Span(f" {glyphs.differ} ", Look.FAIL) if one.is_out else Span("   ")
            lines += beside((Span("    "), mark, Span(" ")), measurement(one, words), width)
    return lines


def _state(step: StepLine, glyphs: Glyphs, words: Words, *, needs_hands: bool = False) -> Span:
    if step.outcome is not None:
        look = OUTCOME_LOOK[step.outcome]
        sign = glyphs.already if step.outcome is Outcome.ALREADY else glyphs.shape(look)
        return Span(f" {sign} {words.outcome(step.outcome)} ", look)
    if not step.is_running:
        return Span("")
    for look, is_so in ((Look.HANDS, needs_hands), (Look.WAITS, bool(step.held))):
        if is_so:
            return Span(f" {glyphs.shape(look)} {words.face(look.value).word} ", look)
    share = f"{round(step.share * 100)} %" if step.share is not None else "..."
    return Span(f" {glyphs.shape(Look.RUNNING)} {share} ", Look.RUNNING)


def measurement(m: Measurement, words: Words) -> str:
    """Write a measurement with its limits: ``signal -61 dBm  (-90..)``."""
    limits = f"  ({m.bounds})" if m.bounds else ""
    wanted = f"  ({words.text('details-wanted', version=m.wanted)})" if m.wanted else ""
    value = f"{m.value:.10g}" if isinstance(m.value, float) else m.value
    return f"{m.name} {value} {m.unit}{limits}{wanted}"


# --- identities, firmware, wire ---


def identities(slot: SlotState, glyphs: Glyphs, words: Words, width: int) -> Panel:
    """List every identity with its sources; values that differ stand one below the other, marked.

    For one that changed, show the newest value and the former ones.
    """
    told = [row for row in slot.identities if not row.name.startswith(MODULE_FACT)]
    rows = [(row, value) for row in told for value in dict.fromkeys(value for value, _ in row.sources)]
    named = [row.name.replace("_", " ") for row, _ in rows]
    room = min(max(map(width_of, named), default=0), max(10, width - WIDEST_ID - 5))
    lines: list[Line] = []
    for name, (row, value) in zip(named, rows, strict=True):
        begin = (_agreement(row, glyphs), Span(f" {pad(name, room)} "))
        sources = ", ".join(source for other, source in row.sources if other == value)
        was = f"  {words.text('details-was', values=', '.join(row.former))}" if row.former else ""
        lines += _identity(begin, value, was, sources, width)
    differs = any(not row.agrees for row in told)
    return Panel("identity", words.text("details-identities"), tuple(lines), Look.FAIL if differs else None)


def _identity(begin: Line, value: str, was: str, sources: str, width: int) -> list[Line]:
    """Put a value behind its name and its sources behind it; what does not fit goes below."""
    told = (*begin, bold(value), Span(was))
    taken = sum(span.width for span in told)
    if taken + 2 + width_of(sources) <= width:
        return [(*told, dim(f"  {sources}"))]
    below = [line("     ", dim(part)) for part in wrap(sources, width - 5)]
    if taken <= width:
        return [told, *below]
    return [begin, *(line("     ", bold(part)) for part in wrap(f"{value}{was}", width - 5)), *below]


def _agreement(row: IdentityRow, glyphs: Glyphs) -> Span:
    return Span(f" {glyphs.agree} ", Look.PASS) if row.agrees else Span(f" {glyphs.differ} ", Look.FAIL)


def modules(slot: SlotState, glyphs: Glyphs, words: Words, width: int) -> Panel:
    """List firmware wanted and held; a module that nobody asked for is neither right nor wrong."""
    title, is_over = words.text("details-firmware"), slot.verdict is not None
    if not slot.modules:
        return Panel("firmware", title, ())
    digests = {
        row.name.removeprefix(MODULE_FACT): row.value.partition(" ")[2]
        for row in slot.identities
        if row.name.startswith(MODULE_FACT)
    }
    begins = ("", "details-module", "details-column-wanted", "details-column-held", "details-column-hash")
    rows: list[list[Span]] = [[dim(words.text(name) if name else "") for name in begins]]
    for name, wanted, held in slot.modules:
        is_neutral = wanted == AS_IT_IS
        differs = not is_neutral and wanted != held
        sign = Span(f" {glyphs.neutral} ") if is_neutral else Span(f" {glyphs.agree} ", Look.PASS)
        if differs:  # as long as the walk goes on, it may still be written
            sign = Span(f" {glyphs.differ} ", Look.FAIL) if is_over else Span(f" {glyphs.cursor} ", Look.RUNNING)
        asked = dim(glyphs.nothing) if is_neutral else Span(wanted or glyphs.nothing)
        digest = dim(digests.get(name, "")[:HASH_SHOWN])
        rows.append([sign, Span(name), asked, Span(held or glyphs.nothing, is_bold=differs), digest])
    for columns in (rows if digests else [], [row[:-1] for row in rows]):  # the hash is the first to go
        lines = table(columns, gap=2)
        if lines and all(width_of(plain(one)) <= width for one in lines):
            return Panel("firmware", title, tuple(lines))
    return Panel("firmware", title, tuple(_stacked(rows, width)))


def _stacked(rows: list[list[Span]], width: int) -> list[Line]:
    """Set wanted and held below the module, where the columns do not fit."""
    (_, _, wanted, held, _), *modules_ = rows
    lines: list[Line] = []
    for sign, name, asked, there, _ in modules_:
        lines.append((sign, Span(" "), name))
        said = (Span(f"{wanted.text} {asked.text}", is_dim=asked.is_dim), Span(f"{held.text} {there.text}"))
        lines += [line("    ", *one) for one in flowing(said, width - 4)]
    return lines


def wire(slot: SlotState, words: Words, width: int, glyphs: Glyphs, *, is_raw: bool = False) -> Panel:
    """List what was asked of the unit and what came back, newest last; with ``is_raw`` the bytes below each."""
    lines: list[Line] = []
    for one in slot.trace:
        lines += traced(one, width, glyphs, is_raw=is_raw)
    if not lines:
        lines = [(dim(text),) for text in wrap(words.text("details-no-wire"), width)]
    return Panel("wire", words.text("details-wire"), tuple(lines), keep=(len(lines) - 1, len(lines)))


_TIME = re.compile(r" ms$")
NO_BREAK = "\u00a0"


def traced(one: TraceLine, width: int, glyphs: Glyphs, *, is_raw: bool) -> list[Line]:
    """Write one exchange: when, what was asked, and what came back."""
    at = f"{one.at:%H:%M:%S}.{one.at.microsecond // 1000:03} " if one.at is not None else ""
    asked, _, answer = one.text.partition(": ")
    told = (dim(at), Span(asked), Span(f" {glyphs.answer} " if answer else ""))
    rows = beside(told, _TIME.sub(f"{NO_BREAK}ms", answer), width)  # the figure stays with its unit
    lines = [tuple(replace(span, text=span.text.replace(NO_BREAK, " ")) for span in row) for row in rows]
    return lines + ([line("    ", dim(part)) for part in wrap(one.raw, width - 4)] if is_raw and one.raw else [])


def trace_text(slot: SlotState) -> tuple[str, ...]:
    """Write the whole wire for a file: a line an exchange, its bytes indented below it."""
    return tuple(
        text
        for one in slot.trace
        for text in (
            f"{one.at.isoformat(timespec='milliseconds') if one.at is not None else ''}  {one.text}".strip(),
            *([f"    {one.raw}"] if one.raw else []),
        )
    )
