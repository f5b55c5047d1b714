"""The errors of the station, and the one table that turns any error into an outcome.

::

    StationError
     +- BadInput        a profile, config, label, firmware folder or command line that is refused
     +- CloudError      the cloud refused, failed or did not answer (subclasses in station/cloud/errors.py)
     +- JournalError    the journal cannot be written or read: no record, no pass
     |   +- JournalHeld not now: locked, disk full; waiting may help, and nothing of it was recorded
     +- UnitRejected    the unit does not meet the profile: wrong platform, label, product, ...
     +- StepFault       a step found that it cannot decide
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers import errors as driver

from .model import Outcome
from .words.say import NOTHING, Say


class StationError(Exception):
    """Root of all errors of the package ``station``."""


class BadInput(StationError):
    """A text from outside is refused: what, where, what was expected, what to write instead; a sentence a mistake."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(sentences[0] + (f" (and {len(sentences) - 1} more)" if sentences[1:] else ""))
        self.sentences = sentences


class CloudError(StationError):
    """The cloud refused, failed or did not answer. ``say`` is for the operator, by class.

    ``who`` can mend it, "" if nobody has to; ``is_widespread``: any other unit would fare no better now.
    """

    say = Say("cloud_failed")
    who = ""
    is_widespread = False

    @property
    def told(self) -> str:
        """What stops the work, and who can mend it."""
        return f"{self}; waits for {self.who}" if self.who else str(self)


class JournalError(StationError):
    """The journal failed: every slot ends ERROR."""


class JournalHeld(JournalError):
    """The journal cannot be used now, and waiting may help. Nothing of what was asked was recorded.

    ``say`` tells the operator what to wait for.
    """

    def __init__(self, message: str, *, say: Say) -> None:
        super().__init__(message)
        self.say = say


class UnitRejected(StationError):
    """The unit is the wrong one or a bad one: FAIL. ``say`` tells the operator."""

    def __init__(self, message: str, *, say: Say = NOTHING) -> None:
        super().__init__(message)
        self.say = say


class StepFault(StationError):
    """A step cannot tell whether the unit is good: ERROR. ``say`` as in `UnitRejected`."""

    def __init__(self, message: str, *, say: Say = NOTHING) -> None:
        super().__init__(message)
        self.say = say


@dataclass(frozen=True, slots=True)
class Blame:
    """What an error makes of a step: its outcome, and what the operator is told."""

    outcome: Outcome
    say: Say
    is_bug: bool = False  # nobody foresaw it: its stack belongs into the log


_TABLE: tuple[tuple[type[BaseException], Blame], ...] = (
    # the first row whose class fits wins: the special before the general
    (UnitRejected, Blame(Outcome.FAILED, Say("unit_rejected"))),
    (driver.GarbledConsole, Blame(Outcome.ERROR, Say("console_garbled"))),
    (driver.StrangeIdentity, Blame(Outcome.FAILED, Say("strange_identity"))),
    (driver.BadIdentity, Blame(Outcome.FAILED, Say("unknown_serial"))),
    (driver.OutOfRequests, Blame(Outcome.ERROR, Say("unit_busy"))),
    (driver.ProtectionUnknown, Blame(Outcome.ERROR, Say("protection_unknown"))),
    (driver.NotNow, Blame(Outcome.ERROR, Say("unit_busy"))),
    (driver.UnitProtected, Blame(Outcome.FAILED, Say("protected"))),
    (driver.ReadBackDiffers, Blame(Outcome.FAILED, Say("verify_failed"))),
    (driver.DfuFailed, Blame(Outcome.FAILED, Say("write_failed"))),
    (driver.DeviceRefused, Blame(Outcome.FAILED, Say("unit_refused"))),
    (driver.Cancelled, Blame(Outcome.ABORTED, Say("stopped_by_operator"))),
    (driver.Swapped, Blame(Outcome.ABORTED, Say("swapped"))),
    (driver.Disconnected, Blame(Outcome.ABORTED, Say("unplugged_too_early"))),
    (driver.DidNotReturn, Blame(Outcome.ERROR, Say("did_not_return"))),
    (driver.PortInUse, Blame(Outcome.ERROR, Say("port_in_use"))),
    (driver.NoDeviceNodes, Blame(Outcome.ERROR, Say("no_device_nodes"))),
    (driver.AccessDenied, Blame(Outcome.ERROR, Say("no_permission"))),
    (driver.BootloaderStuck, Blame(Outcome.ERROR, Say("unit_stuck"))),
    (driver.PortShared, Blame(Outcome.ERROR, Say("port_in_use"))),
    (driver.TransferFailed, Blame(Outcome.ERROR, Say("bad_contact"))),
    (driver.DeadlineExceeded, Blame(Outcome.ERROR, Say("silent"))),
    (driver.LinkError, Blame(Outcome.ERROR, Say("silent"))),
    (driver.RemoteProtocolError, Blame(Outcome.ERROR, Say("silent"))),
    (driver.BadImage, Blame(Outcome.ERROR, Say("firmware_refused"))),
    (driver.WriteRefused, Blame(Outcome.ERROR, Say("firmware_refused"))),
    (JournalError, Blame(Outcome.ERROR, Say("journal_failed"))),
    (CloudError, Blame(Outcome.ERROR, CloudError.say)),
    (BadInput, Blame(Outcome.ERROR, Say("check_station"))),
    (BaseException, Blame(Outcome.ERROR, Say("check_station"), is_bug=True)),
)


def blame(error: BaseException) -> Blame:
    """Who is at fault: the unit (FAILED), a hand (ABORTED), or nobody we can name (ERROR)."""
    found = next(row for kind, row in _TABLE if isinstance(error, kind))
    say: Say = getattr(error, "say", NOTHING)
    return Blame(found.outcome, say) if say else found
