"""Which failures to join are held against a unit."""

from __future__ import annotations

from station.steps.shared.wifi_networks import BenchWifi


def fail(bench: BenchWifi, unit: str, ssid: str = "net") -> int:
    return bench.failed(ssid, unit, bench.others(ssid, unit))


def test_nothing_is_held_against_a_unit_while_nobody_joins() -> None:
    bench = BenchWifi()
    bench.joined("net", "good")
    assert [fail(bench, unit) for unit in "abcabc"] == [0] * 6, "the access point may have gone since"


def test_a_round_takes_a_join_of_another_unit_since_the_last_failure() -> None:
    bench = BenchWifi()
    assert [fail(bench, "bad"), fail(bench, "bad")] == [0, 0]
    bench.joined("net", "good")
    assert [fail(bench, "bad"), fail(bench, "bad")] == [1, 1]
    bench.joined("net", "other")
    assert [fail(bench, "bad"), fail(bench, "bad")] == [2, 2]


def test_joins_of_the_unit_itself_and_at_other_networks_say_nothing() -> None:
    bench = BenchWifi()
    fail(bench, "bad")
    bench.joined("elsewhere", "good")
    assert fail(bench, "bad") == 0


def test_a_unit_that_joins_after_all_begins_anew() -> None:
    bench = BenchWifi()
    fail(bench, "late")
    bench.joined("net", "good")
    assert fail(bench, "late") == 1
    bench.joined("net", "late")
    bench.joined("net", "good")
    assert fail(bench, "late") == 0


def test_a_join_while_a_try_runs_counts_for_the_next_one() -> None:
    bench = BenchWifi()
    before = bench.others("net", "bad")
    bench.joined("net", "good")
    assert bench.failed("net", "bad", before) == 0
    assert fail(bench, "bad") == 1
