"""The usability story of tasks.md, replayed on the program in a terminal: what is pressed, scanned and seen."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from support.person import Person

BENCH = (
    "demo", "--profile", "boron-product", "--units", "8", "--data-dir", "data",
    "--fault", "unit=2,do=wrong-label", "--fault", "unit=3,do=no-dfu", "--fault", "unit=4,at=dfu-write:40,do=unplug",
)  # fmt: skip
ASKED = r"Unit (?!P044AB75GAD2J26|P044AB9XRJ48Z18|P044ABMMU7Z1MZT)(\w{15})\."
"""What a slot says whose turn the scanner has, but for the units in trouble, 2 to 4: they may end without a PASS."""
WRONG = r"slot 2 +(\w{15}) +✖ FAIL in .*: Label and unit do not match"
PULLED = r"slot 4 +\w{15} +◌ STOPPED in .*: Unplugged too early"
BY_HAND = r"Hold MODE"


def leaves(person: Person) -> None:
    """Press Q, and answer the question that stands between a running unit and the end."""
    person.press("q")
    person.sees(r"Leave anyway\?")
    person.press("y")
    assert person.sees_the_end() == 0
    assert person.has_the_terminal_back


def finds(person: Person, label: str) -> None:
    """Press F and scan: the unit's life is shown, whatever waits for a label on the bench."""
    person.press("f")
    person.sees("FIND A UNIT")
    person.scans(label)
    person.sees(rf"Boron {label} +✔ PASS")
    person.press("\x1b")
    person.sees("FIND A UNIT")
    person.press("\x1b")


@pytest.mark.slow
def test_a_shift_of_eight_units_is_worked_with_scans_alone_and_closed_by_its_supervisor(tmp_path: Path) -> None:
    with Person(tmp_path, *BENCH) as person:
        person.watches_for(WRONG, PULLED, BY_HAND)
        person.sees(ASKED)
        person.scans("OP:0815")
        person.sees("op 0815")
        person.sees("batch demo-widget-boron")

        label = person.sees(ASKED)[1]
        person.scans(label)  # all that the happy path asks of a person
        person.sees(rf"{label} +✔ PASS")

        person.sees(ASKED)
        finds(person, label)
        person.sees(ASKED)
        assert person.has_seen_all()

        person.press("b")
        person.sees("BATCHES")
        person.press("c")
        person.sees("Close it for good")
        person.press("y")
        person.sees("Batch demo-widget-boron is sealed. Key [0-9a-f-]+")
        person.press("e")
        person.sees("EXPORT OF BATCH demo-widget-boron")
        person.press("\r")
        person.sees(r"\d+ rows in")
        person.press("\x1b")
        person.sees_no_more("EXPORT OF BATCH")
        person.press("n")
        person.sees("name of the batch")
        person.types("LOT-7")
        person.press("\r")
        person.sees("LOT-7 .* open")
        person.press("\x1b")
        person.sees("batch LOT-7")
        leaves(person)
    exported = (tmp_path / "demo-widget-boron.csv").read_text(encoding="utf-8-sig")
    verdicts = {row["Verdict"] for row in csv.DictReader(exported.splitlines())}
    assert label in exported
    assert {"PASS", "FAIL", "ABORTED"} <= verdicts


@pytest.mark.slow
def test_slot_17_of_32_is_opened_with_two_digits(tmp_path: Path) -> None:
    with Person(tmp_path, "demo", "--units", "32") as person:
        person.sees("▶")
        person.press("17")
        person.sees("slot 17")
        person.press("\r")
        person.sees("slot 17 ─|slot 17 ━")
        person.press("\x1b")
        person.sees(r"\[B\] batch|\[Enter\] details")
        leaves(person)
