"""The reader of the terminal: which silences it tells of, and what it makes of a program that stood still."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
from collections.abc import Iterator

import pytest
from support.screen_pilot import on_loop
from textual import events
from textual.app import App
from textual.message import Message

from station.tui.driver import SILENCES, TerminalDriver
from station.tui.messages import Silence

PATIENCE_S = 120.0


class Reader(TerminalDriver):
    """Keeps what the app would be told. It stands still ``behind`` a key or silence until ``goes_on``."""

    def __init__(self, app: App[None], terminal: int, behind: str | float | None) -> None:
        super().__init__(app)
        self.fileno = terminal
        self.told: queue.Queue[str | float] = queue.Queue()
        self._behind, self.goes_on = behind, threading.Event()
        self.ended = threading.Event()

    def run_input_thread(self) -> None:
        super().run_input_thread()
        self.ended.set()

    def process_message(self, message: Message) -> None:
        assert isinstance(message, Silence | events.Key)
        told = message.seconds if isinstance(message, Silence) else message.character or message.key
        self.told.put(told)
        if told == self._behind:
            assert self.goes_on.wait(PATIENCE_S)

    def tells(self, count: int) -> list[str | float]:
        return [self.told.get(timeout=PATIENCE_S) for _ in range(count)]


class Hand:
    """The other end of the terminal."""

    def __init__(self) -> None:
        self.terminal, self._end = os.pipe()
        self._is_open = True

    def write(self, data: bytes) -> None:
        os.write(self._end, data)

    def leave(self) -> None:
        if self._is_open:
            os.close(self._end)
        self._is_open = False


@contextlib.contextmanager
def reading(first: bytes, *, stands_still_behind: str | float | None = None) -> Iterator[tuple[Reader, Hand]]:
    hand = Hand()
    before = {number: signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT)}
    reader = Reader(App(), hand.terminal, stands_still_behind)
    hand.write(first)
    thread = threading.Thread(target=reader.run_input_thread)
    thread.start()
    try:
        yield reader, hand
    finally:
        reader.goes_on.set()
        reader.exit_event.set()
        thread.join(PATIENCE_S)
        hand.leave()
        os.close(hand.terminal)
        for number, handler in before.items():
            signal.signal(number, handler)
    assert not thread.is_alive()


@on_loop
async def test_each_silence_is_told_once_behind_the_last_key() -> None:
    with reading(b"P0") as (reader, hand):
        assert reader.tells(4) == ["P", "0", *SILENCES]
        hand.write(b"4")
        assert reader.tells(3) == ["4", *SILENCES]


@on_loop
async def test_no_silence_is_told_between_keys_that_came_while_the_program_stood_still() -> None:
    """However long: nobody can say how far apart they came."""
    with reading(b"P", stands_still_behind="P") as (reader, hand):
        assert reader.tells(1) == ["P"]
        hand.write(b"044AB\r")
        reader.goes_on.set()
        assert reader.tells(8) == [*"044AB", "\r", *SILENCES]


@on_loop
async def test_keys_that_came_while_a_silence_was_told_are_behind_it() -> None:
    with reading(b"2", stands_still_behind=SILENCES[0]) as (reader, hand):
        assert reader.tells(2) == ["2", SILENCES[0]]
        hand.write(b"R")
        reader.goes_on.set()
        assert reader.tells(3) == ["R", *SILENCES]


@pytest.mark.parametrize(("noise", "shown"), [(b"\xff", "\ufffd"), (b"\xc3(", "\ufffd("), (b"\xed\xa0", "\ufffd" * 2)])
@on_loop
async def test_bytes_that_are_no_text_are_read_as_such(noise: bytes, shown: str) -> None:
    with reading(b"a" + noise + b"z") as (reader, _):
        assert reader.tells(len(shown) + 4) == ["a", *shown, "z", *SILENCES]


@on_loop
async def test_a_character_in_two_pieces_is_one() -> None:
    with reading("ß".encode()[:1]) as (reader, hand):
        assert reader.tells(2) == [*SILENCES]
        hand.write("ß".encode()[1:])
        assert reader.tells(3) == ["ß", *SILENCES]


@on_loop
async def test_escape_is_a_key_when_nothing_follows_it() -> None:
    with reading(b"\x1b") as (reader, _):
        assert reader.tells(3) == [*SILENCES, "\x1b"]


@on_loop
async def test_an_arrow_is_one_key() -> None:
    with reading(b"\x1b[A") as (reader, _):
        assert reader.tells(3) == ["up", *SILENCES]


@on_loop
async def test_input_that_ends_ends_the_reader_whoever_else_forgets_it() -> None:
    """The interpreter waits for its threads: with the terminal gone, nobody may be there to end this one."""
    with reading(b"a") as (reader, hand):
        hand.leave()
        assert reader.tells(1) == ["a"]
        assert reader.ended.wait(PATIENCE_S)
