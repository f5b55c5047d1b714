"""An import that is killed at any moment and started again: nothing is done twice, and the rest is finished (N1)."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import child_process
from support.cloud_bench import ME
from support.import_bench import (
    BORONS,
    IMPORT,
    OTHERS,
    SIMS,
    ImportBench,
    Killed,
    device,
    iccid,
    import_bench,
    serial,
)

from drivers.clock import SystemClock
from station.bulk.results import Result
from station.cloud.virtual import Quirks, SeenRequest, VirtualCloud
from station.cloud.virtual.faults import FaultKind
from station.journal import JournalReader

UNITS = f"{device(1)}\n{serial(2)}\n{device(3)}\n{device(4)}\n"


def bulk_of_units(bench: ImportBench) -> list[Result]:
    bench.register(1, 2, 3, 4)
    bench.cloud.edit_device(device(3), product_id=BORONS)
    if bench.steps == 0:
        bench.cloud.edit_device(device(4), product_id=OTHERS)
    return bench.devices(UNITS, claim_user=ME)


def bulk_of_cards(bench: ImportBench) -> list[Result]:
    for number in (1, 2, 3):
        bench.cloud.register_sim(iccid(number))
    bench.cloud.quirks = Quirks(lag_s=20.0)  # as long as the cloud works on an import in the background
    return bench.sims("".join(f"{iccid(number)}\n" for number in (1, 2, 3)))


def ending(bench: ImportBench, results: list[Result]) -> object:
    units = [bench.cloud.device(device(number)) for number in range(1, 5)]
    shown = [unit and {name: unit.get(name) for name in ("product_id", "owner", "name")} for unit in units]
    sims = [bench.cloud.sim_status(iccid(number)) for number in range(1, 5)]
    return shown, sims, [result.state.is_good for result in results], bench.cloud.effects


@pytest.mark.rule("N1")
@pytest.mark.parametrize("bulk", [bulk_of_units, bulk_of_cards], ids=["units", "SIM cards"])
def test_killed_after_every_exchange_and_at_every_write_of_the_journal(
    bulk: Callable[[ImportBench], list[Result]], tmp_path: Path
) -> None:
    with import_bench(tmp_path / "whole") as bench:
        wanted = ending(bench, bulk(bench))
        moments = bench.steps
    assert moments >= 8
    for lives in range(moments):
        with import_bench(tmp_path / f"{lives}") as bench:
            bench.lives = lives
            with pytest.raises(Killed):
                bulk(bench)
            bench.lives = None
            assert ending(bench, bulk(bench)) == wanted, f"killed at moment {lives}"


@pytest.mark.slow
@pytest.mark.rule("N1")
@pytest.mark.parametrize("verb", ["product", "sim"])
def test_a_killed_process_has_done_its_work_once_when_the_next_one_ends(verb: str, tmp_path: Path) -> None:
    """The real program gets a real SIGKILL between the effect of its import and the answer to it."""
    victims: list[subprocess.Popen[str]] = []

    def strike(request: SeenRequest, _fault: FaultKind | None) -> None:
        if request.route in (IMPORT, SIMS) and victims:
            victim = victims.pop()
            victim.kill()
            victim.wait()

    cloud = VirtualCloud(SystemClock(), activation_s=0.0, on_request=strike)
    try:
        cloud.create_product(BORONS, 13, slug="widget", name="Widget", team=[ME])
        for number in range(1, 41):
            cloud.register_unit(device(number), 13, serial=serial(number), iccid=iccid(number))
        lines = [device(number) if verb == "product" else iccid(number) for number in range(1, 41)]
        (tmp_path / "list.csv").write_text("\n".join(map(str, lines)), encoding="utf-8")
        (tmp_path / "station.toml").write_text(
            f'[cloud]\nurl = "{cloud.serve()}"\ntoken = "env:IMPORT_TOKEN"\n', encoding="utf-8"
        )
        command = [
            sys.executable, "-m", "station", verb, "import", str(tmp_path / "list.csv"), "--product", "widget", "--yes",
            "--config", str(tmp_path / "station.toml"), "--data-dir", str(tmp_path / "data"),
        ]  # fmt: skip
        environ = {"IMPORT_TOKEN": cloud.create_token(ME).reveal(), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        statuses = []
        for is_victim in (True, False):
            process = child_process.start(command, env=environ, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
            victims += [process] if is_victim else []
            with process:
                out, _ = process.communicate()
            statuses.append(process.returncode)
        assert statuses == [-signal.SIGKILL, 0]
        assert out.count("\nline ") == 40
        assert cloud.effects == {IMPORT if verb == "product" else SIMS: 1}
        with JournalReader(tmp_path / "data" / "journal") as journal:
            journal.verify()
    finally:
        cloud.close()
