"""Whatever is changed in a sealed journal, however little, is found, and at its entry (must show 7)."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.journal_editor import edited, said_by_verify
from support.journal_story import everything, walked

from drivers.clock import SimulatedClock
from station.journal import JOURNAL_FILE, Journal

SOME = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
COLUMNS = ("at", "kind", "station", "slot", "unit", "attempt", "body", "hash")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose batch B1 is closed and sealed, and another attempt after that."""
    place = tmp_path_factory.mktemp("sealed")
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(*everything()[:-1], *walked("a-9", 9))
        journal.close_batch("B1")
        journal.record(*walked("a-10", 10))
    assert said_by_verify(place) == ""
    return place


@pytest.fixture
def place(sealed: Path, tmp_path: Path) -> Path:
    return tmp_path / "copy"


def again(sealed: Path, place: Path) -> Path:
    """Copy the data directory anew, as each example spoils it."""
    shutil.rmtree(place, ignore_errors=True)
    return Path(shutil.copytree(sealed, place))


def entries(place: Path) -> int:
    with contextlib.closing(sqlite3.connect(place / "journal" / JOURNAL_FILE)) as db:
        return int(db.execute("SELECT count(*) FROM journal").fetchone()[0])


def named(said: str) -> int:
    """Return the entry that verification names."""
    found = re.search(r"entry (\d+)", said)
    assert found, said
    return int(found[1])


@SOME
@given(data=st.data())
def test_any_flipped_bit_of_any_value_of_any_entry_is_found_there(
    data: st.DataObject, sealed: Path, place: Path
) -> None:
    again(sealed, place)
    seq = data.draw(st.integers(1, entries(place)))
    column = data.draw(st.sampled_from(COLUMNS))
    with edited(place) as db:
        (value,) = db.execute(f"SELECT {column} FROM journal WHERE seq = ?", (seq,)).fetchone()
        db.execute(f"UPDATE journal SET {column} = ? WHERE seq = ?", (flipped(value, data), seq))
    assert named(said_by_verify(place)) in (seq, seq + 1)


def flipped(value: object, data: st.DataObject) -> object:
    """Return the value with one of its bits flipped."""
    match value:
        case None:
            return 1 << data.draw(st.integers(0, 3))
        case int():
            return value ^ 1 << data.draw(st.integers(0, max(value.bit_length() - 1, 0)))
        case str() | bytes():
            content = bytearray(value if isinstance(value, bytes) else value.encode())
            at = data.draw(st.integers(0, len(content) - 1))
            content[at] ^= 1 << data.draw(st.integers(0, 6))
            return bytes(content) if isinstance(value, bytes) else content.decode(errors="replace")
    raise AssertionError(value)


@SOME
@given(data=st.data())
def test_two_entries_that_changed_places_are_found_at_the_first(data: st.DataObject, sealed: Path, place: Path) -> None:
    again(sealed, place)
    one = data.draw(st.integers(1, entries(place) - 1))
    other = data.draw(st.integers(one + 1, entries(place)))
    with edited(place) as db:
        for old, new in ((one, -1), (other, one), (-1, other)):
            db.execute("UPDATE journal SET seq = ? WHERE seq = ?", (new, old))
    assert named(said_by_verify(place)) in (one, one + 1)


@SOME
@given(data=st.data())
def test_an_entry_that_is_missing_is_found_where_it_was(data: st.DataObject, sealed: Path, place: Path) -> None:
    again(sealed, place)
    seq = data.draw(st.integers(1, entries(place) - 1))
    with edited(place) as db:
        db.execute("DELETE FROM journal WHERE seq = ?", (seq,))
    assert named(said_by_verify(place)) == seq


def test_a_cut_tail_is_found_by_its_tables_wherever_it_is_cut(sealed: Path, place: Path) -> None:
    """The chain alone cannot show it: what the cut entries said still stands in the tables."""
    for seq in range(2, entries(sealed) + 1):
        again(sealed, place)
        with edited(place) as db:
            db.execute("DELETE FROM journal WHERE seq >= ?", (seq,))
        assert said_by_verify(place) != "", f"cut before entry {seq}"


@SOME
@given(data=st.data())
def test_any_flipped_bit_of_a_seal_or_its_key_is_found_there(data: st.DataObject, sealed: Path, place: Path) -> None:
    again(sealed, place)
    with edited(place) as db:
        seq, body = db.execute(
            "SELECT seq, body FROM journal WHERE kind = (SELECT number FROM names WHERE name = 'BatchSealed')"
        ).fetchone()
        content = bytearray(body.encode())
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 6))
        db.execute("UPDATE journal SET body = ? WHERE seq = ?", (content.decode(errors="replace"), seq))
    assert named(said_by_verify(place)) == seq
