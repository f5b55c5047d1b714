"""``python -m tests.house.shown``: run the tests that show a tier of a platform, and write which of them passed.

A test carries ``@pytest.mark.shows("silver", "boron")``; `station platforms` prints what is written here.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field

import pytest

from station.cli.platforms import SHOWN_FILE, Tier

from .rules import QUIET, ROOT

FILE = ROOT / "station" / SHOWN_FILE
Shown = dict[str, dict[str, list[str]]]


@dataclass(slots=True, eq=False)  # pytest keeps its plugins in a set
class Showing:
    """A pytest plugin that notes the claims of every test, which tests passed, and what went wrong."""

    claims: dict[str, set[tuple[str, str]]] = field(default_factory=dict)  # node id -> (tier, slug)
    passed: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        for marker in item.iter_markers("shows"):
            tier, slug = marker.args
            self.claims.setdefault(item.nodeid, set()).add((Tier(tier), slug))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self.claims]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken.append(f"{report.nodeid}: {report.longreprtext.strip().splitlines()[-1]}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.broken.append(f"{report.nodeid}: failed in {report.when}")
        elif report.when == "call" and report.passed:
            self.passed.add(report.nodeid)

    def shown(self, tests: set[str]) -> Shown:
        """What ``tests`` claim: tier -> slug -> tests without their parameters, sorted."""
        found: dict[str, dict[str, set[str]]] = {}
        for test in tests:
            for tier, slug in self.claims[test]:
                found.setdefault(tier, {}).setdefault(slug, set()).add(test.partition("[")[0])
        return {
            tier: {slug: sorted(found[tier][slug]) for slug in sorted(found[tier])} for tier in Tier if tier in found
        }


def look() -> Showing:
    """Run every test that shows something."""
    showing = Showing()
    pytest.main([*QUIET, "--rootdir", str(ROOT), str(ROOT / "tests")], plugins=[showing])
    return showing


def main() -> int:
    showing = look()
    sys.stderr.writelines(f"{sentence}\n" for sentence in showing.broken)
    if showing.broken:
        return 1
    FILE.write_text(json.dumps(showing.shown(showing.passed), indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(showing.passed)} of {len(showing.claims)} tests that show a platform ran; wrote {FILE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
