"""The list of provisioning rules is whole, every required one has tests, and every one of those a patch that fits."""

from __future__ import annotations

import tomllib
from collections import Counter

import pytest
from house_tools import ROOT, run_python


@pytest.fixture(scope="module")
def book() -> dict[str, object]:
    return tomllib.loads((ROOT / "tests/house/rules.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def patches() -> list[dict[str, object]]:
    return tomllib.loads((ROOT / "tests/house/mutants.toml").read_text(encoding="utf-8"))["mutant"]


def test_the_list_holds_all_rules_of_every_chapter(book: dict[str, dict[str, str]]) -> None:
    chapters = Counter(rule[0] for rule in book["rules"])
    assert chapters == {
        "A": 16, "B": 5, "C": 11, "D": 9, "E": 15, "F": 5, "G": 13, "H": 13, "I": 10, "J": 4, "K": 7, "L": 5, "M": 4,
        "N": 6,
    }  # fmt: skip
    assert sum(chapters.values()) == 123
    assert {rule for rule in book["rules"] if rule[0] != "H"} | {f"H{n}" for n in range(13)} == set(book["rules"])
    assert all(20 < len(words) < 120 for words in book["rules"].values())


def test_make_rules_shows_a_test_for_every_required_rule_and_no_unknown_one() -> None:
    shown = run_python("-m", "tests.house.rules")
    assert shown.returncode == 0, shown.stderr
    assert "123 rules" in shown.stdout


def test_every_required_rule_has_a_patch_and_every_patch_still_fits(
    book: dict[str, list[str]], patches: list[dict[str, str]]
) -> None:
    assert {patch["rule"] for patch in patches} >= set(book["required"])
    for patch in patches:
        text = (ROOT / patch["file"]).read_text(encoding="utf-8")
        assert text.count(patch["old"]) == 1, f"{patch['rule']}: its text is not once in {patch['file']}"
        assert patch["new"] != patch["old"]
        assert patch["fails"], f"{patch['rule']}: say which test must notice"


def test_a_patch_is_noticed_by_the_test_it_names() -> None:
    shown = run_python("-m", "tests.house.mutants", "E1")
    assert "ok  E1" in shown.stdout
    assert "noticed by test_a_developer_profile_without_claim_is_refused" in shown.stdout
    assert shown.stdout.endswith("1 patches for 1 rules, 0 problems\n")
    assert shown.returncode == 0
