"""Text from outside: whoever shows it, no character of it acts on a terminal."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from drivers.plain_text import escaped, printable

HARM = "\x1b[2J\x07\r\n\u202e\u200b\x9b"


def test_a_mark_stands_for_each_character_that_would_act_on_a_terminal() -> None:
    assert printable("a\x1bb\u202ec\n") == "a?b?c?"
    assert printable("a\nb", " ") == "a b"
    assert printable("Grüße 你好 …") == "Grüße 你好 …"


@given(st.text() | st.text(HARM))
def test_whatever_comes_what_leaves_can_be_shown_and_is_as_long(text: str) -> None:
    assert printable(text).isprintable()
    assert len(printable(text)) == len(text)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_an_escaped_json_text_still_says_the_same(text: str) -> None:
    written = json.dumps(text, ensure_ascii=False)
    assert escaped(written).isprintable()
    assert json.loads(escaped(written)) == text
