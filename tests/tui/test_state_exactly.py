"""What stands in the state after a story, field by field: a change nobody meant shows here."""

from __future__ import annotations

import datetime

import pytest
from support.screen_story import AT, STEPS, Story
from support.spoken import ENGLISH

from station.engine import events as ev
from station.engine.records import UnitFacts
from station.figures import Figures
from station.model import Batch, IdentityFact, Measurement, Outcome, ProfileRef, SeenBefore, SlotInfo, Verdict
from station.view.look import Look
from station.view.reduce import reduce, replay
from station.view.state import Ask, BatchLine, BenchState, Held, LogLine, Past, Refusal, SlotState, StepLine, TraceLine
from station.words.say import Say

ID = f"e00fce68{1:016x}"
LABEL = "P044AB1234501"
FACTS = (
    IdentityFact("device_id", ID, "USB descriptor"), IdentityFact("device_id", ID, "request 20"),
    IdentityFact("serial", LABEL, "request 21"),
)  # fmt: skip
IDENTIFIED = StepLine("identify", outcome=Outcome.DONE, proof="3 sources agree", seconds=0.8)
SIGNAL = Measurement("signal", -61.0, "dBm", low=-90.0)


@pytest.fixture
def story() -> Story:
    return Story(2)


def steps(*done: StepLine) -> tuple[StepLine, ...]:
    """The plan, with those in place that were begun; one that was not announced goes to its end."""
    begun = {line.step: line for line in done}
    planned = [begun.pop(name, StepLine(name)) for name in STEPS]
    return (*planned, *begun.values())


def walking(*done: StepLine, **fields: object) -> SlotState:
    state = SlotState(
        1, "1-1", is_present=True, is_walking=True, device_id=ID, attempt="attempt-1", label=LABEL, platform="Boron",
        mode="application", batch="2026-11-22-A", profile="boron-product", steps=steps(IDENTIFIED, *done), facts=FACTS,
    )  # fmt: skip
    return SlotState(**({name: getattr(state, name) for name in SlotState.__slots__} | fields))


def slot(story: Story, *told: ev.Event) -> SlotState:
    return replay(BenchState.of(story.slots, ENGLISH), [*story.arrives(1), *told]).slots[0]


def test_a_unit_on_its_way_leaves_exactly_this_in_its_slot(story: Story) -> None:
    head = story.head(1)
    assert slot(story) == walking()
    progress = ev.StepProgress(**head, step="device_os", share=0.5, seconds_left=11.0, writing=True, note="block 7")
    running = StepLine("device_os", is_running=True, share=0.5, seconds_left=11.0, writing=True, note="block 7")
    begun = ev.StepStarted(**head, step="device_os")
    assert slot(story, begun, progress) == walking(running)
    finished = ev.StepFinished(
        **head, step="device_os", outcome=Outcome.FAILED, reason="no", proof="read", seconds=3.5, measurements=(SIGNAL,)
    )
    ended = StepLine(
        "device_os", outcome=Outcome.FAILED, share=0.5, seconds_left=11.0, note="block 7", seconds=3.5,
        reason="no", proof="read", measurements=(SIGNAL,),
    )  # fmt: skip
    assert slot(story, begun, progress, finished) == walking(ended)
    assert slot(story, ev.StepStarted(**head, step="extra", title="Extra work")) == walking(
        StepLine("extra", "Extra work", is_running=True)
    )
    measured = ev.Measured(**head, step="sim", measurement=SIGNAL)
    assert slot(story, measured, measured) == walking(StepLine("sim", measurements=(SIGNAL, SIGNAL)))
    assert slot(story, ev.Measured(**head, step="unheard", measurement=SIGNAL)) == walking()


def test_what_is_asked_held_read_and_traced_is_kept_as_told(story: Story) -> None:
    head = story.head(1)
    ask = ev.HandsNeeded(**head, step="dfu", say=Say("dfu_by_hand", a="a"), led="blinking yellow")
    assert slot(story, ask) == walking(asks=(Ask("dfu", Say("dfu_by_hand", a="a"), "blinking yellow", AT),))
    begun = ev.StepStarted(**head, step="sim")
    held = ev.StepHeld(**head, step="sim", say=Say("cloud_hold", b="b"), before=3)
    line = StepLine("sim", is_running=True, held=Held(Say("cloud_hold", b="b"), 3))
    assert slot(story, begun, held) == walking(line)
    assert slot(story, held) == walking()  # a step that does not run waits for nothing
    record = ev.StepHeld(**head, step="", say=Say("disk_full"))
    assert slot(story, record) == walking(held=Held(Say("disk_full")))
    assert slot(story, record, ev.StepResumed(**head, step="")) == walking()
    rows = (("bootloader", "2", "1"),)
    assert slot(story, ev.ModulesRead(**head, rows=rows)) == walking(modules=rows)
    traced = (ev.WireTraced(**head, line="OUT"), ev.WireTraced(**head, line="IN", raw="0a"))
    assert slot(story, *traced) == walking(trace=(TraceLine("OUT", at=AT), TraceLine("IN", "0a", AT)))
    assert slot(story, ev.LightSeen(**head, light="blinking green")) == walking(light_seen="blinking green")
    fact = IdentityFact("device_os", "6.3.4", "raw request 30")
    assert slot(story, UnitFacts(**head, facts=(fact,))) == walking(updates=(fact,))


def test_the_end_of_the_wire_that_a_verdict_brings_is_shown_where_nothing_was_traced(story: Story) -> None:
    head = story.head(1)
    ended = ev.AttemptFinished(**head, verdict=Verdict.FAIL, wire=("10:14:03.120 OUT: ok", "a\x1b[2Jb"))
    assert slot(story, ended).trace == (TraceLine("10:14:03.120 OUT: ok"), TraceLine("a [2Jb"))
    whole = (TraceLine("OUT: ok", at=AT),)
    assert slot(story, ev.WireTraced(**head, line="OUT: ok"), ended).trace == whole


def test_a_verdict_leaves_exactly_this(story: Story) -> None:
    head = story.head(1)
    finished = ev.AttemptFinished(
        **head, verdict=Verdict.FAIL, batch="B2", failed_step="wifi", reason="no network",
        say=Say("wrong_sku", found="BRN402", wanted="BRN404"), seconds=21.4,
    )  # fmt: skip
    begun = [ev.StepStarted(**head, step="sim"), ev.StepHeld(**head, step="sim", say=Say("cloud_hold"))]
    record = ev.StepHeld(**head, step="", say=Say("disk_full"))
    expected = walking(
        StepLine("sim"), is_walking=False, verdict=Verdict.FAIL,
        say=Say("wrong_sku", found="BRN402", wanted="BRN404"),
        reason="no network", failed_step="wifi", seconds=21.4, batch="B2",
    )  # fmt: skip
    assert slot(story, *begun, *story.asks(1), record, finished) == walking(
        StepLine("sim"), StepLine("dfu"), **{
            name: getattr(expected, name)
            for name in ("is_walking", "verdict", "say", "reason", "failed_step", "seconds", "batch")
        },
    )  # fmt: skip
    state = replay(BenchState.of(story.slots, ENGLISH), [*story.arrives(1), finished])
    assert state.history == (
        Past("attempt-1", ID, LABEL, Verdict.FAIL),
    )  # fmt: skip
    said = "FAIL in 21.4 s: This is a BRN402. This batch wants BRN404."
    assert state.log == (LogLine(AT, said, 1, LABEL, Look.FAIL),)


def test_a_verdict_whose_words_nobody_knows_is_logged_with_its_reason(story: Story) -> None:
    head = story.head(1) | {"device_id": "e00fce680123456789abcdef", "attempt": "unseen"}
    for sentence, reason, said in (
        ("not_in_there", "the disk is full", "CHECK STATION in 9.0 s: the disk is full"),
        ("", "", "CHECK STATION in 9.0 s"),
    ):
        event = ev.AttemptFinished(**head, verdict=Verdict.ERROR, say=Say(sentence), reason=reason, seconds=9.0)
        state = reduce(BenchState.of(story.slots, ENGLISH), event)
        # a unit this screen never saw has the end of its Device ID for a name
        assert state.log[0] == LogLine(AT, said, 1, "456789abcdef", Look.ERROR)
        assert state.history[0].label == "456789abcdef"
    passed = ev.AttemptFinished(**head, verdict=Verdict.PASS, say=Say("pass"), reason="x", seconds=9.0)
    assert reduce(BenchState.of(story.slots, ENGLISH), passed).log[0].text == "PASS in 9.0 s"


def test_an_attempt_of_nobody_known_leaves_empty_names(story: Story) -> None:
    event = ev.AttemptFinished(at=AT, slot=1, verdict=Verdict.FAIL, say=Say("wrong_sku", found="A", wanted="B"))
    (past,) = reduce(BenchState.of(story.slots, ENGLISH), event).history
    assert (past.attempt, past.device_id, past.label) == ("", "", "")


def test_units_come_and_go(story: Story) -> None:
    arrived = ev.UnitArrived(at=AT, slot=1, port_path="1-1", platform="Boron", mode="dfu", device_id=ID)
    state = reduce(BenchState.of(story.slots, ENGLISH), arrived)
    assert state.slots[0] == SlotState(1, "1-1", is_present=True, device_id=ID, platform="Boron", mode="dfu")
    left = slot(story, story.left(1))  # in the middle of a walk: the verdict is to come
    assert left == walking(is_present=False)
    back = ev.UnitArrived(at=AT, slot=1, port_path="1-1", platform="", mode="dfu")
    assert slot(story, story.left(1), back) == walking(mode="dfu")
    judged = slot(story, story.ends(1), back)
    assert (judged.verdict, judged.mode, judged.platform) == (Verdict.PASS, "dfu", "Boron")
    assert slot(story, story.ends(1), story.left(1)) == SlotState(1, "1-1")
    # after the judged unit left, whoever comes is new, though the port is the same
    assert slot(story, story.ends(1), story.left(1), back).verdict is None


def test_a_second_attempt_keeps_the_name_of_the_same_unit_only(story: Story) -> None:
    again = ev.AttemptStarted(**story.head(1, "second"), port_path="1-1", steps=("identify",))
    assert slot(story, story.ends(1), again).label == LABEL
    other = ev.AttemptStarted(**(story.head(2, "second") | {"slot": 1}), port_path="1-1", steps=("identify",))
    changed = slot(story, story.ends(1), other)
    assert (changed.label, changed.attempt, changed.verdict, changed.facts) == ("", "second", None, ())


def test_a_unit_that_was_here_before_is_kept_with_its_label(story: Story) -> None:
    seen = SeenBefore(Verdict.PASS, datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC), "bench-1", "B0")
    told = ev.UnitIdentified(
        **(story.head(1) | {"device_id": "f" * 24}), platform="Argon", label="X", facts=FACTS[:1], seen=seen
    )
    assert slot(story, told) == walking(label="X", platform="Argon", seen=seen, facts=FACTS[:1], device_id="f" * 24)


BATCH = Batch("B1", ProfileRef("boron-product", 7, "0" * 64), 500)
FIGURES = Figures(units=3, passed=2, failed=1, judged=3, first_passed=2)


@pytest.mark.parametrize(
    ("told", "fields"),
    [
        ((ev.StationStarted(at=AT, station_id="bench-3", slots=(SlotInfo(1, "9-9"),), operator="0417", virtual=True,
                            speed=6.0),),
         {"station_id": "bench-3", "operator": "0417", "is_virtual": True, "speed": 6.0,
          "slots": (SlotState(1, "9-9"),)}),
        ((ev.BatchOpened(at=AT, batch=BATCH, title="WIDGET"),),
         {"batches": (BatchLine(BATCH, "WIDGET", target=500),), "log": (LogLine(AT, "Batch B1 open."),)}),
        ((ev.BatchOpened(at=AT, batch=BATCH),),
         {"batches": (BatchLine(BATCH, "boron-product", target=500),), "log": (LogLine(AT, "Batch B1 open."),)}),
        ((ev.BatchOpened(at=AT, batch=BATCH, title="W"), ev.BatchProgress(at=AT, batch="B1", figures=FIGURES, target=9),
          ev.BatchProgress(at=AT, batch="other", figures=Figures(), target=1)),
         {"batches": (BatchLine(BATCH, "W", FIGURES, 9),), "log": (LogLine(AT, "Batch B1 open."),)}),
        ((ev.BatchOpened(at=AT, batch=BATCH, title="W"), ev.BatchProgress(at=AT, batch="B1", figures=FIGURES)),
         {"batches": (BatchLine(BATCH, "W", FIGURES, 500),), "log": (LogLine(AT, "Batch B1 open."),)}),
        ((ev.BatchOpened(at=AT, batch=BATCH), ev.BatchClosed(at=AT, batch="B1")),
         {"log": (LogLine(AT, "Batch B1 closed."), LogLine(AT, "Batch B1 open."))}),
        ((ev.CloudStateChanged(at=AT, reachable=True),), {"is_cloud_up": True}),
        ((ev.CloudStateChanged(at=AT, reachable=False),),
         {"is_cloud_up": False, "log": (LogLine(AT, "Cloud does not answer."),)}),
        ((ev.CloudStateChanged(at=AT, reachable=False), ev.CloudStateChanged(at=AT, reachable=True)),
         {"is_cloud_up": True, "log": (LogLine(AT, "Cloud answers again."), LogLine(AT, "Cloud does not answer."))}),
        ((ev.OutboxChanged(at=AT, waiting=4),), {"outbox": 4}),
        ((ev.OperatorChanged(at=AT, operator="0417"),),
         {"operator": "0417", "log": (LogLine(AT, "Operator 0417."),)}),
        ((ev.OperatorChanged(at=AT, operator=""),), {"log": (LogLine(AT, "No operator. Scan your badge."),)}),
        ((ev.StationFault(at=AT, reason="disk"),),
         {"notice": "The station has a fault. Call supervisor. disk",
          "log": (LogLine(AT, "The station has a fault. Call supervisor. disk"),)}),
        ((ev.StationNote(at=AT, reason="auto-approve"),),
         {"notice": "note: auto-approve", "log": (LogLine(AT, "note: auto-approve"),)}),
        ((ev.CommandRefused(at=AT, reason="no", say=Say("slot_taken", slot="2")),),
         {"notice": "Slot 2 has a port already. Press another number.",
          "refusal": Refusal("Slot 2 has a port already. Press another number."),
          "log": (LogLine(AT, "Slot 2 has a port already. Press another number."),)}),
        ((ev.CommandRefused(at=AT, reason="no such thing"),),
         {"notice": "no such thing", "refusal": Refusal("no such thing"), "log": (LogLine(AT, "no such thing"),)}),
        ((ev.OutboxSettled(at=AT, device_id="f" * 24, action="name", outcome=Outcome.FAILED, reason="taken"),),
         {"log": (LogLine(AT, "Name: taken", 0, "f" * 12),)}),
        ((ev.OutboxSettled(at=AT, device_id="f" * 24, action="name", outcome=Outcome.DONE, proof="read"),), {}),
        ((ev.StepHeld(at=AT, step="", say=Say("disk_full")),),
         {"log": (LogLine(AT, "Disk is full. Call supervisor."),)}),
        ((ev.StepResumed(at=AT, step=""),), {"log": (LogLine(AT, "Record is written again."),)}),
    ],
)  # fmt: skip
def test_what_the_station_tells_is_kept_in_these_fields_and_no_others(
    story: Story, told: tuple[ev.Event, ...], fields: dict[str, object]
) -> None:
    empty = BenchState.of(story.slots, ENGLISH)
    unchanged = {name: getattr(empty, name) for name in BenchState.__slots__}
    expected = BenchState(**(unchanged | fields))
    assert replay(empty, told) == expected


def test_owed_work_that_ends_changes_the_record_of_its_unit(story: Story) -> None:
    head = story.head(1) | {"slot": 0}
    told = [*story.arrives(1), story.ends(1, Verdict.PENDING, "pending")]
    revised = ev.VerdictRevised(**head, verdict=Verdict.FAIL, reason="not a member")
    state = replay(BenchState.of(story.slots, ENGLISH), [*told, revised])
    judged = state.slots[0]
    assert (judged.verdict, judged.say.key, judged.say.values, judged.reason) == (
        Verdict.FAIL, "cloud_refused", (), "not a member",
    )  # fmt: skip
    assert state.history[0].verdict is Verdict.FAIL
    other = ev.VerdictRevised(**(head | {"attempt": "attempt-other"}), verdict=Verdict.FAIL, reason="no")
    assert replay(BenchState.of(story.slots, ENGLISH), [*told, other]).history[0].verdict is Verdict.PENDING
