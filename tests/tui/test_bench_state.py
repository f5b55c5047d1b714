"""Events in, state out: what every slot shows, and that nothing but the events decides it."""

from __future__ import annotations

import datetime
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.screen_story import AT, Story
from support.spoken import ENGLISH

from station.engine import events as ev
from station.engine.records import UnitFacts
from station.figures import Figures
from station.model import Batch, IdentityFact, Measurement, Outcome, ProfileRef, SeenBefore, SlotInfo, Verdict
from station.view import details, tile
from station.view.look import UNICODE, VERDICT_LOOK, Look
from station.view.panels import plain
from station.view.reduce import reduce, replay
from station.view.state import HISTORY_LINES, LOG_LINES, TRACE_LINES, BenchState, Held, SlotState
from station.words.say import NOTHING, Say

ENDS = [
    (Verdict.PASS, Look.PASS),
    (Verdict.PENDING, Look.PENDING),
    (Verdict.FAIL, Look.FAIL),
    (Verdict.ABORTED, Look.ABORTED),
    (Verdict.ERROR, Look.ERROR),
]


def bench(story: Story, *told: ev.Event) -> BenchState:
    return replay(BenchState.of(story.slots, ENGLISH), told)


def slot(state: BenchState, number: int = 1) -> SlotState:
    found = state.slot(number)
    assert found is not None
    return found


def test_a_slot_goes_from_empty_over_running_to_its_verdict_and_back(story: Story) -> None:
    looks = []
    state = bench(story)
    for event in [*story.arrives(1), *story.writes(1), story.ends(1), story.left(1)]:
        looks.append(slot(state).look)
        state = reduce(state, event)
    assert list(dict.fromkeys(looks)) == [Look.EMPTY, Look.RUNNING, Look.PASS]
    assert slot(state) == SlotState(1, "1-1")


@pytest.mark.parametrize(("verdict", "look"), ENDS)
def test_each_verdict_has_its_look(story: Story, verdict: Verdict, look: Look) -> None:
    state = bench(story, *story.arrives(1), story.ends(1, verdict, "silent"))
    assert slot(state).look is look
    assert VERDICT_LOOK[verdict] is look


@pytest.mark.parametrize("verdict", Verdict)
def test_a_verdict_stays_until_the_unit_leaves_whatever_else_happens(story: Story, verdict: Verdict) -> None:
    judged = bench(story, *story.arrives(1), story.ends(1, verdict, "silent"))
    late = [
        *story.writes(1), *story.asks(1), ev.HandsDone(**story.head(1), step="dfu"),
        ev.StepFinished(**story.head(1), step="device_os", outcome=Outcome.FAILED),
        ev.UnitArrived(at=AT, slot=1, port_path="1-1", platform="Boron", mode="dfu"),
        ev.ScanRead(at=AT, slot=1, shown="x", accepted=False), *story.arrives(2), story.ends(2),
        ev.StationFault(at=AT, reason="disk"), ev.CloudStateChanged(at=AT, reachable=False),
    ]  # fmt: skip
    for event in late:
        judged = reduce(judged, event)
        assert slot(judged).verdict is verdict
        assert slot(judged).look is VERDICT_LOOK[verdict]
        assert slot(judged).asks == ()
        assert not any(line.is_running for line in slot(judged).steps)
    assert slot(reduce(judged, story.left(1))).look is Look.EMPTY


def test_a_unit_pulled_while_running_leaves_the_verdict_until_the_next_one(story: Story) -> None:
    state = bench(story, *story.arrives(1), *story.writes(1), story.left(1))
    assert slot(state).look is Look.RUNNING
    state = reduce(state, story.ends(1, Verdict.ABORTED, "unplugged_too_early"))
    assert slot(state).look is Look.ABORTED
    state = replay(state, story.arrives(1, "attempt-next"))
    assert slot(state).look is Look.RUNNING
    assert slot(state).attempt == "attempt-next"


def test_a_restart_inside_an_attempt_changes_only_the_mode(story: Story) -> None:
    before = bench(story, *story.arrives(1), *story.writes(1))
    after = reduce(before, ev.UnitArrived(at=AT, slot=1, port_path="1-1", platform="Boron", mode="dfu"))
    assert slot(after) == replace(slot(before), mode="dfu")


def test_late_events_of_another_attempt_do_not_touch_the_slot(story: Story) -> None:
    state = bench(story, *story.arrives(1, "old"), *story.arrives(1, "new"))
    old = ev.AttemptFinished(**story.head(1, "old"), verdict=Verdict.ABORTED, say=Say("swapped"), seconds=3.0)
    after = reduce(state, old)
    assert slot(after) == slot(state)
    assert after.log[0].look is Look.ABORTED
    assert after.history[0].attempt == "old"
    late = [
        ev.StepStarted(**story.head(1, "old"), step="wifi"), ev.LightSeen(**story.head(1, "old"), light="red"),
        ev.HandsNeeded(**story.head(1, "old"), step="dfu", say=Say("dfu_by_hand", button="MODE")),
        ev.StepHeld(**story.head(1, "old"), step="identify", say=Say("hook_hold", hook="mes")),
    ]  # fmt: skip
    assert slot(replay(after, late)) == slot(state)


def test_progress_that_comes_after_the_end_of_its_step_changes_nothing(story: Story) -> None:
    done = ev.StepFinished(**story.head(1), step="device_os", outcome=Outcome.DONE)
    state = bench(story, *story.arrives(1), *story.writes(1), done)
    _, late = story.writes(1, share=0.9)
    assert reduce(state, late) == state


def test_a_revised_verdict_gives_none_to_a_unit_that_still_walks(story: Story) -> None:
    state = bench(story, *story.arrives(1))
    assert slot(reduce(state, ev.VerdictRevised(**story.head(1), verdict=Verdict.PASS))) == slot(state)


def test_a_slot_out_of_service_stays_so_whatever_is_plugged_into_it(story: Story) -> None:
    state = bench(story, ev.SlotTakenOut(at=AT, slot=1, why="bent", since=AT))
    for event in (*story.arrives(1), story.ends(1), story.left(1)):
        state = reduce(state, event)
        assert slot(state).look is Look.OFF
    assert slot(reduce(state, ev.SlotPutBack(at=AT, slot=1))).look is Look.EMPTY


def test_a_batch_that_is_told_to_be_open_again_is_counted_once(story: Story) -> None:
    again = [event for event in story.opened() if isinstance(event, ev.BatchOpened)]
    assert len(bench(story, *story.opened(), *again).batches) == 1


def test_hands_are_asked_for_and_taken_back(story: Story) -> None:
    state = bench(story, *story.arrives(1), *story.asks(1))
    assert slot(state).look is Look.HANDS
    other = reduce(state, ev.HandsDone(**story.head(1), step="wifi"))
    assert slot(other).look is Look.HANDS
    assert slot(reduce(state, ev.HandsDone(**story.head(1), step="dfu"))).look is Look.RUNNING


def test_two_steps_that_need_hands_at_once_are_asked_for_one_after_the_other(story: Story) -> None:
    head = story.head(1)
    second = ev.HandsNeeded(**head, step="claim", say=Say("scan_label", unit="P044"))
    both = bench(story, *story.arrives(1), *story.asks(1), second)
    assert asked(both) == "dfu_by_hand"
    assert asked(reduce(both, ev.HandsDone(**head, step="dfu"))) == "scan_label"
    assert asked(reduce(both, ev.HandsDone(**head, step="claim"))) == "dfu_by_hand"
    done = replay(both, [ev.HandsDone(**head, step="claim"), ev.HandsDone(**head, step="dfu")])
    assert slot(done).look is Look.RUNNING


def test_a_step_that_asks_for_something_else_is_asked_for_that_alone(story: Story) -> None:
    head = story.head(1)
    again = ev.HandsNeeded(**head, step="dfu", say=Say("listening_by_hand", button="MODE"))
    state = bench(story, *story.arrives(1), *story.asks(1), again)
    assert asked(state) == "listening_by_hand"
    assert asked(reduce(state, ev.HandsDone(**head, step="dfu"))) is None


def asked(state: BenchState) -> str | None:
    ask = slot(state).ask
    return ask.say.key if ask is not None else None


def test_a_held_step_is_nobodys_turn_and_another_that_gets_on_is_shown_first(story: Story) -> None:
    head = story.head(1)
    held = (ev.StepStarted(**head, step="product_add"), ev.StepHeld(**head, step="product_add", say=Say("cloud_hold")))
    state = bench(story, *story.arrives(1), *held)
    assert slot(state).look is Look.WAITS
    assert (slot(state).current or slot(state).steps[0]).held == Held(Say("cloud_hold"))
    busy = replay(state, [ev.StepStarted(**head, step="device_os")])
    assert (slot(busy).current or slot(busy).steps[0]).step == "device_os"
    assert slot(busy).look is Look.RUNNING
    resumed = reduce(state, ev.StepResumed(**head, step="product_add"))
    assert slot(resumed).look is Look.RUNNING
    assert all(line.held is None for line in slot(resumed).steps)
    done = ev.StepFinished(**head, step="product_add", outcome=Outcome.DONE)
    for ended in (done, story.ends(1)):
        assert all(line.held is None for line in slot(reduce(state, ended)).steps)
    assert slot(reduce(state, story.ends(1))).look is Look.PASS


def test_a_waiting_step_says_how_many_are_before_it_as_told_last(story: Story) -> None:
    head = story.head(1)
    state = bench(story, *story.arrives(1), ev.StepStarted(**head, step="identify"))
    for before in (2, 1):
        state = reduce(state, ev.StepHeld(**head, step="identify", say=Say("scanner_busy", x="x\x1b"), before=before))
        assert (slot(state).current or slot(state).steps[0]).held == Held(Say("scanner_busy", x="x"), before)
    assert slot(reduce(state, ev.HandsNeeded(**head, step="identify", say=Say("scan_label")))).look is Look.HANDS


def test_of_several_running_steps_the_one_that_writes_is_shown(story: Story) -> None:
    head = story.head(1)
    state = bench(story, *story.arrives(1), *story.writes(1), ev.StepStarted(**head, step="product_add"))
    current = slot(state).current
    assert current is not None
    assert current.step == "device_os"
    assert slot(state).is_writing
    assert state.is_writing
    state = reduce(state, ev.StepFinished(**head, step="device_os", outcome=Outcome.DONE))
    current = slot(state).current
    assert current is not None
    assert current.step == "product_add"
    assert not state.is_writing
    assert state.is_busy


@pytest.mark.parametrize(("share", "shown"), [(-1.0, 0.0), (0.5, 0.5), (7.0, 1.0)])
def test_progress_stays_between_none_and_all(story: Story, share: float, shown: float) -> None:
    current = slot(bench(story, *story.arrives(1), *story.writes(1, share))).current
    assert current is not None
    assert current.share == shown


def test_details_keep_every_source_and_say_whether_they_agree(story: Story) -> None:
    facts = (
        IdentityFact("device_id", "aa", "USB descriptor"),
        IdentityFact("device_id", "ab", "console"),
        IdentityFact("serial", "P044", "request 21"),
        IdentityFact("serial", "P044", "label"),
        IdentityFact("secret", "REALSECRET12345", "label"),
    )
    told = ev.UnitIdentified(**story.head(1), platform="Boron", label="P044", facts=facts)
    rows = {row.name: row for row in slot(bench(story, *story.arrives(1), told)).identities}
    assert not rows["device_id"].agrees
    assert rows["device_id"].sources == (("aa", "USB descriptor"), ("ab", "console"))
    assert rows["serial"].agrees
    assert rows["secret"].value == "***"


def test_an_identity_that_changes_shows_its_newest_value_and_what_it_was(story: Story) -> None:
    head = story.head(1)
    read = ev.UnitIdentified(
        **head, platform="Boron", label="P044",
        facts=(
            IdentityFact("mode", "dfu", "USB product id"), IdentityFact("mode", "application", "USB product id"),
            IdentityFact("device_os", "3.3.1", "raw request 30"), IdentityFact("serial", "P044", "request 21"),
        ),
    )  # fmt: skip
    updated = UnitFacts(**head, facts=(IdentityFact("device_os", "6.3.4", "raw request 30"),))
    told = UnitFacts(
        **head, facts=(IdentityFact("owner", "a***", "cloud"), IdentityFact("device_os", "6.3.4", "cloud"))
    )
    rows = {row.name: row for row in slot(bench(story, *story.arrives(1), read, updated, told)).identities}
    assert all(row.agrees for row in rows.values())
    assert (rows["mode"].value, rows["mode"].former) == ("application", ("dfu",))
    assert (rows["device_os"].value, rows["device_os"].former) == ("6.3.4", ("3.3.1",))
    assert rows["device_os"].sources == (("6.3.4", "raw request 30"), ("6.3.4", "cloud"))
    assert (rows["serial"].value, rows["serial"].former, rows["owner"].value) == ("P044", (), "a***")


def test_a_secret_that_slips_into_an_identity_is_nowhere_in_the_state(story: Story) -> None:
    facts = (IdentityFact("secret", "REALSECRET12345", "label"),)
    told = ev.UnitIdentified(**story.head(1), platform="Boron", label="P044", facts=facts)
    assert "REALSECRET12345" not in repr(bench(story, *story.arrives(1), told, story.ends(1)))


def test_steps_keep_outcome_proof_and_measurements(story: Story) -> None:
    m = Measurement("signal", -61.0, "dBm", low=-90.0)
    head = story.head(1)
    state = bench(
        story, *story.arrives(1), ev.StepStarted(**head, step="sim"), ev.Measured(**head, step="sim", measurement=m),
        ev.StepFinished(**head, step="sim", outcome=Outcome.ALREADY, proof="active", seconds=1.5),
    )  # fmt: skip
    line = slot(state).step("sim")
    assert line is not None
    assert (line.outcome, line.proof, line.seconds, line.measurements) == (Outcome.ALREADY, "active", 1.5, (m,))


def test_header_counts_come_from_the_last_commit(story: Story) -> None:
    state = bench(story, *story.opened())
    assert (state.figures.passed, state.target, state.operator) == (126, 500, "0417")
    assert state.figures.first_pass_yield == pytest.approx(125 / 128)
    assert state.is_cloud_up


UNWANTED = Say("wrong_platform", found="Argon", wanted="Boron")


def test_a_unit_that_no_open_batch_takes_asks_to_be_taken_out_until_it_leaves_or_is_walked(story: Story) -> None:
    arrives, *walks = story.arrives(1)
    asked = ev.HandsNeeded(at=AT, slot=1, step="", say=UNWANTED)
    state = bench(story, arrives, asked)
    assert (slot(state).look, slot(state).verdict, slot(state).is_unjudged) == (Look.HANDS, None, False)
    assert tile.sentence(slot(state), ENGLISH).lines == ("This is an Argon.", "This batch wants Boron.", "Take it out.")
    advice = " ".join(map(plain, details.head(slot(state), UNICODE, ENGLISH, 200).lines))
    assert "names another platform than the open batch makes" in advice
    assert "goes on by itself" in advice
    assert slot(reduce(state, story.left(1))).look is Look.EMPTY
    assert slot(replay(state, walks)).look is Look.RUNNING


def test_that_no_open_batch_takes_a_unit_does_not_hide_its_verdict(story: Story) -> None:
    state = bench(story, *story.arrives(1), story.ends(1), ev.HandsNeeded(at=AT, slot=1, step="", say=UNWANTED))
    assert slot(state).look is Look.PASS
    assert state.notice == "This is an Argon. This batch wants Boron. Take it out."


def test_two_open_batches_are_counted_together_and_closed_apart(story: Story) -> None:
    second = Batch("B2", ProfileRef("argon-product", 1, "1" * 64), None)
    state = bench(story, *story.opened(), ev.BatchOpened(at=AT, batch=second))
    assert state.target is None
    state = reduce(state, ev.BatchProgress(at=AT, batch="B2", figures=Figures(units=2, passed=1, failed=1, judged=2)))
    assert (state.figures.units, state.figures.passed, state.figures.failed) == (131, 127, 3)
    assert state.figures.first_pass_yield == pytest.approx(125 / 130)
    state = reduce(state, ev.BatchClosed(at=AT, batch="2026-11-22-A"))
    assert [line.batch.id for line in state.batches] == ["B2"]


def revised(story: Story, verdict: Verdict, reason: str = "") -> ev.VerdictRevised:
    """The owed work of slot 1's first unit is settled: as the journal tells it, of no slot."""
    return ev.VerdictRevised(**(story.head(1) | {"slot": 0}), verdict=verdict, reason=reason)


def test_a_pending_unit_still_in_its_slot_turns_green(story: Story) -> None:
    state = bench(story, *story.arrives(1), story.ends(1, Verdict.PENDING, "pending"), *story.arrives(2))
    state = reduce(state, revised(story, Verdict.PASS))
    assert (slot(state).look, slot(state).say.key) == (Look.PASS, "pass")
    assert slot(state, 2).look is Look.RUNNING
    assert state.history[0].verdict is Verdict.PASS


def test_a_refused_unit_still_in_its_slot_says_so_there_and_nobody_looks_in_a_tray(story: Story) -> None:
    state = bench(story, *story.arrives(1), story.ends(1, Verdict.PENDING, "pending"))
    state = reduce(state, revised(story, Verdict.FAIL, "not a member"))
    assert (slot(state).look, slot(state).say.key) == (Look.FAIL, "cloud_refused")
    assert state.notice == ""
    assert (state.log[0].text, state.log[0].name) == ("Cloud refused this unit. Technician.", "P044AB1234501")


def test_a_refusal_after_recovery_names_the_unit_to_pull(story: Story) -> None:
    told = [*story.arrives(1), story.ends(1, Verdict.PENDING, "pending"), story.left(1), *story.arrives(1, "next")]
    state = bench(story, *told)
    state = reduce(state, revised(story, Verdict.FAIL, "not a member"))
    assert slot(state).look is Look.RUNNING  # the next unit is not touched
    assert state.notice == "Cloud refused unit P044AB1234501. Pull it from the tray."
    assert state.log[0].look is Look.FAIL


@pytest.mark.parametrize("is_gone", [False, True], ids=["in its slot", "in the tray"])
def test_a_unit_the_station_can_no_longer_judge_is_not_said_to_be_refused(story: Story, is_gone: bool) -> None:
    left = [story.left(1)] if is_gone else []
    state = bench(story, *story.arrives(1), story.ends(1, Verdict.PENDING, "pending"), *left)
    state = reduce(state, revised(story, Verdict.ERROR, "the token expired"))
    assert state.log[0].text == "Unit P044AB1234501 is not judged. Technician."
    assert state.log[0].look is Look.ERROR
    assert state.notice == (state.log[0].text if is_gone else "")
    if not is_gone:
        assert (slot(state).look, slot(state).say.key) == (Look.ERROR, "check_station")


def test_an_unknown_port_waits_for_a_slot_number(story: Story) -> None:
    slots = (*story.slots, SlotInfo(9))
    started = ev.StationStarted(at=AT, station_id="s", slots=slots)
    state = bench(story, started, ev.UnmappedPort(at=AT, port_path="3-9"), ev.UnmappedPort(at=AT, port_path="3-9"))
    assert state.unknown_ports == ("3-9",)
    assert state.log[0].text == "Unit on an unknown port. Press the number of its slot."
    arrived = ev.UnitArrived(at=AT, slot=2, port_path="3-9")
    assert reduce(state, arrived).unknown_ports == ()
    left = reduce(state, ev.UnitLeft(at=AT, port_path="3-9"))
    assert (left.unknown_ports, left.stranger) == ((), NOTHING)


def test_an_unreadable_scan_is_shown_as_read_and_goes_when_something_happens(story: Story) -> None:
    state = bench(story, ev.ScanRead(at=AT, shown="P04? ***", accepted=False, say=Say("scan_unreadable")))
    assert state.notice == "Scan P04? ***: Not a whole label or badge. Scan again."
    assert replay(state, story.arrives(1)).notice == ""


def test_log_history_and_trace_are_bounded(story: Story) -> None:
    state = bench(story, *story.opened(), *story.arrives(1))
    for n in range(HISTORY_LINES + 30):
        state = reduce(state, ev.WireTraced(**story.head(1), line=f"line {n}"))
        state = reduce(state, replace(story.ends(2), attempt=f"a{n}"))
    assert len(state.log) == LOG_LINES
    assert len(state.history) == HISTORY_LINES
    assert len(slot(state).trace) == TRACE_LINES
    assert slot(state).trace[-1].text == f"line {HISTORY_LINES + 29}"


def test_a_new_list_of_slots_keeps_what_stands_in_the_old_ones(story: Story) -> None:
    state = bench(story, *story.arrives(1))
    again = ev.StationStarted(at=AT, station_id="s", slots=(*story.slots, SlotInfo(9, "1-9")))
    after = reduce(state, again)
    assert len(after.slots) == 9
    assert slot(after) == slot(state)


HOSTILE = "\x1b[31m\x07 red \x9b2J [bold]x[/bold] \u202eabc\u200b \ud800 \n\r\t Z\u0301\u0301" + "A" * 5000


def test_no_string_of_a_unit_keeps_control_characters(story: Story) -> None:
    head = {**story.head(1), "device_id": HOSTILE}
    fact = IdentityFact(HOSTILE, HOSTILE, HOSTILE)
    told: list[ev.Event] = [
        ev.UnitArrived(at=AT, slot=1, port_path=HOSTILE, platform=HOSTILE, mode=HOSTILE, device_id=HOSTILE),
        ev.AttemptStarted(**head, port_path=HOSTILE, batch=HOSTILE, profile=HOSTILE, steps=(HOSTILE,)),
        ev.UnitIdentified(**head, platform=HOSTILE, label=HOSTILE, facts=(fact,) * 500),
        ev.StepStarted(**head, step=HOSTILE, title=HOSTILE),
        ev.StepProgress(**head, step=HOSTILE, share=0.5, note=HOSTILE),
        ev.Measured(**head, step=HOSTILE, measurement=Measurement(HOSTILE, HOSTILE, HOSTILE)),
        ev.HandsNeeded(**head, step=HOSTILE, say=Say(HOSTILE, x=HOSTILE), led=HOSTILE),
        ev.StepHeld(**head, step=HOSTILE, say=Say(HOSTILE)),
        ev.ModulesRead(**head, rows=((HOSTILE,) * 3,) * 500),
        ev.WireTraced(**head, line=HOSTILE),
        ev.StepFinished(**head, step=HOSTILE, outcome=Outcome.FAILED, reason=HOSTILE, proof=HOSTILE),
        ev.HandsDone(**head, step="other"),
        ev.AttemptFinished(**head, verdict=Verdict.FAIL, reason=HOSTILE, say=Say(HOSTILE, x=HOSTILE)),
        ev.ScanRead(at=AT, shown=HOSTILE, accepted=False, reason=HOSTILE),
        ev.StationFault(at=AT, reason=HOSTILE), ev.StationNote(at=AT, reason=HOSTILE),
        ev.OperatorChanged(at=AT, operator=HOSTILE),
        ev.OutboxSettled(**head, action=HOSTILE, outcome=Outcome.FAILED, reason=HOSTILE),
        ev.CommandRefused(at=AT, reason=HOSTILE, say=Say(HOSTILE, x=HOSTILE)),
        ev.UnmappedPort(at=AT, port_path=HOSTILE), ev.BatchClosed(at=AT, batch=HOSTILE),
    ]  # fmt: skip
    state = bench(story)
    for event in told:
        state = reduce(state, event)
        for text in strings(state):
            assert text.isprintable()
            assert len(text) <= 900
    assert len(slot(state).facts) < 100


def strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple | list):
        return [text for item in value for text in strings(item)]
    names = getattr(type(value), "__dataclass_fields__", {})
    return [text for name in names for text in strings(getattr(value, name))]


def test_the_same_events_replayed_give_the_same_state(story: Story) -> None:
    told = story.everything()
    assert bench(story, *told) == bench(story, *told)
    halves = replay(bench(story, *told[:17]), told[17:])
    assert halves == bench(story, *told)


@settings(max_examples=60)
@given(st.randoms(use_true_random=False))
def test_no_order_of_events_breaks_the_screen(rng: random.Random) -> None:
    story = Story(4)
    seen = SeenBefore(Verdict.PASS, datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC), "bench-1", "B0")
    told = [
        *story.everything(), *story.arrives(1, "other"), story.left(1), story.left(2),
        ev.UnitIdentified(**story.head(2), platform="Argon", label="X", facts=(), seen=seen),
        replace(revised(story, Verdict.PASS), attempt="attempt-3"), ev.UnmappedPort(at=AT, port_path="9-9"),
        ev.UnitLeft(at=AT, slot=77, port_path="none"), ev.AttemptFinished(**story.head(78), verdict=Verdict.ERROR),
        ev.BatchClosed(at=AT, batch="2026-11-22-A"),
    ]  # fmt: skip
    rng.shuffle(told)
    state = bench(story, *told)
    assert [s.number for s in state.slots] == [1, 2, 3, 4]
    assert all(isinstance(s.look, Look) for s in state.slots)


def test_an_event_the_screen_has_no_use_for_changes_nothing(story: Story) -> None:
    state = bench(story, *story.everything())
    assert reduce(state, ev.BatchSummary(at=AT, batches=(), units={}, seconds=1.0)) is state


@pytest.mark.parametrize(("platforms", "is_mixed"), [(("Boron", "Boron"), False), (("Boron", "Argon"), True)])
def test_units_of_several_platforms_make_a_mixed_bench_though_one_batch_is_open(
    platforms: tuple[str, ...], is_mixed: bool
) -> None:
    story = Story(3)
    arrived = (
        ev.UnitArrived(at=AT, slot=slot, port_path=f"1-{slot}", platform=platform, mode="application")
        for slot, platform in enumerate(platforms, 1)
    )
    state = replay(BenchState.of(story.slots, ENGLISH), [*story.opened(), *arrived])
    assert state.is_mixed is is_mixed
    assert not replay(state, [story.left(2)]).is_mixed
