"""The table at the end of a run tells what passed, what failed and what was not run."""

from __future__ import annotations

from typing import Literal

import pytest
from conformance import table
from conformance.table import PROPERTY, Cell


def report(
    outcome: Literal["passed", "failed", "skipped"], *cells: Cell, when: Literal["setup", "call"] = "call"
) -> pytest.TestReport:
    return pytest.TestReport(
        "test", ("test", 1, "test"), {}, outcome, None, when, user_properties=[(PROPERTY, cell) for cell in cells]
    )


def test_a_cell_is_good_only_if_every_test_of_it_was() -> None:
    lists, reads = ("tool", "list", "nrf"), ("tool", "read", "nrf")
    reports = [
        report("passed", lists), report("failed", lists, ("tool", "list", "rtl")), report("passed", lists),
        report("passed", reads), report("skipped", ("tool", "read", "stm32"), when="setup"),
    ]  # fmt: skip
    assert list(table.rows(reports)) == [
        "client | operation | stm32 | nrf | rtl",
        "tool | list | - | FAILED | FAILED",
        "tool | read | skipped | ok | -",
    ]
    assert table.parsed("noise\n" + "\n".join(table.rows(reports))) == [reads]


def test_without_foreign_clients_there_is_no_table() -> None:
    assert list(table.rows([report("passed")])) == []
    assert table.parsed("1 passed") == []
