"""The list of units a batch is to get: how many came, and which never did."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.journal_story import identified, started, unit_id, walked

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.journal import Journal, owner_of
from station.paths import find_profile

SERIALS = ("P044ABGCY6G3C2Y", "P044ABP8JHBY09W", "P044AB7HHUJXLB9")


def run(data: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main([*words, "--data-dir", str(data)]) == 0
    return capsys.readouterr().out


@pytest.fixture
def tray(tmp_path: Path) -> Path:
    path = tmp_path / "tray.csv"
    rows = [f"{unit_id(number)},{serial}" for number, serial in enumerate(SERIALS[:2], 1)]
    path.write_text("\n".join(["Device ID,Serial", *rows, f",{SERIALS[2]}", ""]))
    return path


def opened(data: Path, tray: Path) -> list[str]:
    words = ["batch", "open", "B1", "--profile", "boron-product", "--target", "3", "--expect", str(tray)]
    return [*words, "--data-dir", str(data)]


def test_the_list_says_how_many_units_came_and_names_those_that_never_did(
    tmp_path: Path, tray: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    assert main(opened(data, tray)) == 0
    assert "3 units ordered, 3 units expected" in capsys.readouterr().out
    named = f"{unit_id(1)}, {unit_id(2)}, {SERIALS[2]}"
    assert f"  0 of the 3 units of its list came; 3 never did: {named}" in run(data, capsys, "batch", "list")
    owner = json.loads(run(data, capsys, "stats", "--json"))
    assert owner["expected"] == 3
    with Journal.open(data / "journal", _owner(data), SimulatedClock()) as journal:
        journal.record(*walked("a-1", 2))  # by its Device ID
        journal.record(
            started("a-2", 7), identified("a-2", 7, serial=SERIALS[2])
        )  # by its serial number, and not judged
        journal.record(started("a-3", 8, batch="B1"))  # on no list
    assert f"  2 of the 3 units of its list came; 1 never did: {unit_id(1)}" in run(
        data, capsys, "stats", "--batch", "B1"
    )
    assert json.loads(run(data, capsys, "stats", "--json").splitlines()[0])["never_came"] == [unit_id(1)]


def test_opening_a_batch_says_whether_the_line_may_run_its_profile(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile, data = tmp_path / "own.toml", tmp_path / "data"
    profile.write_text(find_profile("boron-product").read_text(encoding="utf-8"), encoding="utf-8")
    said = run(data, capsys, "batch", "open", "B1", "--profile", str(profile)).splitlines()
    assert said[0].startswith("note: station run will not make units of this batch yet: ")
    assert f"station profile release {profile} --by BADGE" in said[0]
    run(data, capsys, "profile", "release", str(profile), "--by", "0417")
    (said_now,) = run(data, capsys, "batch", "open", "B2", "--profile", str(profile)).splitlines()[-1:]
    assert said_now.startswith("batch B2 is open: ")
    assert said_now.endswith(", released by 0417")
    profile.write_text(profile.read_text(encoding="utf-8") + "\n# another text\n", encoding="utf-8")
    assert "was released by 0417 with another text" in run(
        data, capsys, "batch", "open", "B3", "--profile", str(profile)
    )


def test_closing_a_batch_says_who_never_came(tmp_path: Path, tray: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    assert main(opened(data, tray)) == 0
    with Journal.open(data / "journal", _owner(data), SimulatedClock()) as journal:
        journal.record(*walked("a-1", 2))
    said = run(data, capsys, "batch", "close", "B1").splitlines()
    assert said[-1] == f"  1 of the 3 units of its list came; 2 never did: {unit_id(1)}, {SERIALS[2]}"


def test_a_unit_that_came_to_another_batch_did_not_come(
    tmp_path: Path, tray: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    assert main(opened(data, tray)) == 0
    assert main(["batch", "open", "B2", "--profile", "argon-product", "--data-dir", str(data)]) == 0
    with Journal.open(data / "journal", _owner(data), SimulatedClock()) as journal:
        journal.record(started("a-1", 1, batch="B2"), *walked("a-1", 1)[1:])
    assert "  0 of the 3 units" in run(data, capsys, "batch", "list")


def _owner(data: Path) -> str:
    return owner_of(data / "journal") or ""


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "names no unit"), ("hello\nworld\n", "names no unit"), (f"{SERIALS[0]}\nP044AB7HHUJXL\n", "line 2")],
)
def test_a_list_that_cannot_be_understood_opens_no_batch(
    tmp_path: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tray.csv"
    path.write_text(text)
    assert main(opened(tmp_path / "data", path)) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "data").exists()
