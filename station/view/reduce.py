"""Apply events to a `BenchState`, one pure function per kind of event. Reads no clock, keeps no state.

An event of an attempt that is no longer the one in its slot changes the log, never the slot;
after a verdict only the unit's departure, a new attempt or a revision changes what the slot shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from ..engine import events as ev
from ..engine.console_events import ConsoleClosed, ConsoleLine, ConsoleOpened, HandWorkBegun
from ..model import GOOD, OffSlot, Outcome, Verdict
from ..words.cells import clean
from ..words.say import Say
from .logged import is_current, logged, name_of
from .reduce_slot import (
    MAX_ROWS,
    SLOT_HANDLERS,
    cleaned,
    console_closed,
    console_opened,
    console_printed,
    hands_needed,
    id_of,
    judged,
    step_held,
    worked_on,
)
from .state import (
    HISTORY_LINES,
    Ask,
    BatchLine,
    BenchState,
    FieldScan,
    Past,
    Refusal,
    Sealed,
    SlotState,
    StepLine,
    off_say,
)


def reduce(state: BenchState, event: ev.Event) -> BenchState:
    """Return ``state`` after ``event``; kinds the screen does not show change nothing."""
    handler = _HANDLERS.get(type(event))
    return handler(state, event) if handler else state


def replay(state: BenchState, events: Iterable[ev.Event]) -> BenchState:
    """Return ``state`` after all ``events``, in order."""
    for event in events:
        state = reduce(state, event)
    return state


# --- the station ---


def _station_started(state: BenchState, event: ev.StationStarted) -> BenchState:
    known = {slot.number: slot for slot in state.slots}
    slots = tuple(
        replace(known.get(info.number, SlotState(info.number)), port_path=info.port_path) for info in event.slots
    )
    return replace(
        state, slots=slots or state.slots, station_id=clean(event.station_id, 40),
        operator=clean(event.operator, 40), is_virtual=event.virtual, speed=event.speed,
        is_cloud_up=event.cloud if event.cloud is not None else state.is_cloud_up,
    )  # fmt: skip


def _batch_opened(state: BenchState, event: ev.BatchOpened) -> BenchState:
    batch = replace(event.batch, id=clean(event.batch.id, 60))
    others = tuple(line for line in state.batches if line.batch.id != batch.id)
    title = clean(event.title or batch.profile.id, 40)
    state = replace(state, batches=(*others, BatchLine(batch, title, target=batch.target)))
    return logged(state, event, state.words.line(Say("batch_open", batch=batch.id)))


def _batch_closed(state: BenchState, event: ev.BatchClosed) -> BenchState:
    name = clean(event.batch, 60)
    state = replace(state, batches=tuple(line for line in state.batches if line.batch.id != name))
    return logged(state, event, state.words.line(Say("batch_shut", batch=name)))


def _batch_sealed(state: BenchState, event: ev.BatchSealShown) -> BenchState:
    say = Say("batch_sealed", batch=clean(event.batch, 60), key=clean(event.key, 40))
    return logged(replace(state, sealed=Sealed(say)), event, state.words.line(say))


def _batch_progress(state: BenchState, event: ev.BatchProgress) -> BenchState:
    def counted(line: BatchLine) -> BatchLine:
        if line.batch.id != clean(event.batch, 60):
            return line
        return replace(line, figures=event.figures, target=event.target if event.target is not None else line.target)

    return replace(state, batches=tuple(counted(line) for line in state.batches))


def _cloud_changed(state: BenchState, event: ev.CloudStateChanged) -> BenchState:
    was = state.is_cloud_up
    state = replace(state, is_cloud_up=event.reachable)
    if was is None and event.reachable:
        return state
    return logged(state, event, state.words.line(Say("cloud_back" if event.reachable else "cloud_gone")))


def _outbox_changed(state: BenchState, event: ev.OutboxChanged) -> BenchState:
    return replace(state, outbox=event.waiting)


def _outbox_settled(state: BenchState, event: ev.OutboxSettled) -> BenchState:
    if event.outcome not in (Outcome.FAILED, Outcome.ERROR):
        return state
    name = name_of(state, event)
    text = state.words.text("log-why", what=state.words.step_title(event.action), why=clean(event.reason))
    return logged(state, event, text, name=name)


def _owed_work_stuck(state: BenchState, event: ev.OwedWorkStuck) -> BenchState:
    name = name_of(state, event)
    text = state.words.line(event.say if event.say.values else Say(event.say.key, unit=name))
    return logged(replace(state, notice=text), event, text, name=name)


_REVISED = {Verdict.PASS: Say("pass"), Verdict.FAIL: Say("cloud_refused")}
"""Message of a slot once the owed work of its unit is settled; for other outcomes that the unit is not judged."""


def _verdict_revised(state: BenchState, event: ev.VerdictRevised) -> BenchState:
    """Revise the verdict of an attempt. Owed work has no slot, and the unit may be in a tray by now."""
    name, reason = name_of(state, event), clean(event.reason)
    history = tuple(
        replace(past, verdict=event.verdict) if past.attempt == event.attempt else past for past in state.history
    )
    state = replace(state, history=history)
    slot = state.slot_of(event.attempt)
    if slot is not None and slot.verdict is not None:
        say = _REVISED.get(event.verdict, Say("check_station"))
        asks = slot.asks if event.verdict in GOOD else ()
        state = state.with_slot(replace(slot, verdict=event.verdict, say=say, reason=reason, asks=asks))
    is_by_hand = any(past.is_by_hand for past in history if past.attempt == event.attempt)
    if event.verdict is Verdict.PASS and not is_by_hand:
        return logged(state, event, state.words.line(Say("late_pass", unit=name)), name=name, verdict=event.verdict)
    text = state.words.line(_not_passed(event.verdict, name, is_in_slot=slot is not None))
    state = replace(state, notice=text) if slot is None else state
    return logged(state, event, text, name=name, verdict=None if event.verdict is Verdict.PASS else event.verdict)


def _not_passed(verdict: Verdict, name: str, *, is_in_slot: bool) -> Say:
    """Return the request to pull a refused unit from its tray; for one that is not judged, only a message."""
    if verdict is not Verdict.FAIL:
        return Say("late_unknown", unit=name)
    return Say("cloud_refused") if is_in_slot else Say("pull_unit", unit=name)


def _unmapped_port(state: BenchState, event: ev.UnmappedPort) -> BenchState:
    path = clean(event.port_path, 60)
    if path not in state.unknown_ports:
        state = replace(state, unknown_ports=(*state.unknown_ports, path)[-MAX_ROWS:])
    return logged(replace(state, notice=""), event, state.words.line(state.stranger))


def _command_refused(state: BenchState, event: ev.CommandRefused) -> BenchState:
    said = state.words.say(event.say)
    text = state.words.joined(said.lines) if said else clean(event.reason)
    return _answered(replace(state, refusal=Refusal(text)), event, text)


_LIGHTS = {"light-on": True, "light-off": False}


def _command_done(state: BenchState, event: ev.CommandDone) -> BenchState:
    what = state.words.text(f"mode-{event.what}") if event.did == "mode" else clean(event.what)
    text = state.words.text(f"did-{event.did}", what=what)
    slot = state.slot(event.slot)
    if slot is not None and event.did in _LIGHTS:
        state = state.with_slot(replace(slot, is_lit=_LIGHTS[event.did]))
    return _answered(state, event, text)


def _answered(state: BenchState, event: ev.Event, text: str) -> BenchState:
    """Answer a command, and name the slot and the unit it was for, if any: several may have been sent."""
    slot = state.slot(event.slot)
    where = (state.words.text("log-slot", slot=str(slot.number)), slot.name) if slot is not None else ()
    notice = "  ".join(filter(None, (*where, text)))
    return logged(replace(state, notice=notice), event, text, name=slot.name if slot is not None else "")


def _hand_work_begun(state: BenchState, event: HandWorkBegun) -> BenchState:
    state = _of_slot(worked_on)(state, event)
    past = tuple(replace(one, is_by_hand=one.is_by_hand or one.attempt == event.attempt) for one in state.history)
    return logged(replace(state, history=past), event, state.words.text("hand-work"), name=name_of(state, event))


def _console_opened(state: BenchState, event: ConsoleOpened) -> BenchState:
    state = _of_slot(console_opened)(state, event)
    return logged(state, event, state.words.text("console-opened"), name=name_of(state, event))


def _console_line(state: BenchState, event: ConsoleLine) -> BenchState:
    slot = state.slot(event.slot)
    if slot is None or not is_current(slot, event):
        return state
    skipped = state.words.text("console-skipped", count=str(event.skipped)) if event.skipped else ""
    return state.with_slot(console_printed(slot, event, skipped))


def _console_closed(state: BenchState, event: ConsoleClosed) -> BenchState:
    state = _of_slot(console_closed)(state, event)
    text = state.words.text(f"console-ended-{event.why}", slot=str(event.slot), why=clean(event.reason))
    return logged(state, event, text, name=name_of(state, event))


def _operator_changed(state: BenchState, event: ev.OperatorChanged) -> BenchState:
    operator = clean(event.operator, 40)
    state = replace(state, operator=operator)
    return logged(
        state, event, state.words.line(Say("operator_in", badge=operator) if operator else Say("operator_out"))
    )


def _scan_read(state: BenchState, event: ev.ScanRead) -> BenchState:
    """Report a scan in the header, unless its slot asked for one and reports it itself."""
    answer = state.words.line(event.say) if event.say else clean(event.reason)
    refused = state.words.text("log-scan", read=clean(event.shown, 60), what=answer)
    if event.field:
        text, problem = (clean(event.shown, 60), "") if event.accepted else ("", refused)
        return replace(state, field_scan=FieldScan(clean(event.field, 40), text, problem))
    if event.accepted and not event.say:
        return replace(state, notice="")
    said = answer if event.accepted else refused
    slot = state.slot(event.slot)
    is_said = slot is not None and slot.ask is not None and slot.is_walking
    return logged(state if is_said else replace(state, notice=said), event, said)


def _station_fault(state: BenchState, event: ev.StationFault) -> BenchState:
    text = state.words.joined((state.words.line(Say("station_fault")), clean(event.reason)))
    return logged(replace(state, notice=text), event, text)


def _station_note(state: BenchState, event: ev.StationNote) -> BenchState:
    text = state.words.text("headless-note", why=clean(event.reason))
    return logged(replace(state, notice=text), event, text)


# --- a slot and its attempt ---


def _unit_arrived(state: BenchState, event: ev.UnitArrived) -> BenchState:
    state = _known_port(state, event.port_path)
    slot = state.slot(event.slot)
    if slot is None:
        return state
    platform, mode = clean(event.platform, 40), clean(event.mode, 40)
    if slot.is_walking or (slot.verdict is not None and slot.is_present):
        # the same unit back from a restart: keep what is shown
        again = replace(slot, is_present=True, is_lit=False, mode=mode, platform=platform or slot.platform)
        return state.with_slot(again)
    fresh = SlotState(
        slot.number, clean(event.port_path, 60), slot.off, is_present=True, device_id=id_of(event),
        platform=platform, mode=mode,
        reason=clean(event.reason), asks=(Ask("", cleaned(event.say), since=event.at),) if event.say else (),
    )  # fmt: skip
    return state.with_slot(fresh)


def _unit_left(state: BenchState, event: ev.UnitLeft) -> BenchState:
    state = _known_port(state, event.port_path)
    slot = state.slot(event.slot)
    if slot is None:
        return state
    if slot.is_walking and slot.verdict is None:
        return state.with_slot(replace(slot, is_present=False))
    if slot.verdict in GOOD and slot.asks:  # worked on by hand, and not walked again
        text = state.words.line(Say("unplugged_too_early"))
        state = logged(replace(state, notice=f"{slot.name}  {text}"), event, text, name=slot.name)
    return state.with_slot(SlotState(slot.number, slot.port_path, slot.off))


def _attempt_started(state: BenchState, event: ev.AttemptStarted) -> BenchState:
    slot = state.slot(event.slot)
    if slot is None:
        return state
    steps = tuple(StepLine(clean(step, 40)) for step in event.steps[:MAX_ROWS])
    same = slot.device_id is not None and slot.device_id == event.device_id
    stayed = same or (slot.device_id is not None and event.device_id is None)  # it says who it is later, in identify
    whole = tuple(line.step for line in slot.all_steps) if stayed and slot.profile == clean(event.profile, 60) else ()
    names = {line.step for line in steps}
    fresh = SlotState(
        slot.number, slot.port_path or clean(event.port_path, 60), slot.off, is_present=True, is_walking=True,
        device_id=id_of(event), attempt=event.attempt, label=slot.label if same else "",
        platform=slot.platform, mode=slot.mode, batch=clean(event.batch, 60), profile=clean(event.profile, 60),
        steps=steps, profile_steps=whole if names < set(whole) else (),
    )  # fmt: skip
    return replace(state, notice="").with_slot(fresh)


def _slot_taken_out(state: BenchState, event: ev.SlotTakenOut) -> BenchState:
    slot = state.slot(event.slot)
    if slot is None:
        return state
    off = OffSlot(event.slot, clean(event.why, 60), event.since)
    return logged(state.with_slot(replace(slot, off=off)), event, state.words.line(off_say(off)))


def _slot_put_back(state: BenchState, event: ev.SlotPutBack) -> BenchState:
    slot = state.slot(event.slot)
    return state if slot is None else state.with_slot(replace(slot, off=None))


def _hands_needed(state: BenchState, event: ev.HandsNeeded) -> BenchState:
    """Show what to do in the slot; that no open batch takes a unit leaves its verdict, and stands in the header."""
    slot = state.slot(event.slot)
    if slot is None or slot.verdict is None or event.attempt:
        return _of_slot(hands_needed)(state, event)
    text = state.words.line(cleaned(event.say))
    return logged(replace(state, notice=text), event, text, name=slot.name)


def _held(state: BenchState, event: ev.StepHeld | ev.StepResumed) -> BenchState:
    if event.slot == 0:  # owed work or a command: shown nowhere else
        say = event.say if isinstance(event, ev.StepHeld) else Say("record_again")
        return logged(state, event, state.words.line(say))
    return _of_slot(step_held)(state, event)


def _attempt_finished(state: BenchState, event: ev.AttemptFinished) -> BenchState:
    name = name_of(state, event)
    slot = state.slot(event.slot)
    past = Past(event.attempt or "", id_of(event) or "", name, event.verdict)
    state = replace(state, history=(past, *state.history)[:HISTORY_LINES])
    if slot is not None and is_current(slot, event):
        state = replace(state.with_slot(judged(slot, event)), notice="")
    text = state.words.text("log-ended", verdict=event.verdict.name, took=state.words.seconds(event.seconds))
    said = state.words.say(event.say)
    why = state.words.joined(said.says) if said and said.says else clean(event.reason, 120)
    if why and event.verdict is not Verdict.PASS:
        text = state.words.text("log-why", what=text, why=why)
    return logged(state, event, text, name=name, verdict=event.verdict)


# --- helpers ---


def _known_port(state: BenchState, port_path: str) -> BenchState:
    path = clean(port_path, 60)
    return replace(state, unknown_ports=tuple(port for port in state.unknown_ports if port != path))


def _of_slot(change: Callable[[SlotState, Any], SlotState]) -> Callable[[BenchState, Any], BenchState]:
    """Make a handler for events that concern only the attempt in their slot."""

    def handler(state: BenchState, event: ev.Event) -> BenchState:
        slot = state.slot(event.slot)
        if slot is None or not is_current(slot, event):
            return state
        return state.with_slot(change(slot, event))

    return handler


_HANDLERS: dict[type[ev.Event], Callable[[BenchState, Any], BenchState]] = {
    **{kind: _of_slot(change) for kind, change in SLOT_HANDLERS.items()},
    ev.StationStarted: _station_started,
    ev.BatchOpened: _batch_opened,
    ev.BatchClosed: _batch_closed,
    ev.BatchSealShown: _batch_sealed,
    ev.BatchProgress: _batch_progress,
    ev.CloudStateChanged: _cloud_changed,
    ev.OutboxChanged: _outbox_changed,
    ev.OutboxSettled: _outbox_settled,
    ev.OwedWorkStuck: _owed_work_stuck,
    ev.VerdictRevised: _verdict_revised,
    ev.UnmappedPort: _unmapped_port,
    ev.CommandRefused: _command_refused,
    ev.CommandDone: _command_done,
    HandWorkBegun: _hand_work_begun,
    ConsoleOpened: _console_opened,
    ConsoleLine: _console_line,
    ConsoleClosed: _console_closed,
    ev.OperatorChanged: _operator_changed,
    ev.ScanRead: _scan_read,
    ev.StationFault: _station_fault,
    ev.StationNote: _station_note,
    ev.SlotTakenOut: _slot_taken_out,
    ev.SlotPutBack: _slot_put_back,
    ev.UnitArrived: _unit_arrived,
    ev.UnitLeft: _unit_left,
    ev.AttemptStarted: _attempt_started,
    ev.AttemptFinished: _attempt_finished,
    ev.HandsNeeded: _hands_needed,
    ev.StepHeld: _held,
    ev.StepResumed: _held,
}
