"""Habits of the tests: each of them can fail, none depends on the mood of the machine."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from support.house_tools import sources

ASKING = frozenset({"raises", "warns", "fail"})
"""Functions of pytest that fail a test."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def called(node: ast.AST) -> set[str]:
    """Names of the functions and methods that ``node`` calls."""
    targets = (call.func for call in ast.walk(node) if isinstance(call, ast.Call))
    return {one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in targets}


def asserts(node: Function) -> bool:
    """Whether it can fail by itself: an assertion, or an `AssertionError` of its own."""
    raised = (one.exc for one in ast.walk(node) if isinstance(one, ast.Raise) and one.exc is not None)
    is_raising = any("AssertionError" in ast.unparse(error) for error in raised)
    return is_raising or any(isinstance(one, ast.Assert) for one in ast.walk(node)) or bool(called(node) & ASKING)


def names_all_errors(node: Function) -> bool:
    """A property whose claim is which errors may come: it lets those pass and fails by any other."""
    return "suppress" in called(node) and any("given" in ast.unparse(one) for one in node.decorator_list)


def without_assertion(files: Iterable[Path]) -> list[str]:
    """Tests that nothing but a crash could fail; helpers count by their name, wherever they stand."""
    read: Mapping[Path, list[Function]] = {path: list(functions(path)) for path in files}
    helpers = {node.name for found in read.values() for node in found if asserts(node)}
    return [
        f"{path.name}::{node.name}"
        for path, found in read.items() if path.name.startswith("test_")
        for node in found if node.name.startswith("test_")
        if not asserts(node) and not called(node) & helpers and not names_all_errors(node)
    ]  # fmt: skip


def test_every_test_asserts_something() -> None:
    assert without_assertion(sources("tests")) == []


WALL_CLOCK = frozenset({"monotonic", "perf_counter", "time"})
PROCESSES = frozenset({"run", "communicate", "check_output"})
LONG_S = 60.0
PATIENT = frozenset({"test_screen_terminal.py", "test_front_usbip.py"})
"""Wait minutes for another process that has no clock of ours; a hang is pytest's to end."""


def is_short_wait(judged: ast.expr) -> bool:
    """A wait of seconds for what has to come; to see that something has not come yet, a moment is enough."""
    match judged:
        case ast.Call(func=ast.Attribute(attr="wait"), args=[ast.Constant(value=float() as seconds)]):
            return seconds < LONG_S
        case _:
            return False


def impatient(files: Iterable[Path]) -> list[str]:
    """Lines that a busy machine could fail: a time on the wall or a short wait asserted, a limit on a process."""
    found = []
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_limit = (
                isinstance(node, ast.Call) and getattr(node.func, "attr", "") in PROCESSES
                and any(keyword.arg == "timeout" for keyword in node.keywords)
            )  # fmt: skip
            is_judged = isinstance(node, ast.Assert) and (called(node) & WALL_CLOCK or is_short_wait(node.test))
            if is_limit or is_judged:
                found.append(f"{path.name}:{getattr(node, 'lineno', 0)}")
    return found


def test_no_test_depends_on_how_busy_the_machine_is() -> None:
    places = (path for path in sources("tests") if path.name not in PATIENT and "bench" not in path.parts)
    assert impatient(places) == []


def test_an_impatient_test_is_found(tmp_path: Path) -> None:
    file = tmp_path / "test_toy.py"
    file.write_text(
        "assert time.monotonic() - began < 1\n"
        "assert clock.now() == 1\n"
        "subprocess.run(words, timeout=5)\n"
        "subprocess.run(words)\n"
        "bench.ask(request, timeout=5)\n"
        "assert done.wait(5.0)\n"
        "assert done.wait(60.0)\n"
        "assert not early.wait(0.05)\n"
    )
    assert sorted(impatient([file])) == ["test_toy.py:1", "test_toy.py:3", "test_toy.py:6"]


def test_a_test_without_assertion_is_found(tmp_path: Path) -> None:
    file = tmp_path / "test_toy.py"
    file.write_text(
        "def until(): assert True\n"
        "def test_good(): assert True\n"
        "def test_helped(bench): bench.until()\n"
        "def test_quiet(bench): bench.run()\n"
        "@given(x)\n"
        "def test_property(x):\n    with suppress(OSError): parse(x)\n"
        "def test_excused():\n    with suppress(OSError): parse(1)\n"
    )
    assert without_assertion([file]) == ["test_toy.py::test_quiet", "test_toy.py::test_excused"]
