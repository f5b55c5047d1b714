"""What a scanner types when it and the host disagree about the keyboard."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.scan.keyboard import _ENGLISH, LAYOUTS, otherwise

LABEL = st.text(string.ascii_letters + string.digits + string.punctuation + " ", min_size=1, max_size=40)


@given(LABEL, st.sampled_from(sorted(LAYOUTS)), st.booleans())
def test_whatever_moved_is_among_what_it_may_be(text: str, layout: str, is_host: bool) -> None:
    sends, reads = (_ENGLISH, LAYOUTS[layout]) if is_host else (LAYOUTS[layout], _ENGLISH)
    text = "".join(character for character in text if character in sends)
    moved = text.translate(str.maketrans(sends, reads))
    assert text in {moved, *(meant for _, meant in otherwise(moved))}


@pytest.mark.parametrize(
    ("read", "layout", "meant"),
    [
        ("P044ABEYW7Z4JRW", "QWERTZ", "P044ABEZW7Y4JRW"),
        ("E310ß1234ß5678", "QWERTZ", "E310-1234-5678"),
        ("E310/1234/5678", "QWERTZ", "E310-1234-5678"),
        ("OPÖ0417", "QWERTZ", "OP:0417"),
        ("Pà''QB", "AZERTY", "P044AB"),
        ("op:0417", "Caps Lock", "OP:0417"),
    ],
)
def test_known_disagreements_are_named(read: str, layout: str, meant: str) -> None:
    assert (layout, meant) in list(otherwise(read))


@given(st.text(max_size=60))
def test_a_text_is_never_something_else_than_itself_for_nothing(text: str) -> None:
    found = [meant for _, meant in otherwise(text)]
    assert text not in found
    assert len(found) == len(set(found))


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_a_layout_has_a_character_of_its_own_for_every_key(layout: str) -> None:
    assert len(LAYOUTS[layout]) == len(_ENGLISH) == 2 * 47
    assert len(set(LAYOUTS[layout])) == len(LAYOUTS[layout])
