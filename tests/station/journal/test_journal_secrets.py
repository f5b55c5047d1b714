"""Mobile secrets that are kept: encrypted with a key outside of the journal, listed, forgotten, never in clear."""

from __future__ import annotations

import contextlib
import io
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest
from support.journal_story import identified, started, unit_id, walked

from drivers.clock import SimulatedClock
from drivers.identity import MobileSecret
from station.cli.main import main
from station.errors import BadInput, JournalError
from station.export import write_dump
from station.journal import Journal
from station.journal.secret_key import KEY_BYTES, KEY_FILE, SERVICE, KeyFile, KeyringKey

SECRET, OTHER = MobileSecret("ABCDEFGHJK12345"), MobileSecret("ZYXWVUTSRQ98765")

pytestmark = pytest.mark.rule("A7")


def key_of(data: Path) -> Path:
    return data.parent / KEY_FILE


def bytes_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


@pytest.fixture
def kept(journal: Journal) -> Journal:
    """A journal with two units whose secrets are kept."""
    for number, secret in ((1, SECRET), (2, OTHER)):
        journal.record(*walked(f"a-{number}", number))
        journal.keep_secret(unit_id(number), secret)
    return journal


def test_a_copy_of_the_journal_tells_no_secret_even_while_it_is_open(kept: Journal, data: Path) -> None:
    for secret in (SECRET, OTHER):
        assert secret.reveal().encode() not in bytes_in(data)
    assert (kept.mobile_secret(unit_id(1)), kept.mobile_secret(unit_id(2))) == (SECRET, OTHER)
    assert stat.S_IMODE(key_of(data).stat().st_mode) == 0o600
    assert key_of(data).read_bytes() not in bytes_in(data)


def test_the_same_secret_is_never_the_same_text_and_belongs_to_its_unit(kept: Journal, data: Path) -> None:
    kept.keep_secret(unit_id(2), SECRET)
    with contextlib.closing(sqlite3.connect(data / "journal.db")) as db:
        first, second = (row[0] for row in db.execute("SELECT secret FROM secrets ORDER BY device_id"))
        assert first != second
        db.execute("UPDATE secrets SET secret = ?", (first,))
        db.commit()
    assert kept.mobile_secret(unit_id(1)) == SECRET
    with pytest.raises(JournalError, match="was changed after it was kept"):
        kept.mobile_secret(unit_id(2))


@pytest.mark.parametrize("text", ["v1.", "v1.%%%", "v1.AAAA", "v1." + "A" * 80])
def test_a_damaged_secret_is_told_as_such_and_asked_for_again(text: str, kept: Journal, data: Path) -> None:
    with contextlib.closing(sqlite3.connect(data / "journal.db")) as db:
        db.execute("UPDATE secrets SET secret = ?", (text,))
        db.commit()
    with pytest.raises(JournalError, match=r"cannot be read|was changed"):
        kept.mobile_secret(unit_id(1))
    assert not kept.knows_secret(unit_id(1))
    kept.keep_secret(unit_id(1), SECRET)
    assert kept.knows_secret(unit_id(1))


def test_without_its_key_a_secret_is_asked_for_again(kept: Journal, data: Path) -> None:
    key_of(data).unlink()
    with pytest.raises(JournalError, match=f"its key is gone from the file {key_of(data)}"):
        kept.mobile_secret(unit_id(1))
    assert not kept.knows_secret(unit_id(1))
    kept.keep_secret(unit_id(1), OTHER)
    assert kept.mobile_secret(unit_id(1)) == OTHER
    with pytest.raises(JournalError, match="kept with another key"):
        kept.mobile_secret(unit_id(2))


def test_what_an_older_station_kept_in_clear_is_encrypted_and_leaves_no_trace(
    kept: Journal, data: Path, clock: SimulatedClock
) -> None:
    kept.close()
    with contextlib.closing(sqlite3.connect(data / "journal.db")) as db:
        db.execute("UPDATE secrets SET secret = ? WHERE device_id = ?", (SECRET.reveal(), unit_id(1)))
        db.commit()
    assert SECRET.reveal().encode() in bytes_in(data)
    with Journal.open(data, "bench-1", clock) as journal:
        assert [secret.is_sealed for secret in journal.kept_secrets()] == [False, True]
        assert journal.mobile_secret(unit_id(1)) == SECRET
        assert (journal.seal_secrets(), journal.seal_secrets()) == (1, 0)
        assert journal.mobile_secret(unit_id(1)) == SECRET
    assert SECRET.reveal().encode() not in bytes_in(data)


def test_a_forgotten_secret_is_overwritten_in_the_file_whatever_became_of_its_page(
    journal: Journal, data: Path
) -> None:
    """Also encrypted: the key may come to light later. Enough of them that whole pages are freed."""
    for number in range(1, 101):
        journal.record(*walked(f"a-{number}", number))
        journal.keep_secret(unit_id(number), SECRET)
    with journal.snapshot() as db:
        sealed = [str(row["secret"]).encode() for row in db.execute("SELECT secret FROM secrets ORDER BY device_id")]
    kept = sealed.pop()
    assert all(text in bytes_in(data) for text in sealed), "else there was nothing to wipe"
    journal.keep_secret(unit_id(1), OTHER)
    for number in range(2, 100):
        assert journal.forget_secret(unit_id(number))
    journal.close()
    left = bytes_in(data)
    assert [text for text in sealed if text in left or text[20:40] in left] == []
    assert kept in left


def test_keeping_and_forgetting_stand_in_the_chain_without_the_secret(kept: Journal) -> None:
    assert kept.forget_secret(unit_id(1).upper())
    assert not kept.forget_secret(unit_id(1)), "nothing is left of it"
    assert not kept.knows_secret(unit_id(1))
    kinds = [row.kind for row in kept.entries()]
    assert (kinds.count("SecretStored"), kinds.count("SecretForgotten")) == (2, 1)
    dump = io.StringIO()
    write_dump(kept, dump)
    assert SECRET.reveal() not in dump.getvalue()


@pytest.mark.parametrize("content", [b"", b"x", b"x" * (KEY_BYTES + 1)])
def test_a_key_file_that_holds_no_key_is_refused(content: bytes, kept: Journal, data: Path) -> None:
    key_of(data).write_bytes(content)
    with pytest.raises(BadInput, match=f"holds {len(content)} bytes, expected the 32 of a key"):
        kept.keep_secret(unit_id(1), SECRET)
    key_of(data).unlink()
    key_of(data).symlink_to(data / "journal.db")
    with pytest.raises(BadInput, match="a symbolic link"):
        kept.keep_secret(unit_id(1), SECRET)


# --- the keyring ---


class Ring(keyring.backend.KeyringBackend):
    """A keyring in memory; ``forgets``: as some that take everything; ``is_locked``: as after a log-out."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}
        self.forgets = self.is_locked = False

    def set_password(self, service: str, username: str, password: str) -> None:
        self._check()
        if not self.forgets:
            self.held[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        self._check()
        return self.held.get((service, username))

    def _check(self) -> None:
        if self.is_locked:
            raise keyring.errors.KeyringLocked("locked")


@pytest.fixture
def ring() -> Iterator[Ring]:
    before = keyring.get_keyring()
    made = Ring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def test_a_login_with_a_keyring_keeps_the_key_there_and_in_no_file(ring: Ring, tmp_path: Path) -> None:
    place = KeyringKey("bench-1", KeyFile(tmp_path / KEY_FILE))
    assert place.find() is None
    key = place.make()
    assert (len(key), place.find()) == (KEY_BYTES, key)
    assert list(ring.held) == [(SERVICE, "bench-1")]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("trouble", ["forgets", "is_locked"])
def test_where_no_keyring_keeps_it_the_key_lies_in_a_file_of_its_own(trouble: str, ring: Ring, tmp_path: Path) -> None:
    setattr(ring, trouble, True)
    path = tmp_path / "config" / KEY_FILE
    place = KeyringKey("bench-1", KeyFile(path))
    key = place.make()
    assert path.read_bytes() == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    setattr(ring, trouble, False)
    assert place.find() == key, "a keyring that opens later splits no secrets among two keys"


def test_a_keyring_entry_that_is_no_key_is_refused(ring: Ring, tmp_path: Path) -> None:
    ring.held[SERVICE, "bench-1"] = "not a key"
    with pytest.raises(BadInput, match="holds no key; remove that entry"):
        KeyringKey("bench-1", KeyFile(tmp_path / KEY_FILE)).find()


# --- the command ---


@pytest.fixture
def place(kept: Journal, data: Path, tmp_path: Path) -> Path:
    """As `station` finds it: a data directory with the journal in it."""
    kept.record(started("a-3"), identified("a-3", serial="P044AB1234567"))
    kept.close()
    shutil.copytree(data, tmp_path / "place" / "journal")
    return tmp_path / "place"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = main(words)
    return status, "".join(capsys.readouterr())


def test_secrets_are_listed_by_unit_and_forgotten_by_any_id(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--data-dir", str(place))
    status, listed = said(capsys, "secrets", "list", *where)
    assert status == 0
    assert [line.split()[:2] for line in listed.splitlines()[:2]] == [
        [unit_id(1), "P044AB1234567"], [unit_id(2), "-"],
    ]  # fmt: skip
    assert "2 kept; the key is in" in listed
    assert SECRET.reveal() not in listed
    assert said(capsys, "secrets", "forget", "P044AB1234567", *where) == (0, "1 forgotten\n")
    assert said(capsys, "secrets", "forget", "P044AB1234567", *where) == (1, "0 forgotten\n")
    assert said(capsys, "secrets", "forget", "--all", *where) == (0, "1 forgotten\n")
    assert "0 kept" in said(capsys, "secrets", "list", *where)[1]
    assert said(capsys, "log", "verify", *where)[0] == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("forget",), "name the units whose secrets are to be forgotten, or --all"),
        (("forget", "x", "--all"), "name the units"),
        (("forget", "nobody"), "no unit nobody in this journal; nothing was done"),
        (("forget", SECRET.reveal()), "no unit of that id in this journal"),
    ],
)
def test_what_cannot_be_forgotten_is_refused_and_no_secret_said_back(
    words: tuple[str, ...], reason: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, text = said(capsys, "secrets", *words, "--data-dir", str(place))
    assert (status, SECRET.reveal() in text) == (2, False)
    assert reason in text
