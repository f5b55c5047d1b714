from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.tui.scanner import GAP_S, MAX_LENGTH, Broken, ScanDetector, Scanned, Typed

FAST, SLOW = 0.005, 0.120


def play(keys: list[tuple[str, float]], wait: float = 1.0) -> list[object]:
    """Feed (key, seconds of silence before it); at the end nothing comes for ``wait`` seconds."""
    detector: ScanDetector[str] = ScanDetector()
    at, found = 100.0, list[object]()
    for key, gap in keys:
        at += gap
        found += detector.silence(gap)
        found += detector.key(key, key, key if len(key) == 1 else None, at)
    return [*found, *detector.silence(wait)]


def burst(text: str, gap: float = FAST, end: str = "enter", first: float = 1.0) -> list[tuple[str, float]]:
    return [(key, gap if i else first) for i, key in enumerate([*text, end])]


def typed(found: list[object]) -> str:
    return "".join(key for one in found if isinstance(one, Typed) for key in one.keys if len(key) == 1)


@pytest.mark.parametrize("end", ["enter", "tab", "ctrl+j"])
@pytest.mark.parametrize("gap", [0.0, 0.001, 0.029])
@pytest.mark.parametrize("text", ["P044AB1234567", "P044AB1234567 SECRETSECRET123", "OP:7", "8934076500002587651"])
@pytest.mark.rule("A6")
def test_fast_characters_with_an_ending_are_one_scan(text: str, gap: float, end: str) -> None:
    assert play(burst(text, gap, end)) == [Scanned(text)]


@pytest.mark.parametrize("gap", [GAP_S, 0.031, SLOW, 2.0])
def test_slow_typing_reaches_fields_and_bindings_in_order(gap: float) -> None:
    found = play(burst("P044AB1234567", gap))
    assert typed(found) == "P044AB1234567"
    assert found[-1] == Typed(("enter",))
    assert not any(isinstance(one, Scanned | Broken) for one in found)


def test_a_single_key_is_handed_on_after_the_gap_and_not_before() -> None:
    detector: ScanDetector[str] = ScanDetector()
    assert detector.key("r", "r", "r", 10.0) == []
    assert detector.is_holding
    assert detector.silence(0.029) == []
    assert detector.silence(GAP_S) == [Typed(("r",))]
    assert not detector.is_holding


def test_a_scan_that_was_read_late_is_one_scan() -> None:
    """The time of reading tells nothing: the program may have stood still."""
    detector: ScanDetector[str] = ScanDetector()
    at, found = 100.0, list[object]()
    for place, key in enumerate([*"P044AB1234567", "enter"]):
        found += detector.key(key, key, key if len(key) == 1 else None, at + 3.0 * place)
    assert found == [Scanned("P044AB1234567")]


def test_enter_alone_is_handed_on_at_once() -> None:
    assert play([("enter", 1.0)]) == [Typed(("enter",))]


@pytest.mark.parametrize("gap", [0.0, FAST, SLOW])
def test_the_line_feed_behind_the_enter_of_a_scan_presses_no_key(gap: float) -> None:
    twice = [*burst("P044AB1234567"), ("ctrl+j", gap), *burst("OP:0417", first=FAST), ("ctrl+j", gap)]
    assert play(twice) == [Scanned("P044AB1234567"), Scanned("OP:0417")]


def test_two_keys_hit_together_are_no_scan() -> None:
    assert play([("1", 1.0), ("enter", 0.01)]) == [Typed(("1",)), Typed(("enter",))]


def test_other_keys_pass_in_order_behind_what_was_held_back() -> None:
    assert play([("a", 1.0), ("escape", 0.001), ("b", 1.0)]) == [Typed(("a",)), Typed(("escape",)), Typed(("b",))]


def test_two_scans_in_a_row_are_two_scans() -> None:
    found = play([*burst("P044AB1234567"), *burst("P044AB1234568", first=FAST)])
    assert found == [Scanned("P044AB1234567"), Scanned("P044AB1234568")]


def test_a_scan_after_a_typed_key_leaves_the_key_alone() -> None:
    assert play([("2", 1.0), *burst("P044AB1234567", first=0.2)]) == [Typed(("2",)), Scanned("P044AB1234567")]


@pytest.mark.rule("A6")
@pytest.mark.parametrize("text", ["]d2010950\x1d21P044AB1234567", "\x1dP044AB1234567", "[)>\x1e06\x1dSP044\x1e\x04"])
def test_separators_inside_a_code_are_part_of_its_scan(text: str) -> None:
    assert play(burst(text)) == [Scanned(text)]


@pytest.mark.parametrize("key", ["\x04", "\x1d"])
def test_a_separator_pressed_by_hand_is_a_key(key: str) -> None:
    assert play([(key, 1.0)]) == [Typed((key,))]


def test_a_burst_that_breaks_off_reaches_nothing_and_its_rest_is_no_scan() -> None:
    keys = [*burst("P044AB", end="1")[:7], *burst("234567", first=0.3)]
    assert play(keys) == [Broken(), Broken()]


@pytest.mark.parametrize("end", ["enter", "tab"])
@pytest.mark.parametrize("rest", ["", "7", "67"])
def test_the_late_end_of_a_burst_that_broke_off_presses_no_key(rest: str, end: str) -> None:
    assert play([*burst("P044AB", end="1"), *burst(rest, end=end, first=0.2)]) == [Broken(), Broken()]


def test_enter_well_after_a_broken_scan_is_a_hand() -> None:
    assert play([*burst("P044AB", end="1"), ("enter", 2.0)]) == [Broken(), Typed(("enter",))]


def test_a_scan_well_after_a_broken_one_counts() -> None:
    keys = [*burst("P044AB", end="1")[:7], *burst("P044AB1234567", first=2.0)]
    assert play(keys) == [Broken(), Scanned("P044AB1234567")]


def test_a_scan_at_once_behind_the_end_of_a_broken_one_counts() -> None:
    keys = [*burst("P044AB", end="1"), *burst("234567", first=0.2), *burst("P044AB1234568", first=0.2)]
    assert play(keys) == [Broken(), Broken(), Scanned("P044AB1234568")]


def test_a_burst_without_end_is_bounded() -> None:
    found = play(burst("A" * (MAX_LENGTH * 4)))
    assert found == [Broken()]


def test_a_scan_hides_its_text_in_repr() -> None:
    assert "SECRET" not in repr(Scanned("P044AB1234567 SECRET"))


@given(st.lists(st.tuples(st.sampled_from("aB1 :-"), st.floats(0.03, 3.0)), max_size=30))
def test_whatever_is_typed_slowly_comes_out_unchanged(keys: list[tuple[str, float]]) -> None:
    assert typed(play([(key, gap + 0.0001) for key, gap in keys])) == "".join(key for key, _ in keys)


@given(st.lists(st.tuples(st.sampled_from(["a", "7", "enter", "tab", "escape"]), st.floats(0.0, 0.06)), max_size=60))
def test_nothing_is_both_scanned_and_typed(keys: list[tuple[str, float]]) -> None:
    found = play(keys)
    scanned = sum(len(one.text) + 1 for one in found if isinstance(one, Scanned))
    handed = sum(len(one.keys) for one in found if isinstance(one, Typed))
    assert scanned + handed <= len(keys)
    if not any(isinstance(one, Broken) for one in found):
        assert scanned + handed == len(keys)
