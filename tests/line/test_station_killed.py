"""The station alone is killed: the unit lives on in another process, in DFU or with leaked requests.

A host crash is not a power cut: the unit keeps its RAM, so it stays in DFU in the middle of a download,
or holds control requests nobody will ever fetch. Three processes: units (USB/IP), cloud (here), station.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import child_process

from drivers.clock import SystemClock
from drivers.virtual.factory import make_spec
from station.cloud.virtual import Fault, FaultKind, VirtualCloud
from station.firmware.examples import write_example_files
from station.journal import JournalReader
from station.model import Verdict
from station.paths import find_profile

SEED, SPEED = 31, 20.0
ACCOUNT = "line@example.com"


@dataclass
class Bench:
    """One unit, one cloud, and as many stations as get killed."""

    folder: Path
    cloud: VirtualCloud
    environ: dict[str, str]

    @contextlib.contextmanager
    def station(self) -> Iterator[subprocess.Popen[str]]:
        """A running station, for the block; whatever the block raises, it does not outlive it."""
        line = [
            sys.executable, "-m", "station", "run", "--config", str(self.folder / "station.toml"),
            "--profile", str(self.folder / "boron.toml"), "--batch", "B1", "--trial", "--headless", "--json",
        ]  # fmt: skip
        with child_process.start(
            line, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=self.environ, cwd=self.folder
        ) as process:
            try:
                yield process
            except BaseException:
                process.kill()
                raise

    def kill_after(self, kind: str, delay_s: float, **wanted: object) -> None:
        """Run a station until an event of ``kind`` with ``wanted`` values, and kill it ``delay_s`` later."""
        with self.station() as process:
            for event in events(process):
                if event["kind"] == kind and all(str(value) in str(event[key]) for key, value in wanted.items()):
                    time.sleep(delay_s)  # wall time: three processes live in it
                    process.send_signal(signal.SIGKILL)
                    return
                assert event["kind"] != "AttemptFinished", f"no {kind} {wanted} came"
        raise AssertionError(f"the station ended, and no {kind} {wanted} came")

    def kill_when(self, condition: Callable[[], bool]) -> None:
        """Run a station until ``condition`` holds, and kill it at once."""
        with self.station() as process:
            while not condition():
                assert process.poll() is None, "the station ended by itself"
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)

    def finish(self) -> dict[str, object]:
        """Run a station until its unit has a verdict."""
        with self.station() as process:
            try:
                for event in events(process):
                    if event["kind"] == "AttemptFinished":
                        return event
            finally:
                process.send_signal(signal.SIGINT)
        raise AssertionError("no verdict came")


def events(process: subprocess.Popen[str]) -> Iterator[dict[str, object]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Units at 20 times their speed, a cloud that knows them, a config file that leads to both."""
    with contextlib.ExitStack() as stack:
        units = [
            sys.executable, "-m", "drivers.virtual.usbip_bench", "--unit", "boron@3.3.1", "--seed", str(SEED),
            "--consoles", str(tmp_path / "consoles"), "--speed", str(SPEED),
        ]  # fmt: skip
        process = stack.enter_context(subprocess.Popen(units, stdout=subprocess.PIPE, text=True))
        stack.callback(process.terminate)
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        cloud = VirtualCloud(SystemClock(), None, activation_s=0.1)
        stack.callback(cloud.close)
        yield Bench(tmp_path, cloud, _environment(cloud, tmp_path, ready["port"]))


def _environment(cloud: VirtualCloud, folder: Path, port: int) -> dict[str, str]:
    spec = make_spec("boron", SEED, 1)
    cloud.create_product(12345, 13, slug="widget", name="Widget", team=[ACCOUNT])
    cloud.register_unit(spec.device_id, 13, serial=spec.serial, iccid=spec.iccid, imei=spec.imei)
    token = cloud.create_token(ACCOUNT).reveal()
    url = cloud.serve()
    write_example_files(folder / "firmware")
    profile = (
        find_profile("boron-product")
        .read_text()
        .replace("expect = true", "expect = false")
        .replace("claim = false", "claim = true")
    )
    (folder / "boron.toml").write_text(profile)
    (folder / "station.toml").write_text(
        f'[slots]\n1 = "1-1"\n[cloud]\nurl = "{url}"\n[data]\ndir = "data"\n[firmware]\nfolders = ["firmware"]\n'
        f'[usb]\nbackend = "usbip:127.0.0.1:{port}"\nconsoles = "consoles"\n'
    )
    return dict(os.environ, PARTICLE_TOKEN=token)


@pytest.mark.slow
@pytest.mark.rule("N1")
def test_a_unit_left_in_dfu_and_with_leaked_requests_walks_to_pass_with_the_next_station(bench: Bench) -> None:
    dice = random.Random(SEED)
    bench.kill_after("WriteIntended", 0.15 + 0.2 * dice.random(), what="bootloader")  # requests leak
    bench.kill_after("WriteIntended", 0.05 + 0.2 * dice.random(), what="system-part1")  # torn, in DFU
    bench.kill_after("WriteIntended", 0.05 + 0.2 * dice.random(), what="system-part1")  # again, from DFU

    ending = bench.finish()

    assert ending["verdict"] == "PASS", ending
    with JournalReader(bench.folder / "data" / "journal") as journal:
        journal.verify()
        verdicts = [attempt.verdict for attempt in journal.attempts("B1")]
    assert verdicts == [Verdict.ERROR, Verdict.ERROR, Verdict.ERROR, Verdict.PASS]
    assert max(bench.cloud.effects.values()) == 1, bench.cloud.effects


@pytest.mark.slow
@pytest.mark.rule("N1")
@pytest.mark.rule("N2")
def test_a_claim_that_was_done_but_not_answered_before_the_kill_is_not_done_again(bench: Bench) -> None:
    bench.cloud.order(Fault(FaultKind.SLOW, "POST /v1/devices", seconds=20.0))
    bench.kill_when(lambda: bench.cloud.effects.get("POST /v1/devices") == 1)
    assert bench.cloud.effects["POST /v1/devices"] == 1, "the cloud did it, nobody heard so"
    with JournalReader(bench.folder / "data" / "journal") as journal:
        assert [write.what.split()[0] for write in journal.unconfirmed_writes()].count("claim") == 1

    ending = bench.finish()

    assert ending["verdict"] == "PASS", ending
    assert bench.cloud.effects["POST /v1/devices"] == 1
    assert bench.cloud.writes["POST /v1/devices"] == 1, "the owner was read first, so nothing was sent again"
