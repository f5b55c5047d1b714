"""Module versions that stand for several releases: what is said of them is no more than a file tells."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from support.zips import zipped

from drivers.platforms import ModuleFunction, OsVersion, platform
from drivers.virtual import synthetic
from station.cli.main import main
from station.errors import BadInput
from station.firmware.finding import found_for, release_files, releases
from station.firmware.modules import version_text
from station.firmware.store import FirmwareStore

PHOTON = platform(6)
SHARED = tuple(
    synthetic.SyntheticFile(
        f"photon-system-part{index}@0.8.0-rc.13.bin",
        synthetic.make_module(6, (4, index), 312, start, f"synthetic {index}".encode() * 200),
    )
    for index, start in ((1, 0x08020000), (2, 0x08060000))
)
"""System parts of the module version that 0.8.0-rc.13 and 0.8.0-rc.14 share."""


@pytest.mark.parametrize(
    ("version", "text"),
    [
        (312, "0.8.0-rc.13 or 0.8.0-rc.14 (312)"),
        (13, "0.5.0-rc.2 or 0.5.0 (13)"),
        (4, "0.4.4-rc.1 to 0.4.4-rc.6 (4)"),
        (6305, "6.3.4 (6305)"),
        (6304, "unlisted (6304)"),
    ],
)
def test_a_shared_version_names_every_release_it_may_be(version: int, text: str) -> None:
    assert version_text(ModuleFunction.SYSTEM_PART, version, None) == text


def written(folder: Path, *files: synthetic.SyntheticFile) -> Path:
    folder.mkdir(exist_ok=True)
    for one in files:
        (folder / one.name).write_bytes(one.data)
    return folder


def profile(path: Path, version: str) -> Path:
    rows = ", ".join(
        f"{{ file = {json.dumps(one.name)}, sha256 = {json.dumps(hashlib.sha256(one.data).hexdigest())} }}"
        for one in SHARED
    )
    path.write_text(
        'id = "p"\nrevision = 1\nkind = "product"\nplatforms = ["photon"]\n[product]\nid = 12345\n'
        f'[device_os]\nversion = "{version}"\nmodules = [{rows}]\n[name]\ntemplate = "{{platform}}-{{id6}}"\n'
    )
    return path


@pytest.mark.parametrize(("version", "status"), [("0.8.0-rc.13", 0), ("0.8.0-rc.14", 0), ("0.8.0-rc.15", 2)])
def test_a_profile_may_call_the_files_by_either_release(
    version: str, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = written(tmp_path / "files", *SHARED)
    words = (
        "profile",
        "check",
        str(profile(tmp_path / "p.toml", version)),
        "--firmware",
        str(files),
        "--held",
        "0.7.0",
    )
    assert main(words) == status
    told = capsys.readouterr()
    if status:
        assert "says 0.8.0-rc.15, but" in told.err
        assert "is Device OS 0.8.0-rc.13 or 0.8.0-rc.14; correct one of them" in told.err
    else:
        assert "0.8.0-rc.13 or 0.8.0-rc.14 (312) / 0.7.0 (207)" in told.out


def test_a_name_with_a_version_tells_them_apart_and_one_without_fits_both(tmp_path: Path) -> None:
    named = found_for(PHOTON, (FirmwareStore((written(tmp_path / "named", *SHARED),)),))
    assert releases(named[0]) == [OsVersion.parse("0.8.0-rc.13")]
    assert len(release_files(PHOTON, OsVersion.parse("0.8.0-rc.13"), named)) == len(SHARED)
    with pytest.raises(BadInput, match=r"no folder has it, there is 0\.8\.0-rc\.13"):
        release_files(PHOTON, OsVersion.parse("0.8.0-rc.14"), named)
    plain = [synthetic.SyntheticFile(f"{number}.bin", one.data) for number, one in enumerate(SHARED)]
    unnamed = found_for(PHOTON, (FirmwareStore((written(tmp_path / "unnamed", *plain),)),))
    assert releases(unnamed[0]) == [OsVersion.parse("0.8.0-rc.14"), OsVersion.parse("0.8.0-rc.13")]


@pytest.mark.parametrize(
    "name", ["x-system@1.2.3-" + "a" * 60 + ".bin", "x-system@9999999.1.1.bin", "x-system@6.3.4+lto.debug.bin"]
)
def test_a_strange_name_is_no_version(name: str, tmp_path: Path) -> None:
    found = found_for(
        PHOTON, (FirmwareStore((written(tmp_path / "f", synthetic.SyntheticFile(name, SHARED[1].data)),)),)
    )
    assert releases(found[0]) == [OsVersion.parse("0.8.0-rc.14"), OsVersion.parse("0.8.0-rc.13")]


def test_list_inspect_and_plan_say_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = ("--cache", str(tmp_path / "cache"))
    (tmp_path / "r.zip").write_bytes(zipped({one.name: one.data for one in SHARED}))
    assert main(("firmware", "import", str(tmp_path / "r.zip"), *cache)) == 0
    assert main(("firmware", "inspect", str(tmp_path / "r.zip"))) == 0
    assert "version 312 (Device OS 0.8.0-rc.13 or 0.8.0-rc.14)" in capsys.readouterr().out
    assert main(("firmware", "list", *cache)) == 0
    assert "0.8.0-rc.13 or 0.8.0-rc.14" in capsys.readouterr().out
    planned = ("firmware", "plan", "--virtual", "photon@0.7.0", "--target", "0.8.0-rc.13", "--json", *cache)
    assert main(planned) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["target"]["source"] == "the cache or the firmware folders"
    parts = [one for one in document["modules"] if one["module"].startswith("system part")]
    assert {one["wanted"] for one in parts} == {"0.8.0-rc.13 or 0.8.0-rc.14 (312)"}
