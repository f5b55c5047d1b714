"""Text in cells: a wide character takes two, and no line is wider than its place."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.words.cells import clean, fit, pad, tail, width_of, wrap

MIXED = st.text(st.sampled_from("ab -设备，。（Ä"), max_size=60).map(clean)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("设备连不上 Wi-Fi。", 10, ["设备连不上", "Wi-Fi。"]),
        ("设备连不上 Wi-Fi。", 8, ["设备连不", "上", "Wi-Fi。"]),
        ("叫技术员。", 8, ["叫技术", "员。"]),
        ("标签是 P044AB1234503。", 8, ["标签是 P", "044AB123", "4503。"]),
        ("换线或换端口？", 9, ["换线或换", "端口？"]),
        ("Gerät hängt.", 7, ["Gerät", "hängt."]),
        ("", 7, []),
        ("设", 0, []),
    ],
)
def test_wide_text_breaks_anywhere_but_before_punctuation(text: str, width: int, lines: list[str]) -> None:
    assert wrap(text, width) == lines


@given(MIXED, st.integers(1, 30))
def test_no_wrapped_line_is_too_wide_and_nothing_is_lost_in_a_place_wide_enough(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(width_of(line) <= width for line in lines)
    if not any("~" in line for line in lines):
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(st.text(st.sampled_from("ab -cde,."), max_size=60).map(clean), st.integers(1, 30))
def test_narrow_text_is_wrapped_between_words(text: str, width: int) -> None:
    assert wrap(text, width) == textwrap.wrap(text, width)


@given(MIXED, st.integers(0, 30))
def test_a_cut_text_fits_and_says_that_it_was_cut(text: str, width: int) -> None:
    cut = fit(text, width)
    assert width_of(cut) <= width
    assert cut == text or width == 0 or cut.endswith("~")


def test_text_is_padded_by_cells_and_its_end_kept() -> None:
    assert pad("设备", 6) + "|" == "设备  |"
    assert pad("设备", 2) == "设备"
    assert (tail("P044AB", 3), tail("P044AB", 0)) == ("4AB", "")
