"""The rows of `station doctor` about printers and hooks: troubles told before the shift, nothing done by looking."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.labelled import Labelled
from support.loopback_talker import deaf_port
from support.mes import Mes

from drivers.clock import SystemClock
from drivers.virtual.printers import VirtualPrinter
from station.cli.main import main


@pytest.fixture
def look(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Looking:
    return Looking(tmp_path, capsys)


class Looking:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def __call__(self, config: str, what: str, *, is_wanted: bool = True) -> list[str]:
        """The rows headed ``what`` of a bench with ``config``, and a profile that prints if ``is_wanted``."""
        (self.folder / "station.toml").write_text(config, "utf-8")
        recipe = Labelled(folder=self.folder)
        recipe.profile()  # writes its template
        (self.folder / "mine.toml").write_text(recipe.text(), "utf-8")
        named = ["--profile", str(self.folder / "mine.toml")] if is_wanted else []
        config_file, data = str(self.folder / "station.toml"), str(self.folder / "data")
        main(["doctor", "--no-cloud", "--config", config_file, "--data-dir", data, *named])
        rows = [line.split(maxsplit=2) for line in self.capsys.readouterr().out.splitlines()]
        return [f"{state} {words}" for state, found, words in rows if found == what]


def printer_at(to: str, *more: str) -> str:
    return "\n".join(("[printers.bench]", f'to = "{to}"', *more))


def hook_at(where: str, *more: str) -> str:
    return "\n".join(("[[hooks]]", 'name = "mes"', 'events = ["finished"]', where, *more))


# --- printers ---


def test_a_printer_that_is_ready_prints_nothing_for_the_doctor(look: Looking) -> None:
    virtual = VirtualPrinter(SystemClock())
    with virtual.serve() as port:
        assert look(printer_at(f"tcp:127.0.0.1:{port}"), "printer") == ["ok bench is ready"]
    assert virtual.labels == []


@pytest.mark.parametrize(("is_wanted", "state"), [(True, "STOP"), (False, "note")])
def test_a_printer_that_is_away_stops_the_bench_whose_profile_prints(
    look: Looking, is_wanted: bool, state: str
) -> None:
    with deaf_port() as port:
        (row,) = look(printer_at(f"tcp:127.0.0.1:{port}"), "printer", is_wanted=is_wanted)
    assert row == f"{state} printer bench does not answer (Connection refused); check its cable and power"


@pytest.mark.parametrize(
    ("trouble", "told"),
    [("paper", "out of paper"), ("is_head_open", "head open"), ("has_no_ribbon", "out of ribbon"),
     ("is_paused", "paused")],
)  # fmt: skip
def test_a_printer_that_says_it_cannot_print_stops_it(look: Looking, trouble: str, told: str) -> None:
    virtual = VirtualPrinter(SystemClock())
    setattr(virtual, trouble, trouble != "paper" and 1)
    with virtual.serve() as port:
        assert look(printer_at(f"tcp:127.0.0.1:{port}"), "printer") == [f"STOP printer bench: it is {told}"]


def test_a_printer_that_tells_no_status_is_not_called_ready(look: Looking) -> None:
    with VirtualPrinter(SystemClock(), paper=0).serve() as port:
        (row,) = look(printer_at(f"tcp:127.0.0.1:{port}", "status = false"), "printer")
    assert row == "ok bench can be reached; whether it has paper it does not tell"


def test_a_folder_of_labels_that_cannot_be_written_stops_it_and_one_that_can_is_not_made(look: Looking) -> None:
    (look.folder / "file").write_bytes(b"")
    (row,) = look(printer_at(f"folder:{look.folder}/file/labels"), "printer")
    assert row.startswith(f"STOP printer bench does not answer ({look.folder}/file cannot be written)")
    (row,) = look(printer_at(f"folder:{look.folder}/labels"), "printer")
    assert row.startswith("ok ")
    assert not (look.folder / "labels").exists()


def test_a_printer_that_the_station_lacks_stops_it(look: Looking) -> None:
    (row,) = look("", "printer")
    assert row.startswith("STOP ")
    assert row.endswith(" prints with bench, which this station lacks; name it in [printers.bench]")


# --- hooks ---


def test_a_hook_that_is_there_is_told_nothing(look: Looking) -> None:
    with Mes().serving() as mes:
        assert look(hook_at(f'url = "{mes.url}"'), "hook") == ["ok hook mes can be reached"]
    assert mes.told == []


HOLDS = 'otherwise = "hold"'


@pytest.mark.parametrize(
    ("more", "state", "end"),
    [("", "note", "the line goes on without it"), (HOLDS, "STOP", "every unit waits for its answer")],
)
def test_a_hook_that_cannot_be_reached_stops_the_bench_where_units_wait_for_it(
    look: Looking, more: str, state: str, end: str
) -> None:
    with deaf_port() as port:
        text = hook_at(f'url = "http://127.0.0.1:{port}/hook"', more).replace(
            '["finished"]', '["finished", "may_start"]'
        )
        assert look(text, "hook") == [
            f"{state} hook mes: http://127.0.0.1:{port} does not answer (Connection refused); {end}"
        ]


@contextlib.contextmanager
def portal(status: int, page: bytes) -> Iterator[str]:
    """Serve the same answer to every question."""

    class Handler(BaseHTTPRequestHandler):
        def do_OPTIONS(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/hook"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "page", "told"),
    [
        (200, b"\r\n<!DOCTYPE html><html>Log in</html>", "answers with a web page, as a portal or a proxy does"),
        (302, b"", "answers with HTTP status 302"),
        (502, b"<html>", "answers with HTTP status 502"),
        (404, b"<html>", "answers with HTTP status 404"),
        (405, b"<html>", ""),
        (204, b"", ""),
    ],
)
def test_a_page_of_a_portal_is_no_hook(look: Looking, status: int, page: bytes, told: str) -> None:
    with portal(status, page) as url:
        (row,) = look(hook_at(f'url = "{url}"'), "hook")
    assert row.startswith("note hook mes: " if told else "ok hook mes ")
    assert told in row


def test_a_folder_of_a_hook_that_cannot_be_written_is_told_and_one_that_can_is_not_made(look: Looking) -> None:
    (look.folder / "file").write_bytes(b"")
    (row,) = look(hook_at(f'folder = "{look.folder}/file/in"'), "hook")
    assert row == f"note hook mes: {look.folder}/file cannot be written; the line goes on without it"
    assert look(hook_at(f'folder = "{look.folder}/in"'), "hook") == ["ok hook mes can be reached"]
    assert not (look.folder / "in").exists()


def test_a_program_of_a_hook_that_may_not_be_run_stops_the_bench_and_a_good_one_is_not_run(look: Looking) -> None:
    program = look.folder / "to-mes"
    program.write_text(f"#!/bin/sh\ntouch {look.folder}/ran\n", "utf-8")
    program.chmod(0o600)
    (row,) = look(hook_at(f'command = ["{program}"]'), "hook")
    assert row == f"STOP hook mes: there is no program {program} that may be run; correct command"
    program.chmod(0o700)
    assert look(hook_at(f'command = ["{program}"]'), "hook") == ["ok hook mes can be reached"]
    assert not (look.folder / "ran").exists()
