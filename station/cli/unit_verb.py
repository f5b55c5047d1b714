"""What a verb of ``station unit`` is: how its command line is read, and what it then does to the unit."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..engine.step import StepContext, StepResult
from ..model import Outcome
from ..steps.shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Done:
    """What a verb did. ``text``: one sentence; ``values``: what it read, for JSON; ``lines``: the same for people."""

    text: str
    values: Mapping[str, object] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    is_good: bool = True

    @classmethod
    def of(cls, result: StepResult, ctx: StepContext) -> Done:
        """Return the result of a step, with what it measured."""
        rows = [
            {"name": m.name, "value": m.value, "unit": m.unit, "low": m.low, "high": m.high, "is_out": m.is_out}
            for m in ctx.measurements
        ]
        lines = tuple(f"  {row['name']}  {row['value']} {row['unit']}{'  OUT' * bool(row['is_out'])}" for row in rows)
        measured = {"values": rows} if rows else {}
        is_good = result.outcome not in (Outcome.FAILED, Outcome.ERROR)
        text = f"{result.outcome.value}: {result.proof or result.reason}" if is_good else result.reason
        return cls(text, {"outcome": result.outcome.value, **measured}, lines, is_good)


Act = Callable[[Unit, StepContext], Done]
"""Acts on a unit that is identified. Raises `DriverError` and `StationError`, which say in a sentence why not."""


def no_options(_parser: argparse.ArgumentParser) -> None:
    """Add nothing."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb. ``prepare`` reads its command line before any unit is touched, and may ask a person; raises `BadInput`.

    ``is_of_firmware``: nothing can be done in DFU mode.
    """

    help: str
    prepare: Callable[[argparse.Namespace], Act]
    options: Callable[[argparse.ArgumentParser], None] = no_options
    is_of_firmware: bool = True


def plain(help_text: str, act: Act, *, is_of_firmware: bool = True) -> Verb:
    """Return a verb without options of its own."""
    return Verb(help_text, lambda _: act, is_of_firmware=is_of_firmware)
