"""Files a person names at the command line or in a folder: only files are read, everything else is told at once."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.journal_story import opened, walked
from support.known_steps import load_profile

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.cloud.virtual import VirtualCloud
from station.errors import BadInput
from station.firmware.sections import FileRef
from station.firmware.store import FirmwareStore
from station.journal import Journal

pytestmark = pytest.mark.timeout(300)  # who waits for a pipe waits for ever
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
        FirmwareStore([special[0].parent]).load(FileRef(file=special[0].name, sha256="0" * 64))


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


# --- where the station may write ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "said"),
    [("{tmp}", "this is a folder"), ("/proc/log.csv", "cannot be written"), ("{tmp}/none/log.csv", "no such folder")],
)
def test_an_export_that_cannot_be_written_is_refused_before_the_run(
    place: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main((*ONCE, "--json", "--export", place.format(tmp=tmp_path))) == 2
    ended = capsys.readouterr()
    assert said in ended.err
    assert ended.out == ""
    assert not list(tmp_path.iterdir())


def test_an_export_into_a_folder_is_refused_later_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ("--data-dir", str(tmp_path))
    assert main(("batch", "open", "A", "--profile", "boron-product", *place)) == 0
    assert main(("log", "export", "--batch", "A", "-o", str(tmp_path), *place)) == 2
    assert "this is a folder" in told(capsys)


@pytest.mark.parametrize("form", [("--json",), ()])
def test_the_closing_line_comes_also_when_the_export_fails(
    form: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main((*ONCE, *form, "--export", "/dev/full")) == 3
    ended = capsys.readouterr()
    assert "No space left" in ended.err
    last = ended.out.splitlines()[-1]
    assert json.loads(last)["kind"] == "BatchSummary" if form else last.startswith("1 PASS in ")


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_tells_of_success_only_once_it_is_on_the_disk(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened(), *walked("a-1"))
    export = ("log", "export", "--batch", "B1", "--format", form, "--data-dir", str(tmp_path))
    assert main((*export, "-o", str(tmp_path / "log"))) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'log'}: 1 row\n")
    assert main((*export, "-o", "/dev/full")) == 3
    ended = capsys.readouterr()
    assert (ended.out, ended.err) == ("", "station: /dev/full: No space left on device\n")


@pytest.mark.parametrize("verb", [("log", "export", "--batch", "A"), ("batch", "list"), ("udev", "print")])
def test_standard_output_that_takes_nothing_is_a_failure_in_one_sentence(verb: tuple[str, ...], tmp_path: Path) -> None:
    place = ("--data-dir", str(tmp_path))
    assert main(("batch", "open", "A", "--profile", "boron-product", *place)) == 0
    words = verb if verb[0] == "udev" else (*verb, *place)
    for unbuffered in ("", "1"):  # the disk says so at the end, or in the middle
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                (sys.executable, "-m", "station", *words), stdout=full, stderr=subprocess.PIPE, text=True,
                env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            )  # fmt: skip
        assert (done.returncode, done.stderr) == (3, "station: standard output: No space left on device\n")


IN = ("--data-dir",)
OPEN = ("batch", "open", "B", "--profile", "boron-product", *IN)
RUN = ("run", "--headless", "--profile", "boron-product", "--batch", "B", *IN)
LOOKING = (
    ("batch", "list", *IN), ("batch", "close", "B", *IN), ("log", "find", "x", *IN), ("log", "dump", *IN),
    ("log", "export", "--batch", "B", *IN), ("doctor", "--no-cloud", *IN),
)  # fmt: skip


@pytest.mark.parametrize("below", [".", "deeper"])
@pytest.mark.parametrize("words", [(*ONCE, *IN), OPEN, RUN, *LOOKING], ids=lambda words: " ".join(words[:2]))
def test_a_data_directory_that_is_no_folder_is_refused(
    words: tuple[str, ...], below: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("PARTICLE_TOKEN", "some-token")
    letter = tmp_path / "letter"
    letter.write_text("no folder")
    assert main((*words, str(letter / below))) == 2
    assert f"{letter} is no folder" in told(capsys)


@pytest.mark.parametrize("words", [(*ONCE, *IN), OPEN, RUN], ids=lambda words: " ".join(words[:2]))
def test_a_data_directory_that_cannot_be_made_is_refused(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARTICLE_TOKEN", "some-token")
    assert main((*words, "/proc/station-data")) == 2
    assert "cannot be made" in told(capsys)


def _of_other_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE users (name TEXT)")


def _damaged(path: Path) -> None:
    """A store of ours whose first pages are whole, so that it opens."""
    VirtualCloud(SimulatedClock(), path).close()
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)


NO_CLOUD: dict[str, Callable[[Path], object]] = {
    "a named pipe": SPECIAL["a named pipe"],
    "a device": SPECIAL["a device"],
    "Is a directory": SPECIAL["a folder"],
    "not a database": lambda path: path.write_bytes(b"\x00garbage" * 1000),
    "column": _of_other_tables,
    "malformed": _damaged,
}


@pytest.mark.parametrize("found", NO_CLOUD)
def test_a_demo_whose_cloud_file_is_none_says_so_in_one_sentence(
    found: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "cloud.sqlite"
    NO_CLOUD[found](place)
    assert main((*ONCE, "--profile", "boron-product", "--data-dir", str(tmp_path))) == 2
    said = told(capsys)
    assert f"the virtual cloud's file {place} cannot be used (" in said
    assert found in said


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_a_demo_waits_for_no_pipe_beside_its_cloud_file(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / f"cloud.sqlite{suffix}")
    assert main((*ONCE, "--profile", "boron-product", "--data-dir", str(tmp_path))) == 2
    assert "a named pipe, expected a plain file" in told(capsys)
