"""A real station process at one virtual unit that outlives it, with a virtual cloud: what a dying station leaves.

Unit and cloud live in the test's process, on the system clock, faster than real ones; the station finds the unit over
USB/IP. A station that dies is no power cut: the unit keeps its RAM, so it stays in DFU in the middle of a download, or
holds control requests that nobody will ever fetch.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from line_bench import ME, PRODUCTS, Recipe

from drivers.clock import SystemClock
from drivers.virtual.bus import VirtualBus
from drivers.virtual.consoles import ConsoleLinks
from drivers.virtual.factory import UnitSpec
from drivers.virtual.flash import Touch
from drivers.virtual.unit import VirtualUnit
from drivers.virtual.usbip import UsbIpServer
from drivers.virtual.world import World
from station.cloud.virtual import VirtualCloud

from . import child_process

SPEED = 20.0
"""How much faster than real ones unit and cloud live; the station does not know."""
SILENT_S = 120.0
"""Real seconds without any event after which a station counts as hung."""


@dataclass(frozen=True, slots=True)
class StationBench:
    """One unit, one cloud, one profile, and as many stations as die."""

    folder: Path
    recipe: Recipe
    bus: VirtualBus
    unit: VirtualUnit
    cloud: VirtualCloud
    environ: dict[str, str]

    @contextlib.contextmanager
    def station(self) -> Iterator[StationProcess]:
        """Run a station for the block; whatever the block raises, it does not outlive it."""
        line = [
            sys.executable, "-m", "station", "run", "--config", str(self.folder / "station.toml"),
            "--profile", str(self.folder / "profile.toml"), "--batch", self.recipe.batch, "--trial", "--json",
        ]  # fmt: skip
        with child_process.start(
            line, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=self.environ, cwd=self.folder
        ) as process:
            station = StationProcess(process)
            try:
                yield station
            finally:
                process.kill()
                station.reader.join()  # before its pipe is closed under it

    def die_at_write(self, number: int, how: signal.Signals = signal.SIGKILL) -> None:
        """Run a station that gets the signal ``how`` at a write of the unit; return when its process is gone.

        ``number``: of the flash operation it causes, from 1. A unit waits in the middle of it while SIGKILL is at work.
        """
        writes = 0
        with self.station() as station:

            def strike(_: Touch) -> None:  # on the unit's thread
                nonlocal writes
                writes += 1
                if writes == number:
                    station.process.send_signal(how)
                    if how is signal.SIGKILL:
                        station.process.wait()

            self.unit.score.on_host_write = strike
            for _ in station.events():
                pass
            station.process.wait()
        self.unit.score.on_host_write = None
        assert writes >= number, f"the station ended after {writes} writes"

    @property
    def journal_dir(self) -> Path:
        return self.folder / "data" / "journal"

    def replug(self) -> None:
        """Pull the unit out of its slot and plug it in again."""
        self.bus.unplug("1-1")
        self.bus.clock.sleep(20.0)
        self.bus.plug("1-1", self.unit)


class StationProcess:
    """A running station and the events it prints."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield events until the station has ended. Raises `AssertionError` when it falls silent for `SILENT_S`."""
        while True:
            try:
                line = self._lines.get(timeout=SILENT_S)
            except queue.Empty:
                raise AssertionError(f"the station said nothing for {SILENT_S:.0f} s") from None
            if not line:
                return
            yield json.loads(line)

    def wait_for(self, kind: str, wanted: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any] | None:
        """Return the next event of ``kind`` that is ``wanted``; None when the station has ended without one."""
        return next((event for event in self.events() if event["kind"] == kind and wanted(event)), None)


@contextlib.contextmanager
def station_bench(folder: Path, recipe: Recipe, spec: UnitSpec) -> Iterator[StationBench]:
    """A unit made by ``spec`` in slot 1, a cloud that knows it, and a config file that leads to both."""
    clock = SystemClock(SPEED)
    with contextlib.ExitStack() as stack:
        cloud = VirtualCloud(clock, folder / "cloud.sqlite")
        stack.callback(cloud.close)
        cloud.create_product(
            PRODUCTS[recipe.platform], recipe.platform_id, slug=f"{recipe.platform}-product", name="Product", team=[ME]
        )
        cloud.register_unit(
            spec.device_id, spec.platform_id, serial=spec.serial, iccid=spec.iccid, imei=spec.imei, mac=spec.mac,
            secret=spec.mobile_secret,
        )  # fmt: skip
        bus = stack.enter_context(VirtualBus(clock))
        server = UsbIpServer(bus)
        stack.callback(server.close)
        stack.callback(ConsoleLinks(bus, folder / "consoles").close)
        unit = VirtualUnit(spec, clock, World(sims=cloud, cloud=cloud))
        bus.plug("1-1", unit)
        _write_files(folder, recipe, cloud.serve(), server.address[1])
        environ = dict(os.environ, PARTICLE_TOKEN=cloud.create_token(ME).reveal())
        yield StationBench(folder, recipe, bus, unit, cloud, environ)


def _write_files(folder: Path, recipe: Recipe, cloud: str, port: int) -> None:
    """Write firmware, profile and config file."""
    (folder / "firmware").mkdir()
    for file in recipe.files():
        (folder / "firmware" / file.name).write_bytes(file.data)
    (folder / "profile.toml").write_text(recipe.text())
    (folder / "station.toml").write_text(
        f'[slots]\n1 = "1-1"\n[cloud]\nurl = "{cloud}"\n[data]\ndir = "data"\n[firmware]\nfolders = ["firmware"]\n'
        f'[usb]\nbackend = "usbip:127.0.0.1:{port}"\nconsoles = "consoles"\n'
    )
