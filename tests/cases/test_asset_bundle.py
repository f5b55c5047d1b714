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


def test_a_bundle_is_named_with_its_application_and_assets(tmp_path: Path) -> None:
    told = refusal(tmp_path, BUNDLE.read_bytes())
    assert "is an asset bundle: the application app.bin with the assets hello.txt" in told
    assert "does not send assets yet" in told


def test_profile_check_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.toml").write_text(PROFILE)
    assert main(("profile", "check", str(tmp_path / "p.toml"), "--firmware", str(BUNDLE.parent))) == 2
    assert "is an asset bundle" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("assets/a.txt",), "0 .bin files at its top"),
        (("a.bin", "b.bin"), "2 .bin files at its top"),
        (("sub/a.bin",), "0 .bin files at its top"),
        (("a.bin",), "with the assets none"),
        (("a.bin", "assets/", *(f"assets/{n}.txt" for n in range(9))), "0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 4 more"),
        (("a.bin", "assets/\x1b[31m\u202e"), "asset bundle"),
    ],
)
def test_what_else_a_zip_may_be(names: tuple[str, ...], told: str, tmp_path: Path) -> None:
    assert told in refusal(tmp_path, zipped(*names))


def test_a_damaged_zip_is_told_from_a_bundle(tmp_path: Path) -> None:
    data = bytearray(zipped("a.bin", "assets/b"))
    at = data.index(b"PK\x01\x02")
    data[at : at + 4] = b"XXXX"
    assert "damaged ZIP" in refusal(tmp_path, bytes(data))
