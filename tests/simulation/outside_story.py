"""One seeded story of a bench beside a label printer and a MES, as plain data.

Units and cloud are well; the printer, the MES, the station's process and the hands with the scanner are not.
"""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .story import Part, Trouble, tuples

PRINTER: Mapping[str, tuple[float, float]] = {
    "paper": (5, 120), "head": (5, 120), "ribbon": (5, 60), "paused": (5, 60), "away": (5, 200), "hanging": (5, 60),
    "half": (0, 0), "misprint": (10, 60), "off": (5, 60), "cut": (5, 60), "stuck": (5, 90), "counts-wrong": (30, 200),
    "slow-print": (20, 120), "stammers": (20, 200),
}  # fmt: skip
"""Troubles of the printer -> range of their duration in seconds.

"half": it breaks off within the next label; "off": switched off, and what is in it is gone; "cut": the same, as soon as
it has the next label; "stuck": it keeps labels and says of no trouble; "counts-wrong": it says that one more is left;
"slow-print": a label takes seconds; "stammers": it answers twice, late or in pieces."""
MES: Mapping[str, tuple[float, float]] = {
    "slow": (10, 120), "silent": (10, 200), "dead": (10, 200), "rubbish": (10, 120), "refuses": (5, 60),
    "refuses-once": (10, 120), "lost": (10, 120), "twice": (10, 60),
}  # fmt: skip
"""Moods of the MES -> the same. "lost": it takes what it is told and dies before it says so; "twice": two answers."""
STATION: Mapping[str, tuple[float, float]] = {"restart": (1, 10), "killed": (1, 10)}
TROUBLES = {**PRINTER, **MES, **STATION}
FLAWS = {"refused": 0.15, "other-product": 0.15}
"""Why a unit must not pass -> how often: the MES does not want it; it is in another product."""
SLIPS = ("maker", "neighbour", "unknown", "order-code", "noise", "half")
"""What may be scanned before the new label."""


@dataclass(frozen=True, slots=True)
class OutsideStory:
    """``verify``: labels are scanned back. ``holds``: units wait for the MES. ``timeout_s``: that of the hook."""

    seed: int
    slots: int
    verify: bool
    fail_label: bool
    holds: bool
    timeout_s: float
    parts: tuple[Part, ...]
    troubles: tuple[Trouble, ...]

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> OutsideStory:
        """Read a printed story back; raises `ValueError` or `TypeError` for anything else."""
        row = json.loads(text)
        parts = tuple(Part(**tuples(one)) for one in row["parts"])
        return cls(**row | {"parts": parts, "troubles": tuple(Trouble(**one) for one in row["troubles"])})

    def shorter(self) -> Iterator[OutsideStory]:
        """Yield every story with one element less."""
        for part in self.parts:
            if len(self.parts) > 1:
                yield dataclasses.replace(self, parts=tuple(one for one in self.parts if one is not part))
        for trouble in self.troubles:
            yield dataclasses.replace(self, troubles=tuple(one for one in self.troubles if one is not trouble))
        for part in self.parts:
            if part.slips:
                simpler = dataclasses.replace(part, slips=part.slips[1:])
                yield dataclasses.replace(self, parts=tuple(simpler if one is part else one for one in self.parts))


def draw_outside(seed: int) -> OutsideStory:
    """Draw the story of ``seed``, the same on every machine; each leaves most kinds of trouble out."""
    dice = random.Random(f"outside {seed}")
    slots = dice.choice((1, 2, 2, 3))
    parts: list[Part] = []
    for slot in range(1, slots + 1):
        for _ in range(dice.randint(1, 3)):
            flaw = next((flaw for flaw, share in FLAWS.items() if dice.random() < share), "")
            slips = tuple(dice.choices(SLIPS, k=dice.choice((0, 0, 1, 2))))
            stage = dice.choice(("finished", "finished", "old-app"))
            parts.append(Part(len(parts) + 1, "boron", slot, stage, flaw=flaw, slips=slips))
    kinds = [
        *(kind for kind in PRINTER if dice.random() < 0.3), *(kind for kind in MES if dice.random() < 0.25),
        *(kind for kind in STATION if dice.random() < 0.15),
    ]  # fmt: skip
    length = 60.0 * len(parts) / slots
    troubles = [
        Trouble(kind, round(dice.uniform(0, length), 1), round(dice.uniform(*TROUBLES[kind]), 1), dice.randint(0, 99))
        for kind in kinds
        for _ in range(dice.choice((1, 1, 2)))
    ]
    return OutsideStory(
        seed, slots, dice.random() < 0.7, dice.random() < 0.6, dice.random() < 0.3, dice.choice((1.0, 5.0, 20.0)),
        tuple(parts), tuple(sorted(troubles, key=lambda one: one.at)),
    )  # fmt: skip
