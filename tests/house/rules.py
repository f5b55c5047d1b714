"""``python -m tests.house.rules``: every provisioning rule with the tests that show it.

Collects the whole test tree in this process and reads the ``rule`` markers; runs no test. Exit status
1 when a required rule has no test, or when a marker names a rule that does not exist. With ``--claims`` the last line
is what ``tests.house.shown`` would write if all its tests passed: to collect takes as long for both.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
QUIET = ("-p", "no:terminal", "-p", "no:cacheprovider", "-o", "addopts=", "--import-mode=importlib", "--strict-markers")
"""No printing, nothing left behind; the project's own ``addopts`` speak to the printing part."""


@dataclass(frozen=True, slots=True)
class RuleBook:
    """``rules``: id to one line, in the vendor's order; ``required``: those that must have a test."""

    rules: Mapping[str, str]
    required: tuple[str, ...]


@dataclass(slots=True, eq=False)  # pytest keeps its plugins in a set
class Collected:
    """A pytest plugin that keeps the node ids of the tests marked with each rule, and what broke."""

    tests: dict[str, list[str]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        for rule in rules_of(item):
            self.tests.setdefault(rule, []).append(item.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken.append(f"{report.nodeid}: {report.longreprtext.strip().splitlines()[-1]}")


def rules_of(item: pytest.Item) -> set[str]:
    """The rules a test is marked with; each marker may name several."""
    return {str(rule) for marker in item.iter_markers("rule") for rule in marker.args}


def rule_book() -> RuleBook:
    """The rules from the file beside this one."""
    data = tomllib.loads(Path(__file__).with_name("rules.toml").read_text(encoding="utf-8"))
    return RuleBook(data["rules"], tuple(data["required"]))


def collect(*places: Path, beside: Sequence[object] = ()) -> Collected:
    """Collect the tests in ``places`` (none: the whole tree) without running one. ``beside``: further plugins."""
    collected = Collected()
    chosen = [str(place) for place in places or (ROOT / "tests",)]
    status = pytest.main([*QUIET, "--collect-only", "--rootdir", str(ROOT), *chosen], plugins=[collected, *beside])
    if status != pytest.ExitCode.OK and not collected.broken:
        collected.broken.append(f"{', '.join(chosen)}: pytest ended with {status!r}")
    return collected


def faults(book: RuleBook, collected: Collected) -> list[str]:
    """What is wrong, a sentence each; empty when all is well."""
    missing = [rule for rule in book.required if rule not in collected.tests]
    unknown = sorted(set(collected.tests) - set(book.rules))
    return [
        *(f"could not collect {what}" for what in collected.broken),
        *(f"rule {rule} is required and no test shows it: {book.rules[rule]}" for rule in missing),
        *(f"marker names rule {rule!r}, which does not exist: {', '.join(collected.tests[rule])}" for rule in unknown),
    ]


def functions(node_ids: Iterable[str]) -> list[str]:
    """Node ids without parameters, each once, with how many cases it has."""
    cases: dict[str, int] = {}
    for node_id in node_ids:
        name = node_id.partition("[")[0]
        cases[name] = cases.get(name, 0) + 1
    return [name if count == 1 else f"{name} ({count} cases)" for name, count in cases.items()]


def report(book: RuleBook, collected: Collected) -> str:
    """The list for people: each rule, a star when required, and below it its tests."""
    lines: list[str] = []
    for rule, words in book.rules.items():
        lines.append(f"{'*' if rule in book.required else ' '} {rule:4} {words}")
        lines += [f"         {name}" for name in functions(collected.tests.get(rule, ()))]
    shown = sum(rule in collected.tests for rule in book.rules)
    required = sum(rule in collected.tests for rule in book.required)
    lines.append(
        f"{len(book.rules)} rules, {shown} with tests; {required} of {len(book.required)} required ones (*) have tests"
    )
    return "\n".join(lines)


def main() -> int:
    from .shown import Showing  # which takes its place and its quiet from here

    book, showing = rule_book(), Showing()
    collected = collect(beside=[showing])
    sys.stdout.write(report(book, collected) + "\n")
    if "--claims" in sys.argv[1:]:
        sys.stdout.write(json.dumps(showing.shown(set(showing.claims))) + "\n")
    wrong = faults(book, collected)
    sys.stderr.writelines(f"{sentence}\n" for sentence in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
