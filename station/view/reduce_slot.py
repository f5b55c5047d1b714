"""Apply events to the slot of their attempt, one pure function per kind of event. See `reduce`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..engine import events as ev
from ..engine.console_events import ConsoleClosed, ConsoleLine, ConsoleOpened, HandWorkBegun
from ..engine.records import UnitFacts
from ..model import GOOD, IdentityFact, Measurement
from ..words.cells import clean
from ..words.say import Say
from .state import CONSOLE_LINES, TRACE_LINES, Ask, ConsoleText, Held, SlotState, StepLine, TraceLine

MAX_RAW = 2000  # characters of bytes in hex kept of one exchange
MAX_CONSOLE_LINE = 4096  # characters; the longest line of a console, its list of modules, has about half of that
MAX_ROWS = 64  # steps, identities, modules or measurements kept of one attempt


def _unit_identified(slot: SlotState, event: ev.UnitIdentified) -> SlotState:
    return replace(
        slot, label=clean(event.label, 60), platform=clean(event.platform, 40), seen=event.seen,
        device_id=id_of(event) or slot.device_id, facts=tuple(_fact(fact) for fact in event.facts[:MAX_ROWS]),
    )  # fmt: skip


def _unit_facts(slot: SlotState, event: UnitFacts) -> SlotState:
    return replace(slot, updates=(*slot.updates, *map(_fact, event.facts))[-MAX_ROWS:])


def _step_started(slot: SlotState, event: ev.StepStarted) -> SlotState:
    if slot.verdict is not None:
        return slot
    name = clean(event.step, 40)
    return slot.with_step(StepLine(name, clean(event.title, 40), is_running=True))


def _step_progress(slot: SlotState, event: ev.StepProgress) -> SlotState:
    line = slot.step(clean(event.step, 40))
    if line is None or not line.is_running or slot.verdict is not None:
        return slot
    return slot.with_step(
        replace(
            line, share=min(1.0, max(0.0, event.share)), seconds_left=event.seconds_left,
            writing=event.writing, note=clean(event.note, 80), warning=event.say,
        )
    )  # fmt: skip


def _step_finished(slot: SlotState, event: ev.StepFinished) -> SlotState:
    name = clean(event.step, 40)
    old = slot.step(name) or StepLine(name)
    return slot.with_step(
        replace(
            old, is_running=False, writing=False, held=None, outcome=event.outcome, seconds=event.seconds,
            reason=clean(event.reason), proof=clean(event.proof),
            measurements=tuple(_measurement(m) for m in event.measurements[:MAX_ROWS]) or old.measurements,
        )
    )  # fmt: skip


def _measured(slot: SlotState, event: ev.Measured) -> SlotState:
    line = slot.step(clean(event.step, 40))
    if line is None:
        return slot
    return slot.with_step(replace(line, measurements=(*line.measurements, _measurement(event.measurement))[-MAX_ROWS:]))


def hands_needed(slot: SlotState, event: ev.HandsNeeded) -> SlotState:
    """Ask for an action, in place of what its step asked before; nothing is asked after a verdict."""
    if slot.verdict is not None:
        return slot
    step = clean(event.step, 40)
    since = next((ask.since for ask in slot.asks if ask.step == step), event.at)  # asked again: it waits all along
    ask = Ask(step, cleaned(event.say), clean(event.led, 40), since)
    others = tuple(one for one in slot.asks if one.step != ask.step)
    return replace(slot, asks=(*others, ask)[-MAX_ROWS:])


def _hands_done(slot: SlotState, event: ev.HandsDone) -> SlotState:
    step = clean(event.step, 40)
    return replace(slot, asks=tuple(ask for ask in slot.asks if ask.step != step))


def step_held(slot: SlotState, event: ev.StepHeld | ev.StepResumed) -> SlotState:
    """Mark a step as waiting, or as running again; without a step the whole slot waits, for the journal."""
    held = None
    if isinstance(event, ev.StepHeld):
        held = Held(cleaned(event.say), max(0, event.before))
    if not event.step:
        return replace(slot, held=held)
    line = slot.step(clean(event.step, 40))
    if line is None or not line.is_running or slot.verdict is not None:
        return slot
    return slot.with_step(replace(line, held=held))


def _modules_read(slot: SlotState, event: ev.ModulesRead) -> SlotState:
    rows = tuple((clean(a, 60), clean(b, 60), clean(c, 60)) for a, b, c in event.rows[:MAX_ROWS])
    return replace(slot, modules=rows)


def _wire_traced(slot: SlotState, event: ev.WireTraced) -> SlotState:
    traced = TraceLine(clean(event.line), clean(event.raw, MAX_RAW), event.at)
    return replace(slot, trace=(*slot.trace, traced)[-TRACE_LINES:])


def _light_seen(slot: SlotState, event: ev.LightSeen) -> SlotState:
    return replace(slot, light_seen=clean(event.light, 40))


def worked_on(slot: SlotState, event: HandWorkBegun | ConsoleOpened) -> SlotState:
    """Ask for another walk of what passed, once: from now on a person works on it."""
    if slot.verdict not in GOOD or slot.asks:
        return slot
    return replace(slot, asks=(Ask("", Say("by_hand"), since=event.at),))


def console_opened(slot: SlotState, event: ConsoleOpened) -> SlotState:
    """Begin an empty console. Journals of older stations say by it alone that a person works on the unit."""
    return replace(worked_on(slot, event), console=ConsoleText())


def console_printed(slot: SlotState, event: ConsoleLine, skipped: str) -> SlotState:
    """Append a line, in place of the last one if that was open; ``skipped``: what to say of lines left out."""
    before = slot.console
    if before is None or before.closed:
        return slot
    kept = before.lines[:-1] if before.is_open else before.lines
    lines = (*kept, *filter(None, [skipped]), clean(event.text, MAX_CONSOLE_LINE))
    return replace(slot, console=ConsoleText(lines[-CONSOLE_LINES:], event.is_open, event.asks_secret))


def console_closed(slot: SlotState, event: ConsoleClosed) -> SlotState:
    """Keep what was printed, and why no more comes; one that never opened has printed nothing."""
    before = slot.console if slot.console is not None and not slot.console.closed else ConsoleText()
    return replace(
        slot, console=replace(before, asks_secret=False, closed=clean(event.why, 40), reason=clean(event.reason))
    )  # fmt: skip


def judged(slot: SlotState, event: ev.AttemptFinished) -> SlotState:
    """End the attempt with its verdict, with no step running and no request open."""
    steps = tuple(replace(line, is_running=False, writing=False, held=None) for line in slot.steps)
    return replace(
        slot, is_walking=False, asks=(), steps=steps, held=None, verdict=event.verdict,
        say=cleaned(event.say), reason=clean(event.reason),
        failed_step=clean(event.failed_step, 40), seconds=event.seconds, batch=clean(event.batch, 60) or slot.batch,
        device_id=id_of(event) or slot.device_id,
        trace=slot.trace or tuple(TraceLine(clean(line)) for line in event.wire[:TRACE_LINES]),
    )  # fmt: skip


def id_of(event: ev.Event) -> str | None:
    """Return the Device ID of an event, sanitized."""
    return clean(event.device_id, 40) if event.device_id else None


def _fact(fact: IdentityFact) -> IdentityFact:
    """Sanitize a fact. A mobile secret should never get here; if one does, it is masked."""
    value = "***" if fact.name == "secret" else clean(fact.value, 80)
    return IdentityFact(clean(fact.name, 40), value, clean(fact.source, 60))


def _measurement(measurement: Measurement) -> Measurement:
    value = measurement.value
    return replace(
        measurement, name=clean(measurement.name, 60), unit=clean(measurement.unit, 20),
        wanted=clean(measurement.wanted, 60),
        value=clean(value, 80) if isinstance(value, str) else value,
    )  # fmt: skip


def cleaned(say: Say) -> Say:
    return Say(clean(say.key, 60), **{name: clean(value, 60) for name, value in say.named})


SLOT_HANDLERS: dict[type[ev.Event], Callable[[SlotState, Any], SlotState]] = {
    ev.UnitIdentified: _unit_identified,
    UnitFacts: _unit_facts,
    ev.StepStarted: _step_started,
    ev.StepProgress: _step_progress,
    ev.StepFinished: _step_finished,
    ev.Measured: _measured,
    ev.HandsDone: _hands_done,
    ev.ModulesRead: _modules_read,
    ev.WireTraced: _wire_traced,
    ev.LightSeen: _light_seen,
}
"""Events that concern only the attempt in a slot."""
