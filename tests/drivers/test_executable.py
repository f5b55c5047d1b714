"""Programs of this computer: what they are given, what is taken of what they print, and that none is left behind."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.clock import SystemClock
from drivers.errors import Cancelled
from drivers.host.executable import MAX_OUTPUT, Ended, SystemPrograms

CLOCK = SystemClock()
NEVER = "import time\nwhile True: time.sleep(1000)"


def run(script: str, given: bytes = b"", now: Callable[[], float] = lambda: 0.0, **environ: str) -> Ended:
    """Run Python text; the time limit is 1 s by ``now``, which stands still."""
    programs = SystemPrograms(now, {"PATH": os.environ["PATH"]} | environ)
    return programs.run([sys.executable, "-S", "-c", script], given, 1.0, CLOCK.token())


def until_written(path: Path) -> Callable[[], float]:
    """A clock that jumps past every limit as soon as a program has written ``path``."""
    return lambda: 100.0 if path.exists() and path.read_text() else 0.0


def is_ended(pid: int) -> bool:
    """Whether a killed process is gone, which takes the kernel a moment."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], 60.0)[0])
    finally:
        os.close(process)


def test_it_reads_what_it_is_given_and_its_output_is_taken() -> None:
    given = b"x" * 300_000  # more than a pipe holds
    assert run("import sys; print(len(sys.stdin.buffer.read()))", given) == Ended(b"300000\n", 0)
    assert run("print('a=1')", given) == Ended(b"a=1\n", 0)  # nobody has to read it


def test_a_failure_is_told_with_its_status_and_last_words() -> None:
    ended = run("import sys; print('half'); sys.exit('first\\nno probe')")
    assert ended == Ended(b"half\n", 1, "it ended with status 1: no probe")
    assert run("import os; os.abort()").trouble == "it was killed by signal 6"


def test_what_it_printed_last_is_read_to_the_end() -> None:
    assert run("print('x' * 60_000)").output == b"x" * 60_000 + b"\n"


def test_a_flood_is_cut_off_on_either_stream() -> None:
    flood = f"import sys\nwhile True: sys.{{}}.buffer.write(b'x' * {MAX_OUTPUT})"
    assert run(flood.format("stdout")) == Ended(b"", None, f"it printed more than {MAX_OUTPUT} bytes")
    assert run(f"import sys\nsys.stderr.write('x' * {5 * MAX_OUTPUT})\nprint('a=1')") == Ended(b"a=1\n", 0)


@pytest.mark.parametrize("way", ["time", "cancel"])
def test_time_limit_and_cancel_kill_it_with_its_children(tmp_path: Path, way: str) -> None:
    note = tmp_path / "children"
    script = (
        "import os, subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-S', '-c', {NEVER!r}])\n"
        f"open({str(note)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n{NEVER}"
    )
    token, written = CLOCK.token(), until_written(note)

    def now() -> float:
        if way == "cancel" and written():
            token.cancel()
        return written() if way == "time" else 0.0

    programs = SystemPrograms(now, os.environ)
    command = [sys.executable, "-S", "-c", script]
    if way == "cancel":
        with pytest.raises(Cancelled):
            programs.run(command, b"", 1.0, token)
    else:
        assert programs.run(command, b"", 1.0, token).trouble == "it did not end in time and was killed"
    assert all(map(is_ended, map(int, note.read_text().split())))


def test_a_child_that_outlives_it_is_killed_too_and_keeps_nobody_waiting() -> None:
    script = f"import subprocess, sys\nprint(subprocess.Popen([sys.executable, '-S', '-c', {NEVER!r}]).pid)"
    ended = run(script)
    assert ended.status == 0
    assert is_ended(int(ended.output))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the environment of other processes")
def test_a_child_that_began_a_session_of_its_own_is_killed_too() -> None:
    """As `setsid` and daemons do: it is in no group of the program, and init is its parent."""
    alone = f"subprocess.Popen([sys.executable, '-S', '-c', {NEVER!r}], start_new_session=True).pid"
    grandchild = f"import subprocess, sys\nprint({alone})"
    ended = run(f"import os, subprocess, sys\nsubprocess.run([sys.executable, '-S', '-c', {grandchild!r}])")
    assert ended.status == 0
    assert is_ended(int(ended.output))


def test_tokens_and_passwords_of_the_environment_are_not_passed_on() -> None:
    ended = run("import os; print(sorted(os.environ))", PARTICLE_TOKEN="secret", TZ="UTC")
    assert "TZ" in ended.output.decode()
    assert "PARTICLE_TOKEN" not in ended.output.decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, mode in (("meter", 0o755), ("notes", 0o644)):
        file = tmp_path / name
        file.write_text("#!/bin/sh\necho a=1\n")
        file.chmod(mode)
    (tmp_path / "broken").write_bytes(b"\x7fELF nothing")
    (tmp_path / "broken").chmod(0o755)
    return tmp_path


def test_a_program_is_found_by_absolute_path_or_on_path_and_only_if_it_may_be_run(folder: Path) -> None:
    programs = SystemPrograms(environ={"PATH": str(folder)})
    assert programs.find("meter") == programs.find(str(folder / "meter")) == str(folder / "meter")
    assert programs.find(Path(sys.executable).name) == sys.executable  # beside this program's own Python
    assert [programs.find(name) for name in ("notes", "absent", "./meter", str(folder), str(folder / "notes"))] == [
        None
    ] * 5
    assert programs.run(["absent"], b"", 1.0, CLOCK.token()).trouble == "there is no program absent that may be run"
    assert programs.run(["broken"], b"", 1.0, CLOCK.token()).trouble.startswith("it cannot be started (")
