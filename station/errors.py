"""The errors of the station, and the one table that turns any error into a verdict.

::

    StationError
     +- BadInput        a profile, config, label, firmware folder or command line that is refused
     +- CloudError      the cloud refused, failed or did not answer (subclasses in station/cloud/errors.py)
     +- JournalError    the journal cannot be written or read: no record, no pass
     +- UnitRejected    the unit does not meet the profile: wrong platform, label, product, ...
     +- StepFault       a step found that it cannot decide
"""

from __future__ import annotations


class StationError(Exception):
    """Root of all errors of the package ``station``."""


class BadInput(StationError):
    """A text from outside is refused: what, where, what was expected, what to write instead."""


class CloudError(StationError):
    """The cloud refused, failed or did not answer."""


class JournalError(StationError):
    """The journal failed: every slot ends ERROR."""


class UnitRejected(StationError):
    """The unit is the wrong one or a bad one: FAIL. ``sentence`` names the word-catalogue entry."""

    def __init__(self, message: str, *, sentence: str = "", values: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.sentence = sentence
        self.values = values


class StepFault(StationError):
    """A step cannot tell whether the unit is good: ERROR."""
