"""Files a person names at the command line or in a folder: only files are read, everything else is told at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from station.cli import main
from station.errors import BadInput
from station.firmware.store import FirmwareStore
from station.profile import FileRef, load_profile

pytestmark = pytest.mark.timeout(30)  # who waits for a pipe waits for ever
ONCE = ("demo", "--headless", "--once", "--units", "1")


def told(capsys: pytest.CaptureFixture[str]) -> str:
    text = capsys.readouterr().err
    assert "Traceback" not in text
    assert len(text.splitlines()) == 1
    return text


SPECIAL: dict[str, Callable[[Path], None]] = {
    "a named pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a folder": Path.mkdir,
}


@pytest.fixture(params=SPECIAL)
def special(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A path that is no plain file, and what it is in words."""
    path = tmp_path / "special"
    SPECIAL[request.param](path)
    return path, request.param


def test_a_config_that_is_no_plain_file_is_refused(
    special: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(("doctor", "--no-cloud", "--config", str(special[0]))) == 2
    assert f"{special[1]}, expected a plain file" in told(capsys)


def test_a_profile_that_is_no_plain_file_is_refused(special: tuple[Path, str]) -> None:
    with pytest.raises(BadInput, match=f"{special[1]}, expected a plain file"):
        load_profile(special[0])


def test_a_firmware_file_that_is_no_plain_file_is_refused(special: tuple[Path, str]) -> None:
    with pytest.raises(BadInput, match=f"{special[1]}, expected a plain file"):
        FirmwareStore([special[0].parent]).load(FileRef(special[0].name, "0" * 64))


@pytest.mark.parametrize("verb", [("batch", "list"), ("batch", "open", "B", "--profile", "boron-product")])
@pytest.mark.parametrize("name", ["journal.db", "journal.db-wal"])
def test_a_journal_that_is_no_plain_file_is_refused(
    name: str, verb: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ("--data-dir", str(tmp_path))
    assert main(("batch", "open", "A", "--profile", "boron-product", *place)) == 0
    path = tmp_path / "journal" / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    assert main((*verb, *place)) == 3
    assert "a named pipe, expected a plain file" in told(capsys)


def test_a_key_that_is_no_plain_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "journal").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "journal" / "credential.key")
    assert main(("batch", "open", "A", "--profile", "boron-product", "--data-dir", str(tmp_path))) == 3
    assert "a named pipe, expected a plain file" in told(capsys)
