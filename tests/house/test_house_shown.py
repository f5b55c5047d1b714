"""What `station platforms` prints is what tests show: no claim without a test, no marked test without its claim."""

from __future__ import annotations

import json

from support.house_tools import ROOT, run_python

from drivers.platforms import platforms
from station.cli.platforms import Status, Tier, read_shown, supported

WITH_EQUIPMENT = "tests/conformance/"
"""Tests of foreign programs: what a machine lacks is skipped, and then claims nothing."""


def _flat(shown: dict[str, dict[str, list[str]]]) -> set[tuple[str, str, str]]:
    return {(tier, slug, test) for tier, rows in shown.items() for slug, tests in rows.items() for test in tests}


def test_make_rules_shows_a_test_for_every_required_rule_and_the_file_claims_what_marked_tests_claim() -> None:
    """Both from one collection of all tests. The file is out of date? `make shows` writes it anew."""
    ran = run_python("-m", "tests.house.rules", "--claims")
    assert ran.returncode == 0, ran.stderr
    rules, _, claimed = ran.stdout.rstrip().rpartition("\n")
    assert "123 rules" in rules
    assert "test_a_name_the_account_has_already_is_not_written_blindly" in rules
    written, marked = _flat(read_shown()), _flat(json.loads(claimed))
    assert written - marked == set()
    assert {one for one in marked - written if not one[2].startswith(WITH_EQUIPMENT)} == set()


def test_every_test_named_is_there() -> None:
    for _, _, test in _flat(read_shown()):
        path, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


def test_every_platform_and_every_other_device_is_recognised() -> None:
    rows = supported(read_shown())
    assert [row.id for row in rows if row.id is not None] == [row.id for row in platforms()]
    assert {row.slug for row in rows if row.status[Tier.BRONZE] is not Status.DONE} == set()
    assert {row.slug for row in rows if row.id is None} == {
        "core", "tachyon", "tachyon-in-edl-mode", "programmer-shield", "particle-debugger",
    }  # fmt: skip


def test_a_tier_without_a_test_is_open_unless_it_cannot_be_reached() -> None:
    by_slug = {row.slug: row for row in supported({Tier.SILVER: {"boron": ["tests/x.py::test_y"]}})}
    assert by_slug["boron"].status == {
        Tier.BRONZE: Status.OPEN, Tier.SILVER: Status.DONE, Tier.GOLD: Status.OPEN, Tier.PLATINUM: Status.OPEN,
    }  # fmt: skip
    assert by_slug["xsom"].status[Tier.PLATINUM] is Status.NOT_APPLICABLE
    assert [by_slug["core"].status[tier] for tier in (Tier.SILVER, Tier.GOLD, Tier.PLATINUM)] == [
        Status.NOT_APPLICABLE
    ] * 3
    assert all(row.status[Tier.PLATINUM] is not Status.DONE for row in supported(read_shown()))
