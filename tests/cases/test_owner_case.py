"""An owner's e-mail address in other capitals is the same owner, wherever owners are compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BORON, DEVELOPER, ME, PRODUCTS, Recipe, line_bench, replace

from station.model import Verdict
from station.steps.shared.cloudwork import is_same_account


@pytest.mark.parametrize("recipe", [replace(BORON, claim=True), DEVELOPER], ids=["product", "developer"])
@pytest.mark.parametrize("owner", [ME.title(), ME.upper(), f" {ME}"])
def test_our_own_unit_is_ours_whatever_the_case_of_the_address(recipe: Recipe, owner: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe, 1)
        if recipe is DEVELOPER:  # the virtual cloud itself compares exactly: it shows what it does not look at
            bench.cloud._store.run("UPDATE tokens SET username = ?", owner)
            bench.cloud.create_user(owner)
        else:
            bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCTS["boron"])
        bench.cloud.edit_device(unit.spec.device_id, owner=owner)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert walk.outcomes["claim"] == "already"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a@example.com", "A@Example.COM", True), ("a@example.com", "a@example.com ", True), ("", "", True),
        ("a@example.com", "b@example.com", False), ("a@example.com", "", False), ("", "a@example.com", False),
    ],
)  # fmt: skip
def test_addresses_are_compared_without_their_capitals(one: str, other: str, same: bool) -> None:
    assert is_same_account(one, other) is same
