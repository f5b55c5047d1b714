"""What hands, world and oracles of one shift share."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from line_bench import LineBench, Recipe

from drivers.clock import CancelToken
from drivers.virtual.unit import VirtualUnit
from station.model import Verdict

from .oracles import Violation
from .story import Story


@dataclass(slots=True)
class Floor:
    """One bench with its story. ``token`` is set by the first broken oracle: everybody goes home."""

    bench: LineBench
    story: Story
    recipes: Mapping[str, Recipe]  # by platform
    units: Mapping[int, VirtualUnit]  # by number
    token: CancelToken
    final: dict[int, Verdict] = field(default_factory=dict)  # by number: the last verdict a hand saw
    violations: list[Violation] = field(default_factory=list)
    strangers: Iterator[int] = field(default_factory=itertools.count)  # numbers of labels nobody knows

    def broken(self, violation: Violation) -> None:
        """Note a broken oracle and end the shift."""
        self.violations.append(violation)
        self.token.cancel()
