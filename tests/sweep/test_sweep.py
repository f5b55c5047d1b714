"""A sample of ``make sweep``, and that it finds what it looks for."""

from __future__ import annotations

import itertools

import pytest
from sweep import cuts, deaths
from sweep.cuts import Cut, Harm
from sweep.deaths import Death, Killing
from sweep.stories import SAMPLE, Story, stories, table
from sweep.updates import UPDATES, Length, Module, Update, measured

CUTS = [
    Cut(update, harm, number)
    for place, update in enumerate(UPDATES)
    for harm, number in ((Harm.TORN, 20 + 7 * place), (Harm.FAILS, 3 + 5 * place), (Harm.BETWEEN, 400 + 37 * place))
]
COMBS = [
    Cut(update, Harm.COMB, 1 + 11 * place, way)
    for place, (update, way) in enumerate(
        zip(
            (one for one in UPDATES if one.is_whole),
            (
                "do=error,errno=eio,lost=reply",
                "do=error,errno=eproto",
                "do=error,errno=eintr",
                "do=error,errno=eoverflow,lost=reply",
            ),
            strict=True,
        )
    )
] + [Cut(update, Harm.COMB, 7 + 11 * place, "do=stall") for place, update in enumerate(UPDATES[::4])]
ORPHANED = [
    Cut(update, Harm.ORPHANED, number)
    for place, update in enumerate(UPDATES)
    for number in (2 + 3 * place, 45 + 4 * place)
]
PHOTON, TRACKER, P2 = (next(one for one in UPDATES if one.slug == slug) for slug in ("photon", "tracker", "p2"))
KILLINGS = [
    Killing(PHOTON, Death.KILLED, "synthetic-photon-bootloader@2.3.1.bin", "middle", 94),
    Killing(TRACKER, Death.CLOSED, "synthetic-tracker-system-part1@6.3.4.bin", "first", 84),
    Killing(P2, Death.TOLD, "synthetic-p2-prebootloader-part1@6.3.4.bin", "middle", 50),
]


@pytest.mark.rule("H9")
@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_a_unit_disturbed_while_it_is_written_ends_as_its_profile_wants_it(cut: Cut) -> None:
    end = cuts.ended(cut)
    assert not end.problem
    assert end.is_lost or end.verdicts[-1] == "PASS"


@pytest.mark.parametrize("comb", COMBS, ids=str)
def test_a_unit_passes_at_once_though_every_fortieth_transfer_fails(comb: Cut) -> None:
    end = cuts.ended(comb)
    assert (end.verdicts, end.problem) == (("PASS",), "")


@pytest.mark.rule("N1")
@pytest.mark.parametrize("cut", ORPHANED, ids=str)
def test_a_unit_whose_station_was_killed_in_the_middle_of_a_write_passes_with_the_next_one(cut: Cut) -> None:
    end = cuts.ended(cut)
    assert (end.verdicts[-1:], end.by_hand, end.problem) == (("PASS",), 0, "")


@pytest.mark.slow
@pytest.mark.rule("N1")
@pytest.mark.parametrize("killing", KILLINGS, ids=str)
def test_a_unit_whose_station_died_passes_with_the_next_one_and_the_journal_tells_of_it(killing: Killing) -> None:
    end = deaths.ended(killing)
    assert (end.verdicts[-1:], end.problem) == (("PASS",), "")


def test_a_unit_of_gen_2_whose_bootloader_is_torn_is_lost_and_that_was_said() -> None:
    """No order of writes avoids that window, so the plan announces it (firmware-and-dfu 7.1)."""
    update = Update("photon", "1.5.2", "2.3.1")
    ends = [cuts.ended(Cut(update, Harm.TORN, number)) for number in range(16, 21)]
    assert [end.problem for end in ends] == [""] * len(ends)
    assert any(end.is_lost for end in ends)


def test_each_module_of_an_update_is_swept_where_it_is_written() -> None:
    length = measured(PHOTON)
    files = {file.name for file in PHOTON.recipe.files()}
    assert {module.name for module in length.modules} == files
    spans = sorted((module.first, module.last) for module in length.modules)
    assert all(first <= last for first, last in spans)
    assert all(left[1] < right[0] for left, right in itertools.pairwise(spans))
    assert length.operations > spans[-1][1], "the bootloader is copied by the unit itself, which counts as well"


def test_one_platform_of_each_family_is_swept_whole_and_the_others_by_seed() -> None:
    assert {update.slug for update in UPDATES if update.is_whole} == {"photon", "boron", "tracker", "p2"}
    assert {"p1", "electron", "argon", "xenon", "b5som", "msom"} <= {update.slug for update in UPDATES}
    length = Length(100, 900, (Module("a", 1, 40), Module("b", 41, 90)))
    whole = list(stories(PHOTON, length, 1, is_whole=True))
    assert {one.number for one in whole if one.harm is Harm.TORN} == set(range(1, 101))
    assert {one.number for one in whole if one.harm is Harm.STUMBLES} == set(range(1, 901))
    for death in Death:
        assert [one.number for one in whole if one.harm is death] == [1, 20, 40, 41, 65, 90]
    drawn = list(stories(PHOTON, length, 1, is_whole=False))
    assert [one.number for one in drawn if isinstance(one, Killing)] == [1, 20, 40, 41, 65, 90]
    assert sum(one.harm is Harm.TORN for one in drawn) == SAMPLE
    assert drawn == list(stories(PHOTON, length, 1, is_whole=False)) != list(stories(PHOTON, length, 2, is_whole=False))


def test_the_table_counts_what_became_of_the_units() -> None:
    told: list[Story] = [Cut(PHOTON, Harm.TORN, 1), Killing(PHOTON, Death.KILLED, "a", "first", 1)]
    rows: dict[str, dict[str, object]] = {
        str(story): {"end": end, "problem": ""} for story, end in zip(told, ("hands", "pass"), strict=True)
    }
    _, cut, death, *_ = table(told, rows)
    assert cut.split()[-5:] == ["torn", "0", "1", "0", "0"]
    assert death.split()[-6:] == ["kill", "-9", "1", "0", "0", "0"]
