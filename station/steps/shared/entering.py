"""Brings a unit into DFU for its one visit, or finds that it cannot be had there and goes by control request. Rule H3.

DFU is faster and reads everything back, so it comes first: by command, then by somebody's hands. What stands in the
way is asked for once in an attempt: no step turns in circles over it.
"""

from __future__ import annotations

import threading

from drivers.devices import Goal
from drivers.errors import AccessDenied, DeadlineExceeded, DidNotReturn, PortInUse
from drivers.platforms import Platform
from drivers.wire.usb import Mode

from ...engine.step import StepContext
from ...errors import StepFault
from ...words.say import Say
from .flashing import FirmwareSession
from .holding import ask_hands, hold
from .unit import Unit

HANDS_S = 120.0
"""How long hands are waited for where the unit can do without them."""
HOW_TO_MEND = "`station udev install` mends that for all units"


class DfuAccess:
    """Whether this computer's system lets the station open units in DFU mode, as far as it was tried. Thread-safe.

    All slots share it: without permission every unit would come into DFU for nothing, and stay there until somebody
    presses its button. A unit that is opened there, or a new start of the station, forgets it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refused: dict[int, str] = {}  # platform id -> what the system said

    def refusal(self, platform: Platform) -> str:
        """Return why units of ``platform`` cannot be opened in DFU mode; "" while nothing is known against it."""
        with self._lock:
            return self._refused.get(platform.id, "")

    def note(self, platform: Platform, refusal: str) -> None:
        """Keep what came of opening a unit in DFU mode; "": it was opened."""
        with self._lock:
            if refusal:
                self._refused[platform.id] = refusal
            else:
                self._refused.pop(platform.id, None)


def enter_dfu(unit: Unit, firmware: FirmwareSession, access: DfuAccess, ctx: StepContext) -> str | None:
    """Bring the unit into DFU and return how, "" for by command; None if everything is to go by control request.

    Then `FirmwareSession.without_dfu` says why, and the unit runs. Raises what `hold` and `identify` raise where
    nothing but DFU can write what differs.
    """
    platform, needs_it = unit.known.platform, firmware.needs_dfu(ctx)
    if not needs_it and (refusal := access.refusal(platform)):
        firmware.give_up_dfu(refusal)
        return None
    try:
        with ctx.write("unit", "restart into DFU"):
            how = hold(unit.device, ctx, Goal.DFU, None if needs_it else HANDS_S)
            unit.device.identify(ctx.deadline)  # nothing is confirmed of a unit that may be another
    except PortInUse:
        raise
    except AccessDenied as refused:
        why = f"this computer may not open it in DFU mode ({refused}); {HOW_TO_MEND}"
        if needs_it:
            raise StepFault(f"{why}; {needs_it}", say=Say("no_permission")) from refused
        access.note(platform, why)
        _start_by_hand(unit, ctx, why)
    except (DidNotReturn, DeadlineExceeded) as refused:
        if needs_it:
            raise type(refused)(f"{refused}, and {needs_it}") from refused
        if ctx.deadline.expired or unit.device.mode is not Mode.APPLICATION:
            raise
        why = f"it does not come into DFU ({refused})"
    else:
        access.note(platform, "")
        return how
    firmware.give_up_dfu(why)
    return None


def _start_by_hand(unit: Unit, ctx: StepContext, why: str) -> None:
    """Have a unit restarted that is in DFU and takes no command there, as nobody may open it."""
    try:
        ask_hands(unit.device, ctx, Goal.RESTART)
    except (DeadlineExceeded, DidNotReturn) as error:
        raise StepFault(f"{why}; the unit waits in DFU for its RESET button", say=Say("no_permission")) from error
