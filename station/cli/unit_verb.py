"""What a verb of ``station unit`` is: how its command line is read, and what it then does to the unit."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..engine.step import StepContext, StepResult
from ..model import Measurement, Outcome
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
        rows = [dataclasses.asdict(m) for m in ctx.measurements]
        lines = tuple(map(_line, ctx.measurements))
        measured = {"values": rows} if rows else {}
        is_good = result.outcome not in (Outcome.FAILED, Outcome.ERROR)
        text = f"{result.outcome.value}: {result.proof or result.reason}" if is_good else result.reason
        return cls(text, {"outcome": result.outcome.value, **measured}, lines, is_good)


def _line(m: Measurement) -> str:
    limits = m.bounds or m.wanted
    parts = (m.name, f"{m.value} {m.unit}".rstrip(), limits and f"({limits})", "OUT" * m.is_out)
    return "  " + "  ".join(filter(None, parts))


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
