"""The technician's view of one slot: what each panel says, in which style, in any width."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest
from support.screen_story import AT, Story
from support.spoken import ENGLISH

from station.engine import events as ev
from station.engine.records import UnitFacts
from station.model import AS_IT_IS, IdentityFact, Measurement, Outcome, SeenBefore, Verdict
from station.view import details
from station.view.look import ASCII, UNICODE, Look
from station.view.panels import Line, Panel, plain
from station.view.reduce import replay
from station.view.state import BenchState, Held, SlotState, StepLine, TraceLine
from station.words.cells import width_of
from station.words.languages import load
from station.words.say import Say

MODULES = (
    ("bootloader", "6.3.4", "3.3.1"), ("Device OS", "6.3.4", "6.3.4"), ("radio firmware", AS_IT_IS, "1.2.3"),
    ("application", "7", ""), ("bundle", "", "2"),
)  # fmt: skip
PROOF = "bootloader 3001 read back equal, system part 6304 read back equal"
FAILED = SlotState(
    1, "1-1.4", is_present=True, attempt="a-1", device_id="e00fce680000000000000001", label="P044AB1234501",
    platform="Argon", mode="application", batch="B1", profile="argon-product", verdict=Verdict.FAIL,
    say=Say("wifi_join_failed"), failed_step="wifi", reason="joining 'factory' failed twice with not found (-170)",
    steps=(
        StepLine("identify", outcome=Outcome.ALREADY, seconds=0.8, proof="3 sources agree on the Device ID"),
        StepLine("wifi", outcome=Outcome.FAILED, seconds=75.2, reason="joining 'factory' failed twice"),
        StepLine("online"),
    ),
)  # fmt: skip


def slot(story: Story, *told: ev.Event) -> SlotState:
    return replay(BenchState.of(story.slots, ENGLISH), [*story.arrives(1), *told]).slots[0]


def rows(panel: Panel) -> list[str]:
    return [plain(line) for line in panel.lines]


def looks(line: Line) -> set[Look]:
    return {span.look for span in line if span.look is not None}


# --- firmware and identities ---


def test_a_module_nobody_asked_for_is_neither_right_nor_wrong(story: Story) -> None:
    shown = slot(story, ev.ModulesRead(**story.head(1), rows=MODULES), story.ends(1, Verdict.FAIL, "unit_refused"))
    panel = details.modules(shown, UNICODE, ENGLISH, 60)
    assert rows(panel) == [
        "     module          wanted  held",
        " ✖   bootloader      6.3.4   3.3.1", " ✔   Device OS       6.3.4   6.3.4",
        " ·   radio firmware  –       1.2.3", " ✖   application     7       –", " ✖   bundle          –       2",
    ]  # fmt: skip
    colours = [looks(line) for line in panel.lines[1:]]
    assert colours == [{Look.FAIL}, {Look.PASS}, set(), {Look.FAIL}, {Look.FAIL}]


def test_a_module_has_its_hash_beside_it_where_it_is_known_and_there_is_room(story: Story) -> None:
    facts = (IdentityFact("module bootloader", f"3.3.1 {'ab' * 32}", "module info"),)
    shown = slot(
        story, ev.ModulesRead(**story.head(1), rows=MODULES), UnitFacts(**story.head(1), facts=facts)
    )  # fmt: skip
    assert rows(details.modules(shown, UNICODE, ENGLISH, 60))[1].endswith("3.3.1  abababababab")
    assert rows(details.modules(shown, UNICODE, ENGLISH, 44))[1].endswith("3.3.1")
    assert "module" not in "".join(rows(details.identities(shown, UNICODE, ENGLISH, 60)))


def test_a_module_that_may_still_be_written_is_not_wrong_yet(story: Story) -> None:
    panel = details.modules(slot(story, ev.ModulesRead(**story.head(1), rows=MODULES)), UNICODE, ENGLISH, 60)
    assert looks(panel.lines[1]) == {Look.RUNNING}
    assert "✖" not in "".join(rows(panel))


def test_where_columns_do_not_fit_wanted_and_held_stand_below_the_module(story: Story) -> None:
    shown = slot(story, ev.ModulesRead(**story.head(1), rows=MODULES))
    assert rows(details.modules(shown, UNICODE, ENGLISH, 30))[:2] == [
        " ▸  bootloader", "    wanted 6.3.4   held 3.3.1"
    ]  # fmt: skip


def test_identities_say_every_source_the_newest_value_and_what_it_was(story: Story) -> None:
    facts = (
        IdentityFact("serial", "P044", "request 21"), IdentityFact("serial", "P044", "label"),
        IdentityFact("imei", "35", "request 22"), IdentityFact("imei", "36", "console"),
        IdentityFact("device_os", "3.3.1", "raw request 30"),
    )  # fmt: skip
    shown = slot(
        story,
        ev.UnitIdentified(**story.head(1), platform="Boron", label="P044", facts=facts),
        UnitFacts(**story.head(1), facts=(IdentityFact("device_os", "6.3.4", "raw request 30"),)),
    )
    panel = details.identities(shown, UNICODE, ENGLISH, 60)
    assert rows(panel) == [
        " ✔  serial    P044  request 21, label", " ✖  imei      35  request 22", " ✖  imei      36  console",
        " ✔  device os 6.3.4  (was 3.3.1)  raw request 30",
    ]  # fmt: skip
    assert panel.look is Look.FAIL  # two values of one identity: the frame says so
    assert rows(details.identities(shown, UNICODE, ENGLISH, 40))[-2:] == [
        " ✔  device os 6.3.4  (was 3.3.1)", "     raw request 30",
    ]  # fmt: skip


# --- head ---


def test_the_head_says_who_it_is_and_what_is_to_be_done(story: Story) -> None:
    seen = SeenBefore(Verdict.ERROR, AT, "bench-1", "B0")
    shown = slot(
        story,
        ev.UnitIdentified(**story.head(1), platform="Boron", label="P044", facts=(), seen=seen),
        *story.asks(1),
    )
    head, batch, before, ask, light = rows(details.head(shown, UNICODE, ENGLISH, 100))
    assert head == " ☞ YOUR TURN    P044   Boron   e00fce680000000000000001   application   port 1-1"
    assert batch == "batch 2026-11-22-A   profile boron-product   attempt attempt-1"
    assert before == "Seen before: CHECK STATION, Sun 10:14 UTC, bench-1."
    assert ask == "Hold MODE. Tap RESET. Let go at YELLOW."
    assert light == "Light  ● blinking yellow  in DFU, ready to be written"
    assert rows(details.head(SlotState(7), UNICODE, ENGLISH, 80)) == [" ·    port ?"]


def test_a_step_that_needs_hands_says_so_in_their_colour(story: Story) -> None:
    panel = details.steps(slot(story, *story.asks(1)), UNICODE, ENGLISH, 80, 0)
    hands = [line for line in panel.lines if looks(line) == {Look.HANDS}]
    assert ["☞ YOUR TURN  Prepare" in plain(line) for line in hands] == [True]


def test_the_head_names_what_is_at_work_and_what_is_waited_for(story: Story) -> None:
    assert rows(details.head(slot(story, *story.writes(1)), UNICODE, ENGLISH, 100))[0].startswith(
        " ▶ Device OS    P044"
    )
    head = story.head(1)
    held = ev.StepHeld(**head, step="sim", say=Say("scanner_busy"), before=2)
    shown = slot(story, ev.StepStarted(**head, step="sim"), held)
    first, _, waits = rows(details.head(shown, UNICODE, ENGLISH, 100))
    assert first.startswith(" … WAITS    P044")
    assert waits == "Another slot has the scanner. Wait. It goes on by itself. 2 before it."


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.ERROR])
def test_a_bad_end_says_what_was_seen_what_it_means_and_what_to_try_in_this_order(verdict: Verdict) -> None:
    panel = details.head(replace(FAILED, verdict=verdict), UNICODE, ENGLISH, 200)
    labels = [row.split("  ")[0] for row in rows(panel)][-3:]
    assert labels == ["Seen", "Means", "Try next"]
    seen, means, advice = rows(panel)[-3:]
    assert seen.endswith("Wi-Fi: joining 'factory' failed twice with not found (-170)")
    assert (means.split("  ")[-1].strip(), advice.split("  ")[-1].strip()) == ENGLISH.help(Say("wifi_join_failed"))
    assert panel.look in (Look.FAIL, Look.ERROR)


def test_a_unit_that_passed_needs_no_advice() -> None:
    passed = replace(FAILED, verdict=Verdict.PASS, say=Say("pass"), failed_step="", reason="")
    assert rows(details.head(passed, UNICODE, ENGLISH, 100))[2:] == ["Unplug."]


@pytest.mark.rule("M4")
def test_a_failure_shows_the_device_id_and_the_light_that_was_seen_as_it_moves() -> None:
    told = replace(FAILED, light_seen="breathing cyan")
    bright, dark = (rows(details.head(told, UNICODE, ENGLISH, 100, seconds=s)) for s in (0.0, 1.5))
    assert "e00fce680000000000000001" in bright[0]
    assert "Light seen  ● breathing cyan  online" in bright
    assert "Light seen  · breathing cyan  online" in dark
    spans = [span for line in details.head(told, UNICODE, ENGLISH, 100).lines for span in line if span.dot]
    assert [span.dot for span in spans] == ["#30E0F0"]


@pytest.mark.rule("M4")
def test_what_is_copied_for_support_begins_with_the_device_id_and_has_the_light() -> None:
    told = details.for_support(replace(FAILED, light_seen="blinking green"), ENGLISH).split("\n")
    assert told == [
        "Device ID: e00fce680000000000000001", "Unit: Argon P044AB1234501", "Light seen: blinking green",
        "Result: FAIL", "Seen: joining 'factory' failed twice with not found (-170)",
    ]  # fmt: skip


# --- steps ---


@pytest.mark.parametrize(
    ("line", "shown", "look"),
    [
        (StepLine("sim"), "   SIM", None),
        (StepLine("sim", is_running=True), "   ▶ ...  SIM", Look.RUNNING),
        (StepLine("sim", is_running=True, share=0.505), "   ▶ 50 %  SIM", Look.RUNNING),
        (StepLine("sim", is_running=True, share=0.5, held=Held(Say("cloud_hold"))), "   … WAITS  SIM", Look.WAITS),
        (StepLine("sim", outcome=Outcome.ALREADY, seconds=1.5, proof="active"), "   = already  SIM   1.5 s  active",
         Look.PASS),
        (StepLine("sim", outcome=Outcome.DONE, seconds=75.2, proof="active", reason="x"),
         "   ✔ done  SIM    1:15  active", Look.PASS),
        (StepLine("sim", outcome=Outcome.SKIPPED, reason="no SIM"), "   – skipped  SIM   0.0 s  no SIM", Look.OFF),
        (StepLine("sim", outcome=Outcome.DEFERRED, reason="later"), "   ◷ owed  SIM   0.0 s  later", Look.PENDING),
        (StepLine("sim", outcome=Outcome.FAILED, reason="dead"), "   ✖ failed  SIM   0.0 s  dead", Look.FAIL),
        (StepLine("sim", outcome=Outcome.ABORTED), "   ◌ stopped  SIM   0.0 s", Look.ABORTED),
        (StepLine("sim", outcome=Outcome.ERROR), "   ⚠ error  SIM   0.0 s", Look.ERROR),
    ],
)  # fmt: skip
def test_a_step_has_its_state_by_colour_and_sign_its_seconds_and_its_proof(
    line: StepLine, shown: str, look: Look | None
) -> None:
    panel = details.steps(SlotState(1, steps=(line,)), UNICODE, ENGLISH, 80, 5)
    assert rows(panel) == [shown]
    assert looks(panel.lines[0]) == ({look} if look is not None else set())


def test_the_chosen_step_shows_its_whole_proof_and_others_as_many_words_as_fit() -> None:
    line = StepLine("device_os", outcome=Outcome.DONE, seconds=21.4, proof=PROOF)
    panel = details.steps(SlotState(1, steps=(line, line)), UNICODE, ENGLISH, 70, 1)
    first, *chosen = rows(panel)
    shown = first.partition(" s  ")[2]
    assert shown.endswith(" …")
    assert f"{PROOF} ".startswith(shown.removesuffix("…"))
    assert chosen[0].startswith("▸")
    assert PROOF in " ".join(" ".join(chosen).split())
    assert panel.keep == (1, len(panel.lines))
    ascii_first = rows(details.steps(SlotState(1, steps=(line, line)), ASCII, ENGLISH, 70, 1))[0]
    assert ascii_first.isascii()
    assert ascii_first.endswith(" ...")


@pytest.mark.parametrize("width", [44, 74, 118])
@pytest.mark.parametrize("language", ["en", "de", "zh"])
def test_no_word_is_cut_and_no_line_is_wider_than_its_panel(language: str, width: int) -> None:
    words = load(language, datetime.UTC)
    trace = (TraceLine("request 21 GET_SERIAL_NUMBER: P044AB1234501, 3 ms", "sent 0 bytes; got 15 bytes", AT),)
    facts = (
        IdentityFact("device_id", FAILED.device_id or "", "USB serial string, request 20"),
        IdentityFact("protection_intended", "open", "profile"),
        IdentityFact("iccid", "8934076500002589912", "request 22"),
    )
    told = replace(FAILED, modules=MODULES, trace=trace, facts=facts)
    for name, panel in details.panels(told, UNICODE, words, width, 1).items():
        assert [row for row in rows(panel) if width_of(row) > width] == [], name
        assert "~" not in "".join(rows(panel))
    assert any((FAILED.device_id or "?") in row for row in rows(details.identities(told, UNICODE, words, width)))


@pytest.mark.parametrize(
    ("measured", "shown"),
    [
        (Measurement("signal", -61.0, "dBm", low=-90.0), "        signal -61 dBm  (-90..)"),
        (Measurement("signal", -61.0, "dBm", high=0.0), "        signal -61 dBm  (..0)"),
        (Measurement("rate", 0.25, "MB/s"), "        rate 0.25 MB/s"),
        (Measurement("network", "factory"), "        network factory"),
        (Measurement("vbat", 3.31, "V", 3.6, 4.2, is_out=True), "     ✖  vbat 3.31 V  (3.6..4.2)"),
        (Measurement("fw", "v2", wanted="v1", is_out=True), "     ✖  fw v2   (wanted v1)"),
    ],
)
def test_a_measurement_has_its_limits_where_it_has_any(measured: Measurement, shown: str) -> None:
    line = StepLine("wifi", outcome=Outcome.DONE, measurements=(measured,))
    assert rows(details.steps(SlotState(1, steps=(line,)), UNICODE, ENGLISH, 80, 0))[1] == shown
    elsewhere = rows(details.steps(SlotState(1, steps=(line,)), UNICODE, ENGLISH, 80, 1))[1:]
    assert elsewhere == ([shown] if measured.is_out else [])  # what is out of its limits is always shown


def test_the_step_that_failed_is_looked_at_first() -> None:
    assert details.worth_a_look(FAILED) == 1
    assert details.worth_a_look(replace(FAILED, steps=(StepLine("a"), StepLine("b", is_running=True)))) == 1
    assert details.worth_a_look(SlotState(1)) == 0


# --- wire ---


def test_the_wire_says_what_was_asked_and_what_came_back_and_its_bytes_on_demand() -> None:
    told = replace(FAILED, trace=(TraceLine("request 21 GET_SERIAL_NUMBER: P044, 3 ms", "sent 0 bytes; got 0a", AT),))
    words = "10:14:03.000 request 21 GET_SERIAL_NUMBER → P044, 3 ms"
    assert rows(details.wire(told, ENGLISH, 80, UNICODE)) == [words]
    assert rows(details.wire(told, ENGLISH, 80, UNICODE, is_raw=True)) == [words, "    sent 0 bytes; got 0a"]
    assert details.trace_text(told) == (
        "2026-11-22T10:14:03.000+00:00  request 21 GET_SERIAL_NUMBER: P044, 3 ms", "    sent 0 bytes; got 0a",
    )  # fmt: skip


def test_a_wire_that_was_not_recorded_says_how_to_have_it() -> None:
    assert "--trace" in " ".join(rows(details.wire(FAILED, ENGLISH, 80, UNICODE)))
