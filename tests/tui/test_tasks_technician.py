"""The technician's part of tasks.md, replayed on the program in a terminal: what the advice says is done, and mends."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.person import Person

ONE = ("demo", "--keep-bad", "--units", "1", "--data-dir", "data")
ASKED = r"Unit (\w{15})\."


def leaves(person: Person) -> None:
    """Wait for the next unit, close the details, and leave it at work."""
    person.sees("Another unit is in slot 1 now")
    person.press("\x1b")
    person.sees(r"\[Q\] leave")
    person.press("q")
    person.sees(r"Leave anyway\?")
    person.press("y")
    person.sees_the_end()
    assert person.has_the_terminal_back


@pytest.mark.slow
def test_a_value_that_a_bad_contact_spoiled_is_measured_again_as_advised_and_the_unit_passes(tmp_path: Path) -> None:
    fault = "unit=1,do=app,says=vbat:3.31,times=2"
    with Person(tmp_path, *ONE, "--profile", "boron-tested", "--fault", fault) as person:
        label = person.sees(r"slot 1 +(\w{15}) +✖ FAIL .*: Battery 3.31 V")[1]
        person.press("\r")
        person.sees(r"Try next .*measure again: retry \(R\)")
        person.press("p")
        person.sees("WHAT DOES THE LIGHT DO")
        person.press("\r")
        person.sees("Light seen")
        person.press("s")
        person.sees(rf"{label}-a-\w+\.html")
        person.press("r")
        person.sees(rf"✔ PASS +{label}")
        person.sees("cloud fields read back")
        leaves(person)
    (report,) = (tmp_path / "data").rglob("*.html")
    assert "Battery 3.31 V" in report.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_unit_that_puts_the_station_off_is_restarted_as_advised_and_passes(tmp_path: Path) -> None:
    fault = "unit=1,at=request:20,do=reject,times=8"
    with Person(tmp_path, *ONE, "--profile", "boron-product", "--fault", fault) as person:
        person.sees("CHECK STATION")
        person.press("\r")
        person.sees(r"Try next +Restart the unit \(M\), then retry \(R\)")
        person.press("m")
        person.sees("INTO WHICH MODE")
        person.press("\x1b[A")  # up, from the first to the last
        person.sees("▸ restart")
        person.press("\r")
        person.sees("Now in this mode: restart")
        person.press("r")
        label = person.sees(ASKED)[1]
        person.scans(label)
        person.sees(rf"✔ PASS +{label}")
        leaves(person)
