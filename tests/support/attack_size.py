"""How long the attacks on the write guard go on: a usual run is short, ``make attack`` as long as it is told."""

from __future__ import annotations

import os

from hypothesis import Phase, settings

VARIABLE = "STATION_ATTACK"
"""Environment variable: how many times the usual number of examples to make, new ones in each run.

Unset: the usual number, always the same ones.
"""


def attack(usual: int) -> settings:
    """Return the settings of a property that makes ``usual`` examples in a usual run.

    A failing script is made shorter only where there is time for that.
    """
    factor = int(os.environ.get(VARIABLE) or 0)
    if factor:
        return settings(max_examples=usual * factor)
    return settings(max_examples=usual, derandomize=True, phases=(Phase.explicit, Phase.generate))
