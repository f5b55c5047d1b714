"""Tinker as a named firmware of the cache: fetched by that name, imported under it, found for a unit."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from support.module_vectors import vector
from support.zips import bundle, zipped

from drivers.platforms import Platform, platform, platforms
from drivers.virtual import synthetic
from station.cli.main import main
from station.errors import BadInput
from station.firmware.cache import Entry, FirmwareCache, Origin
from station.firmware.tinker import find_tinker, is_called_tinker, is_tinker

BORON = platform(13)
FROM = Origin("test", datetime.datetime(2026, 11, 29, tzinfo=datetime.UTC))


@pytest.fixture
def cache(tmp_path: Path) -> FirmwareCache:
    return FirmwareCache(tmp_path / "cache")


def kept(cache: FirmwareCache, *files: synthetic.SyntheticFile) -> None:
    for one in files:
        cache.add(one.data, one.name, one.name, FROM)


def firmware(cache: FirmwareCache, *words: str) -> int:
    return main(("firmware", *words, "--cache", str(cache.folder)))


@pytest.mark.parametrize(
    ("name", "is_it"),
    [
        ("argon-tinker@6.3.4.bin", True), ("tinker-0.8.0-rc.27-boron.bin", True), ("p1_tinker.bin", True),
        ("tinker.bin", True), ("Tinker+debug.bin", True), ("tinkerbell.bin", False), ("mytinker.bin", False),
        ("widget.bin", False),
    ],
)  # fmt: skip
def test_the_vendors_ways_to_name_it_are_known(name: str, is_it: bool) -> None:
    assert is_called_tinker(name) is is_it


@pytest.mark.parametrize("row", platforms(), ids=lambda row: row.slug)
def test_it_is_fetched_alone_for_every_platform_whose_release_has_it(
    row: Platform, cache: FirmwareCache, capsys: pytest.CaptureFixture[str]
) -> None:
    version = synthetic.versions(row.id)[-1]
    status = firmware(cache, "fetch", f"tinker@{version}", "--platform", row.slug, "--virtual")
    told = capsys.readouterr()
    if row.slug == "tracker":
        assert status == 2
        assert f"lists no Tinker with Device OS {version}" in told.err
        assert "tracker-edge" in told.err
        assert "import its file: station firmware import FILE --name tinker" in told.err
        assert list(cache.entries()) == []
        return
    assert status == 0
    assert f"Tinker of Device OS {version} for {row.name}, 1 file\n" in told.out
    (entry,) = cache.entries()
    assert isinstance(entry, Entry)
    assert is_tinker(entry)
    assert find_tinker(cache, row, None) == entry


def test_without_a_version_it_is_the_newest(cache: FirmwareCache, capsys: pytest.CaptureFixture[str]) -> None:
    assert firmware(cache, "fetch", "tinker", "--platform", "boron", "--virtual") == 0
    assert f"Tinker of Device OS {synthetic.versions(13)[-1]} for Boron" in capsys.readouterr().out
    assert firmware(cache, "fetch", "tinker@9.9.9", "--platform", "boron", "--virtual") == 2


def test_a_unit_gets_the_newest_that_starts_on_its_device_os(cache: FirmwareCache) -> None:
    for version in ("3.3.1", "5.8.0", "6.3.4"):
        kept(cache, synthetic.application(13, version))
    kept(cache, synthetic.application(12, "4.2.0"), synthetic.application(13, "5.8.0", seed="widget"))
    for system_version, expected in ((3302, "3.3.1"), (5800, "5.8.0"), (6200, "5.8.0"), (9999, "6.3.4")):
        assert find_tinker(cache, BORON, system_version).name == f"synthetic-boron-tinker@{expected}.bin"
    assert find_tinker(cache, BORON, None).name == "synthetic-boron-tinker@3.3.1.bin"
    with pytest.raises(BadInput) as refused:
        find_tinker(cache, BORON, 1212)
    said = str(refused.value)
    assert "no Tinker for Boron that runs on Device OS 1.2.1-rc.3 (1212), only for 3.3.1 (3302), 5.8.0 (5800)" in said
    assert "station firmware fetch tinker@VERSION --platform boron" in said


def test_a_products_application_is_not_tinker_whatever_it_is_called(cache: FirmwareCache) -> None:
    own = synthetic.application(13, "3.3.1", product_id=12345, product_version=1)
    kept(cache, synthetic.SyntheticFile("tinker.bin", own.data))
    with pytest.raises(BadInput, match="the cache has no Tinker for Boron"):
        find_tinker(cache, BORON, None)


def test_a_file_is_imported_under_its_name_and_one_that_is_there_gets_it(
    cache: FirmwareCache, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = synthetic.application(13, "5.8.0")
    (tmp_path / "download(1).bin").write_bytes(made.data)
    assert firmware(cache, "import", str(tmp_path / "download(1).bin")) == 0
    with pytest.raises(BadInput):
        find_tinker(cache, BORON, None)
    assert firmware(cache, "import", str(tmp_path / "download(1).bin"), "--name", "tinker") == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("tinker.bin")
    assert find_tinker(cache, BORON, 5800).name == "tinker.bin"
    assert len(list(cache.entries())) == 1
    (cache.folder / "index.jsonl").unlink()
    assert find_tinker(cache, BORON, 5800).name == "tinker.bin", "its name does not hang on the index"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("boot.bin", synthetic.bootloader(13, "6.3.4").data, "is no single application (bootloader), so it is not"),
        ("app.zip", bundle(), "is no single application"),
        ("own.bin", vector("V1"), "is the application of product 4660, not Tinker; name its own file"),
        ("two.zip", zipped({"d/a.bin": synthetic.application(13, "5.8.0").data}), "a name is for one file, not for"),
    ],
    ids=["bootloader", "bundle", "a product's", "in an archive"],
)
def test_what_is_not_tinker_gets_no_such_name(
    name: str, data: bytes, said: str, cache: FirmwareCache, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(data)
    assert firmware(cache, "import", str(tmp_path / name), "--name", "tinker") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert list(cache.entries()) == []


def test_a_name_is_for_one_file(cache: FirmwareCache, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.bin").write_bytes(synthetic.application(13, "5.8.0").data)
    assert firmware(cache, "import", str(tmp_path / "1.bin"), str(tmp_path / "2.bin"), "--name", "tinker") == 2
    assert "--name is for one file" in capsys.readouterr().err
