"""Hostile units of every family: each ends with one printable sentence, and nobody else at the bench notices."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from line_bench import LineBench, line_bench
from support.eras import ERAS, RAW, Era, asked_of
from support.hostile_unit import HostileUnit, Lies
from support.hostility import BOMBS, EVERY, bomb
from support.proof_of_pass import untruths

from drivers.virtual.factory import make_spec
from station.model import Verdict

FAMILIES = {
    "stm32": ("photon@0.5.5", "p1@3.3.1", "electron@1.4.4"),
    "nrf": ("boron@3.3.1 to 6.3.4", "argon@1.4.4"),
    "rtl": ("p2@5.0.1", "msom@6.1.0"),
}
BY_NAME = {str(era): era for era in ERAS}
OF_REQUESTS = ("services", "raw requests", "replies")
LIMIT_S = 1000.0
"""Longer than any single step may take, and every hostile unit ends in one."""
ITS_OWN_WORD = {"strange_identity", "numbers_differ", "wrong_label", "protected", "unknown_serial", "identity_missing"}
"""What a unit may fail for: it contradicts itself, or says twice what no good unit says."""


def hostile_ones(family: str, group: str) -> Iterator[tuple[Era, str, Lies]]:
    """Every row of a group, on the platforms of a family in turn: those that are asked such things."""
    eras = [BY_NAME[name] for name in FAMILIES[family]]
    if group in OF_REQUESTS:
        eras = [era for era in eras if asked_of(era).requests.keys() - {RAW + 20, RAW + 30}]
    if group == "consoles":
        eras = [era for era in eras if any(data.strip() for data in asked_of(era).typed)]
    if group == "replies":
        turn = count(len(family))
        for era in eras:
            for kind in sorted(one for one in asked_of(era).requests if one < RAW):
                name = list(BOMBS)[next(turn) % len(BOMBS)]
                yield era, f"{name} to request {kind}", bomb(kind, name)
        return
    for number, (name, row) in enumerate(EVERY[group].items()):
        yield eras[number % len(eras)], name, row(number)


@pytest.mark.parametrize("group", [*EVERY, "replies"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_hostile_unit_ends_with_a_sentence_frees_its_slot_and_disturbs_no_other(
    family: str, group: str, tmp_path: Path
) -> None:
    """No forbidden page is touched, nothing unannounced is written: checked when the bench closes."""
    hostile = list(hostile_ones(family, group))
    eras = list(dict.fromkeys(era for era, _, _ in hostile))
    with line_bench(tmp_path, *(era.recipe for era in eras), slots=2) as bench:
        numbers = count(1)
        alone = bench.walk(bench.unit(eras[0].slug, next(numbers), eras[0].arrives), slot=2)
        assert alone.verdict is Verdict.PASS, alone.finished
        beside = bench.unit(eras[0].slug, next(numbers), eras[0].arrives)
        mark = bench.mark()
        bench.plug(beside, 2)
        for era, name, lies in hostile:
            walk_hostile(bench, era, name, lies, next(numbers))
        told = bench.wait_finished(2, since=mark)
        assert (told.verdict, abs(told.seconds - alone.seconds) < 2.0) == (Verdict.PASS, True), told
        after = bench.walk(bench.unit(eras[0].slug, next(numbers), eras[0].arrives), slot=1)
        assert after.verdict is Verdict.PASS, after.finished


def walk_hostile(bench: LineBench, era: Era, name: str, lies: Lies, number: int) -> None:
    spec = make_spec(era.slug, 7, number, era.arrives)
    bench.register(spec)
    unit = HostileUnit(spec, bench.clock, lies, bench.world)
    bench.adopt(unit)
    walk = bench.walk(unit, within=LIMIT_S)
    told, about = walk.finished, f"{era}: {name}: {walk.finished}"
    assert told.sentence not in ("", "check_station"), about
    assert told.reason.isprintable(), about
    assert len(told.reason) < 1000, about
    if walk.verdict is Verdict.PASS:  # it was not asked, or something better was
        wrong = untruths(bench, unit, era.recipe, is_here=False)
        if name.endswith("request 21"):  # it tells no serial number, so it is called by its Device ID
            wrong = [one for one in wrong if not one.startswith("its name")]
        assert wrong == [], about
    elif walk.verdict is Verdict.FAIL:
        assert told.sentence in ITS_OWN_WORD, about
    else:
        assert walk.verdict is Verdict.ERROR, about
