"""Firmware files of a bench: found, proved by hash, checked; and a profile's files fitted together."""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path

import pytest
from support.known_steps import load_profile, parse_profile

from drivers.platforms import ModuleFunction, platform
from drivers.virtual import synthetic
from drivers.wire.image import tables
from drivers.wire.usb import Mode
from station.errors import BadInput
from station.firmware.examples import example_files, write_example_files
from station.firmware.plan import make_plan
from station.firmware.release import load_release
from station.firmware.sections import DeviceOs, FileRef, Firmware
from station.firmware.store import FirmwareStore
from station.paths import find_profile, shipped_profiles
from station.steps.product_add import product_id

APP = synthetic.application(13, "6.3.4")


def ref(name: str, data: bytes) -> FileRef:
    return FileRef(file=name, sha256=hashlib.sha256(data).hexdigest())


def refusal(store: FirmwareStore, file: FileRef) -> str:
    with pytest.raises(BadInput) as caught:
        store.load(file)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_is_found_in_the_first_folder_that_has_it_right(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    (one / "app.bin").write_bytes(b"stale")
    (two / "app.bin").write_bytes(APP.data)
    store = FirmwareStore([tmp_path / "none", one, two])
    image = store.load(ref("app.bin", APP.data))
    assert (image.platform_id, image.function) == (13, ModuleFunction.USER_PART)
    (two / "app.bin").unlink()
    assert store.load(ref("app.bin", APP.data)) is image  # parsed once


def test_a_missing_file_names_the_folders_searched(tmp_path: Path) -> None:
    text = refusal(FirmwareStore([tmp_path / "a", tmp_path / "b"]), ref("app.bin", APP.data))
    assert f"app.bin is missing, searched {tmp_path / 'a'}, {tmp_path / 'b'}; copy it there" in text
    assert "no folder at all" in refusal(FirmwareStore([]), ref("app.bin", APP.data))


def test_a_wrong_file_shows_both_hashes(tmp_path: Path) -> None:
    (tmp_path / "app.bin").write_bytes(APP.data + b"!")
    wanted = ref("app.bin", APP.data)
    text = refusal(FirmwareStore([tmp_path]), wanted)
    assert wanted.sha256[:12] in text
    assert hashlib.sha256(APP.data + b"!").hexdigest()[:12] in text


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is an empty file"),
        (b"PK\x03\x04" * 400, "ZIP archive whose end is missing"),
        (APP.data[:-1] + bytes([APP.data[-1] ^ 1]), "CRC-32"),
        (b"\0" * (4 * 1024 * 1024 + 1), "more than 4194304 bytes"),
    ],
    ids=["empty", "zip", "crc", "huge"],
)
def test_a_file_that_is_no_module_is_refused_though_its_hash_is_right(tmp_path: Path, data: bytes, what: str) -> None:
    (tmp_path / "x.bin").write_bytes(data)
    assert what in refusal(FirmwareStore([tmp_path]), ref("x.bin", data))


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.bin").mkdir()
    assert "cannot be read" in refusal(FirmwareStore([tmp_path]), ref("x.bin", b""))


# --- profiles and their files ---


def test_shipped_profiles_pin_the_example_files(tmp_path: Path) -> None:
    made = {file.name: hashlib.sha256(file.data).hexdigest() for file in example_files()}
    pinned: dict[str, str] = {}
    for path in shipped_profiles():
        profile = load_profile(path)
        device_os = profile.section(DeviceOs)
        files = (*(device_os.modules if device_os else ()), *profile.sections(Firmware))
        pinned |= {ref.file: ref.sha256 for ref in files}
    assert pinned
    assert pinned == {name: made.get(name) for name in pinned}


WITH_RELEASE = [path for path in shipped_profiles() if load_profile(path).section(DeviceOs) is not None]


@pytest.mark.parametrize("path", WITH_RELEASE, ids=lambda path: path.stem)
def test_every_shipped_release_can_be_planned_for_its_platforms(path: Path, tmp_path: Path) -> None:
    write_example_files(tmp_path)
    profile = load_profile(path)
    device_os, number = profile.section(DeviceOs), product_id(profile)
    assert device_os is not None
    for row in profile.platforms:
        files = load_release(profile, row, FirmwareStore([tmp_path]), number)
        plan = make_plan(
            row, None, files.release, files.application, mode=Mode.DFU, product=files.product(profile, number),
            skus=profile.skus,
        )  # fmt: skip
        assert plan.device_os == device_os.version
        assert len(plan.writes) == 4


def edited(old: str, new: str) -> bytes:
    text = find_profile("boron-product").read_text("utf-8")
    assert old in text
    return text.replace(old, new).encode()


def listed(file: synthetic.SyntheticFile) -> str:
    return f'file = "{file.name}", sha256 = "{hashlib.sha256(file.data).hexdigest()}"'


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (listed(synthetic.release(13, "6.3.4")[2]), listed(synthetic.release(13, "5.8.0")[2]), "says 6.3.4, but"),
        (listed(synthetic.release(13, "6.3.4")[1]), listed(synthetic.release(12, "6.3.4")[1]), "is for platform 12"),
        (listed(synthetic.release(13, "6.3.4")[0]), listed(synthetic.application(13, "5.8.0")), "is an application"),
        (f"    {{ {listed(synthetic.release(13, '6.3.4')[2])} }},", "", "hold no system part"),
    ],
    ids=["other version", "other platform", "application", "no system part"],
)
def test_files_that_do_not_fit_their_profile_are_refused(old: str, new: str, what: str, tmp_path: Path) -> None:
    write_example_files(tmp_path)
    profile = parse_profile(edited(old, new))
    with pytest.raises(BadInput, match=what):
        load_release(profile, platform(13), FirmwareStore([tmp_path]), product_id(profile))


def with_extensions(count: int) -> bytes:
    """A user part whose header is followed by ``count`` empty extensions and the one that ends them."""
    body = struct.pack("<HH", 0x1234, 4) * count + struct.pack("<HH", tables.EXTENSION_END, 4)
    header = (0xB4000, 0xB4000 + tables.PREFIX_SIZE + len(body) + 36, 0, tables.FLAG_PREFIX_EXTENSIONS, 6102, 12, 5, 2)
    data = tables.PREFIX.pack(*header, 4, 1, 6102, 0, 0, 0) + body + bytes(34) + struct.pack("<H", 36)
    return data + zlib.crc32(data).to_bytes(4, "big")


def test_a_module_of_more_extensions_than_any_has_is_refused(tmp_path: Path) -> None:
    for count in (64, 65, 1_000_000):
        (tmp_path / f"{count}.bin").write_bytes(with_extensions(count))
    store = FirmwareStore([tmp_path])
    assert len(store.load(ref("64.bin", with_extensions(64))).extensions) == 64
    for count in (65, 1_000_000):
        assert "more than 64 extensions" in refusal(store, ref(f"{count}.bin", with_extensions(count)))
