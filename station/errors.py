"""The errors of the station, and the one table that turns any error into an outcome.

::

    StationError
     +- BadInput        a profile, config, label, firmware folder or command line that is refused
     +- CloudError      the cloud refused, failed or did not answer (subclasses in station/cloud/errors.py)
     +- JournalError    the journal cannot be written or read: no record, no pass
     |   +- JournalHeld not now: locked, disk full; waiting may help, and nothing of it was recorded
     |   +- JournalInUse another station has it
     |   +- JournalDamaged the file itself does not hold together
     +- UnitRejected    the unit does not meet the profile: wrong platform, label, product, ...
     +- StepFault       a step found that it cannot decide
     +- NoBatchOpen     no open batch takes a unit: that is about the bench, so the unit waits
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers import errors as driver

from .model import Mender, Outcome
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

    ``who`` can mend it, "" if nobody has to, in words, and ``mender`` as one of a few; ``is_widespread``: any other
    unit would fare no better now.
    """

    say = Say("cloud_failed")
    who = ""
    mender = Mender.NOBODY
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


class JournalDamaged(JournalError):
    """The file of the journal is damaged: pages, not what stands in them."""


class JournalInUse(JournalError):
    """Another station holds the data directory: only that one may write."""


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


class NoBatchOpen(StationError):
    """No open batch takes the unit. Which are open is no fault of it: its slot asks to open one or to take it out.

    ``say`` tells the operator.
    """

    def __init__(self, message: str, *, say: Say) -> None:
        super().__init__(message)
        self.say = say


@dataclass(frozen=True, slots=True)
class Classified:
    """What an error makes of a step: its outcome, and what the operator is told."""

    outcome: Outcome
    say: Say
    is_bug: bool = False  # nobody foresaw it: its stack belongs into the log


_TABLE: tuple[tuple[type[BaseException], Classified], ...] = (
    # the first row whose class fits wins: the special before the general
    (UnitRejected, Classified(Outcome.FAILED, Say("unit_rejected"))),
    (driver.GarbledConsole, Classified(Outcome.ERROR, Say("console_garbled"))),
    (driver.StrangeIdentity, Classified(Outcome.FAILED, Say("strange_identity"))),
    (driver.BadIdentity, Classified(Outcome.FAILED, Say("unknown_serial"))),
    (driver.OutOfRequests, Classified(Outcome.ERROR, Say("unit_busy"))),
    (driver.ProtectionUnknown, Classified(Outcome.ERROR, Say("protection_unknown"))),
    (driver.NotNow, Classified(Outcome.ERROR, Say("unit_busy"))),
    (driver.NotOffered, Classified(Outcome.ERROR, Say("request_not_offered"))),
    (driver.RequestUnknown, Classified(Outcome.ERROR, Say("request_not_offered"))),
    (driver.UnitProtected, Classified(Outcome.FAILED, Say("protected"))),
    (driver.ReadBackDiffers, Classified(Outcome.FAILED, Say("verify_failed"))),
    (driver.DfuFailed, Classified(Outcome.FAILED, Say("write_failed"))),
    (driver.DeviceRefused, Classified(Outcome.FAILED, Say("unit_refused"))),
    (driver.Cancelled, Classified(Outcome.ABORTED, Say("stopped_by_operator"))),
    (driver.Swapped, Classified(Outcome.ABORTED, Say("swapped"))),
    (driver.Disconnected, Classified(Outcome.ABORTED, Say("unplugged_too_early"))),
    (driver.DidNotReturn, Classified(Outcome.ERROR, Say("did_not_return"))),
    (driver.PortInUse, Classified(Outcome.ERROR, Say("port_in_use"))),
    (driver.NoDeviceNodes, Classified(Outcome.ERROR, Say("no_device_nodes"))),
    (driver.AccessDenied, Classified(Outcome.ERROR, Say("no_permission"))),
    (driver.BootloaderStuck, Classified(Outcome.ERROR, Say("unit_stuck"))),
    (driver.PortShared, Classified(Outcome.ERROR, Say("port_in_use"))),
    (driver.TransferFailed, Classified(Outcome.ERROR, Say("bad_contact"))),
    (driver.DeadlineExceeded, Classified(Outcome.ERROR, Say("silent"))),
    (driver.LinkError, Classified(Outcome.ERROR, Say("silent"))),
    (driver.RemoteProtocolError, Classified(Outcome.ERROR, Say("silent"))),
    (driver.BadImage, Classified(Outcome.ERROR, Say("firmware_refused"))),
    (driver.WriteRefused, Classified(Outcome.ERROR, Say("firmware_refused"))),
    (JournalError, Classified(Outcome.ERROR, Say("journal_failed"))),
    (CloudError, Classified(Outcome.ERROR, CloudError.say)),
    (BadInput, Classified(Outcome.ERROR, Say("check_station"))),
    (BaseException, Classified(Outcome.ERROR, Say("check_station"), is_bug=True)),
)


def classify_error(error: BaseException) -> Classified:
    """Who is at fault: the unit (FAILED), a hand (ABORTED), or nobody we can name (ERROR)."""
    found = next(row for kind, row in _TABLE if isinstance(error, kind))
    say: Say = getattr(error, "say", NOTHING)
    return Classified(found.outcome, say) if say else found
