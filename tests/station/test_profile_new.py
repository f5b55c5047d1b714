"""`station profile new`: answers become a profile that passes its check, with every key explained."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from support.known_steps import load_profile
from support.zips import bundle, sha256, zipped

from drivers.platforms import Platform, platforms
from drivers.virtual.synthetic import application, bootloader, release, versions
from station.cli.main import main
from station.firmware.contents import MAX_BUNDLE
from station.firmware.sections import DeviceOs, Firmware
from station.paths import find_profile
from station.steps.product_add import Product
from station.steps.shared.wifi_section import Wifi

ARGON = ("--platform", "argon", "--product", "12345")


def new(folder: Path, *options: str) -> int:
    return main(["profile", "new", str(folder / "mine.toml"), *options])


@pytest.mark.parametrize(
    ("row", "product"),
    [(row, "developer" if row.slug in ("photon", "boron", "xsom") else "12345") for row in platforms()],
    ids=lambda value: value if isinstance(value, str) else value.slug,
)
def test_what_it_writes_passes_the_check_on_every_platform(row: Platform, product: str, tmp_path: Path) -> None:
    version = versions(row.id)[-1]
    made = application(row.id, version, product_version=9)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / made.name).write_bytes(made.data)
    files = ("--firmware", str(tmp_path / "files"))
    named = ("--platform", row.slug, "--product", product, "--application", made.name, "--device-os", version)
    assert new(tmp_path, *named, *files) == 0
    assert main(["profile", "check", str(tmp_path / "mine.toml"), *files]) == 0
    assert main(["profile", "hash", str(tmp_path / "mine.toml"), "--check", *files]) == 0
    profile = load_profile(tmp_path / "mine.toml")
    assert profile.id == "mine"
    section = profile.section(DeviceOs)
    assert section is not None
    assert {one.file for one in section.modules} == {file.name for file in release(row.id, version)}
    (firmware,) = profile.sections(Firmware)
    assert firmware.product_version == (None if product == "developer" else 9)


def test_an_application_that_was_built_for_no_product_states_no_version(tmp_path: Path) -> None:
    assert new(tmp_path, *ARGON, "--product", "12345", "--application", "synthetic-argon-tinker@6.3.4.bin") == 0
    (firmware,) = load_profile(tmp_path / "mine.toml").sections(Firmware)
    assert firmware.product_version is None


def test_every_key_has_a_comment_on_its_line_or_above_it(tmp_path: Path) -> None:
    assert new(tmp_path, *ARGON, "--wifi", "lab", "--application", "synthetic-argon-tinker@6.3.4.bin") == 0
    before = ""
    for line in (tmp_path / "mine.toml").read_text("utf-8").splitlines():
        assert len(line) <= 200
        if re.match(r"\w+ = ", line):
            assert "# " in line or before.startswith("# "), line
        before = line


def test_without_more_words_it_takes_the_newest_release_no_application_and_no_network(tmp_path: Path) -> None:
    assert new(tmp_path, *ARGON) == 0
    profile = load_profile(tmp_path / "mine.toml")
    section = profile.section(DeviceOs)
    assert section is not None
    assert str(section.version) == versions(12)[-1]
    assert (profile.sections(Firmware), profile.sections(Wifi)) == ((), ())


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.toml").write_text("precious")
    assert new(tmp_path, *ARGON) == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "mine.toml").read_text() == "precious"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "station: Platform, such as boron or argon: name it with --platform, or run"),
        (("--platform", "argon"), "station: Product number or slug, or developer: name it with --product, or run"),
        (("--platform", "toaster", "--product", "1"), "no platform 'toaster'"),
        (("--platform", "argon", "--product", "7"), "'7' names no product; write its number"),
        (("--platform", "argon", "--product", "No Slug"), "'No Slug' names no product"),
        ((*ARGON, "--device-os", "latest"), "Device OS version"),
        ((*ARGON, "--device-os", "9.9.9"), "there is 6.4.1"),
        ((*ARGON, "--application", "nothing.bin"), "application nothing.bin: no folder has a file of that name"),
        (
            (*ARGON, "--application", "synthetic-boron-tinker@5.8.0.bin"),
            "is application for Boron (13); name an application for Argon, or none",
        ),
        ((*ARGON, "--wifi", "lab", "--wifi-password", "hunter2hunter2"), "the password itself is never written"),
        (("--platform", "boron", "--product", "12345", "--wifi", "lab"), "no [wifi] for Boron"),
    ],
)  # fmt: skip
def test_what_makes_no_profile_is_refused_and_nothing_is_written(
    options: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new(tmp_path, *options) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "hunter2" not in told
    assert told.count(".bin") < 2, "a file is named once"
    assert not list(tmp_path.iterdir())


def test_own_files_come_before_synthetic_ones_and_a_bootloader_that_locks_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    for file in release(12, "6.3.4"):
        (tmp_path / "files" / file.name.removeprefix("synthetic-")).write_bytes(file.data)
    locking = bootloader(12, "6.3.4", is_protected=True)
    (tmp_path / "files" / "argon-bootloader-protected@6.3.4.bin").write_bytes(locking.data)
    (tmp_path / "files" / "page@6.3.4.bin").write_text("<html>")
    assert new(tmp_path, *ARGON, "--firmware", str(tmp_path / "files")) == 0
    section = load_profile(tmp_path / "mine.toml").section(DeviceOs)
    assert section is not None
    assert str(section.version) == "6.3.4", "the newest of the own files"
    assert sorted(one.file.partition("@")[0] for one in section.modules) == [
        "argon-bootloader", "argon-softdevice", "argon-system-part1",
    ]  # fmt: skip


def test_a_bundle_is_offered_beside_single_files_and_taken_with_its_hash(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "app.zip").write_bytes(bundle())
    (files / "release.zip").write_bytes(zipped({one.name: one.data for one in release(12, "6.3.4")}))
    (files / "large.zip").write_bytes(zipped({"a": bytes(MAX_BUNDLE + 1)}, zipfile.ZIP_STORED))
    options = ("--application", "app.zip", "--device-os", "6.3.4", "--firmware", str(files))
    assert new(tmp_path, *ARGON, *options) == 0
    (firmware,) = load_profile(tmp_path / "mine.toml").sections(Firmware)
    assert (firmware.file, firmware.sha256) == ("app.zip", sha256((files / "app.zip").read_bytes()))
    assert main(["profile", "check", str(tmp_path / "mine.toml"), "--firmware", str(files)]) == 0


def test_a_bundle_that_lacks_an_asset_is_refused_by_the_name_of_the_asset(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "app.zip").write_bytes(bundle({}))
    assert new(tmp_path, *ARGON, "--application", "app.zip", "--firmware", str(tmp_path)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "app.zip: its application needs the asset cat.txt, which is not in it" in line
    assert not (tmp_path / "mine.toml").exists()


def test_two_files_for_one_part_of_a_release_are_told_apart_by_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "files").mkdir()
    for file in release(12, "6.3.4"):
        (tmp_path / "files" / file.name).write_bytes(file.data)
    other = bootloader(12, "6.2.0")
    (tmp_path / "files" / "other-bootloader@6.3.4.bin").write_bytes(other.data)
    assert new(tmp_path, *ARGON, "--device-os", "6.3.4", "--firmware", str(tmp_path / "files")) == 2
    assert "are both its bootloader" in capsys.readouterr().err


def test_a_terminal_is_asked_for_what_no_option_says_and_again_after_a_bad_answer(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    station = subprocess.Popen(
        [sys.executable, "-m", "station", "profile", "new", str(tmp_path / "mine.toml")],
        stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=find_profile("developer").parent.parent,
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, b"toaster\nboron\nNo Slug\ndeveloper\n5.8.0\nsynthetic-boron-tinker@5.8.0.bin\n")
    drained = threading.Thread(target=_drain, args=(ours,), daemon=True)
    drained.start()
    told, _ = station.communicate()
    assert station.returncode == 0, told
    assert b"no platform 'toaster'" in told
    assert b"'No Slug' names no product" in told
    assert b"Application (synthetic-boron-tinker@5.8.0.bin, " in told
    profile = load_profile(tmp_path / "mine.toml")
    section = profile.section(DeviceOs)
    assert section is not None
    assert (str(section.version), [row.slug for row in profile.platforms]) == ("5.8.0", ["boron"])
    assert profile.section(Product) is None
    assert profile.sections(Firmware)[0].file == "synthetic-boron-tinker@5.8.0.bin"


def _drain(terminal: int) -> None:
    """Read the terminal's echo until its other end is closed."""
    try:
        while os.read(terminal, 1024):
            pass
    except OSError:
        pass
    finally:
        os.close(terminal)
