"""One to thirty-two units at once: how much of n times one unit's throughput n units reach, and CPU time per unit.

Flash only in real time, as the machine's scheduler and Python's lock have their part in it; whole walks in simulated
time, where only our own locks and queues can hold anybody up. The CPU time of both contains the virtual units. The
whole walks have no limit on cloud requests: the vendor's (N3) is on the account, not on the bench.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from line_bench import Recipe, line_bench
from support.device_bench import DeviceBench, image

from drivers.clock import Clock, SimulatedClock, SystemClock
from drivers.platforms import Via, platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import make_spec
from drivers.wire.image.host import Image
from station.model import Verdict

Say = Callable[[str], None]
UNITS = (1, 2, 4, 8, 16, 32)
MIXED = ("argon", "p2", "photon", "boron")
HELD = {"argon": "3.3.1", "boron": "3.3.1", "p2": "5.3.2", "photon": "1.5.2"}
WANTED = {"photon": "2.3.1"}


def system_part(slug: str) -> Image:
    """The largest module of a release that goes over DFU."""
    row = platform_by_slug(slug)
    made = [image(file) for file in synthetic.release(row.id, WANTED.get(slug, "6.3.4"))]
    slots = {one.name: row.slot(one.function, one.index) for one in made}
    over_dfu = [one for one in made if (slot := slots[one.name]) is not None and slot.via is Via.DFU]
    return max(over_dfu, key=lambda one: len(one.data))


def flashed(slugs: list[str], clock: Clock) -> tuple[list[float], float]:
    """Flash a unit of each of ``slugs`` at once; return the seconds of each on ``clock``, and CPU seconds of all."""
    took = dict[int, float]()
    with clock.registered(), VirtualBus(clock) as bus:
        bench = DeviceBench(clock, bus)  # type: ignore[arg-type]
        bench.enumerator.start()
        units = []
        for number, slug in enumerate(slugs, 1):
            spec = make_spec(slug, 7, number, HELD[slug], setup_done=True, arrives=BootRequest.DFU)
            bench.plug(spec, port=f"1-{number}")
            device = bench.device(f"1-{number}")
            device.identify(bench.within(30.0))
            units.append((number, device.dfu(bench.within(3600.0)), system_part(slug)))

        def flash(number: int) -> None:
            _, dfu, part = units[number - 1]
            begin = clock.now()
            dfu.write_module(part)
            dfu.verify(part)
            took[number] = clock.now() - begin

        cpu_s = time.process_time()
        threads = [clock.thread(f"slot-{number}", lambda number=number: flash(number)) for number, _, _ in units]  # type: ignore[misc]
        for thread in threads:
            thread.join()
        cpu_s = time.process_time() - cpu_s
        bench.enumerator.stop()
    return [took[number] for number, _, _ in units], cpu_s


def test_flashing_in_real_time(say: Say) -> None:
    alone = {slug: flashed([slug], SimulatedClock())[0][0] for slug in MIXED}
    say("flash only, Argon, P2, Photon and Boron in turn, real time; one unit: where the host costs nothing")
    for count in UNITS:
        slugs = [MIXED[number % len(MIXED)] for number in range(count)]
        seconds, cpu_s = flashed(slugs, SystemClock())
        share = sum(alone[slug] / took for slug, took in zip(slugs, seconds, strict=True)) / count
        say(f"  {count:3} units: {share:.3f} of {count} x one unit, {cpu_s / count:.3f} CPU s a unit")


@pytest.mark.parametrize("slug", ["argon", "p2"])
def test_whole_walks_in_simulated_time(slug: str, tmp_path: Path, say: Say) -> None:
    recipe, alone = Recipe(slug), 0.0
    say(f"whole walks of {slug}, simulated time")
    for count in UNITS:
        folder = tmp_path / str(count)
        folder.mkdir()
        with line_bench(folder, recipe, slots=count, requests_per_s=1e6, traces=False) as bench:
            units = [bench.unit(slug, number, HELD[slug]) for number in range(1, count + 1)]
            mark, cpu_s = bench.mark(), time.process_time()
            for slot, unit in enumerate(units, 1):
                bench.plug(unit, slot)
            ends = [bench.wait_finished(slot, since=mark, within=3600.0) for slot in range(1, count + 1)]
            cpu_s = time.process_time() - cpu_s
            assert {end.verdict for end in ends} == {Verdict.PASS}
            seconds = sum(end.seconds for end in ends) / count
            alone = alone or seconds
            say(
                f"  {count:3} units: {seconds:6.2f} s each, {alone / seconds:.3f} of {count} x one unit,"
                f" {cpu_s / count:.3f} CPU s a unit, {bench.transfers / count:,.0f} transfers"
            )
