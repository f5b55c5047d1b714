"""``station virtual serve``: virtual units for other processes, and ``--usb`` that finds them there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support import child_process
from support.served_units import SERVE, served

from station.cli.main import main
from station.errors import BadInput
from station.settings.usb_source import UsbSource, parse_url


def test_another_process_identifies_what_is_served(capsys: pytest.CaptureFixture[str]) -> None:
    with served("--unit", "boron@6.1.1", "--unit", "msom") as told:
        assert main(["identify", "--json", "--usb", told["usb"]]) == 0
    seen = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["port"] for one in seen] == ["1-1", "1-2"] == [row["port"] for row in told["units"]]
    for row, one in zip(told["units"], seen, strict=True):
        device_id, device_os = one["values"]["device_id"], one["values"]["device_os"]
        assert device_id["value"] == row["device_id"]
        assert {"USB serial string", "request 20"} <= set(device_id["sources"])
        assert (device_os["value"], "raw request 30" in device_os["sources"]) == (row["device_os"], True)


STARTS = {
    "photon@0.5.5:listening": "listening", "boron@6.1.0:safe": "safe", "electron@3.3.1:dfu": "dfu",
    "p2@6.3.4:flooding": "normal", "xenon@1.5.2:dark": "dark, shows nothing on USB", "boron@6.3.4:selftest": "normal",
}  # fmt: skip


def test_units_are_served_as_they_are_named_and_commanded_from_another_process(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    named = [word for text in STARTS for word in ("--unit", text)]
    with served(*named) as told:
        assert [row["mode"] for row in told["units"]] == list(STARTS.values())
        assert [row["start"] for row in told["units"]] == [text.partition(":")[2] for text in STARTS]
        usb = ("--json", "--usb", told["usb"], "--config", str(config_of(tmp_path)))
        assert main(["unit", "list", *usb]) == 0
        seen = json.loads(capsys.readouterr().out)
        shown = [row for row in told["units"] if row["start"] != "dark"]
        assert [(row["port"], row["device_id"]) for row in seen] == [(row["port"], row["device_id"]) for row in shown]
        assert [row["mode"] for row in seen] == ["application", "application", "dfu", "application", "application"]
        assert main(["unit", "reset", *usb, "--port", "1-3"]) == 0
        assert json.loads(capsys.readouterr().out)["mode"] == "application"
        assert main(["unit", "test", *usb, "--slot", "6", "--profile", "boron-tested"]) == 0


def config_of(tmp_path: Path) -> Path:
    file = tmp_path / "station.toml"
    file.write_text('[slots]\n6 = "1-6"\n', encoding="utf-8")
    return file


def test_what_is_served_is_told_to_people_with_its_place_and_its_mode_until_ctrl_c() -> None:
    words = [*SERVE[:-1], "--usbip", "0", "--unit", "boron@6.3.4:dfu", "--unit", "xenon@1.5.2:dark"]
    with child_process.start(words, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        lines = [server.stdout.readline().split() for _ in range(3)]
        server.send_signal(signal.SIGINT)
        assert server.stdout.read() == ""
    assert server.returncode == 0
    assert lines[0][:3] == ["port", "1-1", "boron@6.3.4:dfu"]
    assert (lines[0][4], lines[1][4:]) == ("dfu", ["dark,", "shows", "nothing", "on", "USB"])
    assert lines[2][-1].startswith("usbip://127.0.0.1:")


def test_ctrl_c_ends_a_verb_that_waits_for_hands_with_a_word_and_no_traceback() -> None:
    with served("--unit", "photon@0.4.9:normal") as told:
        words = [sys.executable, "-m", "station", "unit", "reset", "--usb", told["usb"]]
        with child_process.start(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as verb:
            assert verb.stderr is not None
            assert verb.stderr.readline() == "port 1-1: Hold SETUP. Let go at DARK BLUE. Light: blinking dark blue.\n"
            verb.send_signal(signal.SIGINT)
            assert verb.stderr.read() == "station: interrupted\n"
        assert verb.returncode == 1


def test_units_of_a_data_folder_are_the_same_the_next_time(tmp_path: Path) -> None:
    for _ in range(2):
        with served("--unit", "photon@1.5.2", "--data-dir", str(tmp_path / "units")) as told:
            (row,) = told["units"]
            assert [path.name for path in (tmp_path / "units").iterdir()] == [row["device_id"]]


def test_consoles_are_links_in_the_named_folder_and_gone_with_the_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with served("--unit", "argon", "--consoles", str(tmp_path)) as told:
        source = parse_url(told["usb"])
        assert source.consoles == tmp_path
        assert main(["identify", "--usb", told["usb"]]) == 0
        assert "console" in capsys.readouterr().out
        (link,) = tmp_path.iterdir()
        assert told["units"][0]["device_id"] in link.name
    assert not list(tmp_path.iterdir())


def test_a_url_is_read_back_as_written() -> None:
    for source in (UsbSource("127.0.0.1", 3240), UsbSource("::1", 1, Path("/run/consoles")), UsbSource("bench", 65535)):
        assert parse_url(source.url) == source


@pytest.mark.parametrize(
    "text",
    ["usbip:127.0.0.1:3240", "usbip://127.0.0.1", "usbip://h:0", "usbip://h:65536", "http://h:1", "usbip://h:1x"],
)
def test_a_malformed_url_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(BadInput, match="write usbip://HOST:PORT"):
        parse_url(text)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--unit", "spoon"], "--unit spoon: platform 'spoon' is not one of"),
        (["--unit", "photon@6.3.4"], "hold one of 0.4."),
        (["--unit", "argon", "--usbip", "127.0.0.1"], "write a port, or HOST:PORT"),
        (["--unit", "argon", "--fault", "at=never"], "--fault: "),
        (["--unit", "argon", "--usbip", "192.0.2.1:3240"], "--usbip 192.0.2.1:3240: "),
    ],
)
def test_what_cannot_be_served_is_refused_in_a_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str], expected: str
) -> None:
    assert main(["virtual", "serve", *words]) == 2
    assert expected in capsys.readouterr().err


def test_a_place_cannot_be_named_twice(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["identify", "--virtual", "argon", "--usb", "usbip://127.0.0.1:3240"]) == 2
    assert "name one of them" in capsys.readouterr().err
