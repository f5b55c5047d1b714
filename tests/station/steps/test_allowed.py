"""A supervisor's list is read strictly: what it allows is done to units without anybody asking again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from station.cli.main import main
from station.errors import BadInput
from station.steps.shared.allowed import EXAMPLE, MOST_BYTES, Cure, parse_allowed

UNIT = "e00fce68aaaa000000000001"
GOOD = f"by 0042\nbatch B-1\n{UNIT} unclaim\n"


def test_a_list_allows_exactly_its_units_exactly_its_cures() -> None:
    lines = ["\ufeffby 0042", "batch 2026-11-29-A", "", "# back from the fair", f"{UNIT.upper()}\tapprove, unclaim"]
    text = "\r\n".join([*lines, "p044ab1234567 UNMARK # one", ""])
    found = parse_allowed(text.encode(), "list.txt")
    assert (found.by, found.batch) == ("0042", "2026-11-29-A")
    assert found.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert found.cures_of(UNIT) == (Cure.UNCLAIM, Cure.APPROVE)  # in the order in which they are done
    assert found.cures_of("e00fce68aaaa000000000002", "P044AB1234567") == (Cure.UNMARK,)
    assert found.cures_of("e00fce68aaaa000000000002", "") == ()
    assert found.cures_of(UNIT[:-1], "P044AB123456") == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"batch B-1\n{UNIT} unclaim", "list.txt has no line 'by'"),
        (f"by 0042\n{UNIT} unclaim", "list.txt has no line 'batch'"),
        ("by 0042\nbatch B-1\n", "names no unit"),
        (GOOD + "by 0043", "line 4: a second line 'by'"),
        ("by two words\n" + GOOD, "line 1: 'two words' is no badge"),
        (f"{GOOD}{UNIT[:-1]} unclaim", "line 4: serial number has 23 characters"),
        (f"{GOOD}{UNIT} approve", "line 4: e00fce68aaaa000000000001 stands in the list already"),
        (f"{GOOD}P044AB1234567", "line 4: allows nothing"),
        (f"{GOOD}P044AB1234567 remove", "line 4: allows what no bench does 'remove'"),
        (f"{GOOD}P044AB1234567 ABCDEFGHIJKLMNO", "line 4: allows what no bench does; write"),
        ("by 0042\nbatch B 1\n" + GOOD, "no name of a batch"),
    ],
)
def test_a_list_with_a_mistake_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_allowed(text.encode(), "list.txt")
    assert any(why in sentence for sentence in refused.value.sentences), refused.value.sentences
    assert "ABCDEFGHIJKLMNO" not in str(refused.value)  # a whole label brings its secret


@pytest.mark.parametrize("data", [GOOD.encode("utf-16"), b"#" * (MOST_BYTES + 1)], ids=["UTF-16", "too large"])
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        parse_allowed(data, "list.txt")


@pytest.mark.parametrize(
    ("content", "why"), [(GOOD, "is for batch B-1, this run has other"), (None, "cannot be read: No such file")]
)
def test_a_list_for_another_batch_does_not_start_the_station(
    content: str | None, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "list.txt"
    if content is not None:
        path.write_text(content)
    run = ["run", "--profile", "boron-product", "--batch", "other", "--headless", "--allow", str(path)]
    assert main([*run, "--data-dir", str(tmp_path / "data")]) == 2
    assert why in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_the_help_of_run_shows_a_list_that_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    assert EXAMPLE in capsys.readouterr().out
    assert {cure for unit in parse_allowed(EXAMPLE.encode(), "x").units for cure in unit.cures} < set(Cure)
    assert all(cure.value in EXAMPLE for cure in Cure)
