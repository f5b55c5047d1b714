"""The technician's view of one slot, line by line."""

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
from station.view.look import ASCII, UNICODE
from station.view.reduce import replay
from station.view.state import BenchState, Held, SlotState, StepLine
from station.words.say import Say

UTC = datetime.UTC


def slot(story: Story, *told: ev.Event) -> SlotState:
    return replay(BenchState.of(story.slots, ENGLISH), [*story.arrives(1), *told]).slots[0]


def test_a_module_nobody_asked_for_is_neither_right_nor_wrong(story: Story) -> None:
    rows = (
        ("bootloader", "6.3.4", "3.3.1"), ("Device OS", "6.3.4", "6.3.4"), ("radio firmware", AS_IT_IS, "1.2.3"),
        ("application", "7", ""), ("bundle", "", "2"),
    )  # fmt: skip
    shown = slot(story, ev.ModulesRead(**story.head(1), rows=rows))
    assert details.modules(shown, UNICODE, ENGLISH) == [
        "✖ bootloader", "    wanted 6.3.4   held 3.3.1", "✔ Device OS", "    wanted 6.3.4   held 6.3.4",
        "· radio firmware", "    held 1.2.3", "✖ application", "    wanted 7   held -",
        "✖ bundle", "    wanted -   held 2",
    ]  # fmt: skip
    assert [line.split()[0] for line in details.modules(shown, ASCII, ENGLISH)[::2]] == [
        "DIFFERS",
        "ok",
        ".",
        "DIFFERS",
        "DIFFERS",
    ]


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
    assert details.identities(shown, UNICODE, ENGLISH) == [
        "✔ serial      P044", "    request 21, label",
        "✖ imei        35", "    request 22", "✖ imei        36", "    console",
        "✔ device_os   6.3.4  (was 3.3.1)", "    raw request 30",
    ]  # fmt: skip


def test_the_summary_says_who_it_is_and_why(story: Story) -> None:
    seen = SeenBefore(Verdict.ERROR, AT, "bench-1", "B0")
    shown = slot(
        story,
        ev.UnitIdentified(**story.head(1), platform="Boron", label="P044", facts=(), seen=seen),
        *story.asks(1),
    )
    head, batch, before, ask = details.summary(shown, UNICODE, ENGLISH)
    assert head == "slot 1   ☞ YOUR TURN   P044   Boron   application   port 1-1"
    assert batch == "batch 2026-11-22-A   profile boron-product   attempt attempt-1"
    assert before == "Seen before: CHECK STATION, Sun 10:14 UTC, bench-1."
    assert ask == "Hold MODE. Tap RESET. Let go at YELLOW. blinking yellow"
    judged = replace(shown, asks=(), verdict=Verdict.FAIL, failed_step="wifi", reason="no such network")
    assert details.summary(judged, UNICODE, ENGLISH)[-1] == "wifi: no such network"
    passed = replace(shown, asks=(), verdict=Verdict.PASS, say=Say("pass"))
    assert details.summary(passed, UNICODE, ENGLISH)[-1] == "all steps: Unplug."
    assert details.summary(SlotState(7), UNICODE, ENGLISH) == ["slot 7   ·   port ?"]


def test_the_summary_names_what_is_at_work_and_what_is_waited_for(story: Story) -> None:
    assert details.summary(slot(story, *story.writes(1)), UNICODE, ENGLISH)[0].startswith("slot 1   ▶ Device OS   P044")
    head = story.head(1)
    held = ev.StepHeld(**head, step="sim", say=Say("scanner_busy"), before=2)
    head_line, _, waits = details.summary(slot(story, ev.StepStarted(**head, step="sim"), held), UNICODE, ENGLISH)
    assert head_line.startswith("slot 1   … WAITS   P044")
    assert waits == "Another slot has the scanner. Wait. It goes on by itself. 2 before it."


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (StepLine("sim"), "  SIM"),
        (StepLine("sim", is_running=True), "  SIM              ..."),
        (StepLine("sim", is_running=True, share=0.505), "  SIM              50 %"),
        (StepLine("sim", is_running=True, share=0.5, held=Held(Say("cloud_hold"))), "  SIM              WAITS"),
        (StepLine("sim", outcome=Outcome.DEFERRED, seconds=1.5, reason="later"),
         "  SIM              deferred     1.5 s  later"),
        (StepLine("sim", outcome=Outcome.DONE, seconds=75.2, proof="active", reason="x"),
         "  SIM              done          1:15  active"),
    ],
)  # fmt: skip
def test_a_step_is_one_line_with_its_state_seconds_and_proof(line: StepLine, shown: str) -> None:
    assert details.steps(SlotState(1, steps=(line,)), UNICODE, 5, 80, ENGLISH) == [shown]


def test_the_chosen_step_is_marked_and_a_long_proof_goes_on_below_it() -> None:
    proof = "bootloader 3001 read back equal, system part 6304 read back equal"
    line = StepLine("device_os", outcome=Outcome.DONE, seconds=21.4, proof=proof)
    rows = details.steps(SlotState(1, steps=(line, line)), UNICODE, 1, 70, ENGLISH)
    first, *rest = rows
    assert first.startswith("  Device OS")
    assert rows[2].startswith("▸ Device OS") or rows[len(rows) // 2].startswith("▸ Device OS")
    assert len(rest[0]) - len(rest[0].lstrip()) == first.index("bootloader")
    assert " ".join(" ".join(rows[: len(rows) // 2]).split()).endswith(proof)
    narrow = details.steps(SlotState(1, steps=(line,)), UNICODE, 0, 44, ENGLISH)
    assert narrow[0] == "▸ Device OS        done        21.4 s"
    assert all(row.startswith("      ") and len(row) <= 44 for row in narrow[1:])
    assert " ".join(" ".join(narrow[1:]).split()) == proof


@pytest.mark.parametrize(
    ("measured", "shown"),
    [
        (Measurement("signal", -61.0, "dBm", low=-90.0), "      signal -61 dBm  (-90..)"),
        (Measurement("signal", -61.0, "dBm", high=0.0), "      signal -61 dBm  (..0)"),
        (Measurement("rate", 0.25, "MB/s"), "      rate 0.25 MB/s"),
        (Measurement("network", "factory"), "      network factory "),
        (Measurement("vbat", 3.31, "V", 3.6, 4.2, is_out=True), f"    {UNICODE.differ} vbat 3.31 V  (3.6..4.2)"),
        (Measurement("fw", "v2", wanted="v1", is_out=True), f"    {UNICODE.differ} fw v2   (wanted v1)"),
    ],
)
def test_a_measurement_has_its_limits_where_it_has_any(measured: Measurement, shown: str) -> None:
    line = StepLine("wifi", outcome=Outcome.DONE, measurements=(measured,))
    assert details.steps(SlotState(1, steps=(line,)), UNICODE, 1, 80, ENGLISH)[1] == shown
