"""Positions of keys in TOML text: compared with what tomllib reads."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.paths import shipped_profiles
from station.settings.toml_lines import key_lines

TEXT = '''# a comment with [brackets] and = signs
id = "x" # trailing ] comment
"quoted.key" = 'lite"ral'
long = """
[not a table]
not = "a key" \\""" still inside
"""
[a.b]
list = [
    { file = "one", sha = "}" }, # ]
    { file = "two" }, [1, 2],
]
inner = { x = 1, y = { z = [true] } }
dotted.key.deep = 2026-01-05T06:00:00Z
[[rows]]
v = 1
[[rows]]
v = 2
[rows.sub]
w = 3.5e2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("id",), 2),
        (("quoted.key",), 3),
        (("long",), 4),
        (("a", "b"), 8),
        (("a", "b", "list"), 9),
        (("a", "b", "list", 0), 10),
        (("a", "b", "list", 1, "file"), 11),
        (("a", "b", "list", 2, 1), 11),
        (("a", "b", "inner", "y", "z", 0), 13),
        (("a", "b", "dotted", "key", "deep"), 14),
        (("rows", 0, "v"), 16),
        (("rows", 1, "v"), 18),
        (("rows", 1, "sub", "w"), 20),
    ],
)
def test_a_key_is_found_on_its_line(path: tuple[str | int, ...], line: int) -> None:
    tomllib.loads(TEXT)
    assert key_lines(TEXT)[path] == line


def test_text_inside_a_string_is_no_key() -> None:
    assert ("not",) not in key_lines(TEXT)


def _paths(value: object, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    found = {path} if path else set()
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found.union(*(_paths(child, (*path, key)) for key, child in pairs)) if pairs else found


@pytest.mark.parametrize("file", shipped_profiles(), ids=lambda path: path.stem)
def test_every_key_of_a_shipped_profile_has_a_line(file: Path) -> None:
    text = file.read_text("utf-8")
    lines = key_lines(text)
    wanted = _paths(tomllib.loads(text))
    assert wanted <= lines.keys()
    for path, line in lines.items():
        if isinstance(path[-1], str):
            assert path[-1] in text.splitlines()[line - 1]


@given(
    st.text(alphabet="ab[]{}=.\"'#,\\ \n\t1", max_size=60),
)
def test_any_text_that_is_toml_is_scanned_to_its_end(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert {path for path in _paths(data) if all(isinstance(part, int) or part for part in path)} <= key_lines(
        text
    ).keys() | {path for path in _paths(data) if any(part == "" or "\\" in str(part) for part in path)}
