"""The control-request protocol against the vendor's bytes and a unit that is slow, full, or mad."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import DriverError, LocalProtocolError, RemoteProtocolError
from drivers.wire.actions import Transfer, Wait
from drivers.wire.control import host as control
from drivers.wire.control import tables as control_tables
from drivers.wire.control.host import (
    ControlExchange,
    Failed,
    FailureReason,
    Finished,
    ServiceReply,
    parse_raw_text,
    parse_reply,
)
from drivers.wire.control.tables import ServiceStatus
from drivers.wire.usb import Setup

VECTORS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("usb_vectors.toml").read_text())
VENDOR_DELAYS_S = (0.05, 0.05, 0.1, 0.1, 0.25, 0.25, 0.5, 0.5, 1.0)

SETUPS = {
    "S1": control.init(20, 0),
    "S2": control.init(21, 0),
    "S3": control.init(50, 0),
    "S4": control.init(73, 2),
    "S5": control.init(500, 36),
    "S6": control.init(253, 1027),
    "S7": control.check(0x0102),
    "S8": control.send(1, 2),
    "S9": control.recv(1, 26),
    "S10": control.recv(1, 4096),
    "S11": control.reset_all(),
    "S12": control.reset(7),
    "S13": control.raw_version(),
    "S14": control.raw_device_id(),
    "S15": control.raw_restart(needs_data=False).setup,
    "S15b": control.raw_restart(needs_data=True).setup,
    "S16": Setup(0x40, 0x50, 0, 302, 0),
    "S17": Setup(0xC0, 0xEE, 0, 4, 16),
}


@pytest.mark.parametrize("needs_data", [False, True])
def test_a_raw_restart_carries_the_data_its_setup_announces(needs_data: bool) -> None:
    transfer = control.raw_restart(needs_data=needs_data)
    assert transfer.data == (b"\0" if needs_data else b"")
    assert transfer.setup.length == len(transfer.data)


def hexed(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


@pytest.mark.parametrize("name", VECTORS["setup"])
def test_setup_packets_are_the_vendors_bytes(name: str) -> None:
    raw = hexed(VECTORS["setup"][name])
    assert SETUPS[name].to_bytes() == raw
    assert Setup.from_bytes(raw) == SETUPS[name]


@pytest.mark.parametrize("name", VECTORS["reply"])
def test_service_replies_read_as_the_vendors_encoder_wrote_them(name: str) -> None:
    row = VECTORS["reply"][name]
    wanted = ServiceReply(ServiceStatus(row["status"]), row.get("id"), row.get("size"), row.get("result"))
    assert parse_reply(hexed(row["raw"])) == wanted
    assert parse_reply(hexed(row["raw"]) + b"\xaa\xbb") == wanted, "trailing bytes are ignored"


@pytest.mark.parametrize("name", VECTORS["reply"])
def test_a_reply_cut_short_is_refused(name: str) -> None:
    raw = hexed(VECTORS["reply"][name]["raw"])
    for length in range(len(raw)):
        with pytest.raises(RemoteProtocolError):
            parse_reply(raw[:length])


@pytest.mark.parametrize("raw", ["02 00 00 00 00 00 01 00", "01 00 00 00 06 00", "01 00 00 00 ff ff"])
def test_a_reply_without_status_or_with_an_unknown_one_is_refused(raw: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_reply(hexed(raw))


@pytest.mark.parametrize("transcript", VECTORS["transcript"], ids=lambda t: t["name"])
def test_transcripts_of_the_vendors_library(transcript: dict[str, Any]) -> None:
    payload = hexed(transcript.get("payload", ""))
    exchange = ControlExchange(transcript["type"], payload, check_delays_s=VENDOR_DELAYS_S)
    for setup, data, waited_ms in transcript["steps"]:
        if waited_ms:
            assert exchange.next() == Wait(waited_ms / 1000)
        action = exchange.next()
        assert isinstance(action, Transfer)
        assert action.setup.to_bytes() == hexed(setup)
        if action.setup.is_in:
            exchange.receive(hexed(data))
        else:
            assert action.data == hexed(data)
            exchange.receive()
    assert exchange.next() == Finished(transcript["result"], hexed(transcript.get("reply", "")))


def test_opening_transcript_reads_the_version() -> None:
    assert parse_raw_text(hexed("36 2e 32 2e 30")) == "6.2.0"
    assert parse_raw_text(b"6.2.0\0\0\0") == "6.2.0"
    for broken in (b"", b"\0", b"6.2\xff", b"6\n2"):
        with pytest.raises(RemoteProtocolError):
            parse_raw_text(broken)


# --- a unit of our own ------------------------------------------------------------------------


def reply(status: int, *, id: int | None = None, size: int | None = None, result: int | None = None) -> bytes:
    flags = 1 | (2 if id is not None else 0) | (4 if size is not None else 0) | (8 if result is not None else 0)
    raw = flags.to_bytes(4, "little") + status.to_bytes(2, "little")
    raw += b"" if id is None else id.to_bytes(2, "little")
    raw += b"" if size is None else size.to_bytes(4, "little")
    return raw + (b"" if result is None else result.to_bytes(4, "little", signed=True))


OK, PENDING, BUSY, NO_MEMORY, NOT_FOUND = 0, 2, 3, 4, 5


def drive(exchange: ControlExchange, script: Iterator[bytes | None]) -> tuple[Finished | Failed, list[Transfer]]:
    """Answer each transfer with the next of ``script`` (None is a STALL); return the end and the transfers."""
    transfers: list[Transfer] = []
    while True:
        action = exchange.next()
        if isinstance(action, Finished | Failed):
            return action, transfers
        if isinstance(action, Transfer):
            transfers.append(action)
            answer = next(script)
            if answer is None:
                exchange.stalled()
            else:
                exchange.receive(answer)


@pytest.mark.parametrize("size", [1, 4095, 4096, 4097, 65535])
def test_replies_of_any_size_are_fetched_in_pieces_of_at_most_4096(size: int) -> None:
    data = bytes(i % 251 for i in range(size))
    pieces = [data[i : i + 4096] for i in range(0, size, 4096)]
    script = [reply(OK, id=1), reply(OK, size=size, result=0), *pieces]
    end, transfers = drive(ControlExchange(90), iter(script))
    assert end == Finished(0, data)
    assert [t.setup.length for t in transfers[2:]] == [len(p) for p in pieces]


@pytest.mark.parametrize("size", [1, 64, 65, 4096, 4097, 65535])
def test_payloads_of_any_size_are_sent_once_in_order(size: int) -> None:
    payload = bytes(i % 251 for i in range(size))
    count = -(-size // 4096)
    script = [reply(PENDING, id=9), reply(PENDING), reply(OK), *[b""] * count, reply(OK, result=0)]
    end, transfers = drive(ControlExchange(253, payload), iter(script))
    assert end == Finished(0)
    assert b"".join(t.data for t in transfers if not t.setup.is_in) == payload
    assert all(t.setup.length == len(t.data) <= 4096 for t in transfers if not t.setup.is_in)


def test_before_1_5_0_what_needs_two_pieces_is_refused_before_a_broken_transfer() -> None:
    whole = bytes(4096)
    script = [reply(PENDING, id=1), reply(OK), b"", reply(OK, size=4096, result=0), whole]
    assert drive(ControlExchange(10, whole, in_pieces=False), iter(script))[0] == Finished(0, whole)
    with pytest.raises(RemoteProtocolError, match=r"4097 bytes come in one piece before Device OS 1\.5\.0"):
        drive(ControlExchange(10, in_pieces=False), iter([reply(OK, id=1), reply(OK, size=4097, result=0)]))
    with pytest.raises(LocalProtocolError):
        ControlExchange(10, bytes(4097), in_pieces=False)


def test_a_negative_result_still_fetches_its_reply() -> None:
    end, _ = drive(ControlExchange(30), iter([reply(OK, id=1), reply(OK, size=3, result=-120), b"abc"]))
    assert end == Finished(-120, b"abc")


def test_check_delays_grow_start_again_after_the_payload_and_stay_at_the_last() -> None:
    exchange = ControlExchange(1, b"x" * 65, check_delays_s=(0.01, 0.02))
    answers = [reply(PENDING, id=1), *[reply(PENDING)] * 3, reply(OK), b"", *[reply(PENDING)] * 3, reply(OK, result=0)]
    waits, script = [], iter(answers)
    while not isinstance(action := exchange.next(), Finished):
        if isinstance(action, Wait):
            waits.append(action.seconds)
        else:
            exchange.receive(next(script))
    assert waits == [0.01, 0.02, 0.02, 0.02, 0.01, 0.02, 0.02, 0.02]


@pytest.mark.parametrize(
    ("payload", "script", "reason"),
    [
        (b"", [reply(BUSY)], FailureReason.BUSY),
        (b"", [reply(NO_MEMORY)], FailureReason.NO_MEMORY),
        (b"x" * 65, [reply(PENDING, id=1), reply(NO_MEMORY)], FailureReason.NO_MEMORY),
        (b"", [reply(OK, id=1), reply(NOT_FOUND)], FailureReason.GONE),
        (b"x", [reply(OK, id=1), b"", reply(OK)], FailureReason.PAYLOAD_LOST),
        (b"x" * 65, [reply(OK, id=1), None], FailureReason.PAYLOAD_LOST),
        (b"", [None], FailureReason.REFUSED),
        (b"", [reply(OK, id=1), None], FailureReason.UNANSWERED),
        (b"", [reply(OK, id=1), reply(OK, size=4, result=0), None], FailureReason.UNANSWERED),
    ],
    ids=["busy", "no memory", "no buffer", "gone", "small payload lost", "payload refused", "init", "check", "recv"],
)
def test_ways_to_end_without_a_result(payload: bytes, script: list[bytes | None], reason: FailureReason) -> None:
    exchange = ControlExchange(72, payload)
    assert drive(exchange, iter(script))[0] == Failed(reason)
    assert exchange.next() == Failed(reason), "the end stays the end"


@pytest.mark.parametrize(
    "script",
    [
        [reply(OK)],  # no id
        [reply(PENDING, id=1)],  # pending without payload
        [reply(1, id=1)],  # ERROR is never sent
        [reply(OK, id=1), reply(OK, size=65536, result=0)],
        [reply(OK, id=1), reply(1)],
        [reply(OK, id=1), reply(OK, size=4, result=0), b"abc"],
        [reply(OK, id=1), reply(OK, size=4, result=0), b"abcde"],
        [b"x" * 5000],
    ],
)
def test_broken_replies_are_the_units_fault(script: list[bytes | None]) -> None:
    with pytest.raises(RemoteProtocolError):
        drive(ControlExchange(72), iter(script))


def test_a_request_cancelled_before_its_payload_ends_with_its_result() -> None:
    end, transfers = drive(ControlExchange(1, b"x" * 65), iter([reply(PENDING, id=1), reply(OK, result=-140)]))
    assert end == Finished(-140)
    assert all(t.setup.is_in for t in transfers)


def test_the_unit_may_count_its_ids_over_to_zero() -> None:
    exchange = ControlExchange(72)
    end, transfers = drive(exchange, iter([reply(OK, id=0), reply(OK, result=0)]))
    assert end == Finished(0)
    assert exchange.request_id == 0
    assert transfers[1].setup == control.check(0)


def test_our_own_mistakes_are_told_apart_from_the_units() -> None:
    for request_type, payload in ((-1, b""), (65536, b""), (1, b"x" * 65536)):
        with pytest.raises(LocalProtocolError):
            ControlExchange(request_type, payload)
    exchange = ControlExchange(72)
    with pytest.raises(LocalProtocolError):
        exchange.receive(b"")
    exchange.next()
    with pytest.raises(LocalProtocolError):
        exchange.next()


def test_a_payload_never_shows_in_a_trace_by_accident() -> None:
    exchange = ControlExchange(500, b"hunter2")
    exchange.next()
    exchange.receive(reply(OK, id=1))
    assert "hunter2" not in repr(exchange.next())
    assert "hunter2" not in repr(Finished(0, b"hunter2"))


@given(st.binary(max_size=80))
def test_reading_a_reply_raises_only_our_own_errors(raw: bytes) -> None:
    with contextlib.suppress(DriverError):
        parse_reply(raw)


@given(st.binary(max_size=70), st.lists(st.one_of(st.none(), st.binary(max_size=20)), min_size=1, max_size=30))
def test_a_mad_unit_raises_only_our_own_errors(payload: bytes, answers: list[bytes | None]) -> None:
    with contextlib.suppress(DriverError, StopIteration):  # StopIteration: it still waits for more
        drive(ControlExchange(1, payload), iter(answers))


plausible = st.builds(
    reply,
    st.integers(0, 6),
    id=st.one_of(st.none(), st.integers(0, 0xFFFF)),
    size=st.one_of(st.none(), st.integers(0, 9000)),
    result=st.one_of(st.none(), st.integers(-2000, 0)),
)


@given(st.binary(max_size=70), st.lists(st.one_of(st.none(), plausible), min_size=1, max_size=12))
def test_any_order_of_plausible_replies_ends_or_waits_for_more(payload: bytes, answers: list[bytes | None]) -> None:
    try:
        end, transfers = drive(ControlExchange(1, payload), iter(answers))
    except (RemoteProtocolError, StopIteration):
        return
    assert isinstance(end, Finished | Failed)
    assert transfers[0].setup == control.init(1, len(payload))
    assert sum(t.setup.request == control_tables.Service.INIT for t in transfers) == 1
