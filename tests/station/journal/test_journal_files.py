"""Links and pipes in the data directory: none is followed, none holds a station up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from drivers.clock import SimulatedClock
from station.errors import JournalError
from station.journal import Journal, JournalReader

FILES = ("journal.db", "journal.db-wal", "station.lock", "credential.key")


@pytest.mark.parametrize("name", FILES)
def test_a_link_in_the_data_directory_is_not_followed(name: str, place: Path, tmp_path: Path) -> None:
    path, elsewhere = place / "journal" / name, tmp_path / "elsewhere"
    elsewhere.write_bytes(b"a letter")
    path.unlink(missing_ok=True)
    path.symlink_to(elsewhere)
    with pytest.raises(JournalError, match="a symbolic link, expected a plain file"):
        Journal.open(place / "journal", "bench-1", SimulatedClock())
    assert elsewhere.read_bytes() == b"a letter"
    assert elsewhere.stat().st_mode & 0o777 != 0o600
    if name.startswith("journal"):
        with pytest.raises(JournalError, match="a symbolic link"):
            JournalReader(place / "journal")


def test_a_journal_directory_that_is_a_link_is_not_followed(place: Path, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "journal").symlink_to(place / "journal")
    with pytest.raises(JournalError, match="is a symbolic link"):
        Journal.open(tmp_path / "here" / "journal", "bench-1", SimulatedClock())
    with pytest.raises(JournalError, match="is a symbolic link"):
        JournalReader(tmp_path / "here" / "journal")


@pytest.mark.parametrize("name", [*FILES, "journal.seal", "credential.new", "journal.new"])
def test_a_pipe_in_the_way_holds_nobody(name: str, place: Path) -> None:
    path = place / "journal" / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    if name in FILES:
        with pytest.raises(JournalError, match="a named pipe, expected a plain file"):
            Journal.open(place / "journal", "bench-1", SimulatedClock())
    else:
        Journal.open(place / "journal", "bench-1", SimulatedClock()).close()
