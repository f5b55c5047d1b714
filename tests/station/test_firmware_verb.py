"""``station firmware`` as a person uses it: import, list, inspect, verify, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.module_vectors import vector
from support.scarce_disk import files_of_at_most
from support.zips import bundle, release, sha256, zipped

from drivers.virtual import synthetic
from station.cli.main import main
from station.firmware.cache import FirmwareCache
from station.firmware.examples import example_files, write_example_files

BATCH = release(13)


class Verb:
    """Runs ``station firmware`` on one cache, and keeps what it says."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.cache = FirmwareCache(folder)
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *words: str | Path) -> int:
        status = main(("firmware", *map(str, words), "--cache", str(self.cache.folder)))
        self.out, self.err = self._capsys.readouterr()
        assert "Traceback" not in self.err
        assert all(line.startswith("station: ") for line in self.err.splitlines())
        return status


@pytest.fixture
def verb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Verb:
    return Verb(tmp_path / "cache", capsys)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "release.zip"
    path.write_bytes(zipped({one.name: one.data for one in BATCH} | {"a.elf": b"\x7fELF"}))
    return path


def test_a_release_is_imported_listed_and_verified(verb: Verb, archive: Path) -> None:
    assert verb("import", archive) == 0
    assert verb.out.count("added") == len(BATCH)
    assert "left out: an ELF file, which debuggers read" in verb.out
    assert verb("import", archive) == 0
    assert verb.out.count("already here") == len(BATCH)
    assert verb("list") == 0
    heads, *rows, total = verb.out.splitlines()
    assert heads.split() == ["platform", "Device", "OS", "module", "version", "bytes", "SHA-256", "name", "from"]
    assert len(rows) == len(BATCH)
    system = next(row for row in rows if "system part 1" in row)
    for words in ("boron", "6.3.4", sha256(BATCH[2].data)[:12], BATCH[2].name, str(len(BATCH[2].data)), "release.zip"):
        assert words in system
    assert total == f"{len(BATCH)} files in {verb.cache.folder}"
    assert verb("verify") == 0
    assert f"{len(BATCH)} files good" in verb.out


def test_the_list_shows_which_profile_wants_a_file(verb: Verb, tmp_path: Path) -> None:
    write_example_files(tmp_path / "made")
    assert verb("import", tmp_path / "made") == 0
    assert verb("list", "--profile", "boron-product", "--profile", "developer") == 0
    lines = verb.out.splitlines()
    assert lines[0].endswith("wanted by")
    wanted = [line for line in lines if "widget-boron" in line]
    assert len(wanted) == 4
    assert all(line.startswith("boron") for line in wanted)
    assert verb("list") == 0
    assert len(verb.out.splitlines()) == len({one.data for one in example_files()}) + 2


def test_an_empty_cache_is_no_fault(verb: Verb) -> None:
    assert verb("list") == 0
    assert verb.out == f"0 files in {verb.cache.folder}\n"
    assert verb("verify") == 0
    assert not verb.cache.folder.exists()


def test_a_damaged_file_is_found_and_named(verb: Verb, archive: Path) -> None:
    verb("import", archive)
    path = next(verb.cache.folder.glob("boron/*system-part*"))
    raw = bytearray(path.read_bytes())
    raw[5000] ^= 1
    path.write_bytes(raw)
    assert verb("verify") == 1
    assert f"{path} is damaged" in verb.out
    assert f"{len(BATCH) - 1} files good in {verb.cache.folder}, 1 not" in verb.out
    assert verb("list") == 0
    assert f"! {path} is damaged" in verb.out
    assert verb("import", archive) == 0
    assert verb.out.count("added") == 1
    assert verb("verify") == 0


def test_everything_refused_is_told_a_sentence_each_and_the_rest_comes_in(verb: Verb, tmp_path: Path) -> None:
    bad = {"page.bin": b"<!DOCTYPE html>", "cut.bin": BATCH[2].data[:9000], "x.elf": b"\x7fELF", "b.zip": bundle({})}
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "good.bin").write_bytes(vector("V2"))
    assert verb("import", *(tmp_path / name for name in (*bad, "good.bin", "none.bin"))) == 2
    assert verb.out.count("added") == 1
    said = verb.err.splitlines()
    assert len(said) == len(bad) + 1
    for line, words in zip(
        said, ("is a web page", "cut.bin: ", "is an ELF file", "needs the asset cat.txt", "No such file"), strict=True
    ):
        assert words in line


def test_a_file_that_locks_units_is_announced(verb: Verb, tmp_path: Path) -> None:
    (tmp_path / "b.bin").write_bytes(synthetic.bootloader(12, "6.3.4", is_protected=True).data)
    assert verb("import", tmp_path / "b.bin") == 0
    assert "under device protection, for good" in verb.out
    assert verb("list") == 0
    assert "bootloader, LOCKS UNITS" in verb.out


def test_inspect_tells_of_each_file_and_refuses_what_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.bin").write_bytes(vector("V9"))
    (tmp_path / "b.hex").write_bytes(b":020000040800F2\n")
    assert main(("firmware", "inspect", str(tmp_path / "a.bin"), str(tmp_path / "b.hex"))) == 2
    out, err = capsys.readouterr()
    assert "WARNING     puts every unit it is written to under device protection" in out
    assert "b.hex is an Intel HEX file, no firmware module; take the .bin the same build made" in err
    assert not list(tmp_path.glob("*/"))


def test_a_cache_that_is_a_file_is_refused(verb: Verb, archive: Path) -> None:
    verb.cache.folder.write_bytes(b"")
    assert verb("list") == 2
    assert "is no folder; name one with --cache, or cache below [firmware]" in verb.err


def test_a_full_disk_is_said_in_one_sentence_and_the_cache_stays_good(verb: Verb, archive: Path) -> None:
    with files_of_at_most(100_000):
        assert verb("import", archive) == 2
    (line,) = verb.err.splitlines()
    assert "cannot be kept in the cache" in line
    assert verb("verify") == 0


AS_NOBODY = """import os, sys
import encodings.utf_8_sig, station.cli.firmware  # nobody may be unable to read them
from station.cli.main import main
if os.getuid() == 0: os.setgid(65534); os.setuid(65534)
sys.exit(main(sys.argv[1:]))
"""


def test_a_read_only_cache_is_used_and_not_written(verb: Verb, archive: Path, tmp_path: Path) -> None:
    verb("import", archive)
    (tmp_path / "new.bin").write_bytes(vector("V2"))
    tmp_path.chmod(0o755)
    for path in (verb.cache.folder, *verb.cache.folder.glob("*/")):
        path.chmod(0o555)

    def ran(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", AS_NOBODY, "firmware", *words, "--cache", "cache"]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    verified = ran("verify")
    assert verified.stdout.startswith(f"{len(BATCH)} files good"), verified.stderr
    refused = ran("import", "new.bin")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert "Permission denied" in refused.stderr
    assert "correct the folder's rights or make room" in refused.stderr
    verb.cache.folder.chmod(0o755)
    assert verb("verify") == 0


def test_the_bench_finds_in_its_cache_what_a_profile_wants(
    verb: Verb, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "station.toml"
    config.write_text(f'[firmware]\nfolders = ["none"]\ncache = "{verb.cache.folder}"\n')
    words = ("doctor", "--no-cloud", "--profile", "boron-product", "--config", str(config), "--data-dir", str(tmp_path))
    main(words)
    assert "is missing, searched the cache" in capsys.readouterr().out
    write_example_files(tmp_path / "made")
    verb("import", tmp_path / "made")
    main(words)
    assert "all files of widget-boron revision 1 are here" in capsys.readouterr().out
