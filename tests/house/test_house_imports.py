"""What may be loaded when, seen from outside: the arrows themselves are import-linter's (`make check`)."""

from __future__ import annotations

import grimp
from support.house_tools import ROOT, run_python

from station.cli.main import parser

LOADED = "import sys, importlib; [importlib.import_module(name) for name in {names!r}]; print(*sys.modules)"


def loaded_by(*names: str) -> set[str]:
    """The modules in memory after importing ``names`` in a fresh interpreter."""
    shown = run_python("-c", LOADED.format(names=names))
    assert shown.returncode == 0, shown.stderr
    return set(shown.stdout.split())


def test_no_file_leads_back_to_itself() -> None:
    """Import-linter looks at files side by side; this also sees a package and a file inside it that need each other."""
    arrows = grimp.build_graph("station", "drivers", cache_dir=None)
    back = [
        f"{name} -> {used}"
        for name in arrows.modules
        for used in arrows.find_modules_directly_imported_by(name)
        if arrows.chain_exists(importer=used, imported=name)
    ]
    assert back == []


def test_the_command_line_starts_without_what_only_some_verbs_need() -> None:
    heavy = {"textual", "usb", "requests", "serial", "werkzeug", "keyring", "libusb_package", "google.protobuf"}
    heavy |= {"pydantic", "pydantic_core", "argcomplete"}
    assert loaded_by("station.cli.main").isdisjoint(heavy)


def test_identify_starts_with_drivers_and_what_is_known_of_a_unit_only() -> None:
    loaded = loaded_by("station.cli.main", "station.cli.identify")
    heavy = {"requests", "urllib3", "textual", "rich", "pydantic", "fluent", "babel", "cryptography", "sqlite3"}
    heavy |= {"drivers.virtual", "importlib.metadata", "email"}
    assert loaded.isdisjoint(heavy)
    rooms = {".".join(name.split(".")[:2]) for name in loaded if name.startswith("station.")}
    assert rooms == {
        "station.cli", "station.errors", "station.model", "station.settings", "station.steps", "station.words",
    }  # fmt: skip
    assert {name for name in loaded if name.startswith("station.steps.")} <= {
        "station.steps.shared",
        *map("station.steps.shared.{}".format, _OF_A_UNIT),
    }


_OF_A_UNIT = ("holding", "knowledge", "listening", "reader", "sources")


def test_only_a_verb_that_shows_the_screen_loads_the_terminal_library() -> None:
    assert "textual" not in loaded_by("station.cli.demo", "station.cli.run", "station.cli.log")
    assert "textual" in loaded_by("station.cli.screen")


def test_the_help_says_of_every_verb_what_the_verb_says_of_itself() -> None:
    assert parser("").format_help() == parser().format_help()


def test_wire_protocols_bring_no_io_with_them() -> None:
    paths = (path.relative_to(ROOT) for path in (ROOT / "drivers/wire").rglob("[a-z]*.py"))
    names = [".".join(path.with_suffix("").parts) for path in paths]
    assert "drivers.wire.control.host" in names
    loaded = loaded_by(*names)
    assert loaded.isdisjoint({"usb", "serial", "requests", "textual", "socket", "sqlite3", "subprocess", "asyncio"})
    tables = ("drivers.wire", "drivers.platforms")
    ours = {name for name in loaded if name.startswith("drivers.") and not name.startswith(tables)}
    assert ours <= {"drivers.errors", "drivers.identity", "drivers.plain_text"}


def test_drivers_load_without_the_station() -> None:
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "drivers").rglob("[a-z]*.py")]
    assert len(names) > 30
    assert not {name for name in loaded_by(*names) if name.partition(".")[0] == "station"}


def test_the_bench_screen_loads_without_drivers() -> None:
    assert not {name for name in loaded_by("station.tui.app") if name.partition(".")[0] in {"drivers", "usb", "serial"}}


def test_the_engine_loads_without_steps_journal_cloud_and_screen() -> None:
    names = [f"station.engine.{path.stem}" for path in (ROOT / "station/engine").glob("[a-z]*.py")]
    rooms = {".".join(name.split(".")[:2]) for name in loaded_by(*names) if name.startswith("station.")}
    assert rooms.isdisjoint(
        {"station.steps", "station.journal", "station.cloud", "station.view", "station.tui", "station.compose"}
    )
