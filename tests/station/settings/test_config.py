"""The station's configuration file."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from station.errors import BadInput
from station.model import OffSlot, SlotInfo
from station.settings.config import DEFAULT_CLOUD, StationConfig, load_config
from station.settings.secrets import SecretRef
from station.settings.usb_source import UsbSource

GOOD = """[station]
id = "bench-3"
[slots]
2 = "1-2.2"
1 = "1-2.1"
[cloud]
url = "https://cloud.example/"
token = "keyring:station/token"
[firmware]
folders = ["fw", "/srv/fw"]
cache = "kept"
[data]
dir = "data"
[usb]
backend = "usbip:[::1]:3240"
consoles = "tty"
"""


def config(tmp_path: Path, text: str) -> StationConfig:
    path = tmp_path / "station.toml"
    path.write_text(text, "utf-8")
    return load_config(path)


def test_a_full_file_becomes_typed_values(tmp_path: Path) -> None:
    found = config(tmp_path, GOOD)
    assert found == StationConfig(
        station_id="bench-3",
        is_named=True,
        slots=(SlotInfo(1, "1-2.1"), SlotInfo(2, "1-2.2")),
        cloud_url="https://cloud.example",
        token=SecretRef("keyring", "station", "token"),
        firmware_folders=(tmp_path / "fw", Path("/srv/fw")),
        firmware_cache=tmp_path / "kept",
        data_dir=tmp_path / "data",
        usb=UsbSource("::1", 3240, tmp_path / "tty"),
        source=tmp_path / "station.toml",
    )
    assert not found.usb.is_local


def test_a_station_speaks_english_unless_its_file_says_otherwise(tmp_path: Path) -> None:
    assert config(tmp_path, GOOD).language == "en"
    assert config(tmp_path, '[station]\nlanguage = "zh-Hans"\n').language == "zh-Hans"
    with pytest.raises(BadInput, match=r"line 2, \[station\] language: expected the code of a language"):
        config(tmp_path, '[station]\nlanguage = "Deutsch!"\n')


def test_excluded_ports_slots_out_of_service_and_power_are_read(tmp_path: Path) -> None:
    rows = '3 = {why = "bent pin", since = 2026-11-20}\n4 = {why = "no cable"}\n'
    rows += '5 = {why = "x", since = 2026-11-20T10:00:00Z}\n'
    text = f'[ports.ignore]\n"pci-0000:00:14.0-usb-0:4" = "label printer"\n[off]\n{rows}[bench]\npower = 3\n'
    found = config(tmp_path, text)
    assert found.ignored_ports == {"pci-0000:00:14.0-usb-0:4": "label printer"}
    assert found.off == (
        OffSlot(3, "bent pin", datetime.datetime(2026, 11, 20, 12, tzinfo=datetime.UTC)),
        OffSlot(4, "no cable"),
        OffSlot(5, "x", datetime.datetime(2026, 11, 20, 10, tzinfo=datetime.UTC)),
    )
    assert found.power == 3


def test_the_rows_of_the_bench_are_read(tmp_path: Path) -> None:
    slots = "".join(f'{n} = "1-2.{n}"\n' for n in (1, 2, 3))
    found = config(tmp_path, f"[slots]\n{slots}[layout]\nrows = [[3, 0, 1], [2]]\n")
    assert found.layout == ((3, 0, 1), (2,))
    assert config(tmp_path, "[layout]\nrows = [[2, 1], [3, 4]]\n").layout == ((2, 1), (3, 4))
    assert config(tmp_path, GOOD).layout == ()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("[[1, 2]]", r"expected every slot of \[slots\] once, .*write rows = \[\[1, 2, 3\]\]"),
        ("[[1, 2, 3, 4]]", r"expected every slot of \[slots\] once"),
        ("[[1, 2], [3, 2]]", r"expected every slot of \[slots\] once"),
        ("[[1, 2, 33]]", "expected rows of slot numbers, 1 to 32, 0 for a gap"),
        ('"1 2 3"', "expected rows of slot numbers, 1 to 32, 0 for a gap"),
        ("[1, 2, 3]", "expected rows of slot numbers, 1 to 32, 0 for a gap"),
    ],
)
def test_rows_that_are_not_the_slots_of_the_bench_are_refused(tmp_path: Path, rows: str, said: str) -> None:
    slots = "".join(f'{n} = "1-2.{n}"\n' for n in (1, 2, 3))
    with pytest.raises(BadInput, match=rf"line 6, \[layout\] rows: {said}"):
        config(tmp_path, f"[slots]\n{slots}[layout]\nrows = {rows}\n")


def test_a_slot_twice_is_refused_without_slots_too(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"\[layout\] rows: expected every slot once, .*write rows = \[\[1, 2\]\]"):
        config(tmp_path, "[layout]\nrows = [[1, 2], [2]]\n")


def test_how_the_screen_looks_and_sounds_is_read(tmp_path: Path) -> None:
    found = config(tmp_path, '[screen]\ntheme = "light"\nsounds = true\n')
    assert (found.theme, found.sounds) == ("light", True)
    assert (config(tmp_path, "").theme, config(tmp_path, "").sounds) == ("dark", False)
    with pytest.raises(BadInput, match=r'line 2, \[screen\] theme: expected "dark" or "light"'):
        config(tmp_path, '[screen]\ntheme = "blue"\n')


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    found = config(tmp_path, "")
    assert (found.cloud_url, found.token, found.slots) == (DEFAULT_CLOUD, SecretRef("login", "PARTICLE_TOKEN"), ())
    assert found.usb.is_local
    assert found.firmware_folders == (found.data_dir / "firmware",)
    assert found.firmware_cache == found.data_dir / "firmware-cache"
    assert config(tmp_path, '[data]\ndir = "d"\n').firmware_cache == tmp_path / "d/firmware-cache"


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_config().source is None


BAD = [
    ('2 = "1-2.2"', '0 = "1-2.2"', "line 4, [slots] 0: expected slot numbers from 1 to 32"),
    ('2 = "1-2.2"', '2 = "usb1"', "line 4, [slots] 2: expected a USB port path"),
    ('2 = "1-2.2"', '2 = "1-2.1"', "a port path of its own"),
    ('"https://cloud.example/"', '"http://cloud.example"', "line 7, [cloud] url: expected the address of the cloud, https://"),
    ('"https://cloud.example/"', '"https://user:pw@cloud.example"', "line 7, [cloud] url"),
    ('"usbip:[::1]:3240"', '"usbip:host"', "line 15, [usb] backend"),
    ('"usbip:[::1]:3240"', '"usbip:host:99999"', "line 15, [usb] backend"),
    ('"usbip:[::1]:3240"', '"libusb"', 'line 16, [usb] consoles: expected consoles only with a "usbip:" backend'),
    ('["fw", "/srv/fw"]', "[7]", "line 10, [firmware] folders"),
    ("[cloud]", '[ports.ignore]\n"usb1" = "printer"\n[cloud]', "line 7, [ports.ignore] usb1: expected a USB port path"),
    ("[cloud]", '[ports.ignore]\n"1-4" = ""\n[cloud]', "line 7, [ports.ignore] 1-4: expected what sits there"),
    ("[cloud]", "[off]\n3 = true\n[cloud]", "line 7, [off] 3: expected why it is off"),
    ("[cloud]", '[off]\n3 = {why = "bent", since = 7}\n[cloud]', "line 7, [off] 3: expected since when as a TOML date"),
    ("[cloud]", "[bench]\npower = 0\n[cloud]", "line 7, [bench] power: expected how many units, 1 to 32"),
    ('dir = "data"', 'dri = "data"', "write dir"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "where"), BAD, ids=[row[1] for row in BAD])
def test_a_bad_key_is_refused_with_its_line(tmp_path: Path, old: str, new: str, where: str) -> None:
    with pytest.raises(BadInput) as caught:
        config(tmp_path, GOOD.replace(old, new))
    assert where in str(caught.value)


@pytest.mark.rule("N5")
@pytest.mark.parametrize(
    "url", ["https://me:hunter2@cloud.example", "https://me:hunter2@", "ftp://hunter2@cloud.example"]
)
def test_a_login_in_the_address_of_the_cloud_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadInput, match=r"line 7, \[cloud\] url: expected the address of the cloud") as caught:
        config(tmp_path, GOOD.replace("https://cloud.example/", url))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "is_good"),
    [
        ("https://cloud.example:8443/station", True),
        ("https://[fe80::1]:8443", True),
        ("http://[::1]:8080", True),
        ("http://localhost.example", False),
        ("http://127.0.0.1.example", False),
        ("https://cloud.example?x=1", False),
        ("https://cloud.example#x", False),
        ("https://cloud.example:99999", False),
        ("https://", False),
    ],
)
def test_a_token_goes_only_where_nobody_listens_in(tmp_path: Path, url: str, is_good: bool) -> None:
    if is_good:
        assert config(tmp_path, GOOD.replace("https://cloud.example/", url)).cloud_url == url
    else:
        with pytest.raises(BadInput, match="line 7"):
            config(tmp_path, GOOD.replace("https://cloud.example/", url))


@pytest.mark.rule("N5")
def test_a_token_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="never the token itself") as caught:
        config(tmp_path, GOOD.replace("keyring:station/token", "0123456789abcdef"))
    assert "0123456789abcdef" not in str(caught.value)


def test_a_cloud_on_this_host_needs_no_tls(tmp_path: Path) -> None:
    assert config(tmp_path, '[cloud]\nurl = "http://127.0.0.1:8080"\n').cloud_url == "http://127.0.0.1:8080"


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        load_config(tmp_path / "none.toml")


@pytest.mark.parametrize("line", ["[data]\ndir = {}", "[firmware]\nfolders = [{}]"])
def test_a_folder_of_a_user_nobody_knows_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadInput, match=r"line 2, .*a folder of a user there is, found '~nosuchuser/x'"):
        config(tmp_path, line.format('"~nosuchuser/x"'))
