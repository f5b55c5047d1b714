"""``tests``: programs of this computer measure the unit from outside: power meters, scales, cameras.

Each gets the unit's identity as JSON on its standard input and prints values as the application would (`app_test`).
One that finds three units in a row out of one limit is doubted until a unit is within it (`Instruments`).
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Annotated, Any

from pydantic import Field

from drivers.host.executable import Programs

from ..engine.step import StepContext, StepResult
from ..errors import StepFault
from ..settings.profile import Profile
from ..settings.profile_sections import Context
from ..settings.sections import Mistake, shown
from ..words.say import Say
from .shared.instruments import IN_A_ROW
from .shared.session import StationSession
from .shared.values import BadAnswer, Judged, Question, Turn, settle_all
from .spec import StationStep, in_both

_TOLD = ("serial", "iccid", "imei", "mac", "sku", "platform", "device_os")
"""Of what is known of a unit. Its mobile secret is told nobody."""


class LocalTest(Question):
    """One program that measures the unit, and what its values must be."""

    name: str = Field(
        pattern=r"^[\w.-]{1,40}$", title="letters, digits, dots and dashes, at most 40", examples=["power-meter"],
        description="What records call the test.",
    )  # fmt: skip
    command: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        strict=False, min_length=1, max_length=32, title="a program and its arguments, each a text in quotes",
        examples=[["power-meter", "--channel", "2"]],
        description="The program, by absolute path or by a name on PATH, then its arguments; no shell reads them.",
    )  # fmt: skip
    timeout_s: float = Field(default=30.0, ge=1, le=3600, description="How long it may run before it is killed.")
    parallel: bool = Field(
        default=False, description="true: several slots may run it at the same time; else one waits for the other."
    )

    @property
    def asked(self) -> str:
        return self.name

    @property
    def who(self) -> str:
        return self.name

    @classmethod
    def field(cls) -> tuple[Any, Any]:
        return cls.rows(
            "a program that measures, with limits",
            "Programs of this computer that measure the unit, in the order they run.",
            {"name": "power-meter", "command": ["power-meter"], "limits": {"idle_ma": {"max": 12}}},
        )

    def check(self, context: Context) -> Iterator[Mistake]:
        program = self.command[0]
        if os.sep in program and not os.path.isabs(program):
            expected = "an absolute path, or a name on PATH"
            yield Mistake("command", expected, 'write command = ["/usr/local/bin/power-meter"]', shown(program))
        yield from super().check(context)


def missing_programs(profile: Profile, programs: Programs) -> tuple[str, ...]:
    """Say of each program of the profile that cannot be run here what is missing."""
    return tuple(
        f"profile {profile.id}, [tests] {row.name}: there is no program {row.command[0]} that may be run; install it, "
        "or correct command"
        for row in profile.sections(LocalTest)
        if programs.find(row.command[0]) is None
    )


def local_tests(session: StationSession, ctx: StepContext) -> StepResult:
    """Run every program of the profile, one after the other, each when it is this slot's turn."""

    def turn(row: LocalTest) -> Turn:
        return nullcontext() if row.parallel else ctx.in_turn(session.turn.hold, Say("instrument_busy"))

    rows = session.profile.sections(LocalTest)
    return settle_all(rows, lambda row: _run(session, row, ctx), ctx, turn, functools.partial(_doubted, session))


def _doubted(session: StationSession, row: LocalTest, told: tuple[Judged, ...]) -> dict[str, StepFault]:
    """Return what to say of each value that the last units were all out with, this one included."""
    before = functools.partial(session.unit.memory.out_of_limits, session.profile.id)
    names = session.instruments.doubted(row.command, told, str(session.unit.known.device_id), before)
    return {
        one.name: StepFault(
            f"{row.name}: {one}, and so it was with the {IN_A_ROW - 1} units before it or more, with none between them "
            "in its limits; check the instrument with a unit that is known to be good, and then those units again",
            say=Say("instrument_failed", name=row.name[:20]),
        )
        for one in told
        if one.name in names
    }


def _run(session: StationSession, row: LocalTest, ctx: StepContext) -> bytes:
    ctx.deadline.check(row.name)
    known = session.unit.known
    told = {name: value for name in _TOLD if (value := known.fact(name)) is not None}
    unit = {"test": row.name, "slot": ctx.slot, "attempt": ctx.attempt, "device_id": str(known.device_id), **told}
    ended = session.programs.run(row.command, json.dumps(unit).encode() + b"\n", row.timeout_s, ctx.cancel)
    if ended.status != 0:
        raise BadAnswer(ended.trouble, Say("instrument_failed", name=row.name[:20]))
    return ended.output


SPEC = StationStep(
    name="tests", title="Measure", limit_s=600, after=in_both("setup_done"), act=local_tests,
    section=("tests", LocalTest), applies=lambda profile, _: bool(profile.sections(LocalTest)),
)  # fmt: skip
