"""State shared by the hands, the world and the oracles of one shift."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from line_bench import LineBench, Recipe

from drivers.clock import CancelToken
from drivers.virtual.unit import VirtualUnit
from station.model import Verdict

from .oracles import Violation
from .outside_story import OutsideStory
from .story import Story


@dataclass(slots=True)
class Floor:
    """One line bench with its story. The first violated oracle sets ``token``, which ends the shift."""

    bench: LineBench
    story: Story | OutsideStory
    recipes: Mapping[str, Recipe]  # by platform
    units: Mapping[int, VirtualUnit]  # by number
    token: CancelToken
    final: dict[int, Verdict] = field(default_factory=dict)  # by number: the last verdict a hand saw
    violations: list[Violation] = field(default_factory=list)
    strangers: Iterator[int] = field(default_factory=itertools.count)  # numbers of unknown labels

    def broken(self, violation: Violation) -> None:
        """Record a violated oracle and end the shift."""
        self.violations.append(violation)
        self.token.cancel()
