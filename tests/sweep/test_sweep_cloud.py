"""A sample of ``make sweep ARGS="--cloud"``, and that it finds what it looks for."""

from __future__ import annotations

import dataclasses
import functools

import pytest
from sweep import cloud
from sweep.cloud import CloudDeath, Moment, Undisturbed
from sweep.stories import Story, table

SAMPLE = [
    *(CloudDeath(Moment.EXCHANGE, number) for number in (2, 11, 23, 58)),
    *(CloudDeath(Moment.BEFORE, number) for number in (1, 17, 39)),
    *(CloudDeath(Moment.AFTER, number) for number in (12, 33, 70)),
]


@functools.cache
def undisturbed() -> Undisturbed:
    return cloud.measured()


@pytest.mark.rule("N1")
@pytest.mark.rule("N2")
@pytest.mark.parametrize("death", SAMPLE, ids=str)
def test_a_station_that_died_leaves_the_cloud_as_if_nothing_had_happened(death: CloudDeath) -> None:
    end = cloud.ended(death, undisturbed().end)
    assert (end.problem, end.verdicts.count("FAIL")) == ("", 0)


def test_a_death_that_costs_a_second_write_or_a_field_is_found() -> None:
    end = undisturbed().end
    death = CloudDeath(Moment.EXCHANGE, 30)
    twice = dataclasses.replace(end, writes={**end.writes, "POST /v1/devices": 0})
    assert "writes of POST /v1/devices: 1, without the death 0" in cloud.ended(death, twice).problem
    unit = next(iter(end.devices))
    other = dataclasses.replace(end, devices={**end.devices, unit: {**end.devices[unit], "name": "another"}})
    assert f"devices of {unit}" in cloud.ended(death, other).problem


def test_a_moment_that_never_comes_is_no_success() -> None:
    assert "never came" in cloud.ended(CloudDeath(Moment.AFTER, 10_000), undisturbed().end).problem


def test_every_exchange_and_both_sides_of_every_commit_are_swept() -> None:
    run = undisturbed()
    deaths = list(cloud.deaths_of(run))
    assert len(deaths) == run.exchanges + 2 * run.commits == len(set(deaths)) > 200
    _, row, *_ = table(deaths[:1], {str(deaths[0]): {"end": "pass", "problem": ""}})
    assert row.split()[-5:] == ["exchange", "1", "0", "0", "0"]
    told: list[Story] = list(deaths)
    assert {story.harm for story in told} == set(Moment)
