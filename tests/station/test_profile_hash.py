"""`station profile hash`: the hashes of a profile come from its files, and nothing else in its text changes."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from drivers.virtual.synthetic import application
from station.cli.main import main
from station.paths import shipped_profiles

SHIPPED = pytest.mark.parametrize("shipped", shipped_profiles(), ids=lambda path: path.stem)


def argon(folder: Path, *changes: tuple[str, str]) -> Path:
    """Write a changed copy of the shipped profile for Argon."""
    text = next(path for path in shipped_profiles() if path.stem == "argon-product").read_text("utf-8")
    for pattern, instead in changes:
        text, count = re.subn(pattern, instead, text, flags=re.MULTILINE)
        assert count, pattern
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8", newline="")
    return file


@SHIPPED
def test_the_shipped_profiles_state_the_hashes_of_their_files(shipped: Path) -> None:
    assert main(["profile", "hash", str(shipped), "--check"]) == 0


@SHIPPED
@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_stale_hashes_are_replaced_and_every_other_character_stays(shipped: Path, ending: str, tmp_path: Path) -> None:
    text = shipped.read_text("utf-8").replace("\n", ending)
    file = tmp_path / "mine.toml"
    file.write_text(re.sub(r'sha256 = "[0-9a-f]{64}"', f'sha256 = "{"0" * 64}"', text), encoding="utf-8", newline="")
    assert main(["profile", "hash", str(file), "--check"]) == 2
    assert file.read_text("utf-8").count("0" * 64) == text.count("sha256 =")
    assert main(["profile", "hash", str(file)]) == 0
    assert file.read_bytes().decode() == text
    assert main(["profile", "hash", str(file), "--check"]) == 0


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        (r', sha256 = "[0-9a-f]{64}"', ""),
        (r'^sha256 = "[0-9a-f]{64}"\n', ""),
        (r'(\[firmware\])', r"[[firmware]]"),
        (r'sha256 = "[0-9a-f]{64}"', r'sha256 = ""'),
        (r'"[0-9a-f]{64}"', f"'{'AB' * 32}'"),
    ],
)  # fmt: skip
def test_a_draft_without_them_becomes_a_profile_that_passes(pattern: str, instead: str, tmp_path: Path) -> None:
    file = argon(tmp_path, (pattern, instead))
    before = file.read_text("utf-8").splitlines()
    assert main(["profile", "hash", str(file)]) == 0
    assert main(["profile", "check", str(file)]) == 0
    assert main(["profile", "hash", str(file), "--check"]) == 0
    kept = iter(file.read_text("utf-8").splitlines())
    untouched = [line for line in before if "file =" not in line and "sha256" not in line]
    assert all(line in kept for line in untouched)  # in this order


def test_a_hash_stands_beside_its_file_not_behind_the_comments_of_the_next_section(tmp_path: Path) -> None:
    file = argon(tmp_path, (r'^sha256 = "[0-9a-f]{64}"\nproduct_version.*\n', ""), (r"^\[wifi\]", "# of Wi-Fi\n[wifi]"))
    assert main(["profile", "hash", str(file)]) == 0
    lines = file.read_text("utf-8").splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("file ="))
    assert lines[at + 1].startswith("sha256 =")


def test_a_file_nobody_has_is_named_and_the_others_are_filled_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = argon(
        tmp_path, (r'sha256 = "[0-9a-f]{64}"', 'sha256 = ""'), ("synthetic-argon-widget@6.3.4", "my-application")
    )
    assert main(["profile", "hash", str(file)]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert "my-application.bin is missing" in told
    assert all(len(row["sha256"]) == 64 for row in tomllib.loads(file.read_text("utf-8"))["device_os"]["modules"])


def test_two_files_of_one_name_are_a_question_until_a_folder_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [application(12, "6.3.4", product_version=number) for number in (8, 9)]
    for folder, made in zip(("new", "old"), files, strict=True):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "app.bin").write_bytes(made.data)
    config = tmp_path / "station.toml"
    config.write_text('[firmware]\nfolders = ["new", "old"]\n')
    file = argon(
        tmp_path, ("synthetic-argon-widget@6.3.4", "app"), (r'^sha256 = "[0-9a-f]{64}"', f'sha256 = "{"a" * 64}"')
    )
    ask = ["profile", "hash", str(file), "--config", str(config)]
    assert main(ask) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert all(str(tmp_path / folder / "app.bin") in told for folder in ("new", "old"))
    assert "a" * 64 in file.read_text("utf-8")
    assert main([*ask, "--firmware", str(tmp_path / "old")]) == 0
    assert hashlib.sha256(files[1].data).hexdigest() in file.read_text("utf-8")
    assert main([*ask, "--check"]) == 0  # what the profile states now is one of the two


@pytest.mark.parametrize("content", [b"<html>404</html>", b"", bytes(5000)], ids=["page", "empty", "zeros"])
def test_what_is_no_firmware_gets_no_hash(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/app.bin").write_bytes(content)
    file = argon(tmp_path, ("synthetic-argon-widget@6.3.4", "app"))
    before = file.read_bytes()
    assert main(["profile", "hash", str(file), "--firmware", str(tmp_path / "files")]) == 2
    assert "app.bin" in capsys.readouterr().err
    assert file.read_bytes() == before


@pytest.mark.parametrize("name", ["../app.bin", "/etc/passwd", "", "a" * 200])
def test_only_a_plain_name_is_looked_for(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = argon(tmp_path, ('"synthetic-argon-widget@6.3.4.bin"', f'"{name}"'))
    assert main(["profile", "hash", str(file)]) == 2
    assert "without a folder" in capsys.readouterr().err


def test_a_file_that_cannot_be_replaced_stays_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = argon(tmp_path, (r'^sha256 = "[0-9a-f]{64}"', 'sha256 = ""'))
    before = file.read_bytes()
    (tmp_path / f".{file.name}.part").mkdir()  # where the new text would be written first
    (tmp_path / f".{file.name}.part" / "x").touch()
    assert main(["profile", "hash", str(file)]) == 3
    assert file.name in capsys.readouterr().err
    assert file.read_bytes() == before


def test_a_file_of_the_cache_is_found_by_the_name_it_came_with(tmp_path: Path) -> None:
    made = application(12, "6.3.4", product_version=8)
    (tmp_path / "my app@1.bin").write_bytes(made.data)
    config = tmp_path / "station.toml"
    config.write_text('[firmware]\ncache = "cache"\n')
    assert main(["firmware", "import", str(tmp_path / "my app@1.bin"), "--config", str(config)]) == 0
    file = argon(tmp_path, ("synthetic-argon-widget@6.3.4", "my app@1"), (r'^sha256 = ".*"\n', ""))
    assert main(["profile", "hash", str(file), "--config", str(config)]) == 0
    assert hashlib.sha256(made.data).hexdigest() in file.read_text("utf-8")
