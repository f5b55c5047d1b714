"""Printers by network, device node and folder, against the virtual one on a real port; and their table."""

from __future__ import annotations

import contextlib
import os
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.loopback_talker import deaf_port
from support.scarce_disk import files_of_at_most

from drivers.clock import SystemClock
from drivers.virtual.printers import VirtualPrinter
from station.errors import BadInput
from station.labels import KINDS, LabelPrinter, PrinterKind, PrinterTrouble, printer_of
from station.settings.config import load_config
from station.words.say import Say

ZPL = b"^XA^FO1,1^BXN,5,200^FDe00fce68^FS^XZ"
CLOCK = SystemClock()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every printer waited for, however busy the machine is that it runs on."""
    for limit in ("CONNECT_S", "SEND_S", "STATUS_S"):
        monkeypatch.setattr(f"station.labels.printer.{limit}", 120.0)


@contextlib.contextmanager
def _silent(_says: Say) -> Iterator[None]:
    yield


def printed(to: str, *, zpl: bytes = ZPL, patience_s: float = 0.0, tells_status: bool | None = None) -> bool:
    printer = printer_of("bench", to, CLOCK, tells_status=tells_status)
    return printer.print_label(zpl, CLOCK.token(), _silent, patience_s)


def test_a_label_goes_over_the_network_and_the_printer_says_that_it_came_out() -> None:
    virtual = VirtualPrinter(CLOCK)
    with virtual.serve() as port:
        assert printed(f"tcp:127.0.0.1:{port}")
    assert [label.scanned for label in virtual.labels] == [("e00fce68",)]


def test_a_printer_without_paper_says_so_over_the_network() -> None:
    virtual = VirtualPrinter(CLOCK, paper=0)
    with virtual.serve() as port, pytest.raises(PrinterTrouble, match="printer bench: it is out of paper") as told:
        printed(f"tcp:127.0.0.1:{port}")
    assert told.value.say == Say("printer_paper", printer="bench")
    assert virtual.labels == []


def test_nobody_at_the_address_is_a_printer_that_does_not_answer() -> None:
    with (
        deaf_port() as port,
        pytest.raises(PrinterTrouble, match=r"does not answer \(Connection refused\); check its cable"),
    ):
        printed(f"tcp:127.0.0.1:{port}")


def test_a_printer_that_breaks_off_with_a_label_in_it_gets_no_second_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether that one came out nobody knows: a person has to look."""
    monkeypatch.setattr("station.labels.printer.RETRY_S", 0.0)
    virtual = VirtualPrinter(CLOCK)
    virtual.drops_after = len(ZPL)
    with virtual.serve() as port:
        assert not printed(f"tcp:127.0.0.1:{port}", patience_s=60.0)
    assert virtual.labels == []


def test_a_device_node_is_written_and_asked() -> None:
    virtual = VirtualPrinter(CLOCK)
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    name = os.ttyname(theirs)

    def printer() -> None:
        buffer = bytearray()
        with contextlib.suppress(OSError):  # all have closed the other end
            while True:
                buffer += os.read(ours, 4096)
                os.write(ours, virtual.received(buffer))

    thread = threading.Thread(target=printer, daemon=True)
    thread.start()
    try:
        assert printed(f"device:{name}")
    finally:
        os.close(theirs)
        thread.join()
        os.close(ours)
    assert [label.scanned for label in virtual.labels] == [("e00fce68",)]


def test_a_node_that_is_gone_is_a_printer_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(PrinterTrouble, match="No such file or directory"):
        printed(f"device:{tmp_path / 'lp0'}")


def test_a_folder_gets_one_whole_file_a_label_in_their_order(tmp_path: Path) -> None:
    labels = [ZPL.replace(b"68", b"%02x" % number) for number in range(12)]
    for zpl in labels:
        assert printed(f"folder:{tmp_path / 'labels'}", zpl=zpl)
    files = sorted((tmp_path / "labels").iterdir())
    assert [file.read_bytes() for file in files] == labels
    assert {file.suffix for file in files} == {".zpl"}


def test_a_folder_on_a_share_that_is_gone_is_a_printer_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(PrinterTrouble, match="share is not there; is it mounted"):
        printed(f"folder:{tmp_path / 'share' / 'labels'}")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_no_half_of_a_label_in_the_folder(tmp_path: Path) -> None:
    with files_of_at_most(len(ZPL) // 2), pytest.raises(PrinterTrouble, match="File too large"):
        printed(f"folder:{tmp_path}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "to",
    [
        "tcp:", "tcp:host:0", "tcp:host:70000", "tcp:a b", "tcp:a..b", "tcp:.", f"tcp:{'a' * 64}.plant",
        f"tcp:{'a.' * 127}b", "device:lp0", "folder:labels",
    ],
)  # fmt: skip
def test_a_place_that_is_none_is_refused(to: str) -> None:
    with pytest.raises(BadInput, match=f"^{to.replace('.', '[.]')}: expected"):
        printer_of("bench", to, CLOCK)


def test_a_kind_that_nobody_has_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="printer fax: no such kind; there are tcp, device, folder"):
        printer_of("bench", "fax:123", CLOCK)
    assert [kind.name for kind in KINDS] == ["tcp", "device", "folder"]


def test_a_package_brings_a_kind_of_printer_by_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "toy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[station.printers]\nplotter = toy_plotter:KIND\n", encoding="utf-8")
    (tmp_path / "toy_plotter.py").write_text(
        "from station.labels import PrinterKind\n"
        "from station.labels.folder import connect_to\n"
        "KIND = PrinterKind('plotter', 'a plotter', connect_to, tells_status=False)\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert printed(f"plotter:{tmp_path / 'out'}")
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_each_kind_says_what_it_is() -> None:
    assert all(isinstance(kind, PrinterKind) and kind.help for kind in KINDS)


def test_a_printer_that_never_stops_talking_is_not_listened_to_for_long() -> None:
    class Chatty:
        heard = 0

        def send(self, data: bytes, timeout_s: float) -> None: ...

        def receive(self, timeout_s: float) -> bytes:
            self.heard += 1
            return b"x" * 600

        def close(self) -> None: ...

    link = Chatty()
    with pytest.raises(PrinterTrouble, match="its answer to ~HS is no status"):
        LabelPrinter("bench", lambda _timeout_s: link, CLOCK).look()
    assert link.heard == 2


# --- the config file ---


def test_the_config_file_names_printers(tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    path.write_text(
        '[printers.bench]\nto = "tcp:10.0.0.9"\n[printers.box]\nto = "folder:/x"\nstatus = false\n', "utf-8"
    )
    assert [(one.name, one.to, one.tells_status) for one in load_config(path).printers] == [
        ("bench", "tcp:10.0.0.9", None), ("box", "folder:/x", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[printers."a printer of ours"]\nto = "tcp:x"', "a name of 1 to 12 letters"),
        ('[printers.bench]\nto = "10.0.0.9"', r"\[printers.bench\] to: expected where the printer is"),
        ('[printers.bench]\nto = "tcp:x"\nstatus = "no"', r"\[printers.bench\] status: expected true or false"),
        ('[printers.bench]\nport = 9100\nto = "tcp:x"', r"\[printers.bench\] port: expected only the keys status, to"),
    ],
)
def test_what_the_config_file_says_of_printers_is_checked(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "station.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=told):
        load_config(path)
