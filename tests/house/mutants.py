"""``python -m tests.house.mutants [RULE|PLACE...]``: break the code at one place and see which tests notice.

Copies the project, applies one patch, runs the tests it concerns, takes the patch back. A patch of ``mutants.toml``
breaks a rule, and concerns the tests marked with it; one of ``mutants_station.toml`` concerns the tests it names.
Exit status 1 when a patch leaves every test green, when a named test does not fail, when a patch no longer fits, or
when a test is red without any patch.
"""

from __future__ import annotations

import argparse
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .rules import ROOT, collect, rule_book

PYTEST = (
    "-m",
    "pytest",
    "-q",
    "--tb=no",
    "-p",
    "no:cacheprovider",
    "--timeout",
    "300",
    "--slow-cases",
    "2",
    "-o",
    "junit_family=xunit1",
)
WORKERS = os.cpu_count() or 2


class BadMutant(Exception):
    """A patch that cannot be applied; one sentence."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One patch: ``old`` occurs once in ``file`` and becomes ``new``; the tests ``fails`` must notice.

    ``fails`` has names of functions, and their files where the patch breaks no ``rule``.
    """

    breaks: str
    file: str
    old: str
    new: str
    fails: tuple[str, ...]
    rule: str = ""

    @property
    def name(self) -> str:
        return self.rule or self.file

    def is_chosen(self, words: Sequence[str]) -> bool:
        """Whether one of ``words`` is its rule, or begins the path of its file."""
        return any(self.rule == word or ("/" in word and self.file.startswith(word)) for word in words)

    def apply(self, root: Path) -> str:
        """Patch the file below ``root``; returns the text it had. Raises `BadMutant`."""
        path = root / self.file
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        found = before.count(self.old)
        if found != 1 or self.old == self.new:
            raise BadMutant(f"{self.name}: the text to replace occurs {found} times in {self.file}, expected once")
        path.write_text(before.replace(self.old, self.new), encoding="utf-8")
        return before


@dataclass(frozen=True, slots=True)
class Run:
    """What one pytest run showed: names of test functions, without parameters."""

    failed: frozenset[str]
    broken: frozenset[str]  # errors outside a test: no proof of anything
    passed: int

    @classmethod
    def read(cls, report: Path) -> Run:
        """From a JUnit file; a run that wrote none broke before its first test."""
        if not report.is_file():
            return cls(frozenset(), frozenset({"pytest itself"}), 0)
        failed, broken, passed = set(), set(), 0
        for case in ElementTree.parse(report).iter("testcase"):
            name = case.get("name", "?").partition("[")[0]
            kinds = {child.tag for child in case}
            failed |= {name} if "failure" in kinds else set()
            broken |= {name} if "error" in kinds else set()
            passed += not kinds
        return cls(frozenset(failed), frozenset(broken - failed), passed)  # a failed test may leave a mess, too


def mutants() -> tuple[Mutant, ...]:
    """All patches from the files beside this one."""
    return tuple(
        Mutant(**{**row, "fails": tuple(row["fails"])})
        for name in ("mutants.toml", "mutants_station.toml")
        for row in tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))["mutant"]
    )


class Copy:
    """A copy of the project to break things in. One thread uses it."""

    def __init__(self, place: Path) -> None:
        self.root, self._scratch = place / "project", place / "scratch"
        for name in project_files():
            if (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, self.root / name)
        self._stamp = time.time()

    def check_origin(self) -> None:
        """The packages that tests import here are those of the copy, or no patch would mean anything."""
        code = "import station, drivers; print(station.__file__, drivers.__file__)"
        said = self._run("-c", code).stdout.split()
        if not all(Path(name).is_relative_to(self.root) for name in said):
            raise BadMutant(f"tests would import {' and '.join(said)} instead of the copy in {self.root}")

    def test(self, rules: Sequence[str], files: Sequence[str], *extra: str) -> Run:
        """Run the tests in ``files`` that are marked with one of ``rules``, all of them if it names none."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        report = self._scratch.with_suffix(".xml")
        report.unlink(missing_ok=True)
        chosen = [option for rule in rules for option in ("--rule", rule)]
        places = ["--basetemp", str(self._scratch), "--junitxml", str(report), *extra]
        self._run(*PYTEST, *places, *chosen, *files)
        return Run.read(report)

    def test_broken(self, mutant: Mutant, files: Sequence[str]) -> Run:
        """As `test`, with the patch applied meanwhile."""
        path = self.root / mutant.file
        before = mutant.apply(self.root)
        self._touch(path)
        try:
            return self.test((mutant.rule,) if mutant.rule else (), files)
        finally:
            path.write_text(before, encoding="utf-8")
            self._touch(path)

    def _touch(self, path: Path) -> None:
        """Compiled modules are matched by time in whole seconds: give every version its own."""
        self._stamp += 10
        os.utime(path, (self._stamp, self._stamp))

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        beside = ROOT.parent / "shared" / "fixtures" / "firmware"  # as seen from the project itself
        environment = {"STATION_FIRMWARE_FIXTURES": str(beside), **os.environ, "PYTHONPATH": str(self.root)}
        return subprocess.run(
            [sys.executable, *words], cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )


def project_files() -> list[str]:
    """The files of the project: those under version control and new ones that are not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listing.stdout.split("\0") if name]


def judge(mutant: Mutant, run: Run) -> tuple[bool, str]:
    """Was the patch noticed, and by which tests (or what is wrong)?"""
    silent = [name for name in mutant.fails if name.rpartition("::")[2] not in run.failed]
    if not run.failed and not run.passed:
        return False, "no test ran"
    if run.broken:
        return False, f"breaks more than the rule: error in {', '.join(sorted(run.broken))}"
    if not run.failed:
        return False, f"NOT NOTICED: all {run.passed} tests stay green"
    if silent:
        return False, f"not noticed by {', '.join(silent)}, only by {', '.join(sorted(run.failed))}"
    return True, f"noticed by {', '.join(sorted(run.failed))}"


def hunt(
    chosen: Sequence[Mutant], files: Mapping[str, Sequence[str]], place: Path
) -> Iterator[tuple[Mutant, bool, str]]:
    """Try all patches, ``WORKERS`` at a time; results as they come."""
    jobs: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    results: queue.SimpleQueue[tuple[Mutant, bool, str]] = queue.SimpleQueue()
    for mutant in chosen:
        jobs.put(mutant)

    def work(copy: Copy) -> None:
        while True:
            try:
                mutant = jobs.get_nowait()
            except queue.Empty:
                return
            try:
                noticed, words = judge(
                    mutant, copy.test_broken(mutant, files[mutant.rule] if mutant.rule else mutant.fails)
                )
            except BadMutant as error:
                noticed, words = False, str(error)
            results.put((mutant, noticed, words))

    for number in range(min(WORKERS, len(chosen))):
        threading.Thread(target=work, args=(Copy(place / str(number)),), daemon=True).start()
    for _ in chosen:
        yield results.get()


def marked_files(rules: Sequence[str]) -> dict[str, list[str]]:
    """For each rule the files with tests that are marked with it; only files that name one are collected."""
    tests = [path for path in (ROOT / "tests").rglob("test_*.py") if path.is_file()]
    naming = [path for path in tests if any(f'"{rule}"' in path.read_text(encoding="utf-8") for rule in rules)]
    found = collect(*naming).tests if naming else {}
    return {rule: sorted({test.partition("::")[0] for test in found.get(rule, ())}) for rule in rules}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.house.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="RULE|PLACE", help="only these, such as C3 or station/hooks/ (all)")
    wanted = parser.parse_args(arguments).words
    chosen = [mutant for mutant in mutants() if not wanted or mutant.is_chosen(wanted)]
    rules = list(dict.fromkeys(mutant.rule for mutant in chosen if mutant.rule))
    missing = [word for word in wanted or rule_book().required if not any(one.is_chosen((word,)) for one in chosen)]
    files = marked_files(rules)
    missing += [rule for rule in rules if not files[rule]]
    chosen = [mutant for mutant in chosen if not mutant.rule or files[mutant.rule]]
    say = sys.stdout.write
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        named = sorted({name for mutant in chosen if not mutant.rule for name in mutant.fails})
        marked = sorted({name for names in files.values() for name in names})
        bad = [*_baseline(Path(folder), rules, marked), *_baseline(Path(folder), (), named)]
        say("".join(f"red without any patch: {name}\n" for name in bad))
        for mutant, noticed, words in hunt(chosen, files, Path(folder)):
            say(f"{'ok ' if noticed else 'BAD'} {mutant.name:4} {mutant.breaks}\n         {words}\n")
            sys.stdout.flush()
            bad += [] if noticed else [mutant.name]
    say("".join(f"BAD {word:4} has no patch or no test\n" for word in missing))
    say(f"{len(chosen)} patches for {len(rules)} rules, {len(bad) + len(missing)} problems\n")
    return 1 if bad or missing else 0


def _baseline(place: Path, rules: Sequence[str], tests: Sequence[str]) -> list[str]:
    """Tests that fail although nothing is broken."""
    if not tests:
        return []
    copy = Copy(place / "baseline")
    copy.check_origin()
    run = copy.test(rules, tests, "-n", str(WORKERS), "--dist", "loadfile")
    return sorted(run.failed | run.broken)


if __name__ == "__main__":
    sys.exit(main())
