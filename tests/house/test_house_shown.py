"""What `station platforms` prints is what tests show: no claim without a test, no marked test without its claim."""

from __future__ import annotations

import json

import pytest
from support.house_tools import ROOT, run_python

from drivers.platforms import platforms
from station.cli.platforms import Status, Tier, read_shown, supported

WITH_EQUIPMENT = "tests/conformance/"
"""Tests of foreign programs: what a machine lacks is skipped, and then claims nothing."""


@pytest.fixture(scope="module")
def claimed() -> dict[str, dict[str, list[str]]]:
    """What all marked tests would claim if they passed, from a process of its own."""
    script = (
        "import json, sys; from tests.house.shown import look; s = look('--collect-only'); "
        "assert not s.broken, s.broken; sys.stdout.write('CLAIMS' + json.dumps(s.shown(set(s.claims))))"
    )
    ran = run_python("-c", script)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, dict[str, list[str]]] = json.loads(ran.stdout.rpartition("CLAIMS")[2])
    return found


def _flat(shown: dict[str, dict[str, list[str]]]) -> set[tuple[str, str, str]]:
    return {(tier, slug, test) for tier, rows in shown.items() for slug, tests in rows.items() for test in tests}


def test_the_file_claims_what_marked_tests_claim(claimed: dict[str, dict[str, list[str]]]) -> None:
    """Out of date? `make shows` runs the marked tests and writes it anew."""
    written, marked = _flat(read_shown()), _flat(claimed)
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
