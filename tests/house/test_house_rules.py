"""The list of provisioning rules is whole, every required one has tests, and every one of those a patch that fits."""

from __future__ import annotations

import tomllib
from collections import Counter

import pytest
from house.mutants import Mutant, mutants
from support.house_tools import ROOT, run_python

REQUIRED = (
    "A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15 A16 B1 B2 B3 B5 C1 C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 D1 D4 "
    "D5 D6 D7 D8 D9 E1 E2 E3 E4 E7 E8 E9 E10 E11 E12 E13 E14 E15 F1 F2 F3 F4 F5 G1 G2 G3 G4 G5 G6 G7 G8 G9 G10 "
    "G11 G12 H0 H1 H2 H3 H4 H5 H6 H7 H8 H9 H10 H11 H12 I1 I2 I3 I4 I5 I6 I7 I8 I9 I10 J1 J2 J3 J4 K1 K2 K3 K4 K5 "
    "K6 K7 L5 M1 M2 M3 M4 N1 N2 N3 N4 N5 N6"
)
"""A rule that was shown once stays required: the list in `rules.toml` only grows, and this line with it."""
STATION_FREE = {"station/cloud/virtual", "drivers/virtual", "tests"}
"""Where a patch would break a fake or a test, and show nothing of the station."""


@pytest.fixture(scope="module")
def book() -> dict[str, object]:
    return tomllib.loads((ROOT / "tests/house/rules.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def patches() -> tuple[Mutant, ...]:
    return mutants()


def test_the_list_holds_all_rules_of_every_chapter(book: dict[str, dict[str, str]]) -> None:
    chapters = Counter(rule[0] for rule in book["rules"])
    assert chapters == {
        "A": 16, "B": 5, "C": 11, "D": 9, "E": 15, "F": 5, "G": 13, "H": 13, "I": 10, "J": 4, "K": 7, "L": 5, "M": 4,
        "N": 6,
    }  # fmt: skip
    assert sum(chapters.values()) == 123
    assert {rule for rule in book["rules"] if rule[0] != "H"} | {f"H{n}" for n in range(13)} == set(book["rules"])
    assert all(20 < len(words) < 120 for words in book["rules"].values())


def test_the_required_rules_are_pinned(book: dict[str, list[str]]) -> None:
    assert book["required"] == REQUIRED.split()


def test_every_required_rule_has_a_patch_and_every_patch_still_fits(
    book: dict[str, list[str]], patches: tuple[Mutant, ...]
) -> None:
    assert {patch.rule for patch in patches} >= set(book["required"])
    for patch in patches:
        text = (ROOT / patch.file).read_text(encoding="utf-8")
        assert text.count(patch.old) == 1, f"{patch.breaks}: its text is not once in {patch.file}"
        assert patch.new != patch.old
        assert patch.fails, f"{patch.breaks}: say which test must notice"
        assert not any(patch.file.startswith(f"{place}/") for place in STATION_FREE), f"{patch.breaks}: a fake"


def test_a_patch_that_breaks_no_rule_names_tests_that_exist(patches: tuple[Mutant, ...]) -> None:
    for name in {name for patch in patches if not patch.rule for name in patch.fails}:
        file, _, function = name.partition("::")
        assert f"def {function}(" in (ROOT / file).read_text(encoding="utf-8"), name


def test_a_patch_is_noticed_by_the_test_it_names() -> None:
    shown = run_python("-m", "tests.house.mutants", "E1")
    assert "ok  E1" in shown.stdout
    assert "noticed by test_a_developer_profile_without_claim_is_refused" in shown.stdout
    assert shown.stdout.endswith("1 patches for 1 rules, 0 problems\n")
    assert shown.returncode == 0
