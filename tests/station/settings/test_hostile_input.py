"""Profiles and labels made to do harm: refused at once, in a sentence, without telling what may be a secret."""

from __future__ import annotations

import os
import time
import tracemalloc
from pathlib import Path

import pytest
from support.known_steps import load_profile, parse_profile

from drivers.errors import BadIdentity
from station.errors import BadInput
from station.scan.grammar import parse_scan

SECRET = "Zq7-kT4_pL2+wX9"


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".a" * 100_000 + " = 1",
        "[a" + ".a" * 100_000 + "]",
        'id = "x"\nrevision' + ".a" * 100_000 + " = 1",
        "a = " + "[" * 100_000,
        "a = " + "{a=" * 80_000,
        "revision = " + "9" * 200_000,
        "# " + "x" * 300_000,
        "[[a]]\n" * 40_000,
        "\ufeffid = 1\x00",
    ],
    ids=["dotted key", "dotted table", "dotted value", "lists", "tables", "digits", "long", "many tables", "NUL"],
)
def test_a_profile_that_explodes_is_refused_at_once(text: str) -> None:
    began = time.thread_time()
    with pytest.raises(BadInput) as caught:
        parse_profile(text.encode(), "bomb.toml")
    assert time.thread_time() - began < 10.0  # of minutes, or of all the memory there is
    assert len(str(caught.value)) < 500


def test_a_profile_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "endless.toml"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 1 << 40)
    with pytest.raises(BadInput, match="expected at most"):
        load_profile(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (".".join("a" * 249) + " = [" + "1," * 54_000 + "]", "levels deep"),
        ("a = [" + "1," * 110_000 + "]", "keys and list elements"),
        ("".join(f"k{n} = 1\n" for n in range(5000)), "keys and list elements"),
        ("k" * 100_000 + " = 1", "a key of 100000 characters"),
    ],
    ids=["deep lists", "long list", "many keys", "long key"],
)
def test_a_profile_of_too_much_is_refused_before_its_lines_are_noted(text: str, said: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(BadInput, match=said) as caught:
            parse_profile(text.encode(), "bomb.toml")
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("mark", ["\u202e", "\\u001b[2J", "\u200b", "\\u0007", "\\uE000"])
@pytest.mark.parametrize(
    "line", ['title = "WID{}GET"', '"ti{}tle" = "x"', 'skus = ["BRN{}404"]', 'name.template = "{}x"', '"a".b."{}" = 1']
)
def test_no_text_and_no_key_may_move_a_cursor_or_turn_the_reading_order(line: str, mark: str) -> None:
    with pytest.raises(BadInput, match=r"line 2: a (key|text) with characters that cannot be shown") as caught:
        parse_profile(b'id = "x"\n' + line.format(mark).encode(), "marked.toml")
    assert str(caught.value).isprintable()


@pytest.mark.rule("A7")
@pytest.mark.parametrize(
    "text",
    [
        f"P044AB1234567,{SECRET}",
        f"P044AB1234567;{SECRET}",
        f"P044AB1234567{SECRET}",
        f"P044AB1234567 {SECRET}x",
        f"P044AB1234567  {SECRET}",
        f"{SECRET} P044AB1234567",
        SECRET,
        f"{SECRET}\t",
        f"P044AB1234567\x1d{SECRET}",
        f"x{SECRET * 800}",
    ],
)
def test_a_scan_that_is_no_label_never_repeats_a_mobile_secret(text: str) -> None:
    with pytest.raises(BadIdentity) as caught:
        parse_scan(text)
    assert SECRET not in str(caught.value)
    assert str(caught.value).isprintable()
