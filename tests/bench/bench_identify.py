"""How long it takes until every identity of a unit is known: ours beside the vendor's programs, on the same unit.

Prints one table a platform, asserts nothing about time. Each row has two columns: what the program does once it is
loaded, and its whole process. The unit lives in real time, and its modem runs before anybody is measured.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conformance.bench import ForeignBench
from conformance.equipment import PARTICLE_USB, lacking, particle_usb
from conformance.kernel import PretendKernel

from drivers.clock import SystemClock
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import VirtualUnit

HERE = Path(__file__).parent
ROUNDS = 5
HELD = {"photon": "3.3.1", "argon": "6.3.4", "boron": "6.3.4", "p2": "6.3.4", "msom": "6.3.4"}
"""At least one platform of each chip family; on an Electron `serial identify` needs somebody to press a button."""
PORT = "/dev/ttyACM0"


@pytest.fixture
def bench() -> Iterator[ForeignBench]:
    if missing := lacking("umockdev", "node", "particle-usb", "particle-cli", "udevadm"):
        pytest.skip(f"this machine lacks {missing}")
    clock, kernel = SystemClock(), PretendKernel()
    with VirtualBus(clock) as bus, kernel.showing(bus):
        yield ForeignBench(clock, bus, kernel)
    kernel.close()


@dataclass(frozen=True, slots=True)
class Times:
    """Medians in milliseconds, and transfers of the last run. ``told``: what it said."""

    loaded_ms: float
    process_ms: float
    transfers: int = 0
    told: Any = None


def measured(bench: ForeignBench, unit: VirtualUnit, loaded: list[str], process: list[str]) -> Times:
    """Run both commands once to warm the machine's caches and the unit's modem, then `ROUNDS` times in turn.

    ``loaded`` prints in JSON how long it took without its own start; ``process`` is the program as people call it.
    """
    inside, whole = list[float](), list[float]()
    for left in reversed(range(ROUNDS + 1)):
        before = unit.transfers["control"]
        told = json.loads(run(bench, loaded).strip().splitlines()[-1])
        transfers, begin = unit.transfers["control"] - before, time.perf_counter()
        run(bench, process)
        if left < ROUNDS:
            inside.append(told["ms"])
            whole.append((time.perf_counter() - begin) * 1000)
    return Times(statistics.median(inside), statistics.median(whole), transfers, told["told"])


def run(bench: ForeignBench, command: list[str]) -> str:
    done = bench.run(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("platform", HELD)
def test_until_all_identities_are_known(
    bench: ForeignBench, platform: str, tmp_path: Path, say: Callable[[str], None]
) -> None:
    unit = bench.plug("1-1", make_spec(platform, 7, 1, HELD[platform], setup_done=True))
    settings = ["env", f"HOME={tmp_path}", "PARTICLE_DISABLE_UPDATE=1", f"{PARTICLE_USB}={particle_usb()}", "node"]
    script, cli = str(HERE / "vendor_identify.js"), str(particle_usb() / "node_modules/.bin/particle")
    by_library = [*settings, script, "particle-usb", unit.device_id]
    ours = measured(
        bench, unit, [sys.executable, str(HERE / "identify_once.py")],
        [sys.executable, "-m", "station", "identify", "--json"],
    )  # fmt: skip
    library = measured(bench, unit, by_library, by_library)
    program = measured(
        bench, unit, [*settings, script, "particle-cli", PORT], [*settings, cli, "serial", "identify", "--port", PORT]
    )
    assert ours.told["values"]["serial"]["value"] == library.told["getSerialNumber"] == str(unit.spec.serial)
    assert ours.told["values"]["device_id"]["value"] == library.told["id"] == unit.device_id
    both = Times(
        library.loaded_ms + program.loaded_ms, library.process_ms + program.process_ms,
        library.transfers + program.transfers,
    )  # fmt: skip
    say(f"{platform} {HELD[platform]:26} {'loaded':>10} {'process':>10} {'transfers':>10}")
    rows = {
        "station identify": ours, "particle-usb": library, "particle-cli serial identify": program,
        "the vendor's two together": both,
    }  # fmt: skip
    for name, row in rows.items():
        say(f"  {name:30} {row.loaded_ms:7.0f} ms {row.process_ms:7.0f} ms {row.transfers:10}")
    for name, row in list(rows.items())[1:]:
        loaded, process = ours.loaded_ms / row.loaded_ms, ours.process_ms / row.process_ms
        say(f"  {f'ours : {name}':30} {loaded:10.2f} {process:10.2f}")
