"""What one failed transfer or refused request means: the two tables, row by row."""

from __future__ import annotations

import pytest
from support.reference_files import needs_reference, result_codes

from drivers.errors import (
    Disconnected,
    LinkError,
    NotNow,
    NotOffered,
    PortInUse,
    RequestRejected,
    Stalled,
    TransferFailed,
    TransferTimeout,
    UnitProtected,
)
from drivers.wire.control import host as control
from drivers.wire.control.tables import RequestType
from drivers.wire.dfu import transfers as dfu
from drivers.wire.patience import (
    NO_ROOM,
    ONCE,
    Kind,
    is_repeatable,
    kind_of,
    refusals,
    rejected,
    repeats,
    standing,
)
from drivers.wire.results import RESULTS, About, ResultCode, describe_result, result_of
from drivers.wire.usb import Setup

MOVES_THE_UNIT = [
    control.init(20, 0), control.send(1, 4), control.recv(1, 4), Setup(0x40, 0x50, 0, 40, 0),
    dfu.dnload(0, 5), dfu.dnload(2, 4096), dfu.dnload(2, 0), dfu.clear_status(), dfu.abort(), Setup(0, 9, 1, 0, 0),
]  # fmt: skip
ONLY_ASKS = [
    control.check(1), control.reset(0), control.raw_version(), dfu.upload(2, 4096),
    Setup(0xA1, 5, 0, 0, 1), dfu.set_interface(1), Setup(0x80, 6, 0x0303, 0x0409, 255),
]  # fmt: skip


@pytest.mark.parametrize("setup", MOVES_THE_UNIT, ids=lambda setup: setup.to_bytes().hex())
def test_what_moves_the_unit_on_is_never_sent_twice_unseen(setup: Setup) -> None:
    assert kind_of(setup) is Kind.STEP
    for error in (Stalled("x"), TransferFailed("x"), TransferTimeout("x")):
        assert repeats(kind_of(setup), error).pause(1) is None


@pytest.mark.parametrize("setup", ONLY_ASKS, ids=lambda setup: setup.to_bytes().hex())
@pytest.mark.parametrize("error", [Stalled("x"), TransferFailed("x")])
def test_what_only_asks_is_repeated_with_growing_pauses_and_then_stands(setup: Setup, error: LinkError) -> None:
    row = repeats(kind_of(setup), error)
    pauses = [pause for failures in range(1, 9) if (pause := row.pause(failures)) is not None]
    assert len(pauses) >= 2
    assert pauses == sorted(pauses)
    assert sum(pauses) < 2.0, "a unit that is gone for good is told as that within two seconds"
    assert row.pause(9) is None


def test_a_dfu_status_is_repeated_when_it_got_lost_and_never_when_it_was_stalled() -> None:
    """A Gen 2 stalls it once for a block that failed; asked again it calls everything OK."""
    kind = kind_of(dfu.get_status())
    assert repeats(kind, Stalled("x")).pause(1) is None
    assert repeats(kind, TransferFailed("x")).pause(4) is not None
    assert repeats(kind, TransferTimeout("x")).pause(1000) == 0.0


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("error", [Disconnected("x"), PortInUse("x")])
def test_a_unit_that_left_or_belongs_to_another_program_is_not_asked_again(kind: Kind, error: LinkError) -> None:
    assert repeats(kind, error).pause(1) is None


def test_a_unit_too_busy_to_answer_is_polled_as_long_as_there_is_time() -> None:
    assert repeats(Kind.POLL, TransferTimeout("x")).pause(1000) == 0.0
    assert repeats(Kind.READ, TransferTimeout("x")).pause(4) is None, "a descriptor is asked for four times"


# --- requests ---

MOMENT = [
    -100, -110, -140, -150, -160, -200, -201, -210, -220, -221, -230, -240, -250, -260, -1000, -1001, -1002, -1003,
    -1004, -1005, -1100, -1132, -1200, -1210, -1600, -1606, -1700, -1706, -1712, -2000, -2011, -3000, -9999,
]  # fmt: skip
UNIT = [
    -1, -120, -130, -170, -180, -190, -191, -219, -225, -226, -270, -280, -281, -290, -300, -1300, -1310, -1320, -1330,
    -1331, -1340, -1350, -1351, -1360, -1370, -1380, -1390, -1400, -1800, -1801, -1802, -1803, -1900, -1911, -1912,
]  # fmt: skip


@pytest.mark.parametrize("code", MOMENT)
def test_a_code_about_the_moment_is_asked_again_as_long_as_the_request_may_take_and_judges_nobody(code: int) -> None:
    assert result_of(code).about is About.MOMENT
    row = refusals(RequestType.GET_ICCID, code)
    assert (row.pause(1), row.pause(1000)) == (0.1, 4.0)
    assert isinstance(standing(RequestRejected("x", request=554, code=code)), NotNow)


@pytest.mark.parametrize("code", UNIT)
def test_a_code_about_the_unit_is_asked_once_more_and_then_stands(code: int) -> None:
    row = refusals(RequestType.GET_ICCID, code)
    assert row.pause(1) is not None
    assert row.pause(2) is None
    assert not isinstance(standing(RequestRejected("x", request=554, code=code)), NotNow)


def test_every_row_of_the_table_means_what_this_test_says() -> None:
    assert set(RESULTS) == set(ResultCode)
    assert {int(code) for code in ResultCode} - {0} <= set(MOMENT) | set(UNIT)


@needs_reference
def test_every_code_of_the_reference_has_its_row() -> None:
    rows = result_codes()
    assert len(rows) > 35
    for codes, names in rows:
        first, is_range, last = codes.strip().partition(" .. ")
        if is_range:
            assert "without a name" not in describe_result(int(first)) + describe_result(int(last))
            continue
        for code, name in zip(codes.split("/"), names.split("/"), strict=True):
            assert ResultCode(int(code)).name.endswith(name.strip().replace("OTA general", "OTA_ERROR"))


FIRMWARE = [-120, -130, -190, -191, -270, -280, -281, -290, -300, -1380]


@pytest.mark.parametrize("code", [*MOMENT, *UNIT])
def test_a_code_about_firmware_or_request_is_no_word_about_the_unit(code: int) -> None:
    error = rejected(90, "GET_MODULE_INFO", code)
    assert isinstance(error, NotOffered) is (code in FIRMWARE)
    assert isinstance(error, UnitProtected) is (code == -1801)
    assert (error.request, error.code) == (90, code)
    assert f"({code})" in str(error)


def test_an_answer_that_is_a_state_is_not_asked_again() -> None:
    assert refusals(RequestType.GET_CURRENT_NETWORK, -210).pause(1) is None
    assert refusals(RequestType.GET_ICCID, -210).pause(1) is not None


@pytest.mark.parametrize("request_type", [RequestType.JOIN_NEW_NETWORK, RequestType.FINISH_FIRMWARE_UPDATE])
def test_what_a_table_of_its_own_judges_is_left_to_it(request_type: int) -> None:
    assert refusals(request_type, -110).pause(1) is None


def test_a_request_without_a_free_slot_is_begun_again_until_its_time_is_over() -> None:
    assert [NO_ROOM.pause(tries) for tries in (1, 2, 3, 1000)] == [0.1, 0.5, 1.0, 1.0]


def test_only_what_must_not_happen_twice_is_not_asked_again_when_its_answer_got_lost() -> None:
    assert {request for request in RequestType if not is_repeatable(request)} == ONCE
    assert {RequestType.FIRMWARE_UPDATE_DATA, RequestType.RESET, RequestType.DFU_MODE} <= ONCE
    assert RequestType.SET_CLAIM_CODE not in ONCE
