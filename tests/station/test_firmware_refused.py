"""What must never come into the cache or onto a unit, tried by the command line: one sentence each, nothing harmed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.scarce_disk import files_of_at_most
from support.zips import bundle, release, zipped

from drivers.clock import SystemClock
from drivers.virtual import synthetic
from drivers.virtual.header import Dependency
from station.cli.main import main
from station.cloud.virtual import Fault, FaultKind, VirtualCloud
from station.firmware.cache import FirmwareCache

BATCH = release(13)
SYSTEM = BATCH[2].data
"""A good system part; whatever is refused is made of it."""


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@dataclass(frozen=True)
class Bad:
    """A file that is refused. ``what`` it is, what was expected or what to do: all of it in the sentence."""

    name: str
    data: bytes
    says: tuple[str, ...]


CHECKED = "CRC-32 is not the one stored at its end", "download it again"
BESIDE = "no firmware module", "take the .bin"
BAD = (
    Bad("corrupt.bin", flipped(SYSTEM, 5000), CHECKED),
    Bad("one-bit-of-the-crc.bin", flipped(SYSTEM, len(SYSTEM) - 1), CHECKED),
    Bad("cut.bin", SYSTEM[:9000], (f"its header says {len(SYSTEM)} bytes, 9000 are there", "get it again")),
    Bad("a-byte-short.bin", SYSTEM[:-1], ("is cut short", "get it again")),
    Bad("padded.bin", SYSTEM + b"\xff" * 100, (f"behind its {len(SYSTEM)} bytes are 100 of FF", "cut them off")),
    Bad("elf.bin", b"\x7fELF" + bytes(500), ("is an ELF file", *BESIDE)),
    Bad("firmware.elf", b"\x7fELF" + bytes(500), ("is an ELF file", *BESIDE)),
    Bad("firmware.hex", b":020000040800F2\n:10000000FF\n", ("is an Intel HEX file", *BESIDE)),
    Bad("firmware.srec", b"S00600004844521B\n", ("is an S-record file", *BESIDE)),
    Bad("suffix.dfu", SYSTEM + bytes(8) + b"UFD\x10" + bytes(4), ("is a .dfu file", *BESIDE)),
    Bad("dfuse.dfu", b"DfuSe\x01" + bytes(500), ("is a DfuSe file", *BESIDE)),
    Bad("page.bin", b"<!DOCTYPE html><html>Sign in</html>", ("is a web page", "fetch it again; is there a proxy")),
    Bad("error.bin", b'{"error":"invalid_token"}', ("is a JSON text", "fetch it again; is there a proxy")),
    Bad("pointer.bin", b"version https://git-lfs.github.com/spec/v1\n", ("is a Git LFS pointer", "git lfs pull")),
    Bad("empty.bin", b"", ("is an empty file", "get it again")),
    Bad("erased.bin", b"\xff" * 4096, ("is blank flash", "name a module")),
    Bad("noise.bin", bytes(range(1, 256)) * 40, ("no module header in its 10200 bytes", "name the .bin of a build")),
    Bad(
        "document.zip",
        zipped({"word/document.xml": b"<?xml?>"}),
        ("holds no firmware, but an XML text", "name modules"),
    ),
    Bad("cut.zip", zipped({BATCH[0].name: BATCH[0].data})[:5000], ("ZIP archive whose end is missing", "get it again")),
    Bad("bundle.zip", bundle({}), ("needs the asset cat.txt, which is not in it", "bundle it again")),
    Bad("encrypted.bin", synthetic.burnt_in(32)[0][1].data, ("is encrypted, and no station flashes", "leave it out")),
)


@dataclass
class Bench:
    """A cache with a good release in it, which must be there afterwards as it was."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __post_init__(self) -> None:
        self.cache = self.folder / "cache"
        (self.folder / "release.zip").write_bytes(zipped({one.name: one.data for one in BATCH}))
        assert self("import", self.folder / "release.zip") == 0
        self.before = self.held()

    def __call__(self, *words: str | Path) -> int:
        status = main(("firmware", *map(str, words), "--cache", str(self.cache)))
        told = self.capsys.readouterr()
        self.said = [line.removeprefix("station: ") for line in told.err.splitlines()]
        self.out = told.out
        return status

    def held(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.cache.glob("*/*")}

    def check_intact(self) -> None:
        """Assert that the cache holds what it held, byte for byte, and that its own check finds nothing."""
        assert self.held() == self.before
        assert self("verify") == 0
        assert self.out == f"{len(BATCH)} files good in {self.cache}\n"


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Bench:
    return Bench(tmp_path, capsys)


def check_sentence(said: list[str], where: str, words: tuple[str, ...]) -> None:
    """Assert that there is one sentence, and that it says where, what, and what to do."""
    (sentence,) = said
    assert all(part in sentence for part in (where, *words)), sentence
    assert sentence.isprintable()


# --- at the edge --------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_file_that_is_none_is_refused_by_name(bad: Bad, bench: Bench) -> None:
    path = bench.folder / bad.name
    path.write_bytes(bad.data)
    assert bench("import", path) == 2
    check_sentence(bench.said, str(path), bad.says)
    bench.check_intact()


def test_beside_good_files_it_is_refused_all_the_same_and_they_come_in(bench: Bench) -> None:
    folder = bench.folder / "mixed"
    folder.mkdir()
    (folder / "good.bin").write_bytes(synthetic.application(12, "6.3.4").data)
    for bad in BAD[:3]:
        (folder / bad.name).write_bytes(bad.data)
    assert bench("import", folder) == 2
    assert len(bench.said) == 3
    assert bench("verify") == 0
    assert f"{len(BATCH) + 1} files good" in bench.out


def test_a_read_only_cache_keeps_what_it_has(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rights do not bind every login that runs tests, so the folder stands on a file: nothing can be made in it."""
    stands_on = bench.folder / "file"
    stands_on.write_bytes(b"")
    (bench.folder / "new.bin").write_bytes(synthetic.application(12, "6.3.4").data)
    status = main(("firmware", "import", str(bench.folder / "new.bin"), "--cache", str(stands_on / "cache")))
    said = bench.capsys.readouterr().err.splitlines()
    assert status == 3
    check_sentence(said, str(stands_on / "cache"), ("cannot be kept", "correct the folder's rights or make room"))
    bench.check_intact()


# --- mid-way ------------------------------------------------------------------------------------


def test_a_full_disk_ends_an_import_in_the_middle(bench: Bench) -> None:
    (bench.folder / "new.zip").write_bytes(zipped({one.name: one.data for one in release(12, "6.2.0")}))
    with files_of_at_most(100_000):
        assert bench("import", bench.folder / "new.zip") == 3
    check_sentence(bench.said, str(bench.cache), ("cannot be kept in the cache", "make room"))
    assert bench("verify") == 0
    assert bench.before.items() <= bench.held().items()


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualCloud]:
    made = VirtualCloud(SystemClock())
    monkeypatch.setenv("PARTICLE_TOKEN", made.create_token("line@example.com").reveal())
    (tmp_path / "station.toml").write_text(f'[cloud]\nurl = "{made.serve()}"\n')
    yield made
    made.close()


DOWNLOADS = (
    ("truncated", SYSTEM[:-9], ("is cut short", "get it again")),
    ("damaged", flipped(synthetic.release(12, "6.3.4")[0].data, 900), ("came damaged", "fetch it again")),
    ("a portal's page", b"<html>Log in</html>", ("is a web page", "is there a proxy")),
    ("another platform's", synthetic.release(13, "6.3.4")[0].data, ("is for Boron (13), asked for was Argon",)),
    ("another release's", synthetic.release(12, "6.2.0")[0].data, ("the cloud's list says", "fetch it again")),
    ("nothing", b"", ("is an empty file", "get it again")),
)


@pytest.mark.parametrize(("name", "body", "says"), DOWNLOADS, ids=[row[0] for row in DOWNLOADS])
def test_a_download_that_is_not_the_file_is_refused_and_the_next_fetch_mends_it(
    name: str, body: bytes, says: tuple[str, ...], bench: Bench, cloud: VirtualCloud
) -> None:
    cloud.order(Fault(FaultKind.LIE, "GET /v1/firmware/device-os/:version/:file", body=body))
    fetching = ("fetch", "6.3.4", "--platform", "argon", "--config", bench.folder / "station.toml")
    assert bench(*fetching) == 2
    check_sentence(bench.said, "synthetic-argon-", says)
    assert bench("verify") == 0
    assert bench.before.items() <= bench.held().items()
    assert bench(*fetching) == 0
    assert (bench.out.count("added"), bench.out.count("already here")) == (1, 3)


# --- before a unit is touched -------------------------------------------------------------------


def profile(folder: Path, *modules: synthetic.SyntheticFile) -> Path:
    """Write a Boron's profile that names ``modules``, which are in the folder ``files``."""
    (folder / "files").mkdir(exist_ok=True)
    rows = []
    for one in modules:
        (folder / "files" / one.name).write_bytes(one.data)
        rows.append({"file": one.name, "sha256": hashlib.sha256(one.data).hexdigest()})
    listed = ", ".join(f"{{ file = {json.dumps(row['file'])}, sha256 = {json.dumps(row['sha256'])} }}" for row in rows)
    path = folder / "p.toml"
    path.write_text(
        'id = "p"\nrevision = 1\nkind = "product"\nplatforms = ["boron"]\n[product]\nid = 12345\n'
        f'[device_os]\nversion = "6.3.4"\nmodules = [{listed}]\n[name]\ntemplate = "{{serial}}"\n'
    )
    return path


NEEDS_NOBODY_HAS = synthetic.SyntheticFile(
    "needing.bin",
    synthetic.make_module(
        13, (4, 1), 6305, 0x28000, bytes(500), (Dependency(2, 0, 3200), Dependency(8, 0, 999)),
    ),
)  # fmt: skip
PLANNED = (
    (
        "another platform's file",
        (*BATCH[:3], release(12)[0]),
        ("argon-bootloader@6.3.4.bin is for platform 12",),
    ),
    ("a dependency in no file", (BATCH[0], NEEDS_NOBODY_HAS), ("SoftDevice 999 or newer", "add SoftDevice 999")),
    ("no system part", BATCH[:2], ("hold no system part", "add it")),
)


@pytest.mark.parametrize(("name", "modules", "says"), PLANNED, ids=[row[0] for row in PLANNED])
def test_what_cannot_be_on_a_unit_is_refused_by_check_and_plan_before_a_unit_is_asked(
    name: str, modules: tuple[synthetic.SyntheticFile, ...], says: tuple[str, ...], bench: Bench
) -> None:
    path = profile(bench.folder, *modules)
    config = bench.folder / "station.toml"
    config.write_text('[firmware]\nfolders = ["files"]\n')
    planned = bench("plan", "--virtual", "boron@3.3.1", "--profile", path, "--config", config)
    refused = [line for line in bench.out.splitlines() if "refused: " in line] + bench.said
    assert planned == 2
    check_sentence(refused, "", says)
    checked = main(("profile", "check", str(path), "--config", str(config)))
    told = bench.capsys.readouterr()
    assert checked == 2
    assert all(part in told.out + told.err for part in says)
    bench.check_intact()


def test_a_file_that_rots_in_the_cache_is_not_used_but_named(bench: Bench) -> None:
    """The CRC of each file is checked on the way in, its hash before every use."""
    path = profile(bench.folder, *BATCH[:3])
    for one in (bench.folder / "files").iterdir():
        one.unlink()
    config = bench.folder / "station.toml"
    config.write_text('[firmware]\nfolders = ["files"]\n')
    rotten = next(bench.cache.glob("boron/*system-part*"))
    rotten.write_bytes(flipped(rotten.read_bytes(), 7000))
    assert bench("ready", "--profile", path, "--config", config, "--data-dir", bench.folder / "data") == 1
    assert f"firmware file {BATCH[2].name} is missing, searched the cache {bench.cache}" in bench.out
    assert bench("verify") == 1
    assert f"{rotten} is damaged" in bench.out
    assert len(list(FirmwareCache(bench.cache).named(BATCH[2].name))) == 0
