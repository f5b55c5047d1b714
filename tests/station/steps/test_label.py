"""Whose label it is: one table."""

from __future__ import annotations

import datetime

import pytest
from support.spoken import PLACES

from drivers.identity import MobileSecret
from drivers.platforms import platform_by_slug
from drivers.virtual.factory import make_spec
from station.model import KnownUnit, SeenBefore, Verdict
from station.scan.reading import read_scan
from station.steps.shared.knowledge import UnitKnowledge
from station.steps.shared.label import Finding, Owner, judge

AT = datetime.datetime(2026, 11, 24, 10, 14, tzinfo=datetime.UTC)
OWN, NEIGHBOUR, KNOWN, STRANGER = (make_spec("boron", 7, number, "6.3.4") for number in (1, 4, 3, 6))


def identity(secret: MobileSecret | None = None) -> UnitKnowledge:
    return UnitKnowledge(platform_by_slug("boron"), OWN.device_id, OWN.serial, OWN.iccid, OWN.imei, secret=secret)


def owner_of(number: str, verdict: Verdict | None = Verdict.PASS) -> Owner:
    if number in {str(NEIGHBOUR.serial), str(NEIGHBOUR.device_id)}:
        return 4
    if number in {str(KNOWN.serial), str(KNOWN.iccid)}:
        seen = SeenBefore(verdict, AT, "bench-3", "B") if verdict is not None else None
        return KnownUnit(str(KNOWN.device_id), str(KNOWN.serial), seen)
    return None


def moved(text: str) -> str:
    return text.translate(str.maketrans("YZ", "ZY"))


@pytest.mark.rule("A5")
@pytest.mark.parametrize(
    ("text", "finding", "values"),
    [
        (OWN.label, Finding.OWN, ()),
        *((str(number), Finding.OWN, ()) for number in (OWN.serial, OWN.device_id, OWN.iccid, OWN.imei)),
        (NEIGHBOUR.label, Finding.NEIGHBOUR, ("4",)),
        (str(NEIGHBOUR.device_id), Finding.NEIGHBOUR, ("4",)),
        (KNOWN.label, Finding.PASSED, (AT.isoformat(timespec="seconds"),)),
        (str(KNOWN.iccid), Finding.PASSED, (AT.isoformat(timespec="seconds"),)),
        (moved(str(OWN.serial)), Finding.LAYOUT, ("QWERTZ",)),
        (moved(str(NEIGHBOUR.serial)), Finding.LAYOUT, ("QWERTZ",)),
        ("BRN404XKIT", Finding.THING, ("order code",)),
        ("LOT20261122", Finding.NO_LABEL, ("LOT20261122",)),
        ("OP:0417", Finding.NO_LABEL, ("",)),
        ("nothing like it", Finding.NO_LABEL, ("nothing ***",)),
        (STRANGER.label, Finding.STRANGER, (str(STRANGER.serial),)),
        (str(STRANGER.device_id), Finding.STRANGER, (str(STRANGER.device_id),)),
    ],
)
def test_whose_label_it_is(text: str, finding: Finding, values: tuple[str, ...]) -> None:
    judged = judge(read_scan(text), identity(), owner_of)
    assert (judged.finding, tuple(judged.values.values())) == (finding, values)
    assert PLACES.get(finding.value, ()) == tuple(judged.values)
    assert bool(judged.why) is (finding is not Finding.OWN)


@pytest.mark.parametrize(
    ("verdict", "finding"),
    [
        (Verdict.PASS, Finding.PASSED),
        (Verdict.FAIL, Finding.FAILED),
        (Verdict.PENDING, Finding.KNOWN),
        (Verdict.ABORTED, Finding.KNOWN),
        (Verdict.ERROR, Finding.KNOWN),
        (None, Finding.KNOWN),
    ],
)
def test_what_became_of_the_unit_whose_label_it_is(verdict: Verdict | None, finding: Finding) -> None:
    judged = judge(read_scan(KNOWN.label), identity(), lambda number: owner_of(number, verdict))
    assert judged.finding is finding


@pytest.mark.rule("A7")
def test_a_secret_counts_where_both_halves_are_known() -> None:
    forged = read_scan(f"{OWN.serial} {STRANGER.mobile_secret.reveal()}")
    assert judge(forged, identity(), owner_of).finding is Finding.OWN
    assert judge(forged, identity(OWN.mobile_secret), owner_of).finding is Finding.OTHER_SECRET
    assert judge(read_scan(OWN.label), identity(OWN.mobile_secret), owner_of).finding is Finding.OWN


def test_a_number_of_a_kind_the_unit_has_none_of_says_nothing_about_it() -> None:
    argon = make_spec("argon", 7, 1, "6.3.4")
    own = UnitKnowledge(platform_by_slug("boron"), argon.device_id, argon.serial)
    assert judge(read_scan(str(STRANGER.iccid)), own, owner_of).finding is Finding.THING
    assert judge(read_scan("350000000000006"), own, owner_of).finding is Finding.NO_LABEL
