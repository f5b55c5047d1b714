"""A closed batch is sealed: whatever is changed before it, or sealed by another key, is found, also by the customer."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from support.house_tools import run_python
from support.journal_editor import edited
from support.journal_story import everything, opened, unit_id, walked

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.errors import BadInput, JournalError
from station.export import verifier
from station.journal import Journal, JournalReader
from station.journal.batch_seal import KIND, Signer, fingerprint, seal_key
from station.journal.chain import START, hash_of
from station.journal.stored import rows


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """A data directory whose batch B1 is closed, with something in every table."""
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(*everything()[:-1], *walked("a-9", 9))
        journal.close_batch("B1")
        journal.record(*walked("a-10", 10))
    return tmp_path


def dump_of(data: Path, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(["log", "dump", "--data-dir", str(data)]) == 0
    return capsys.readouterr().out


def key_of(data: Path) -> str:
    return fingerprint(Signer(seal_key(data / "journal")).public_key())


def test_verify_names_the_seal_its_entry_and_its_key(sealed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", "verify", "--data-dir", str(sealed)]) == 0
    line = capsys.readouterr().out.splitlines()[0]
    with Journal.open(sealed / "journal", "bench-1", SimulatedClock()) as journal:
        (seal,) = journal.verify().sealed
        kinds = [row.kind for row in journal.entries()]
    assert kinds[seal.entry - 1 : seal.entry + 1] == ["BatchClosed", KIND]
    assert line == f"batch B1 is sealed up to entry {seal.entry} by the key {key_of(sealed)}"


def test_the_key_is_made_once_readable_by_its_owner_only_and_in_no_entry(
    sealed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = sealed / "seal.key"
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    assert main(["log", "key", "--data-dir", str(sealed)]) == 0
    assert key_of(sealed) in capsys.readouterr().out
    assert file.read_bytes() == before
    assert before.hex() not in dump_of(sealed, capsys)


def test_a_batch_nobody_opened_is_neither_closed_nor_sealed(journal: Journal) -> None:
    with pytest.raises(JournalError, match="batch B9 was never opened"):
        journal.close_batch("B9")
    assert KIND not in {row.kind for row in journal.entries()}


def test_a_key_that_cannot_be_used_is_told_before_anything_is_recorded(journal: Journal, data: Path) -> None:
    data.with_name("seal.key").write_bytes(b"too short")
    with pytest.raises(BadInput, match=r"seal\.key holds 9 bytes"):
        journal.close_batch("B1")
    assert journal.open_batches()


def test_the_screen_closes_a_batch_the_same_way_and_a_station_takes_the_next_one(data: Path) -> None:
    for batch in ("B1", "B2"):
        with Journal.open(data, "bench-1", SimulatedClock()) as journal:
            journal.record(opened(batch))
            told = journal.close_batch(batch)
            assert [event.kind for event in told] == ["BatchClosed", KIND]
    with Journal.open(data, "bench-1", SimulatedClock()) as journal:
        assert [seal.batch for seal in journal.verify().sealed] == ["B1", "B2"]


def chained_anew(data: Path, changed: str) -> None:
    """Change an entry as a hand with the file and this program, but without the key, would: every hash fits again."""
    with edited(data) as db:
        db.row_factory = sqlite3.Row
        of_kind = "SELECT max(seq) FROM journal WHERE kind = (SELECT number FROM names WHERE name = ?)"
        db.execute(f"UPDATE journal SET at = at + 1000 WHERE seq = ({of_kind})", (changed,))
        before = START
        for row in list(rows(db)):
            before = hash_of(row.station_id, row.seq, row.at, row.kind, row.body, before)
            db.execute("UPDATE journal SET hash = ? WHERE seq = ?", (bytes.fromhex(before), row.seq))


def test_a_chain_that_was_made_anew_does_not_fit_its_seal(sealed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chained_anew(sealed, "StepFinished")
    assert main(["log", "verify", "--data-dir", str(sealed)]) == 0, "after the last seal nothing is signed"
    with JournalReader(sealed / "journal") as journal:
        (seal,) = journal.verify().sealed
    chained_anew(sealed, "BatchOpened")
    assert main(["log", "verify", "--data-dir", str(sealed)]) == 3
    assert f"entry {seal.entry + 1}, the seal of batch B1, does not fit" in capsys.readouterr().err


# --- the customer's verifier ---------------------------------------------------------------------


@settings(max_examples=8)  # a verification in plain Python takes its time
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.integers(0, 511))
def test_the_verifier_agrees_with_another_implementation_of_ed25519(seed: bytes, message: bytes, bit: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert verifier.is_signed(public, signature, message)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not verifier.is_signed(public, bytes(flipped), message)
    assert not verifier.is_signed(public, signature, message + b"x")
    assert verifier.fingerprint(public) == fingerprint(public.hex())


def test_the_verifier_is_one_file_that_needs_nothing_but_python(
    sealed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program, dump = tmp_path / "verify_log.py", tmp_path / "dump.txt"
    dump.write_text(dump_of(sealed, capsys), encoding="utf-8")
    assert main(["log", "verifier", "-o", str(program)]) == 0
    done = run_python("-I", "-S", str(program), str(dump), "--key", key_of(sealed))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("batch B1: sealed up to entry ")
    done = run_python("-I", "-S", str(program), str(dump), "--key", "0000-0000-0000-0000")
    assert done.returncode == 1
    assert "not by 0000-0000-0000-0000" in done.stderr


def test_a_changed_character_a_missing_and_a_moved_line_are_found_at_their_entry(
    sealed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = dump_of(sealed, capsys).splitlines()
    seq, _ = verifier.checked(lines, key_of(sealed))
    assert seq == len(lines)
    for at in range(len(lines)):
        changed = [*lines[:at], lines[at].replace("bench-1", "bench-2", 1), *lines[at + 1 :]]
        with pytest.raises(ValueError, match=f"entry {at + 1} was changed"):
            verifier.checked(changed, "")
    for at in range(len(lines) - 1):
        with pytest.raises(ValueError, match=f"entry {at + 1} is missing"):
            verifier.checked([*lines[:at], *lines[at + 1 :]], "")
        with pytest.raises(ValueError, match=f"entry {at + 1} "):
            verifier.checked([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]], "")


@settings(max_examples=30)
@given(st.data())
def test_any_flipped_bit_of_a_dump_is_found(sealed_dump: str, data: st.DataObject) -> None:
    content = bytearray(sealed_dump.encode())
    at = data.draw(st.integers(0, len(content) - 1).filter(lambda at: content[at] != 0x0A))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    lines = bytes(content).decode(errors="replace").split("\n")[:-1]
    with pytest.raises((ValueError, KeyError)):
        verifier.checked(lines, "")


@pytest.fixture(scope="module")
def sealed_dump(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("sealed")
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened(), *walked("a-1", 1))
        journal.close_batch("B1")
    done = run_python("-m", "station", "log", "dump", "--data-dir", str(place))
    assert unit_id(1) in done.stdout, done.stderr
    return done.stdout


def test_a_dump_of_which_no_batch_is_sealed_is_not_of_any_key() -> None:
    with pytest.raises(ValueError, match="no batch in it is sealed"):
        verifier.checked([], os.urandom(8).hex())
