"""Application and assets as one ZIP: taken as what it is, and not as a damaged module."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from station.cli.main import main
from station.errors import BadInput
from station.firmware.sections import FileRef
from station.firmware.store import FirmwareStore

BUNDLE = Path(__file__).parent / "data" / "bundle-with-asset.zip"
PROFILE = f"""id = "zip"
revision = 1
kind = "developer"
platforms = ["boron"]
[firmware]
file = "{BUNDLE.name}"
sha256 = "{hashlib.sha256(BUNDLE.read_bytes()).hexdigest()}"
[cloud]
claim = true
online = true
offline = "hold"
"""


def refusal(folder: Path, data: bytes) -> str:
    (folder / "x.zip").write_bytes(data)
    with pytest.raises(BadInput) as caught:
        FirmwareStore([folder]).load(FileRef(file="x.zip", sha256=hashlib.sha256(data).hexdigest()))
    assert str(caught.value).isprintable()
    return str(caught.value)


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return out.getvalue()


def test_a_bundle_is_an_application_with_its_assets_and_no_module(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(BUNDLE.read_bytes())
    ref = FileRef(file="x.zip", sha256=hashlib.sha256(BUNDLE.read_bytes()).hexdigest())
    application, assets = FirmwareStore([tmp_path]).load_application(ref)
    assert (application.name, assets) == ("x.zip: app.bin", ()), "it asks for none of the files beside it"
    assert "application with its assets; name it below [firmware]" in refusal(tmp_path, BUNDLE.read_bytes())


def test_profile_check_plans_it_as_an_application(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.toml").write_text(PROFILE)
    command = ("profile", "check", str(tmp_path / "p.toml"), "--firmware", str(BUNDLE.parent), "--held", "6.3.4")
    assert main(command) == 0
    assert "dfu    application: same version, other content" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("assets/a.txt",), "0 .bin files at its top"),
        (("a.bin", "b.bin"), "2 .bin files at its top"),
        (("sub/a.bin",), "0 .bin files at its top"),
        (("a.bin",), "a.bin is a text, no firmware module"),
    ],
)
def test_what_else_a_zip_may_be(names: tuple[str, ...], told: str, tmp_path: Path) -> None:
    assert told in refusal(tmp_path, zipped(*names))


def test_a_damaged_zip_is_told_from_a_bundle(tmp_path: Path) -> None:
    data = bytearray(zipped("a.bin", "assets/b"))
    at = data.index(b"PK\x01\x02")
    data[at : at + 4] = b"XXXX"
    assert "damaged ZIP" in refusal(tmp_path, bytes(data))
