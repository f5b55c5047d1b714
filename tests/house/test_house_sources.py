"""Habits of the house that no linter knows: sizes, one error root a package, no foreign addresses, a whole lock."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator

import pytest
from support.house_tools import ROOT, project_files, sources

from drivers.errors import DriverError
from station.cli.main import main
from station.errors import StationError

LONGEST_FUNCTION, LONGEST_FILE = 45, 400
SAID_BY_NAME = 3
"""Lines of a function whose name may say all there is to say."""
ALLOWED_LONG: dict[str, str] = {}
"""File, or file::function, to the reason why it may be longer."""

DEVICE_SIDE: dict[str, str] = {
    "drivers.virtual.bus.Stall": "how the device side says STALL to the bus",
    "drivers.virtual.bus.Gone": "how it says that it has left",
    "drivers.virtual.bus.HostError": "how the host's own failure of a transfer reaches the backend",
    "drivers.virtual.bus.TimedOut": "how it says that it does not answer",
    "drivers.virtual.asset_store.StoreFull": "how the asset store of a unit says that it takes no more",
    "drivers.virtual.messages.BadMessage": "what the device side answers with a result code",
    "station.cloud.virtual.ask.Refuse": "how a route of the virtual cloud answers with a status",
}
"""Exceptions of the virtual side that no caller ever sees, so they need no root."""
FREE_ROOMS = {"station.words.catalogue.BadCatalogue": "words know no other room; a verb makes `BadInput` of it"}
"""Errors of rooms that the tree of errors itself imports from."""


def functions() -> Iterator[tuple[str, int]]:
    for path in sources("station", "drivers"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.relative_to(ROOT)}::{node.name}", (node.end_lineno or 0) - node.lineno + 1


def test_functions_are_short() -> None:
    sizes = list(functions())
    assert not [(name, size) for name, size in sizes if size > LONGEST_FUNCTION and name not in ALLOWED_LONG]
    assert sorted(size for _, size in sizes)[len(sizes) // 2] < 10


def test_files_can_be_read_in_one_sitting() -> None:
    sizes = {str(p.relative_to(ROOT)): p.read_text("utf-8").count("\n") for p in sources("station", "drivers")}
    assert not {name: size for name, size in sizes.items() if size > LONGEST_FILE and name not in ALLOWED_LONG}


def test_every_room_says_what_it_is() -> None:
    silent = [
        path for path in sources("station", "drivers") if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert not [str(path.relative_to(ROOT)) for path in silent if path.read_text("utf-8").strip()]


def silent_functions(source: str) -> Iterator[str]:
    """Functions others may call that do more than they can say by their name, and say nothing.

    A method of a class that has a base does what the base says; what a `Protocol` leaves open is said where it is done.
    """

    def search(body: list[ast.stmt], name: str) -> Iterator[str]:
        for node in body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not node.bases:
                yield from search(node.body, f"{name}{node.name}.")
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                lines = (node.end_lineno or 0) - node.body[0].lineno + 1
                if lines > SAID_BY_NAME and not ast.get_docstring(node):
                    yield f"{name}{node.name}"

    yield from search(ast.parse(source).body, "")


def test_public_functions_of_more_than_a_few_lines_say_what_they_do() -> None:
    silent = [
        f"{path.relative_to(ROOT)}::{name}"
        for path in sources("station", "drivers")
        for name in silent_functions(path.read_text("utf-8"))
    ]
    assert silent == []


def test_a_silent_function_is_found_and_one_that_follows_its_base_is_not() -> None:
    body = "    a = 1\n    b = 2\n    c = 3\n    return a + b + c\n"
    inner = body.replace("    ", "        ")
    source = f"def add():\n{body}class One:\n    def two(self):\n{inner}class Two(One):\n    def two(self):\n{inner}"
    assert list(silent_functions(source)) == ["add", "One.two"]
    assert list(silent_functions(source.replace("def add():\n", 'def add():\n    """Add."""\n'))) == ["One.two"]
    assert not list(silent_functions(source.replace("add", "_add").replace("One", "_One")))


@pytest.mark.parametrize(("package", "root"), [("drivers", DriverError), ("station", StationError)])
def test_the_errors_of_a_package_have_one_root(package: str, root: type[Exception]) -> None:
    strangers = []
    for path in sources(package):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if name.endswith("__main__"):
            continue
        for kind in vars(importlib.import_module(name)).values():
            if isinstance(kind, type) and issubclass(kind, Exception) and kind.__module__ == name:
                strangers += [f"{name}.{kind.__qualname__}"] if not issubclass(kind, root) else []
    known = {root.__module__ + "." + root.__name__, *DEVICE_SIDE, *FREE_ROOMS}
    assert {name for name in strangers if "._" not in name} <= known


@pytest.mark.parametrize("file", sorted((ROOT / "profiles").glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_profile_makes_a_unit(file: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "check", str(file)]) == 0
    assert "order:" in capsys.readouterr().out


def test_operators_learn_at_most_182_sentences() -> None:
    keys = re.findall(r"^([a-z_]+) =", (ROOT / "station/words/en.ftl").read_text(encoding="utf-8"), re.MULTILINE)
    assert 20 < len(keys) <= 182


# --- what must stay out ---

FOREIGN = [
    r"/wor" r"k/", r"/ro" r"ot/", r"/tm" r"p/brief", r"pypi\.o" r"rg", r"pythonho" r"sted", r"registry\.n" r"pmjs",
    r"deb\.deb" r"ian\.org", r"crates\.i" r"o",
]  # fmt: skip
"""Places of a machine and hosts of package registries, written so that this file does not name them itself."""


def test_no_file_names_a_machines_folders_or_a_registry() -> None:
    pattern = re.compile("|".join(FOREIGN))
    found = []
    for path in project_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    assert not found


def test_the_lock_names_no_index_and_covers_what_we_depend_on() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert not re.search(r"://|index-url|find-links|trusted-host", lock)
    pinned = dict(re.findall(r"^([a-z0-9-]+)==([^ \\]+) \\\n    --hash=sha256:[0-9a-f]{64}", lock, re.MULTILINE))
    assert len(pinned) == len(re.findall(r"^\S", lock, re.MULTILINE)) - len(re.findall(r"^#", lock, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[<>=!\[ ;]", line)[0].lower().replace("_", "-") for line in asked}
    assert len(names) > 20
    assert names <= set(pinned)


SYSTEM_FOLDERS = ("/dev/", "/etc/", "/proc", "/run/", "/sys/")


def test_one_room_names_the_folders_of_the_operating_system() -> None:
    named = [
        f"{path.relative_to(ROOT)}: {node.value}"
        for path in sources("station", "drivers") if "drivers/host" not in str(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(SYSTEM_FOLDERS)
    ]  # fmt: skip
    assert named == []
