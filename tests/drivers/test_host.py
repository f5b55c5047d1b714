"""What the operating system says, asked in the one room that may ask it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from drivers.errors import NoDeviceNodes
from drivers.host import port_paths, rights
from drivers.host.file_lock import try_lock
from drivers.host.process import running_programs
from drivers.host.usb_files import UsbFiles
from drivers.identity import PortPath


def test_a_lock_is_refused_while_another_holds_it_and_goes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    with path.open("r+") as second:
        with path.open("r+") as first:
            assert try_lock(first)
            assert not try_lock(second)
        assert try_lock(second)


def test_this_very_program_is_among_those_that_run() -> None:
    assert Path(f"/proc/{os.getpid()}/comm").read_text().strip() in running_programs()


def test_a_udev_rule_is_found_by_what_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, others = tmp_path / "50-units.rules", tmp_path / "10-others.rules"
    ours.write_text('ATTRS{idVendor}=="2b04"')
    others.write_text('ATTRS{idVendor}=="1234"')
    monkeypatch.setattr(rights, "_RULES", (str(tmp_path / "none"), str(tmp_path)))
    assert list(rights.udev_rules_naming("2b04")) == [ours]


@pytest.mark.parametrize(
    ("location", "path"),
    [("1-2.3:1.0", "1-2.3"), ("4-1", "4-1"), ("1-2.3:1.0 and more", None), ("usb", None), ("", None), (None, None)],
)
def test_a_serial_port_is_placed_by_its_location(location: str | None, path: str | None) -> None:
    assert port_paths.of_serial_port(location) == (path and PortPath(path))


def test_a_device_is_placed_by_its_hub_ports_and_a_root_hub_by_its_address() -> None:
    assert port_paths.of_usb_device(1, (2, 3), 9) == PortPath("1-2.3")
    assert port_paths.of_usb_device(1, (), 4) == PortPath("1-@4")


def test_a_node_is_asked_for_only_of_the_enumeration_the_system_shows(tmp_path: Path) -> None:
    folder = tmp_path / "1-2"
    folder.mkdir()
    (folder / "devnum").write_text("9\n")
    files = UsbFiles(tmp_path, tmp_path / "none")
    files.check_node(PortPath("1-2"), 1, 8)  # an enumeration that is over
    with pytest.raises(NoDeviceNodes, match="none/001/009 cannot be opened"):
        files.check_node(PortPath("1-2"), 1, 9)
