"""The release cache: what comes in, what stays whatever goes wrong, and how it is found again."""

from __future__ import annotations

import datetime
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.module_vectors import vector
from support.scarce_disk import files_of_at_most
from support.zips import bundle, release, sha256

from drivers.host.plain_file import written_whole
from station.errors import BadInput
from station.firmware.cache import INDEX, CacheUnwritable, Entry, Fault, FirmwareCache, Origin, kept_name
from station.firmware.contents import read_content
from station.firmware.sections import FileRef
from station.firmware.store import FirmwareStore

ORIGIN = Origin("release.zip", datetime.datetime(2026, 11, 29, 10, tzinfo=datetime.UTC))
SYSTEM = release()[2]


def added(cache: FirmwareCache, data: bytes, name: str = "x.bin") -> Entry:
    entry, _ = cache.add(data, name, name, ORIGIN)
    return entry


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def entries(cache: FirmwareCache) -> list[Entry]:
    found = list(cache.entries())
    assert all(isinstance(one, Entry) for one in found), found
    return [one for one in found if isinstance(one, Entry)]


def faults(cache: FirmwareCache) -> list[str]:
    return [one.sentence for one in cache.entries() if isinstance(one, Fault)]


def test_a_file_is_kept_under_its_platform_and_a_name_with_its_hash(tmp_path: Path) -> None:
    cache = FirmwareCache(tmp_path / "cache")
    entry, is_new = cache.add(SYSTEM.data, SYSTEM.name, "stick", ORIGIN)
    assert is_new
    digest = sha256(SYSTEM.data)
    assert entry.path == tmp_path / f"cache/argon/synthetic-argon-system-part1@6.3.4.{digest[:16]}.bin"
    assert entry.path.read_bytes() == SYSTEM.data
    (found,) = entries(cache)
    assert (found.name, found.sha256, found.origin) == (SYSTEM.name, digest, ORIGIN)


def test_what_is_there_is_not_written_again_under_another_name(tmp_path: Path) -> None:
    cache = FirmwareCache(tmp_path)
    first = added(cache, SYSTEM.data, "first.bin")
    again, is_new = cache.add(SYSTEM.data, "second.bin", "second.bin", ORIGIN)
    assert (is_new, again.path) == (False, first.path)
    assert len(entries(cache)) == 1


def test_two_files_of_one_name_are_kept_beside_each_other(tmp_path: Path) -> None:
    cache = FirmwareCache(tmp_path)
    for name in ("V2", "V8"):
        added(cache, vector(name), "tinker.bin")
    assert [entry.name for entry in entries(cache)] == ["tinker.bin", "tinker.bin"]


def test_the_store_finds_a_profiles_file_by_its_hash_whatever_it_is_called(tmp_path: Path) -> None:
    cache = FirmwareCache(tmp_path / "cache")
    added(cache, SYSTEM.data, "of another name.bin")
    ref = FileRef(file="argon-system-part1@6.3.4.bin", sha256=sha256(SYSTEM.data))
    assert FirmwareStore([], cache=cache).load(ref).data == SYSTEM.data


def test_a_folder_may_be_another_benchs_cache(tmp_path: Path) -> None:
    added(FirmwareCache(tmp_path / "theirs"), SYSTEM.data, "of another name.bin")
    ref = FileRef(file="argon-system-part1@6.3.4.bin", sha256=sha256(SYSTEM.data))
    assert FirmwareStore([tmp_path / "theirs"]).load(ref).data == SYSTEM.data


def test_a_damaged_file_of_the_cache_is_never_used_but_the_folders_are_searched(tmp_path: Path) -> None:
    cache = FirmwareCache(tmp_path / "cache")
    path = added(cache, SYSTEM.data).path
    path.write_bytes(SYSTEM.data[:-1] + b"\0")
    ref = FileRef(file="x.bin", sha256=sha256(SYSTEM.data))
    store = FirmwareStore([tmp_path], cache=cache)
    with pytest.raises(BadInput, match=r"x\.bin is missing, searched the cache .* import it"):
        store.load(ref)
    (tmp_path / "x.bin").write_bytes(SYSTEM.data)
    assert store.load(ref).data == SYSTEM.data


def test_importing_a_good_copy_mends_a_damaged_one(tmp_path: Path) -> None:
    cache = FirmwareCache(tmp_path)
    path = added(cache, SYSTEM.data).path
    path.write_bytes(b"rotten")
    (text,) = faults(cache)
    assert "is damaged" in text
    _, is_new = cache.add(SYSTEM.data, "x.bin", "x.bin", ORIGIN)
    assert is_new
    assert path.read_bytes() == SYSTEM.data


@pytest.mark.parametrize(
    "data", [b"", b"<html>", SYSTEM.data[:-1], SYSTEM.data[:1000], vector("V2")[:-1] + b"\0"],
    ids=["empty", "page", "cut", "head", "crc"],
)  # fmt: skip
def test_what_is_not_good_firmware_never_comes_in(data: bytes, tmp_path: Path) -> None:
    cache = FirmwareCache(tmp_path / "cache")
    with pytest.raises(BadInput):
        added(cache, data)
    assert not (tmp_path / "cache").exists()


def test_a_full_disk_leaves_the_cache_as_it_was(tmp_path: Path) -> None:
    cache = FirmwareCache(tmp_path)
    added(cache, vector("V2"))
    before = files(tmp_path)
    with files_of_at_most(len(SYSTEM.data) // 2), pytest.raises(CacheUnwritable, match="cannot be kept in the cache"):
        added(cache, SYSTEM.data)
    assert files(tmp_path) == before


def test_a_file_is_whole_or_not_there_whatever_ends_the_writing(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def write_half() -> None:
        with written_whole(path) as file:
            file.write(b"half")
            file.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert files(tmp_path) == {"a.bin": b"old"}
    with written_whole(path) as file:
        file.write(b"new")
    assert files(tmp_path) == {"a.bin": b"new"}


def test_what_a_killed_copy_left_behind_is_named_and_not_used(tmp_path: Path) -> None:
    cache = FirmwareCache(tmp_path)
    path = added(cache, SYSTEM.data).path
    (path.parent / f".{path.name}.abc.part").write_bytes(SYSTEM.data[:5000])
    assert "left over from a copy that was cut short" in faults(cache)[0]
    assert cache.find(sha256(SYSTEM.data)) == SYSTEM.data


def test_a_stranger_in_the_folder_is_named(tmp_path: Path) -> None:
    cache = FirmwareCache(tmp_path)
    folder = added(cache, SYSTEM.data).path.parent
    (folder / "mine.bin").write_bytes(SYSTEM.data)
    os.mkfifo(folder / "pipe.0123456789abcdef.bin")
    (folder / "gone.0123456789abcdef.bin").symlink_to(tmp_path / "nothing")
    texts = " ".join(faults(cache))
    for words in ("mine.bin was not put here by this program", "a named pipe", "gone.0123456789abcdef.bin cannot be"):
        assert words in texts


def test_without_its_index_only_origins_are_forgotten(tmp_path: Path) -> None:
    cache = FirmwareCache(tmp_path)
    added(cache, SYSTEM.data, SYSTEM.name)
    added(cache, vector("V2"), "other.bin")
    (tmp_path / INDEX).unlink()
    assert {entry.name: entry.origin for entry in entries(cache)} == {SYSTEM.name: None, "other.bin": None}


@pytest.mark.parametrize(
    "line", [b'{"sha256": []}', b"[1]", b'{"sha256":"a","name":1}', b"\xff\0", b"[" * 100_000], ids=range(5)
)
def test_a_damaged_index_harms_nothing(line: bytes, tmp_path: Path) -> None:
    cache = FirmwareCache(tmp_path)
    added(cache, SYSTEM.data)
    with (tmp_path / INDEX).open("ab") as file:
        file.write(line + b"\n" + line)
    assert [entry.origin for entry in entries(cache)] == [ORIGIN]


@given(st.text(max_size=300))
def test_any_name_becomes_one_file_below_the_cache(name: str) -> None:
    kept = kept_name(name, sha256(SYSTEM.data), read_content(SYSTEM.data, "x"))
    assert "/" not in kept
    assert not kept.startswith(".")
    assert len(kept.encode()) < 200
    assert kept.endswith(f".{sha256(SYSTEM.data)[:16]}.bin")


@pytest.mark.parametrize(
    "name", ["../../../outside.bin", "/etc/x.bin", "..", "a\\b.bin", "\0.bin", "x" * 5000, "固件.bin"]
)
def test_hostile_names_stay_inside(name: str, tmp_path: Path) -> None:
    cache = FirmwareCache(tmp_path / "cache")
    entry = added(cache, SYSTEM.data, name)
    assert entry.path.parent == tmp_path / "cache/argon"
    assert {path.name for path in tmp_path.iterdir()} == {"cache"}
    assert entries(cache)


def test_many_hands_at_one_cache_do_not_harm_it(tmp_path: Path) -> None:
    batch = release(12) + release(13)
    hands = [
        threading.Thread(target=lambda: [added(FirmwareCache(tmp_path), one.data, one.name) for one in batch])
        for _ in range(4)
    ]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert {entry.sha256 for entry in entries(FirmwareCache(tmp_path))} == {sha256(one.data) for one in batch}
    assert all(entry.origin == ORIGIN for entry in entries(FirmwareCache(tmp_path)))


def test_a_bundle_is_kept_as_it_came(tmp_path: Path) -> None:
    cache = FirmwareCache(tmp_path)
    assert added(cache, bundle(), "app.zip").path.name.endswith(".zip")
    assert cache.find(sha256(bundle())) == bundle()
