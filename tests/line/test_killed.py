"""kill -9 in each phase of flashing: the unit may be torn, and the same unit walks to PASS afterwards.

The whole bench (station, cloud, units) is one process; a fault kills it with SIGKILL at one moment of its
walk. What survives is what a power cut leaves: files.
"""

from __future__ import annotations

import collections
import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.virtual.boot import BootMode, boot
from drivers.virtual.memory import UnitMemory
from station.journal import JournalReader
from station.model import Verdict

PHASES = {
    # 53 blocks go over DFU in one walk of this Boron: 50 of the system part, 3 of the application. The 50th is the page
    # at 0x30000, written last: half of it leaves a unit that only its buttons bring back, so it is not among these.
    "while the bootloader comes in": ("flash:5", True),
    "in the first erase": ("dfu-erase:1", False),
    "in the first block": ("dfu-write:1", False),
    "in the middle of the system part": ("dfu-write:25", False),
    "in the last block but one of the system part": ("dfu-write:49", False),
    "in the first block of the application, between two modules": ("dfu-write:51", False),
    "in the last block of the application": ("dfu-write:53", False),
    "restarted and not read back yet": ("request:90:3", True),
}
"""When the bench is killed, and whether the flash on the disk then comes up normally."""


def command(data_dir: Path, *arguments: str) -> list[str]:
    return [
        sys.executable, "-m", "station", "demo", "--headless", "--json", "--once", "--units", "1",
        "--profile", "boron-product", "--data-dir", str(data_dir), *arguments,
    ]  # fmt: skip


def bench(data_dir: Path, *arguments: str, seed: int = 7) -> subprocess.CompletedProcess[str]:
    line = command(data_dir, "--seed", str(seed), *arguments)
    return subprocess.run(line, capture_output=True, text=True)


def unit_home(data_dir: Path) -> Path:
    (home,) = (data_dir / "units").iterdir()
    return home


def boots(data_dir: Path) -> BootMode:
    """What the flash files would come up as, decided by the virtual bootloader."""
    memory = UnitMemory(13, unit_home(data_dir))
    try:
        return boot(memory).mode
    finally:
        memory.close()


@pytest.mark.slow
@pytest.mark.rule("N1")
@pytest.mark.parametrize(("moment", "is_whole"), PHASES.values(), ids=PHASES)
def test_a_bench_killed_in_any_phase_of_flashing_finishes_the_same_unit_when_it_starts_again(
    moment: str, is_whole: bool, tmp_path: Path
) -> None:
    killed = bench(tmp_path, "--fault", f"unit=1,at={moment},do=kill")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (boots(tmp_path) is BootMode.NORMAL) is is_whole

    again = bench(tmp_path)
    assert again.returncode == 0, again.stdout[-2000:] + again.stderr
    assert json.loads(again.stdout.splitlines()[-1])["units"] == {"PASS": 1}
    assert boots(tmp_path) is BootMode.NORMAL

    with JournalReader(tmp_path / "journal") as journal:
        journal.verify()
        attempts = journal.attempts("demo-widget-boron")
        assert [attempt.verdict for attempt in attempts] == [Verdict.ERROR, Verdict.PASS]
        assert "stopped during" in attempts[0].reason
        assert journal.waiting() == 0
    assert max(effects(tmp_path).values()) == 1, "no cloud effect happened twice"


def effects(data_dir: Path) -> collections.Counter[str]:
    """Requests that changed the virtual cloud, over the life of its file."""
    with contextlib.closing(sqlite3.connect(data_dir / "cloud.sqlite")) as db:
        rows = db.execute("SELECT route FROM requests WHERE had_effect").fetchall()
    return collections.Counter(route for (route,) in rows)


@pytest.mark.slow
@pytest.mark.rule("N1")
def test_a_bench_killed_with_a_full_outbox_finishes_what_it_owes_when_the_cloud_is_back(tmp_path: Path) -> None:
    assert bench(tmp_path).returncode == 0, "the product is known from now on"
    owing = command(tmp_path, "--seed", "8", "--cloud-down-for", "100000")
    with subprocess.Popen(owing, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["kind"] == "AttemptFinished":
                process.kill()
                break
    assert event["verdict"] == "PENDING"
    with JournalReader(tmp_path / "journal") as journal:
        owed = [record.item.action for record in journal.owed()]
        assert owed[:2] == ["product_add", "name"]
        assert journal.attempts("demo-widget-boron")[-1].verdict is Verdict.PENDING

    again = bench(tmp_path, seed=9)  # another unit is on the bench meanwhile
    assert again.returncode == 0, again.stderr
    with JournalReader(tmp_path / "journal") as journal:
        assert journal.waiting() == 0
        verdicts = [attempt.verdict for attempt in journal.attempts("demo-widget-boron")]
        assert verdicts == [Verdict.PASS, Verdict.PASS, Verdict.PASS]
    done = effects(tmp_path)
    assert (done["POST /v1/products/:p/devices"], done["PUT /v1/products/:p/devices/:id"]) == (3, 3), done
