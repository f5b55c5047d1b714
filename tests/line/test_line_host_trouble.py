"""Trouble of this computer is no trouble of the unit: each has its own sentence, and none is a FAIL."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
import serial
from line_bench import ARGON, BORON, LineBench, Recipe, line_bench, replace

from drivers.virtual.faults import parse_fault
from drivers.virtual.serial_side import VirtualSerial
from drivers.virtual.unit import UnitMode
from station.engine.events import UnitIdentified
from station.model import Verdict

SECRET = replace(BORON, keep_secret=True)
"""Only the console tells a mobile secret, so these walks need it."""
OLD = replace(BORON, device_os="4.1.0")
"""Its request 554 has no IMEI, so the console is asked for it."""
Tamper = Callable[[bytes], bytes]
NOISE = b"AT\r\nATE0\r\n\x00\xfe\xff~garbled"


class Line(VirtualSerial):
    """A console whose replies somebody has a hand in: ``tampers`` holds one tampering per answered question."""

    def __init__(self, bench: LineBench, device: str, tampers: list[Tamper]) -> None:
        self._tampers, self._text = tampers, b""
        super().__init__(bench.bus, device, timeout=None)

    def read(self, size: int = 1) -> bytes:
        """All of an answer at once, so that one tampering sees all of it."""
        if not self._text:
            answer = b""
            while (piece := self._rest()) != b"":
                answer += piece
            if b"Device ID: " in answer and self._tampers:
                answer = self._tampers.pop(0)(answer)
            self._text = answer
        taken, self._text = self._text[:size], self._text[size:]
        return taken

    def _rest(self) -> bytes:
        self.timeout = 0.2
        return super().read(4096)

    @property
    def in_waiting(self) -> int:
        return len(self._text)


def swapped(old: bytes, new: bytes) -> Tamper:
    return lambda text: text.replace(old, new)


def walk_with(bench: LineBench, recipe: Recipe, tampers: list[Tamper]) -> tuple[Verdict, str]:
    unit = bench.finished_unit(recipe)
    serial_number = str(unit.spec.serial).encode()
    other = serial_number[:-1] + (b"1" if serial_number[-1:] != b"1" else b"2")
    known = {b"SERIAL": serial_number, b"OTHER": other}

    def bound(tamper: Tamper) -> Tamper:
        return lambda text: tamper(text.replace(known[b"SERIAL"], b"SERIAL")).replace(b"SERIAL", known[b"SERIAL"]).replace(b"OTHER", known[b"OTHER"])  # fmt: skip # noqa: E501

    bound_tampers = [bound(tamper) for tamper in tampers]
    bench.open_port = lambda device: Line(bench, device, bound_tampers)
    walk = bench.walk(unit)
    assert bound_tampers == [], "every tampering has happened"
    assert unit.mode is not UnitMode.LISTENING
    return walk.verdict, walk.finished.sentence


GARBLED = swapped(b"Serial Number: ", b"Serial Number: \xff#")
OTHER_SERIAL = swapped(b"SERIAL", b"OTHER")


@pytest.mark.parametrize(
    "tampers",
    [[GARBLED], [GARBLED, GARBLED], [lambda text: NOISE + text], [OTHER_SERIAL], [OTHER_SERIAL, GARBLED]],
    ids=["a line", "a line twice", "another program's words", "one digit", "a digit, then a line"],
)
@pytest.mark.parametrize("recipe", [SECRET, OLD], ids=["secret", "imei"])
def test_a_console_line_that_was_garbled_is_asked_for_again(
    recipe: Recipe, tampers: list[Tamper], tmp_path: Path
) -> None:
    with line_bench(tmp_path, recipe) as bench:
        assert walk_with(bench, recipe, tampers) == (Verdict.PASS, "pass")


def test_a_console_that_is_always_garbled_is_said_and_judges_nobody(tmp_path: Path) -> None:
    with line_bench(tmp_path, SECRET) as bench:
        assert walk_with(bench, SECRET, [GARBLED] * 3) == (Verdict.ERROR, "console_garbled")


def test_a_console_that_tells_something_else_each_time_judges_nobody(tmp_path: Path) -> None:
    tampers = [swapped(b"SERIAL", f"P044AB{digit * 9}".encode()) for digit in "1234"]
    with line_bench(tmp_path, SECRET) as bench:
        assert walk_with(bench, SECRET, tampers) == (Verdict.ERROR, "console_garbled")


def test_a_console_that_says_twice_it_is_another_unit_is_believed(tmp_path: Path) -> None:
    with line_bench(tmp_path, SECRET) as bench:
        assert walk_with(bench, SECRET, [OTHER_SERIAL] * 2) == (Verdict.FAIL, "numbers_differ")


def test_a_mobile_secret_is_kept_only_when_it_was_read_twice_alike(tmp_path: Path) -> None:
    with line_bench(tmp_path, SECRET) as bench:
        unit = bench.finished_unit(SECRET)
        secret = unit.spec.mobile_secret.reveal().encode()
        tampers = [swapped(secret, b"x" * 15)]
        bench.open_port = lambda device: Line(bench, device, tampers)
        assert bench.walk(unit).verdict is Verdict.PASS
        told = bench.station.journal.mobile_secret(unit.device_id)
        assert told is not None
        assert told.reveal().encode() == secret


# --- the serial port itself -----------------------------------------------------------------------


class Troubled(VirtualSerial):
    """A port whose first reads end in ``errors``."""

    def __init__(self, bench: LineBench, device: str, errors: list[Exception]) -> None:
        self._errors = errors
        super().__init__(bench.bus, device, timeout=None)

    def read(self, size: int = 1) -> bytes:
        if self._errors:
            raise self._errors.pop(0)
        return super().read(size)


SHARED = serial.SerialException(
    "device reports readiness to read but returned no data (device disconnected or multiple access on port?)"
)
HUNG_UP = serial.SerialException(errno.EIO, "Input/output error")


@pytest.mark.parametrize("error", [SHARED, HUNG_UP, OSError(errno.EINTR, "Interrupted system call")])
def test_a_read_that_fails_opens_the_port_again(error: Exception, tmp_path: Path) -> None:
    with line_bench(tmp_path, SECRET) as bench:
        errors = [error, error]
        bench.open_port = lambda device: Troubled(bench, device, errors)
        walk = bench.walk(bench.finished_unit(SECRET))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert errors == []


@pytest.mark.parametrize(("error", "sentence"), [(SHARED, "port_in_use"), (HUNG_UP, "bad_contact")])
def test_a_port_another_program_reads_too_is_named_as_that(error: Exception, sentence: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, SECRET) as bench:
        bench.open_port = lambda device: Troubled(bench, device, [error])
        walk = bench.walk(bench.finished_unit(SECRET))
        assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, sentence)


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EAGAIN])
def test_a_port_another_program_has_locked_is_named_as_that_and_a_moment_of_it_is_waited_out(
    number: int, tmp_path: Path
) -> None:
    locked_s = [3.0, 1000.0]
    with line_bench(tmp_path, SECRET) as bench:
        opened_at: list[float] = []

        def open_port(device: str) -> serial.SerialBase:
            opened_at.append(bench.clock.now())
            if bench.clock.now() - opened_at[0] < locked_s[0]:
                raise serial.SerialException(number, "could not exclusively lock port")
            return VirtualSerial(bench.bus, device, timeout=None)

        bench.open_port = open_port
        assert bench.walk(bench.finished_unit(SECRET, 1)).verdict is Verdict.PASS
        del locked_s[0], opened_at[:]
        walk = bench.walk(bench.finished_unit(SECRET, 2))
        assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "port_in_use")


@pytest.mark.parametrize("lost", ["request", "reply"])
@pytest.mark.parametrize("byte", range(1, 6))
def test_every_byte_of_a_console_question_may_fail_once(byte: int, lost: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, SECRET) as bench:
        unit = bench.finished_unit(SECRET)
        unit.order(parse_fault(f"at=console:{byte},do=error,lost={lost}"))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert unit.faults.happened


# --- a number that is not there yet ------------------------------------------------------------------


@pytest.mark.parametrize(("answers", "source"), [(1, "request 401"), (2, "request 401"), (9, "console m")])
def test_a_radio_that_does_not_tell_its_number_yet_is_asked_again_and_then_the_console(
    answers: int, source: str, tmp_path: Path
) -> None:
    """Request 400 without any interface, as long as the Wi-Fi chip starts."""
    faults = tuple(f"at=request:400:{n},do=reject,code=0" for n in range(1, answers + 1))
    with line_bench(tmp_path, ARGON) as bench:
        walk = bench.walk(bench.finished_unit(ARGON, faults=faults))
        assert walk.verdict is Verdict.PASS, walk.finished
        last = walk.of(UnitIdentified)[-1]
        assert isinstance(last, UnitIdentified)
        assert [fact.source for fact in last.facts if fact.name == "mac"] == [source]
