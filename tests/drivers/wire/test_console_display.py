"""What a person sees of a console: whole lines, open prompts, and no secret in whatever pieces it arrives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.console.display import MASK, MAX_LINE, Display, Shown

CODE = "c" * 31 + "D" * 32


def shown(text: str, *typed: tuple[str, str], size: int = 4096) -> list[str]:
    """What is shown of ``text`` that arrives in pieces of ``size``, with all that each open line showed."""
    display, lines, data = Display(), list[str](), text.encode()
    told = dict(typed)
    for start in range(0, len(data), size):
        lines += [line.text for line in display.feed(data[start : start + size])]
        if (waiting := display.open_line()) is not None:
            lines.append(waiting.text)
            display.typed(told.pop(waiting.text, ""))
    return lines


def test_lines_end_at_their_line_feed_and_empty_ones_are_left_out() -> None:
    display = Display()
    assert display.feed(b"system firmware version: 6.3.4\n\r\nnext\r\nope") == (
        Shown("system firmware version: 6.3.4"), Shown("next"),
    )  # fmt: skip
    assert display.open_line() == Shown("ope", is_open=True)
    assert display.open_line() is None
    assert display.feed(b"n\r\n") == (Shown("open"),)


@pytest.mark.parametrize(
    ("prompt", "asks", "asks_secret"),
    [
        ("SSID: ", True, False),
        ("Security 0=unsecured, 1=WEP, 2=WPA, 3=WPA2: ", True, False),
        ("Password: ", True, True),
        ("Enter 63-digit claim code: ", True, True),
        ("Outer identity (optional): ", True, False),
        ("Waiting for the binary file to be sent ... (press 'a' to abort)\r\n", False, False),
        ("tick 12", False, False),
    ],
)
def test_a_unit_asks_for_a_line_at_its_prompts_only(prompt: str, asks: bool, asks_secret: bool) -> None:
    display = Display()
    display.feed(f"earlier\r\n{prompt}".encode())
    assert (display.is_asking, display.asks_secret) == (asks, asks_secret)


@given(size=st.integers(1, 40))
def test_secrets_are_masked_in_whatever_pieces_they_arrive(size: int) -> None:
    text = (
        "Device ID: e00fce68\r\nDevice Secret: ABCDEFGHIJKLMNO\r\nSerial Number: P044\r\n"
        f"Password: hunter2hunter2\r\nEnter 63-digit claim code: {CODE}\r\nClaim code set to: {CODE}\r\n"
        "Private key in PEM format:\r\n-----BEGIN KEY-----\r\nMIIEpAIBAAK\r\n-----END KEY-----\r\n\r\n"
        "Outer identity (optional): anon\r\n"
    )
    lines = shown(text, size=size)
    for secret in ("ABCDE", "hunt", "cccc", "DDDD", "MIIE"):
        assert [line for line in lines if secret in line] == []
    for line in ("Device Secret: ***", "Serial Number: P044", "Password: ***", "Claim code set to: ***", MASK):
        assert line in lines
    assert "Outer identity (optional): anon" in lines


def test_a_secret_that_was_typed_at_its_prompt_is_masked_wherever_it_turns_up() -> None:
    display = Display()
    display.feed(b"Password: ")
    display.typed("hunter2hunter2")
    assert display.feed(b"hunter2hunter2\r\n[app] INFO: joins with hunter2hunter2!\r\n") == (
        Shown("Password: ***"), Shown("[app] INFO: joins with ***!"),
    )  # fmt: skip
    display.feed(b"SSID: ")
    display.typed("open-net")
    assert display.feed(b"open-net\r\n") == (Shown("SSID: open-net"),)


def test_what_is_not_printable_is_replaced_and_a_line_without_end_is_cut() -> None:
    display = Display()
    assert display.feed(b"\x1b[31mred\x07\xff\r\n") == (Shown("?[31mred?\ufffd"),)
    for _ in range(100):
        assert display.feed(b"x" * 1000) == ()
    waiting = display.open_line()
    assert waiting is not None
    assert len(waiting.text) == MAX_LINE
    assert display.feed(b"\nnext\n") == (Shown("x" * MAX_LINE), Shown("next"))
