"""The one table that says who is at fault."""

from __future__ import annotations

import pytest

from drivers import errors as driver
from station.cloud.errors import CloudDown, CloudRefused, NotTheCloud, RateLimited, TokenRejected
from station.cloud.evidence import About
from station.errors import BadInput, CloudError, JournalError, StationError, StepFault, UnitRejected, classify_error
from station.firmware.checks import PlanRefused, Refusal
from station.model import Outcome
from station.words.say import Say

ROWS = [
    (UnitRejected("x", say=Say("wrong_label")), Outcome.FAILED, "wrong_label"),
    (UnitRejected("x"), Outcome.FAILED, "unit_rejected"),
    (PlanRefused("x", Refusal.DEPENDENCY), Outcome.FAILED, "dependency_missing"),
    (driver.BadIdentity("x"), Outcome.FAILED, "unknown_serial"),
    (driver.StrangeIdentity("x"), Outcome.FAILED, "strange_identity"),
    (driver.GarbledConsole("x"), Outcome.ERROR, "console_garbled"),
    (driver.RequestRejected("x", request=21, code=-1400), Outcome.FAILED, "unit_refused"),
    (driver.NotNow("x", request=554, code=-110), Outcome.ERROR, "unit_busy"),
    (driver.NotOffered("x", request=90, code=-120), Outcome.ERROR, "request_not_offered"),
    (driver.ProtectionUnknown("x"), Outcome.ERROR, "protection_unknown"),
    (driver.UnitProtected("x", request=21, code=-1801), Outcome.FAILED, "protected"),
    (driver.OutOfRequests("x"), Outcome.ERROR, "unit_busy"),
    (driver.ReadBackDiffers("x", address=0x30000), Outcome.FAILED, "verify_failed"),
    (driver.Cancelled("x"), Outcome.ABORTED, "stopped_by_operator"),
    (driver.Swapped("x", expected="a", found="b"), Outcome.ABORTED, "swapped"),
    (driver.Disconnected("x"), Outcome.ABORTED, "unplugged_too_early"),
    (driver.DidNotReturn("x"), Outcome.ERROR, "did_not_return"),
    (driver.AccessDenied("x"), Outcome.ERROR, "no_permission"),
    (driver.PortInUse("x"), Outcome.ERROR, "port_in_use"),
    (driver.NoDeviceNodes("x"), Outcome.ERROR, "no_device_nodes"),
    (driver.PortShared("x"), Outcome.ERROR, "port_in_use"),
    (driver.TransferFailed("x"), Outcome.ERROR, "bad_contact"),
    (driver.BootloaderStuck("x"), Outcome.ERROR, "unit_stuck"),
    (driver.DeadlineExceeded("x"), Outcome.ERROR, "silent"),
    (driver.TransferTimeout("x"), Outcome.ERROR, "silent"),
    (driver.RemoteProtocolError("x"), Outcome.ERROR, "silent"),
    (driver.WriteRefused("x"), Outcome.ERROR, "firmware_refused"),
    (driver.BadImage("x"), Outcome.ERROR, "firmware_refused"),
    (JournalError("x"), Outcome.ERROR, "journal_failed"),
    (BadInput("x"), Outcome.ERROR, "check_station"),
    (CloudDown("x"), Outcome.ERROR, "cloud_failed"),
    (RateLimited("x"), Outcome.ERROR, "cloud_limit"),
    (TokenRejected("x"), Outcome.ERROR, "token_rejected"),
    (CloudRefused("x", status=403, words="no", about=About.UNIT), Outcome.ERROR, "cloud_refused"),
    (CloudRefused("x", status=403, words="no", about=About.PRODUCT), Outcome.ERROR, "cloud_mend"),
    (NotTheCloud("x"), Outcome.ERROR, "cloud_blocked"),
    (StepFault("x", say=Say("bench_wifi_down")), Outcome.ERROR, "bench_wifi_down"),
    (KeyError("a bug of ours"), Outcome.ERROR, "check_station"),
]


@pytest.mark.parametrize(("error", "outcome", "sentence"), ROWS, ids=lambda value: type(value).__name__)
def test_an_error_is_blamed_on_the_unit_a_hand_or_nobody(error: Exception, outcome: Outcome, sentence: str) -> None:
    found = classify_error(error)
    assert (found.outcome, found.say.key) == (outcome, sentence)


def all_of(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(all_of(child) for child in kind.__subclasses__()))


def test_only_a_unit_that_is_known_to_be_bad_fails() -> None:
    """Every driver and station error that is not about the unit itself leaves it unjudged."""
    about_the_unit = {UnitRejected, PlanRefused, *all_of(driver.DeviceRefused), *all_of(driver.BadIdentity)}
    # busy, perhaps with what another program left in it: plug it in again
    about_the_unit -= {driver.OutOfRequests, driver.NotNow, driver.ProtectionUnknown}
    about_the_unit -= {driver.NotOffered}  # about its firmware, or our table of what that has
    for kind in all_of(driver.DriverError) | all_of(StationError) | all_of(CloudError):
        if not kind.__module__.startswith(("drivers", "station")):
            continue
        judged = classify_error(kind.__new__(kind))
        assert (judged.outcome is Outcome.FAILED) == (kind in about_the_unit), kind
