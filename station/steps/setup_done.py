"""``setup_done``: the unit does not come up in listening mode. Rules H0 H7 H8 H9 H10.

The flag is set by request; a Device OS older than that has it written over DFU, into the same byte.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.wire import requests
from drivers.wire.dfu.tables import SETUP_DONE

from ..engine.step import StepContext, StepResult, already, done, skipped
from ..errors import StepFault, UnitRejected
from ..firmware.rules import needs_setup_done
from ..words.say import Say
from .shared.foreseen import check_setup_done, sets_by_request
from .shared.session import UnitSession
from .shared.unit import Unit
from .shared.visiting import visit_dfu
from .spec import UnitStep, in_both

ASK_AGAIN_S = 2.0


def setup_done(session: UnitSession, ctx: StepContext) -> StepResult:
    """Decided by platform and the Device OS the unit runs now; one reboot proves it.

    A unit that somebody's hands made listen for this walk goes back to its application.
    """
    session.unit.listening.give_back(ctx)
    return set_up(session.unit, ctx)


def set_up(unit: Unit, ctx: StepContext) -> StepResult:
    """Set the flag of a unit that needs it and prove it by one restart: also outside a walk.

    Raises `UnitRejected` for a unit that does not keep it, `StepFault` for one where neither a request nor DFU sets it.
    """
    version = unit.known.os_version
    if version is None:
        raise StepFault("the Device OS version of the unit is not known; walk it again")
    decision = needs_setup_done(unit.known.platform, version)
    if not decision.needed:
        return skipped(f"{decision.rule}: {decision.reason}")
    check_setup_done(unit.known.platform, version)
    if not sets_by_request(unit.known.platform, version):
        return _set_over_dfu(unit, ctx)
    if _is_set(unit, ctx) and not _listens(unit, ctx):
        return already("setup-done is set, the unit does not listen")
    with ctx.write("unit", "set setup-done"):
        unit.device.ask(requests.set_setup_done(True), ctx.deadline)
    unit.device.reset(ctx.deadline)
    if not _agreed(ctx, lambda: _is_set(unit, ctx)):
        raise UnitRejected("the unit lost its setup-done bit over a restart", say=Say("listening_after_setup"))
    _check_listening(unit, ctx)
    return done("setup-done read back after one restart")


def _set_over_dfu(unit: Unit, ctx: StepContext) -> StepResult:
    """Set the flag where it lies. Only DFU shows it, so a unit that has it is restarted too."""
    visit_dfu(unit.device, ctx)
    was_set = unit.device.dfu(ctx.deadline).read_field("setup_done") == SETUP_DONE
    if not was_set:
        with ctx.write("unit", "set setup-done in DFU"):
            unit.device.dfu(ctx.deadline).set_setup_done()  # opened anew: to announce the write may have waited
    with ctx.write("unit", "restart out of DFU"):
        unit.device.leave_dfu(ctx.deadline)
    _check_listening(unit, ctx)
    proof = "setup-done read back in DFU before a restart"
    return already(proof) if was_set else done(proof)


def _check_listening(unit: Unit, ctx: StepContext) -> None:
    """Raise `UnitRejected` for a unit that listens although it is set up."""
    if not _agreed(ctx, lambda: not _listens(unit, ctx)):
        raise UnitRejected("the unit came up in listening mode after setup-done", say=Say("listening_after_setup"))


def _agreed(ctx: StepContext, is_good: Callable[[], bool]) -> bool:
    """Whether the unit says so, asked once more before a "no" is believed: it has only just started."""
    if is_good():
        return True
    ctx.clock.sleep(ASK_AGAIN_S, ctx.cancel)
    return is_good()


def _is_set(unit: Unit, ctx: StepContext) -> bool:
    return unit.device.ask(requests.is_setup_done(), ctx.deadline)


def _listens(unit: Unit, ctx: StepContext) -> bool:
    """An Argon without any stored network listens for a network, which is no fault of setup-done (design 5).

    So does one that cannot say whether it has any.
    """
    if not unit.device.is_listening(ctx.deadline):
        return False
    networks = requests.get_known_networks()
    if not unit.known.platform.has_wifi:
        return True
    return unit.device.knows(networks, ctx.deadline) and bool(unit.device.ask(networks, ctx.deadline))


SPEC = UnitStep(
    # before the wait for online, not last (H0)
    name="setup_done", title="Setup done", limit_s=120, after=in_both("wifi"), act=setup_done,
)  # fmt: skip
