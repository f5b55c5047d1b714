"""One seeded story of hands and scanner at a bench, as plain data.

The units and the cloud are well; what goes wrong is what people do: they swap units at any moment, take the wrong
label, scan twice, have a scanner on another keyboard layout, type half a label. Most walks are short, so that
thousands of stories are cheap.
"""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

from .drawing import any_lot
from .story import Lot, Part, tuples

MOMENTS = ("now", "now", "asked", "asked", "away", "events")
"""When a move is made: at once; when the slot asks for a label; while its unit restarts; after some events there."""

SCANS = {
    "label": 10, "number": 2, "device-id": 1, "card": 1,  # what is on the unit in the slot
    "neighbour": 3, "passed": 2, "tray": 2, "unknown": 2,  # what is on another one
    "half": 2, "double": 1, "triple": 1, "prefix": 1, "gs1": 1, "qwertz": 1, "azerty": 1, "caps": 1, "secret": 1,
    "order-code": 1, "lot": 1, "noise": 2, "badge": 1, "batch": 1,
}  # fmt: skip
"""What may be scanned or typed -> how often."""

ACTS = {"scan": 9, "swap": 3, "unplug": 2, "replug": 2, "retry": 1, "stop": 1}
"""What is done at a slot with a unit in it -> how often."""


@dataclass(frozen=True, slots=True)
class Move:
    """One thing done at slot ``slot``, ``after`` seconds from its moment.

    ``unit``: the one plugged in. ``text``: a key of `SCANS`; ``detail`` varies it, and counts events for "events".
    ``again``: seconds after which the scanner repeats itself, or five times that for a hand. ``typed``: entered for
    this slot on the keyboard.
    """

    act: str  # a key of `ACTS`, or "plug"
    slot: int
    moment: str = "now"
    after: float = 0.0
    unit: int = 0
    text: str = ""
    detail: int = 0
    again: tuple[float, ...] = ()
    typed: bool = False


@dataclass(frozen=True, slots=True)
class BenchStory:
    """``copies``: pairs of a unit and another one whose label it carries too."""

    seed: int
    slots: int
    lot: Lot
    parts: tuple[Part, ...]
    moves: tuple[Move, ...]
    copies: tuple[tuple[int, int], ...] = ()

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> BenchStory:
        """Read a printed story back; raises `ValueError` or `TypeError` for anything else."""
        row = json.loads(text)
        return cls(
            seed=row["seed"], slots=row["slots"], lot=Lot(**row["lot"]),
            parts=tuple(Part(**tuples(one)) for one in row["parts"]),
            moves=tuple(Move(**tuples(one)) for one in row["moves"]),
            copies=tuple((first, second) for first, second in row["copies"]),
        )  # fmt: skip

    def is_bad(self, number: int) -> bool:
        """Whether the label on that unit is not its own, so that it must not pass."""
        flaws = {part.number for part in self.parts if part.flaw}
        return number in flaws or number in {one for one, _ in self.copies}

    def shorter(self) -> Iterator[BenchStory]:
        """Yield every story with one element less."""
        for move in self.moves:
            yield dataclasses.replace(self, moves=tuple(one for one in self.moves if one is not move))
        used = {move.unit for move in self.moves} | {number for pair in self.copies for number in pair}
        for part in self.parts:
            if part.number not in used and len(self.parts) > 1:
                yield dataclasses.replace(self, parts=tuple(one for one in self.parts if one is not part))


def draw_bench(seed: int) -> BenchStory:
    """Draw the story of ``seed``, the same on every machine."""
    dice = random.Random(f"bench {seed}")
    is_long = dice.random() < 0.1
    lot, holds = any_lot(dice, keeping=0.0 if is_long else 1.0)
    wifi = lot.wifi and dice.random() < 0.2
    lot = dataclasses.replace(
        lot, label=dice.random() < 0.85, offline="hold", wifi=wifi, online=False, claim=False, tested=False
    )
    slots = dice.choice((1, 2, 2, 3))
    stages = ("finished", "finished", "old-app", "old-app", "in-dfu", *(("fresh",) if is_long else ()))
    parts = [
        Part(number, lot.platform, 0, dice.choice(stages), dice.choice(holds))
        for number in range(1, dice.randint(2, 4) + 1)
    ]
    copies: tuple[tuple[int, int], ...] = ()
    if lot.label and dice.random() < 0.3:
        bad = dice.choice(parts).number
        if dice.random() < 0.5:
            parts = [dataclasses.replace(one, flaw="bad-label" if one.number == bad else "") for one in parts]
        else:
            copies = ((bad, dice.choice([one.number for one in parts if one.number != bad])),)
    return BenchStory(seed, slots, lot, tuple(parts), tuple(_moves(dice, slots, parts)), copies)


def _moves(dice: random.Random, slots: int, parts: list[Part]) -> Iterator[Move]:
    """Draw moves that can be made one after the other: nothing is plugged into a taken slot."""
    placed: dict[int, int] = {}
    for _ in range(dice.randint(4, 14)):
        tray = [part.number for part in parts if part.number not in placed.values()]
        slot = dice.randint(1, slots)
        if slot not in placed:
            if tray:
                placed[slot] = dice.choice(tray)
                yield Move("plug", slot, after=round(dice.uniform(0, 2), 2), unit=placed[slot])
            continue
        (act,) = dice.choices(tuple(ACTS), tuple(ACTS.values()))
        moment = dice.choice(MOMENTS)
        move = Move(act, slot, moment, round(dice.choice((0.0, dice.random(), dice.uniform(0, 6))), 2))
        detail = dice.randint(1, 12)
        if act == "scan":
            (text,) = dice.choices(tuple(SCANS), tuple(SCANS.values()))
            again = tuple(round(dice.uniform(0.3, 0.8), 2) for _ in range(dice.choice((0, 0, 0, 1, 2))))
            move = dataclasses.replace(move, text=text, again=again, typed=dice.random() < 0.15)
        elif act == "swap" and tray:
            placed[slot] = dice.choice(tray)
            move = dataclasses.replace(move, unit=placed[slot])
        elif act == "unplug":
            del placed[slot]
        elif act == "swap":
            continue
        yield dataclasses.replace(move, detail=detail)
