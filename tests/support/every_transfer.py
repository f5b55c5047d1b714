"""Walks in which transfers fail: which transfers there are, which are alike, and a fault at any of them.

Run as a program (with ``PYTHONPATH=tests``) it fails every single transfer of a walk, one walk each, which takes an
hour a platform::

    nice python -m support.every_transfer boron new            # a unit out of its box: some 1,300 transfers
    nice python -m support.every_transfer argon finished --faults do=stall --from 20 --step 7
    nice python -m support.every_transfer argon new --comb 40  # 40 walks: every 40th transfer fails, and so on

A comb takes minutes and asks more of a walk, which stumbles dozens of times; a single fault shows more precisely.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from line_bench import ARGON, BORON, LineBench, Recipe, Walk, line_bench

from drivers.virtual.bus import Presence
from drivers.virtual.faults import parse_fault
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.wire.control.tables import Service
from drivers.wire.usb import Setup
from station.model import Verdict

from .proof_of_pass import untruths

RECIPES = {
    "boron": BORON, "argon": ARGON, "tracker": Recipe("tracker"), "p2": Recipe("p2", online=True),
    "msom": Recipe("msom"), "photon": Recipe("photon", device_os="3.3.1"),
    "electron": Recipe("electron", device_os="3.3.1"),
}  # fmt: skip
OLD = {"photon": "2.3.1", "electron": "2.3.1"}
"""Device OS of a unit out of its box, where the usual one is that of the recipe already."""
STUMBLES = (
    "do=stall",
    *(f"do=error,errno={name},lost={lost}" for name in ("eio", "eproto", "eoverflow") for lost in ("request", "reply")),
    *(f"do=error,errno={name}" for name in ("enomem", "eintr")),  # the host never gets as far as the unit
    "do=garbage",
    "do=hang,for=6",  # longer than a transfer may take: a status that comes late
)
"""How one transfer fails that says nothing about the unit."""


@dataclass(frozen=True)
class Kind:
    """What makes two transfers of a walk alike: the request, what it is about, and what went before."""

    mode: UnitMode
    request_type: int
    request: int
    about: int  # request type of a control request, block class or command of a DNLOAD, descriptor asked for
    before: tuple[int, int, int] = (0, 0, 0)

    @property
    def own(self) -> tuple[int, int, int]:
        return self.request_type, self.request, self.about


class Observer:
    """Sees every control transfer to ``unit`` before the unit does and tells its kind to ``on_transfer``."""

    def __init__(self, unit: VirtualUnit, on_transfer: Callable[[Kind], None]) -> None:
        self._unit, self._forward, self._on_transfer = unit, unit.control, on_transfer
        self._request, self._before = 0, (0, 0, 0)
        unit.control = self._control  # type: ignore[method-assign]

    def _control(self, presence: Presence, setup: Setup, data: bytes, timeout_s: float) -> bytes:
        kind = self._kind(setup, data)
        self._before = kind.own
        self._on_transfer(kind)
        return self._forward(presence, setup, data, timeout_s)

    def _kind(self, setup: Setup, data: bytes) -> Kind:
        if setup.request_type == 0xC0 and setup.request == Service.INIT:
            self._request = setup.index
        if setup.request_type in (0x40, 0xC0):
            about = setup.index if setup.request == 0x50 else self._request
        elif setup.request_type == 0x21:
            about = data[0] if data and setup.value == 0 else 0x100 + min(setup.value, 2) + (not data)
        else:
            about = setup.value if setup.request_type == 0x80 else min(setup.value, 3)
        return Kind(self._unit.mode, setup.request_type, setup.request, about, self._before)


@contextmanager
def bench_with(platform: str, is_new: bool, faults: tuple[str, ...] = ()) -> Iterator[tuple[LineBench, VirtualUnit]]:
    """A bench of its own and a unit of ``platform``: out of its box, or with all its firmware."""
    recipe: Recipe = RECIPES[platform]
    with tempfile.TemporaryDirectory() as directory, line_bench(Path(directory), recipe) as bench:
        unit = (
            bench.unit(platform, 1, OLD.get(platform), faults=faults)
            if is_new
            else bench.finished_unit(recipe, faults=faults)
        )
        yield bench, unit


def kinds_of_a_walk(platform: str, is_new: bool) -> list[Kind]:
    """Every control transfer of an undisturbed walk, in order."""
    kinds: list[Kind] = []
    with bench_with(platform, is_new) as (bench, unit):
        Observer(unit, kinds.append)
        assert bench.walk(unit).verdict is Verdict.PASS
    return kinds


def what_is_wrong(bench: LineBench, unit: VirtualUnit, walk: Walk) -> str:
    """Why this is no PASS, or no true one; empty when all is well."""
    if walk.verdict is not Verdict.PASS:
        return f"{walk.verdict.name}: {walk.finished.reason}"
    return "; ".join(untruths(bench, unit, bench.recipes[0], is_here=True))


def walk_that_stumbles(
    platform: str, is_new: bool, at: Callable[[Kind], bool], stumble: Callable[[int], str]
) -> tuple[str, list[Kind]]:
    """What is wrong after a walk in which the first transfer of each kind that ``at`` accepts fails; and those kinds.

    ``stumble``: the fault of the n-th of them.
    """
    hit: list[Kind] = []
    with bench_with(platform, is_new) as (bench, unit):

        def on_transfer(kind: Kind) -> None:
            if kind not in hit and at(kind):
                fault = parse_fault(f"at=control:{unit.transfers['control'] + 1},{stumble(len(hit))}")
                hit.append(kind)
                unit.order(fault)

        Observer(unit, on_transfer)
        return what_is_wrong(bench, unit, bench.walk(unit, within=3600.0)), hit


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("platform", choices=RECIPES)
    parser.add_argument("unit", choices=("new", "finished"))
    parser.add_argument("--faults", default="/".join(STUMBLES), help="what happens, separated by /")
    parser.add_argument("--from", dest="first", type=int, default=1, help="the first transfer (1)")
    parser.add_argument("--step", type=int, default=1, help="every how many-th (1)")
    parser.add_argument("--comb", type=int, default=0, help="fail every how many-th transfer of one walk (one only)")
    chosen = parser.parse_args()
    is_new, faults, started = chosen.unit == "new", chosen.faults.split("/"), time.monotonic()
    kinds = kinds_of_a_walk(chosen.platform, is_new)
    walks = bad = 0
    for number in range(chosen.first, (chosen.comb or len(kinds)) + 1, chosen.step):
        for fault in faults:
            walks += 1
            at = range(number, len(kinds) + 1, chosen.comb or len(kinds))
            try:
                with bench_with(chosen.platform, is_new, tuple(f"at=control:{n},{fault}" for n in at)) as (bench, unit):
                    walk = bench.walk(unit, within=3600.0)
                    told = what_is_wrong(bench, unit, walk)
            except AssertionError as error:
                told = str(error)
            if told:
                bad += 1
                sys.stdout.write(f"transfer {number} ({kinds[number - 1]}), {fault}: {told}\n")
                sys.stdout.flush()
    seconds = time.monotonic() - started
    sys.stdout.write(
        f"{chosen.platform} {chosen.unit}: {len(kinds)} transfers, {walks} walks, {bad} not PASS, {seconds:.0f} s\n"
    )
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
