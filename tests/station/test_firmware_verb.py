"""``station firmware`` as a person uses it: import, list, inspect, verify, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.module_vectors import vector
from support.scarce_disk import files_of_at_most
from support.wrapped import combined
from support.zips import bundle, release, sha256, zipped

from drivers.clock import SimulatedClock, SystemClock
from drivers.virtual import synthetic
from station.cli.main import main
from station.cloud.virtual import Fault, FaultKind, VirtualCloud
from station.engine.records import ProductCached
from station.firmware.cache import Entry, FirmwareCache
from station.firmware.examples import example_files, write_example_files
from station.journal import Journal

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
    assert f"left out      an ELF file, which debuggers read: {archive}: a.elf\n" in verb.out
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
        said,
        ("is a web page", "cut.bin is cut short", "is an ELF file", "needs the asset cat.txt", "No such file"),
        strict=True,
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


def test_inspect_shows_a_damaged_module_and_refuses_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray(BATCH[0].data)
    data[len(data) // 2] ^= 1
    (tmp_path / "a.bin").write_bytes(data)
    assert main(("firmware", "inspect", str(tmp_path / "a.bin"))) == 2
    out, err = capsys.readouterr()
    assert "WRONG: the file is damaged" in out
    assert "its CRC-32 is not the one stored at its end" in err


def test_of_many_files_beside_firmware_the_first_are_named(verb: Verb, tmp_path: Path) -> None:
    folder = tmp_path / "release"
    folder.mkdir()
    (folder / BATCH[0].name).write_bytes(BATCH[0].data)
    for n in range(8):
        (folder / f"note-{n}.txt").write_bytes(b"text\n")
    assert verb("import", folder) == 0
    assert f"{folder}/note-3.txt, {folder}/note-4.txt and 3 more\n" in verb.out
    assert "note-5" not in verb.out


def test_inspect_looks_into_an_archive(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("firmware", "inspect", str(archive))) == 0
    out, _ = capsys.readouterr()
    assert all(f"{archive}: {one.name}\n" in out for one in BATCH)
    assert "system part 1, version 6305 (Device OS 6.3.4)" in out
    assert out.endswith(f"left out      an ELF file, which debuggers read: {archive}: a.elf\n")


def test_a_cache_that_is_a_file_is_refused(verb: Verb, archive: Path) -> None:
    verb.cache.folder.write_bytes(b"")
    assert verb("list") == 2
    assert "is no folder; name one with --cache, or cache below [firmware]" in verb.err


def test_a_full_disk_is_said_in_one_sentence_and_the_cache_stays_good(verb: Verb, archive: Path) -> None:
    with files_of_at_most(100_000):
        assert verb("import", archive) == 3
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
    assert (refused.returncode, len(refused.stderr.splitlines())) == (3, 1)
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


# --- from the cloud ---------------------------------------------------------------------------


def test_a_release_is_fetched_and_nothing_of_it_twice(verb: Verb) -> None:
    assert verb("fetch", "6.3.4", "--platform", "boron", "--platform", "p2", "--virtual") == 0
    assert "Device OS 6.3.4 for Boron, 4 files" in verb.out
    assert verb.out.count("added") == len(BATCH) + len(release(32))
    assert "prebootloader-mbr@1.bin, encrypted: no station flashes it" in verb.out
    assert verb("fetch", "6.3.4", "--platform", "boron", "--virtual") == 0
    assert verb.out.count("already here") == len(BATCH)
    assert verb("list") == 0
    assert "Device OS 6.3.4 of a virtual cloud" in verb.out


def test_a_release_that_is_none_is_refused(verb: Verb) -> None:
    assert verb("fetch", "9.9.9", "--platform", "boron", "--virtual") == 2
    assert "the cloud has no Device OS 9.9.9 for Boron; name another version" in verb.err
    with pytest.raises(SystemExit):
        verb("fetch", "6.3.4", "--platform", "toaster", "--virtual")


def test_a_full_disk_ends_a_fetch_as_the_stations_own_trouble(verb: Verb) -> None:
    with files_of_at_most(60_000):
        assert verb("fetch", "6.3.4", "--platform", "boron", "--virtual") == 3
    assert len(verb.err.splitlines()) == 1
    assert verb("verify") == 0


def test_without_a_token_it_says_what_to_set(verb: Verb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PARTICLE_TOKEN", raising=False)
    (tmp_path / "station.toml").write_text("")
    assert verb("fetch", "6.3.4", "--platform", "boron", "--config", tmp_path / "station.toml") == 2
    assert "PARTICLE_TOKEN" in verb.err


def test_a_cloud_that_lies_is_told_a_sentence_a_file(
    verb: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = VirtualCloud(SystemClock())
    monkeypatch.setenv("PARTICLE_TOKEN", cloud.create_token("line@example.com").reveal())
    (tmp_path / "station.toml").write_text(f'[cloud]\nurl = "{cloud.serve()}"\n')
    route = "GET /v1/firmware/device-os/:version/:file"
    cloud.order(Fault(FaultKind.LIE, route, body=b"<html>Log in</html>"))
    cloud.order(Fault(FaultKind.LIE, route, body=BATCH[1].data[:-9]))
    assert verb("fetch", "6.3.4", "--platform", "boron", "--config", tmp_path / "station.toml") == 2
    first, second = verb.err.splitlines()
    assert f"{BATCH[0].name} is a web page, no firmware module; fetch it again; is there a proxy" in first
    assert f"{BATCH[1].name} is cut short" in second
    assert verb("verify") == 0
    assert f"{len(BATCH) - 2} files good" in verb.out
    cloud.close()


# --- to another bench, and without internet ---------------------------------------------------


def test_an_export_is_taken_back_as_it_was(
    verb: Verb, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verb("import", archive)
    stick = tmp_path / "stick.zip"
    assert verb("export", "-o", stick) == 0
    assert f"{stick}: {len(BATCH)} files" in verb.out
    other = Verb(tmp_path / "other", capsys)
    assert other("import", stick) == 0
    here, there = (
        {str(path.relative_to(one.cache.folder)): path.read_bytes() for path in one.cache.folder.glob("*/*")}
        for one in (verb, other)
    )
    assert here == there
    first = stick.read_bytes()
    assert other("export", "-o", stick) == 0
    assert stick.read_bytes() == first


def test_an_export_for_a_profile_holds_what_it_wants_wherever_it_lies(
    verb: Verb, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_example_files(tmp_path / "folder")
    (tmp_path / "station.toml").write_text('[firmware]\nfolders = ["folder"]\n')
    verb("fetch", "6.3.4", "--platform", "argon", "--virtual")
    config = ("--config", tmp_path / "station.toml")
    assert verb("export", "--profile", "boron-product", "-o", tmp_path / "b.zip", *config) == 0
    other = Verb(tmp_path / "other", capsys)
    assert other("import", tmp_path / "b.zip") == 0
    assert other("list", "--profile", "boron-product") == 0
    lines = other.out.splitlines()[1:-1]
    assert len(lines) == 4
    assert all(line.endswith("widget-boron") for line in lines)


def test_half_an_export_is_none(verb: Verb, archive: Path, tmp_path: Path) -> None:
    verb("import", archive)
    stick = tmp_path / "stick.zip"
    stick.write_bytes(b"the old one")
    assert verb("export", "--profile", "boron-product", "-o", stick) == 2
    assert "synthetic-boron-widget@6.3.4.bin is missing" in verb.err
    next(verb.cache.folder.glob("boron/*system-part*")).write_bytes(b"rotten")
    assert verb("export", "-o", stick) == 2
    assert "nothing was exported" in verb.err
    assert stick.read_bytes() == b"the old one"


def test_a_full_stick_is_said_and_what_was_on_it_stays(verb: Verb, archive: Path, tmp_path: Path) -> None:
    verb("import", archive)
    stick = tmp_path / "stick/x.zip"
    stick.parent.mkdir()
    stick.write_bytes(b"the old one")
    with files_of_at_most(50_000):
        assert verb("export", "-o", stick) == 3
    assert "cannot be written" in verb.err
    assert {path.name: path.read_bytes() for path in stick.parent.iterdir()} == {"x.zip": b"the old one"}


def test_an_empty_cache_exports_nothing(verb: Verb, tmp_path: Path) -> None:
    assert verb("export", "-o", tmp_path / "x.zip") == 2
    assert "nothing to export" in verb.err
    assert not (tmp_path / "x.zip").exists()


def readying(verb: Verb, tmp_path: Path, *profiles: str) -> int:
    names = (word for profile in profiles for word in ("--profile", profile))
    (tmp_path / "station.toml").write_text('[firmware]\nfolders = ["none"]\n')
    return verb("ready", *names, "--data-dir", tmp_path / "data", "--config", tmp_path / "station.toml")


def test_a_bench_is_ready_once_it_holds_everything_and_knows_the_product(verb: Verb, tmp_path: Path) -> None:
    assert readying(verb, tmp_path, "boron-product") == 1
    assert "widget-boron revision 1 without internet: no, missing:" in verb.out
    assert verb.out.count("is missing, searched the cache") == 4
    assert "the cloud never told this bench of product 12345" in verb.out
    write_example_files(tmp_path / "made")
    verb("import", tmp_path / "made")
    assert readying(verb, tmp_path, "boron-product") == 1
    assert len(verb.out.splitlines()) == 2
    journal = Journal.open(tmp_path / "data/journal", "bench", SimulatedClock())
    journal.record(
        ProductCached(
            at=SimulatedClock().utc(), ref="12345", product_id=12345, platform_id=13, name="Widget", slug="widget"
        )
    )  # fmt: skip
    journal.close()
    assert readying(verb, tmp_path, "boron-product") == 0
    assert verb.out == "widget-boron revision 1 without internet: yes, all 4 files are here and checked\n"
    next(verb.cache.folder.glob("boron/*widget*")).write_bytes(b"rotten")
    assert readying(verb, tmp_path, "boron-product") == 1
    assert verb.out.count("is missing") == 1


def test_a_profile_whose_units_need_the_cloud_is_never_ready(
    verb: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STATION_WIFI_PASSWORD", raising=False)
    write_example_files(tmp_path / "made")
    verb("import", tmp_path / "made")
    assert readying(verb, tmp_path, "developer", "boron-product") == 1
    assert "a developer unit is claimed while it is online" in verb.out
    assert "STATION_WIFI_PASSWORD" in verb.out
    assert "is missing" not in verb.out


FOREIGN = """
id = "others"
revision = 1
kind = "developer"
platforms = ["argon"]
[device_os]
version = "6.3.4"
modules = [{ file = "release.bin", sha256 = "RELEASE" }]
[firmware]
file = "widget.zip"
sha256 = "WIDGET"
[wifi]
ssid = "Bench"
password = "env:OTHERS_WIFI"
[cloud]
claim = true
online = true
offline = "hold"
"""


def test_a_profile_may_name_a_bundle_and_a_combined_file_here_too(
    verb: Verb, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHERS_WIFI", "a password")
    files = {"release.bin": combined(*(one.data for one in synthetic.release(12, "6.3.4"))), "widget.zip": bundle()}
    (tmp_path / "folder").mkdir()
    for name, data in files.items():
        (tmp_path / "folder" / name).write_bytes(data)
    (tmp_path / "station.toml").write_text('[firmware]\nfolders = ["folder"]\n')
    profile, config = tmp_path / "others.toml", ("--config", tmp_path / "station.toml")
    text = FOREIGN.replace("RELEASE", sha256(files["release.bin"])).replace("WIDGET", sha256(files["widget.zip"]))
    profile.write_text(text)
    stick = tmp_path / "stick.zip"
    assert verb("export", "--profile", profile, "-o", stick, *config) == 0, verb.err
    other = Verb(tmp_path / "other", capsys)
    assert other("import", stick) == 0
    (tmp_path / "none.toml").write_text('[firmware]\nfolders = ["none"]\n')
    assert other("list", "--profile", profile) == 0
    assert [line.split()[-1] for line in other.out.splitlines()[1:-1]] == ["others", "others"]
    assert {one.sha256 for one in other.cache.entries() if isinstance(one, Entry)} == {*map(sha256, files.values())}
    assert other("ready", "--profile", profile, "--config", tmp_path / "none.toml") == 1
    assert other.out.splitlines()[1:] == [
        "  without the cloud every unit waits in its slot: a developer unit is claimed while it is online"
    ]
