"""The stories of units that were somewhere before: cured in the walk, as a supervisor's list allows, and compared."""

from __future__ import annotations

import dataclasses
import json

import pytest
from support.demo_run import run_demo
from support.known_steps import STEPS

from station.cli.demo import status
from station.cli.main import main
from station.demo import story

LISTED = "(as 0042 allows)"
FIELDS = {"product_id", "owner", "name", "development", "quarantined", "sim"}


@pytest.mark.rule("I8")
@pytest.mark.rule("J2")
@pytest.mark.parametrize(
    ("name", "cures"),
    [
        ("foreign-owner", [("unclaimed", LISTED), ()]),
        ("quarantine", [("approved",), ("approved", LISTED), ("unclaimed", "approved", LISTED), ("unmarked", LISTED)]),
    ],
)
def test_each_unit_is_cured_passes_and_is_in_the_cloud_what_its_profile_wants(
    name: str, cures: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(("demo", "--story", name, "--headless", "--json")) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    rows = [event for event in events if event["kind"] == "Reconciled"]
    assert [row["problems"] for row in rows] == [[] for _ in cures]
    assert all(set(row["record"]) >= FIELDS for row in rows)
    proofs = {
        event["slot"]: event["proof"]
        for event in events
        if event["kind"] == "StepFinished" and event["step"] == "identify"
    }
    for slot, cured in enumerate(cures, 1):
        assert all(word in proofs[slot] for word in cured), proofs[slot]
    verdicts = [event["verdict"] for event in events if event["kind"] == "AttemptFinished"]
    assert verdicts == ["PASS"] * len(cures)


@pytest.mark.parametrize("name", ["foreign-owner", "quarantine"])
def test_without_the_list_the_listed_units_end_in_the_rework_tray_and_unflashed(name: str) -> None:
    told = story(name)
    assert told is not None
    demo, tally = run_demo(dataclasses.replace(told.options(STEPS.rules), allows=None))
    assert tally.units["PASS"] == 1
    assert tally.units["FAIL"] == len(told.arrivals) - 1
    assert status(demo, tally) == 1
