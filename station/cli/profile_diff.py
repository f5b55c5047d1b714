"""Implements ``station profile diff``: what another profile, or another revision, changes for a unit."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from ..paths import find_profile
from ..settings.differences import differences
from ..settings.profile import Profile, load_profile
from ..steps.table import StepTable
from .telling import tell, tell_all


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``profile diff``."""
    parser = verbs.add_parser("diff", help="say what changes for a unit from one profile to another")
    parser.add_argument("file", metavar="A", help="a profile file, or the name of a shipped one")
    parser.add_argument("other", metavar="B", help="the one to compare it with")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the differences; returns 1 if there are any, as the program diff does."""
    steps = StepTable.found()
    old, new = (load_profile(find_profile(name), steps.rules) for name in (arguments.file, arguments.other))
    tell(f"{old.id} revision {old.revision} -> {new.id} revision {new.revision}")
    found = [*_walks(old, new, steps), *differences(old, new)]
    if not found:
        same = "the texts are the same" if old.sha256 == new.sha256 else "the texts differ in comments or layout only"
        tell(f"no difference for a unit: {same}")
        return 0
    tell_all(found)
    return 1


def _walks(old: Profile, new: Profile, steps: StepTable) -> Iterator[str]:
    """Yield what the walk of a unit has more, and less, on each platform that both profiles are for."""
    for platform in new.platforms:
        if old.fits(platform.id):
            before, after = ([plan.name for plan in steps.plans(one, platform)] for one in (old, new))
            told = {"more": [step for step in after if step not in before],
                    "no longer": [step for step in before if step not in after]}  # fmt: skip
            for what, names in told.items():
                if names:
                    yield f"steps of {platform.name}, {what}: {', '.join(names)}"
