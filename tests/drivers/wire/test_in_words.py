"""What a unit answered, in words: one line that a person can read, and no secret in it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.identity import Secret
from drivers.wire.in_words import MAX_WORDS, in_words


class Band(enum.Enum):
    CAT_M1 = 1


class Card(NamedTuple):
    iccid: str
    imei: str | None


@dataclass(frozen=True)
class Network:
    ssid: str
    password: Secret | None = None


@dataclass(frozen=True)
class Variable:
    name: str
    value: str


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "ok"), (True, "yes"), (False, "no"), (1024, "1024"), ("P044", "P044"), (b"\x01\x02", "2 bytes"),
        (Band.CAT_M1, "cat m1"), ((), "none"), (Card("8988", None), "iccid 8988"),
        ((Network("factory"), Network("guest")), "2: factory, guest"), ({"net:rssi": -61}, "1 values: net:rssi"),
        (Network("factory"), "ssid factory"), ("a\x1b[31mb", "a [31mb"),
    ],
)  # fmt: skip
def test_an_answer_is_told_in_words(value: object, words: str) -> None:
    assert in_words(value) == words


@pytest.mark.rule("N5")
def test_no_secret_and_no_value_of_a_variable_is_told() -> None:
    told = in_words(Network("factory", Secret("hunter2hunter2")))
    told += in_words((Variable("API_KEY", "hunter2hunter2"),)) + in_words(Secret("HUNTER2HUNTER2"))
    assert "hunter2" not in told.lower()
    assert "API_KEY" in told


@given(st.recursive(st.text() | st.integers() | st.binary() | st.none(), lambda inner: st.lists(inner).map(tuple)))
def test_any_answer_is_one_short_line(value: object) -> None:
    words = in_words(value)
    assert len(words) <= MAX_WORDS
    assert "\n" not in words
