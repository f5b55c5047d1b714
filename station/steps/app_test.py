"""``app_test``: the unit's application tests itself, and every value it tells is in its limits.

Asked by the custom request (10) that a handler of the application answers, outside listening mode too (reference
usb-and-serial 4.1). Each question may come more than once: before a value judges the unit it was out twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from drivers.clock import Deadline
from drivers.devices import ParticleDevice
from drivers.errors import DeadlineExceeded, DriverError, RequestRejected, TransferTimeout
from drivers.wire import requests
from drivers.wire.results import ResultCode

from ..engine.step import StepContext, StepResult
from ..errors import StepFault
from ..words.say import Say
from .shared.session import UnitSession
from .shared.values import Question, settle_all
from .spec import UnitStep, in_both

ALIVE_S = 5.0
"""How long a unit whose application keeps silent may take to answer anything else."""
_NOT_UNDERSTOOD = frozenset({
    ResultCode.NOT_SUPPORTED, ResultCode.NOT_ALLOWED, ResultCode.TOO_LARGE, ResultCode.INVALID_ARGUMENT,
    ResultCode.BAD_DATA,
})  # fmt: skip
"""Results that say that the application has no such question: about it or the profile, never about the unit."""


class AppTest(Question):
    """One question to the unit's application, and what the values of its answer must be."""

    request: str = Field(
        min_length=1, max_length=512, title="what the application is asked, 1 to 512 characters", examples=["selftest"],
        description="Sent as UTF-8 in request 10. What is out of its limits is asked again: that must do no harm.",
    )  # fmt: skip
    timeout_s: float = Field(default=10.0, ge=1, le=3600, description="How long the application may take to answer.")

    @property
    def asked(self) -> str:
        return self.request[:40]

    @property
    def who(self) -> str:
        return f"the answer of the application to {self.asked!r}"

    @classmethod
    def field(cls) -> tuple[Any, Any]:
        return cls.rows(
            "a question to the application, with limits",
            "Questions to the application, in the order they are asked.",
            {"request": "selftest", "limits": {"vbat": {"min": 3.6, "max": 4.2, "unit": "V"}}},
        )


def app_test(session: UnitSession, ctx: StepContext) -> StepResult:
    """Ask every question of the profile."""
    return ask_all(session.unit.device, session.profile.sections(AppTest), ctx)


def ask_all(device: ParticleDevice, rows: Sequence[AppTest], ctx: StepContext) -> StepResult:
    """Ask the application of a running unit every question of ``rows``, then judge: also outside a walk.

    Raises `UnitRejected` that names the first value out of its limits, `StepFault` where no answer judges the unit.
    """
    return settle_all(rows, lambda row: _ask(device, row, ctx), ctx)


def _ask(device: ParticleDevice, row: AppTest, ctx: StepContext) -> bytes:
    asked = f"request 10 with {row.asked!r}"
    try:
        return device.ask(requests.ask_application(row.request.encode(), row.timeout_s), ctx.deadline)
    except RequestRejected as refused:
        if refused.code not in _NOT_UNDERSTOOD:
            raise
        raise StepFault(
            f"{asked}: {refused}: the application that runs answers no such question; correct [app_test], or write an "
            "application with such a handler first", say=Say("request_not_offered"),
        ) from refused  # fmt: skip
    except (TransferTimeout, DeadlineExceeded) as error:
        try:
            device.is_listening(Deadline.after(ctx.clock, ALIVE_S))
        except DriverError:
            raise error from None
        raise StepFault(
            f"{asked}: the unit answers, its application does not within {row.timeout_s:g} s; look whether it hangs, "
            "or raise timeout_s", say=Say("app_silent"),
        ) from error  # fmt: skip


SPEC = UnitStep(
    # behind the last restart: what is tested is what leaves the bench
    name="app_test", title="Test", limit_s=300, after=in_both("setup_done"), act=app_test,
    section=("app_test", AppTest), applies=lambda profile, _: bool(profile.sections(AppTest)),
)  # fmt: skip
