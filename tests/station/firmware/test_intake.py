"""Firmware from files, archives, folders and another station's cache; and archives nobody should unpack."""

from __future__ import annotations

import contextlib
import datetime
import io
import os
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.module_vectors import vector
from support.scarce_disk import files_of_at_most
from support.zips import NO_TIME, bundle, release, sha256, zipped

from station.errors import BadInput
from station.firmware import archive
from station.firmware.cache import CacheUnwritable, Entry, FirmwareCache
from station.firmware.intake import Arrival, State, into, take

NOW = datetime.datetime(2026, 11, 29, 10, tzinfo=datetime.UTC)
BATCH = release()
ELF = b"\x7fELF" + bytes(100)


def took(cache: FirmwareCache, source: Path) -> list[Arrival]:
    return list(take(source, into(cache, source, NOW)))


def saved(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def held(cache: FirmwareCache) -> set[str]:
    return {entry.sha256 for entry in cache.entries() if isinstance(entry, Entry)}


def refusal(cache: FirmwareCache, source: Path) -> str:
    """The sentence with which a whole source or its only file is refused."""
    try:
        (arrival,) = took(cache, source)
    except BadInput as error:
        text = str(error)
    else:
        assert arrival.state is State.REFUSED
        text = arrival.why
    assert text.isprintable()
    assert held(cache) == set()
    return text


@pytest.fixture
def cache(tmp_path: Path) -> FirmwareCache:
    return FirmwareCache(tmp_path / "cache")


def test_a_release_archive_gives_its_modules_and_says_what_else_it_holds(cache: FirmwareCache, tmp_path: Path) -> None:
    members = {f"binaries/argon/{one.name}": one.data for one in BATCH}
    members |= {"binaries/argon/system.elf": ELF, "notes.txt": b"see the web\n", "__MACOSX/._x.bin": b"junk"}
    arrivals = took(cache, saved(tmp_path / "release.zip", zipped(members)))
    assert [one.state for one in arrivals[: len(BATCH)]] == [State.ADDED] * len(BATCH)
    assert {one.why for one in arrivals[len(BATCH) :]} == {
        "an ELF file, which debuggers read",
        "a text",
        "a hidden file",
    }
    assert held(cache) == {sha256(one.data) for one in BATCH}
    assert {one.entry.origin.source for one in arrivals if one.entry and one.entry.origin} == {"release.zip"}


def test_names_mean_nothing(cache: FirmwareCache, tmp_path: Path) -> None:
    (one,) = took(cache, saved(tmp_path / "boron-bootloader@1.0.0.hex", BATCH[2].data))
    assert one.entry is not None
    assert (one.entry.content.main.function, one.entry.content.main.platform_id) == (4, 12)


def test_an_archive_of_all_platforms_may_hold_one_for_each(cache: FirmwareCache, tmp_path: Path) -> None:
    inner = {f"{n}.zip": zipped({one.name: one.data for one in release(n)}) for n in (12, 13)}
    took(cache, saved(tmp_path / "all.zip", zipped(inner)))
    assert len(held(cache)) == len(release(12)) + len(release(13))
    deeper = zipped({"deep.zip": zipped({"deeper.zip": zipped({"x.bin": vector("V2")})})})
    with pytest.raises(BadInput, match="an archive in an archive; import it by itself"):
        took(cache, saved(tmp_path / "deep.zip", zipped({"outer.zip": deeper})))


def test_a_bundle_is_taken_as_one_wherever_it_lies(cache: FirmwareCache, tmp_path: Path) -> None:
    took(cache, saved(tmp_path / "b.zip", bundle()))
    assert held(cache) == {sha256(bundle())}
    took(cache, saved(tmp_path / "release.zip", zipped({"bundle.zip": bundle(), "x.bin": vector("V2")})))
    assert held(cache) == {sha256(bundle()), sha256(vector("V2"))}


def test_the_archives_of_these_tests_are_the_same_in_every_run() -> None:
    with zipfile.ZipFile(io.BytesIO(bundle())) as made:
        assert {member.date_time for member in made.infolist()} == {NO_TIME}


def test_a_folder_is_taken_with_what_is_below_it(cache: FirmwareCache, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    for one in BATCH:
        saved(stick / "argon" / one.name, one.data)
    saved(stick / "page.bin", b"<!doctype html><html>")
    saved(stick / "photo.jpg", b"\xff\xd8\xff" + bytes(5 << 20))
    saved(stick / "noise.dat", bytes(range(256)) * 20)
    (stick / "loop").symlink_to(stick)
    arrivals = took(cache, stick)
    assert held(cache) == {sha256(one.data) for one in BATCH}
    assert ["page.bin is a web page" in one.why for one in arrivals if one.state is State.REFUSED] == [True]
    assert {one.why for one in arrivals if one.state is State.LEFT_OUT} == {"a picture", "a file of unknown kind"}


def test_another_stations_cache_is_taken_over_with_the_names_it_had(cache: FirmwareCache, tmp_path: Path) -> None:
    theirs = FirmwareCache(tmp_path / "theirs")
    took(theirs, saved(tmp_path / "release.zip", zipped({one.name: one.data for one in BATCH})))
    took(cache, theirs.folder)
    assert held(cache) == held(theirs)
    paths = [sorted(str(p.relative_to(c.folder)) for p in c.folder.glob("*/*")) for c in (cache, theirs)]
    assert paths[0] == paths[1]


def test_a_file_that_is_not_what_its_name_in_a_cache_says_is_refused(cache: FirmwareCache, tmp_path: Path) -> None:
    text = refusal(cache, saved(tmp_path / f"app.{'0' * 16}.bin", vector("V2")))
    assert "is not the file its name says" in text


def test_one_bad_file_does_not_keep_the_good_ones_out(cache: FirmwareCache, tmp_path: Path) -> None:
    members = {"a.bin": vector("V2")[:-1] + b"\0", "b.bin": vector("V8"), "c.bin": b""}
    arrivals = took(cache, saved(tmp_path / "x.zip", zipped(members)))
    assert [one.state for one in arrivals] == [State.REFUSED, State.ADDED, State.REFUSED]
    assert "x.zip: a.bin: its CRC-32" in arrivals[0].why


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("x.bin", b"<html><body>Login</body></html>", "x.bin is a web page"),
        ("x.elf", ELF, "x.elf is an ELF file"),
        (
            "x.zip",
            zipped({"a.elf": ELF, "b.txt": b"text\n"}),
            "x.zip holds no firmware, but a text and an ELF file, which debuggers read; name modules",
        ),
        ("x.zip", zipped({}), "x.zip holds no firmware; name modules"),
        ("x.zip", zipped({"a.bin": vector("V2")})[:-10], "x.zip is a ZIP archive whose end is missing"),
        ("x.bin", BATCH[2].data[:5000], "x.bin is cut short: its header says 204800 bytes, 5000 are there"),
        ("x.bin", bytes(range(256)) * (20 << 10), "no firmware module"),
        ("x.zip", bundle(assets={}, wanted={"a.txt": b"a"}), "needs the asset a.txt, which is not in it"),
    ],
    ids=["page", "elf", "other zip", "empty zip", "cut zip", "cut module", "noise", "bundle"],
)
def test_what_is_refused_is_told_in_one_sentence(
    name: str, data: bytes, why: str, cache: FirmwareCache, tmp_path: Path
) -> None:
    assert why in refusal(cache, saved(tmp_path / name, data))


def test_what_cannot_be_read_is_said(cache: FirmwareCache, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "a named pipe, expected a plain file" in refusal(cache, tmp_path / "pipe")
    assert "No such file" in refusal(cache, tmp_path / "nothing")


# --- archives nobody should unpack ------------------------------------------------------------


def test_a_bomb_is_unpacked_no_further_than_any_release_goes(tmp_path: Path) -> None:
    path = saved(tmp_path / "bomb.zip", zipped({f"{n}.bin": bytes(4 << 20) for n in range(4)}))
    budget = archive.Budget(bytes_left=10 << 20)
    with path.open("rb") as file:
        opened = archive.Archive(file, "bomb.zip", budget)
        with pytest.raises(archive.TooMuch, match="unpacks to more than 1024 MiB"):
            [opened.read(member, 4 << 20) for member in opened.members]
    assert budget.bytes_left == (10 << 20) - 3 * (4 << 20)


def test_what_may_be_unpacked_is_counted_over_all_archives_of_one_import(cache: FirmwareCache, tmp_path: Path) -> None:
    files = {f"{n}.txt": b"" for n in range(archive.MAX_MEMBERS // 2)}
    inner = zipped({"one.zip": zipped(files), "two.zip": zipped(files), "last.bin": vector("V2")})
    with pytest.raises(archive.TooMuch, match="holds more than 4096 files"):
        took(cache, saved(tmp_path / "x.zip", inner))


def test_one_huge_member_is_read_no_further_than_a_module_goes(cache: FirmwareCache, tmp_path: Path) -> None:
    path = tmp_path / "huge.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made, made.open("x.bin", "w") as member:
        for _ in range(64):
            member.write(bytes(1 << 20))
    budget = archive.Budget()
    with path.open("rb") as file:
        opened = archive.Archive(file, "huge.zip", budget)
        with pytest.raises(BadInput, match="has more than 4194304 bytes"):
            opened.read(opened.members[0], 4 << 20)
    assert budget.bytes_left == archive.MAX_UNPACKED
    assert "x.bin is nothing but zeros" in refusal(cache, path)


def lying(data: bytes, *, size: int | None = None, flag: int = 0, method: int | None = None) -> bytes:
    """Change what the list of files says of the only member."""
    raw = bytearray(data)
    at = raw.index(b"PK\1\2")
    if size is not None:
        struct.pack_into("<I", raw, at + 24, size)
    struct.pack_into("<H", raw, at + 8, struct.unpack_from("<H", raw, at + 8)[0] | flag)
    if method is not None:
        struct.pack_into("<H", raw, at + 10, method)
    return bytes(raw)


ONE = zipped({"x.bin": vector("V2")})


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (lying(ONE, size=10), "cannot be unpacked; the archive is damaged"),
        (lying(ONE, flag=1), "is locked with a password"),
        (lying(ONE, method=12), "is packed in a way no release uses"),
        (lying(ONE, method=99), "is packed in a way no release uses"),
        (zipped({f"{n}.txt": b"" for n in range(archive.MAX_MEMBERS + 1)}), "holds more than 4096 files"),
        (zipped({"n" * 60_000 + str(n): b"" for n in range(20)}), "a list of more files than any release has"),
        (ONE[:-22] + b"PK\6\7" + bytes(16) + ONE[-22:], "a list of more files than any release has"),
    ],
    ids=["short", "password", "bzip2", "unknown", "count", "directory", "zip64"],
)
def test_an_archive_that_lies_is_refused(data: bytes, why: str, cache: FirmwareCache, tmp_path: Path) -> None:
    assert why in refusal(cache, saved(tmp_path / "x.zip", data))


def test_a_name_that_stands_twice_is_refused(cache: FirmwareCache, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr(zipfile.ZipInfo("x.bin", NO_TIME), vector("V2"))
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr(zipfile.ZipInfo("x.bin", NO_TIME), vector("V8"))
    assert "holds x.bin twice" in refusal(cache, saved(tmp_path / "x.zip", out.getvalue()))


@pytest.mark.parametrize("name", ["../../evil.bin", "/etc/passwd.bin", "C:\\evil.bin", "a/../../b.bin", "\x1b[2J.bin"])
def test_paths_in_an_archive_lead_nowhere(name: str, cache: FirmwareCache, tmp_path: Path) -> None:
    (one,) = took(cache, saved(tmp_path / "in/x.zip", zipped({name: vector("V2")})))
    assert one.entry is not None
    assert one.entry.path.parent == cache.folder / "argon"
    assert one.where.isprintable()
    assert {path.name for path in tmp_path.iterdir()} == {"in", "cache"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, len(ONE) - 1), st.integers(1, 255)), min_size=1, max_size=8), st.integers(0, 30)
)
def test_damage_anywhere_in_an_archive_brings_in_nothing_wrong(
    tmp_path: Path, flips: list[tuple[int, int]], cut: int
) -> None:
    raw = bytearray(ONE)
    for at, flip in flips:
        raw[at] ^= flip
    cache = FirmwareCache(tmp_path / "cache")
    path = saved(tmp_path / "x.zip", bytes(raw[: len(raw) - cut]))
    with contextlib.suppress(BadInput):
        assert all(one.why.isprintable() for one in took(cache, path))
    assert held(cache) <= {sha256(vector("V2"))}


def test_a_full_disk_ends_an_import_and_keeps_what_came_before(cache: FirmwareCache, tmp_path: Path) -> None:
    source = saved(tmp_path / "x.zip", zipped({"small.bin": vector("V2"), "large.bin": BATCH[2].data}))
    with files_of_at_most(50_000), pytest.raises(CacheUnwritable):
        took(cache, source)
    assert held(cache) == {sha256(vector("V2"))}
    took(cache, source)
    assert held(cache) == {sha256(vector("V2")), sha256(BATCH[2].data)}
