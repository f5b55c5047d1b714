"""For house tests: where the project is, its files, and how to run a program in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the interpreter from the project's folder; output captured as text."""
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)


def sources(*packages: str) -> Iterator[Path]:
    """The Python files of the packages, but for those generated from our own .proto text."""
    for package in packages:
        yield from (path for path in sorted((ROOT / package).rglob("*.py")) if not path.stem.endswith("_pb2"))


def project_files() -> list[Path]:
    """The files under version control or about to be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]
