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


class StationError(Exception):
    """Root of all errors of the package ``station``."""


class BadInput(StationError):
    """A text from outside is refused: what, where, what was expected, what to write instead."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """One for every mistake that was found."""
        return (str(self),)


class CloudError(StationError):
    """The cloud refused, failed or did not answer. ``sentence`` is the operator's, by class.

    ``who`` can mend it, "" if nobody has to; ``is_widespread``: any other unit would fare no better now.
    """

    sentence = "cloud_failed"
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

    ``sentence`` (a key of the word catalogue) says what to wait for.
    """

    def __init__(self, message: str, *, sentence: str) -> None:
        super().__init__(message)
        self.sentence = sentence


class UnitRejected(StationError):
    """The unit is the wrong one or a bad one: FAIL. ``sentence`` names the word-catalogue entry."""

    def __init__(self, message: str, *, sentence: str = "", values: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.sentence = sentence
        self.values = values


class StepFault(StationError):
    """A step cannot tell whether the unit is good: ERROR. ``sentence`` as in `UnitRejected`."""

    def __init__(self, message: str, *, sentence: str = "", values: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.sentence = sentence
        self.values = values


@dataclass(frozen=True, slots=True)
class Blame:
    """What an error makes of a step: its outcome and the operator's sentence (a key of the word catalogue)."""

    outcome: Outcome
    sentence: str
    is_bug: bool = False  # nobody foresaw it: its stack belongs into the log


_TABLE: tuple[tuple[type[BaseException], Blame], ...] = (
    # the first row whose class fits wins: the special before the general
    (UnitRejected, Blame(Outcome.FAILED, "unit_rejected")),
    (driver.GarbledConsole, Blame(Outcome.ERROR, "console_garbled")),
    (driver.StrangeIdentity, Blame(Outcome.FAILED, "strange_identity")),
    (driver.BadIdentity, Blame(Outcome.FAILED, "unknown_serial")),
    (driver.OutOfRequests, Blame(Outcome.ERROR, "unit_busy")),
    (driver.ProtectionUnknown, Blame(Outcome.ERROR, "protection_unknown")),
    (driver.NotNow, Blame(Outcome.ERROR, "unit_busy")),
    (driver.UnitProtected, Blame(Outcome.FAILED, "protected")),
    (driver.ReadBackDiffers, Blame(Outcome.FAILED, "verify_failed")),
    (driver.DfuFailed, Blame(Outcome.FAILED, "write_failed")),
    (driver.DeviceRefused, Blame(Outcome.FAILED, "unit_refused")),
    (driver.Cancelled, Blame(Outcome.ABORTED, "stopped_by_operator")),
    (driver.Swapped, Blame(Outcome.ABORTED, "swapped")),
    (driver.Disconnected, Blame(Outcome.ABORTED, "unplugged_too_early")),
    (driver.DidNotReturn, Blame(Outcome.ERROR, "did_not_return")),
    (driver.PortInUse, Blame(Outcome.ERROR, "port_in_use")),
    (driver.NoDeviceNodes, Blame(Outcome.ERROR, "no_device_nodes")),
    (driver.AccessDenied, Blame(Outcome.ERROR, "no_permission")),
    (driver.BootloaderStuck, Blame(Outcome.ERROR, "unit_stuck")),
    (driver.PortShared, Blame(Outcome.ERROR, "port_in_use")),
    (driver.TransferFailed, Blame(Outcome.ERROR, "bad_contact")),
    (driver.DeadlineExceeded, Blame(Outcome.ERROR, "silent")),
    (driver.LinkError, Blame(Outcome.ERROR, "silent")),
    (driver.RemoteProtocolError, Blame(Outcome.ERROR, "silent")),
    (driver.BadImage, Blame(Outcome.ERROR, "firmware_refused")),
    (driver.WriteRefused, Blame(Outcome.ERROR, "firmware_refused")),
    (JournalError, Blame(Outcome.ERROR, "journal_failed")),
    (CloudError, Blame(Outcome.ERROR, CloudError.sentence)),
    (BadInput, Blame(Outcome.ERROR, "check_station")),
    (BaseException, Blame(Outcome.ERROR, "check_station", is_bug=True)),
)


def blame(error: BaseException) -> Blame:
    """Who is at fault: the unit (FAILED), a hand (ABORTED), or nobody we can name (ERROR)."""
    found = next(row for kind, row in _TABLE if isinstance(error, kind))
    sentence = getattr(error, "sentence", "")
    return Blame(found.outcome, sentence) if sentence else found
