"""The station alone is killed: the unit lives on in another process, in DFU or with leaked requests.

`sweep.deaths` does the same at every module of every family; here the station dies again and again, or while it owes.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from line_bench import Recipe
from support.station_process import StationBench, StationProcess, station_bench

from drivers.virtual.factory import make_spec
from station.cloud.virtual import Fault, FaultKind, SeenRequest
from station.journal import JournalReader
from station.model import Verdict


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[StationBench]:
    with station_bench(tmp_path, Recipe("boron", claim=True), make_spec("boron", 31, 1, "3.3.1")) as bench:
        yield bench


def finish(bench: StationBench) -> dict[str, object]:
    """Run a station until its unit has a verdict."""
    with bench.station() as station:
        ending = station.wait_for("AttemptFinished")
        station.process.send_signal(signal.SIGINT)
    assert ending is not None
    return ending


@pytest.mark.slow
@pytest.mark.rule("N1")
def test_a_unit_left_in_dfu_and_with_leaked_requests_walks_to_pass_with_the_next_station(bench: StationBench) -> None:
    bench.die_at_write(30)  # of 61 of the bootloader: requests leak
    bench.die_at_write(120)  # the bootloader again, then into the system part: torn, in DFU
    bench.die_at_write(40)  # again, from DFU

    ending = finish(bench)

    assert ending["verdict"] == "PASS", ending
    with JournalReader(bench.journal_dir) as journal:
        journal.verify()
        verdicts = [attempt.verdict for attempt in journal.attempts(bench.recipe.batch)]
    assert verdicts == [Verdict.ERROR, Verdict.ERROR, Verdict.ERROR, Verdict.PASS]
    assert max(bench.cloud.effects.values()) == 1, bench.cloud.effects


@pytest.mark.slow
@pytest.mark.rule("N1")
@pytest.mark.rule("N2")
def test_a_claim_that_was_done_but_not_answered_before_the_kill_is_not_done_again(bench: StationBench) -> None:
    bench.cloud.order(Fault(FaultKind.SLOW, "POST /v1/devices", seconds=400.0))
    with bench.station() as station:
        while bench.cloud.effects.get("POST /v1/devices") != 1:
            assert station.process.poll() is None, "the station ended by itself"
            time.sleep(0.01)  # wall time: two processes live in it
        station.process.send_signal(signal.SIGKILL)
    assert bench.cloud.effects["POST /v1/devices"] == 1, "the cloud did it, nobody heard so"
    with JournalReader(bench.journal_dir) as journal:
        assert [write.what.split()[0] for write in journal.unconfirmed_writes()].count("claim") == 1

    ending = finish(bench)

    assert ending["verdict"] == "PASS", ending
    assert bench.cloud.effects["POST /v1/devices"] == 1
    assert bench.cloud.writes["POST /v1/devices"] == 1, "the owner was read first, so nothing was sent again"


@pytest.mark.slow
@pytest.mark.rule("N1")
def test_a_station_killed_at_each_of_its_writes_to_the_cloud_in_turn_repeats_none_of_them(tmp_path: Path) -> None:
    """One process after the other dies by SIGKILL when the cloud has done what it was asked, and not answered yet.

    A restart that a dead station had told the unit to make comes in the middle of the next attempt when the machine is
    slow; here one does in any case, after the first death. The unit leaves its port, so that attempt is ABORTED, and
    the unit is walked again as soon as it is back.
    """
    recipe = Recipe("boron", more='[notes]\ntext = "order 4711"\n[groups]\nnames = ["rev-b"]')
    spec = make_spec("boron", 31, 1, modules=tuple(file.data for file in recipe.files()), setup_done=True)
    with station_bench(tmp_path, recipe, spec) as bench:
        deaths = 0
        ending = None
        late_restarts: list[Callable[[], None]] = []
        while ending is None and deaths < 10:
            with bench.station() as station:

                def strike(seen: SeenRequest, _: FaultKind | None, station: StationProcess = station) -> None:
                    if late_restarts and ":id" in seen.route:
                        with bench.unit.condition:
                            late_restarts.pop()()
                    if seen.had_effect and bench.cloud._on_request is not None:
                        bench.cloud._on_request = None
                        station.process.kill()
                        station.process.wait()

                bench.cloud._on_request = strike
                ending = station.wait_for("AttemptFinished")
                while ending is not None and ending["verdict"] == "ABORTED":
                    ending = station.wait_for("AttemptFinished")
                station.process.send_signal(signal.SIGINT)
                deaths += ending is None
                if deaths == 1:
                    late_restarts.append(bench.unit.restart)
        assert ending is not None
        assert ending["verdict"] == "PASS", ending
        assert deaths == 5, "membership, a group, its member, notes and name"
        assert bench.cloud.effects == {
            "POST /v1/products/:p/devices": 1, "POST /v1/products/:p/groups": 1, "PUT /v1/products/:p/devices": 1,
            "PUT /v1/products/:p/devices/:id": 2,
        }  # fmt: skip
        assert bench.cloud.writes == bench.cloud.effects, "each was seen to be done, and not sent again"
        with JournalReader(bench.journal_dir) as journal:
            journal.verify()
            attempts = journal.attempts(recipe.batch)
            pending = sum(write.what == "restart into DFU" for write in journal.unconfirmed_writes())
        aborted = [one for one in attempts if one.verdict is Verdict.ABORTED]
        assert {one.reason for one in aborted} == {"the unit left its port"}
        assert 1 <= len(aborted) <= 1 + pending, "one for each restart at most"
        judged = [one.verdict for one in attempts if one not in aborted]
        assert judged == [Verdict.ERROR] * deaths + [Verdict.PASS]
