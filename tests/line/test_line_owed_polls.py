"""What waits for the vendor or for a person is asked for ever more rarely, and a restart does not forget that."""

from __future__ import annotations

import datetime
import itertools
from pathlib import Path

import pytest
from support.owing import ADD, RENAME, Owing, device, iccid, owing

from station.cloud.virtual.faults import Fault, FaultKind
from station.line import pace
from station.line.owed_orders import OwedOrder, OwedOrders
from station.model import Mender, Verdict
from station.settings.config import REQUESTS_PER_S

HOUR_S = 3600.0
BUDGET = REQUESTS_PER_S * HOUR_S
"""Requests a station may send in an hour."""
NEVER = 10**6


def order_stuck_sims(shift: Owing, count: int) -> None:
    for number in range(count):
        shift.cloud.order_sim(iccid(number), polls=NEVER)


@pytest.mark.rule("G7")
@pytest.mark.parametrize("scopes", [(), ("devices:import", "devices:get", "devices:update", "sims:get")],
                         ids=["listed", "looked up one by one"])  # fmt: skip
def test_sixty_sims_that_never_activate_cost_less_than_a_hundredth_of_the_budget(
    scopes: tuple[str, ...], tmp_path: Path
) -> None:
    with owing(tmp_path, 60, scopes) as shift:
        order_stuck_sims(shift, 60)
        shift.worker.start()
        shift.clock.sleep(120.0)  # the other steps are done by then
        hours = [len(shift.requests_within(HOUR_S)) for _ in range(3)]
        assert all(hour < 0.01 * BUDGET for hour in hours), hours
        assert hours[1] <= (8 if not scopes else 120), hours
        assert shift.journal.waiting() == 120, "the SIM and the last check of each"


def test_a_station_that_starts_again_does_not_ask_for_all_stuck_sims_anew(tmp_path: Path) -> None:
    with owing(tmp_path, 60) as shift:
        order_stuck_sims(shift, 60)
        shift.worker.start()
        shift.clock.sleep(2 * HOUR_S)
        for _ in range(5):
            shift.stop()
            shift.start()
            shift.worker.start()
            assert len(shift.requests_within(60.0)) <= 2
        assert len(shift.requests_within(HOUR_S)) <= 8
        OwedOrders(tmp_path).put(OwedOrder(frozenset(f"a-{number}" for number in range(60))))  # somebody asks
        assert len(shift.requests_within(10.0)) >= 1
        assert {one.owed.tries for one in shift.journal.owed_units() if not one.after} <= {1, 2}


def test_stuck_sims_pass_within_an_hour_and_a_bit_of_their_activation(tmp_path: Path) -> None:
    with owing(tmp_path, 20) as shift:
        order_stuck_sims(shift, 20)
        shift.worker.start()
        shift.clock.sleep(5 * HOUR_S)
        for number in range(20):
            shift.cloud.order_sim(iccid(number), polls=0)
        assert shift.wait_drained(1.5 * HOUR_S) <= HOUR_S + 60
        assert shift.passed == 20


def test_an_order_left_by_a_command_line_makes_the_running_station_try_at_once(tmp_path: Path) -> None:
    with owing(tmp_path, 10) as shift:
        order_stuck_sims(shift, 10)
        shift.worker.start()
        shift.clock.sleep(5 * HOUR_S)
        for number in range(10):
            shift.cloud.order_sim(iccid(number), polls=0)
        OwedOrders(tmp_path).put(OwedOrder(frozenset(f"a-{number}" for number in range(5))))
        shift.clock.sleep(30.0)
        assert shift.passed == 5
        assert not list(OwedOrders(tmp_path).take()), "it was taken"


def test_an_order_to_drop_a_unit_sets_its_verdict_and_leaves_the_others(tmp_path: Path) -> None:
    with owing(tmp_path, 3) as shift:
        order_stuck_sims(shift, 3)
        shift.worker.start()
        shift.clock.sleep(HOUR_S)
        OwedOrders(tmp_path).put(OwedOrder(frozenset({"a-1"}), drop_for="dropped by 0417: lost in the mail"))
        shift.clock.sleep(30.0)
        dropped = shift.journal.attempt("a-1")
        assert dropped is not None
        assert (dropped.verdict, dropped.reason) == (Verdict.ABORTED, "dropped by 0417: lost in the mail")
        assert {one.owed.item.attempt for one in shift.journal.owed_units()} == {"a-0", "a-2"}
        shift.journal.verify()


@pytest.mark.parametrize("litter", [b"", b"{}", b"[1]", b'{"attempts": 3, "drop_for": ""}', b"\xff\xfe"])
def test_litter_in_the_mailbox_is_removed_and_harms_nobody(litter: bytes, tmp_path: Path) -> None:
    with owing(tmp_path, 1) as shift:
        orders = OwedOrders(tmp_path)
        orders.put(OwedOrder(frozenset())).write_bytes(litter)
        assert shift.drain() < 60
        assert shift.passed == 1
        assert not list(orders.take())


@pytest.mark.rule("N3")
@pytest.mark.parametrize(
    ("fault", "mender"),
    [
        (Fault(FaultKind.STATUS, "/v1/products", status=403, body={"ok": False, "error": "paused"}, times=None),
         Mender.ACCOUNT),
        (Fault(FaultKind.STATUS, RENAME, status=400, body={"error": "unauthorized"}, times=None), Mender.ACCOUNT),
        (Fault(FaultKind.STATUS, ADD, status=404, body={"ok": False, "error": "Product not found."}, times=None),
         Mender.PRODUCT),
        (Fault(FaultKind.HTML, status=200, times=None), Mender.NETWORK),
        (Fault(FaultKind.STATUS, status=503, times=None), Mender.VENDOR),
    ],
    ids=lambda value: value.value if isinstance(value, Mender) else "",
)  # fmt: skip
def test_sixty_units_behind_one_cause_cost_two_tries_a_round_and_all_tell_of_it(
    fault: Fault, mender: Mender, tmp_path: Path
) -> None:
    with owing(tmp_path, 60) as shift:
        shift.cloud.order(fault)
        shift.worker.start()
        shift.clock.sleep(HOUR_S)
        assert len(shift.requests_within(HOUR_S)) < 0.02 * BUDGET
        told = shift.journal.owed_units()
        assert len(told) in (240, 180)
        assert {one.mender for one in told if not one.after} == {mender}
        assert all(one.reason for one in told)
        shift.cloud.cancel_faults()
        assert shift.wait_drained() < 600
        assert shift.passed == 60


def test_a_name_that_is_refused_for_two_units_only_does_not_keep_the_others(tmp_path: Path) -> None:
    bad = [Fault(FaultKind.STATUS, RENAME, path=str(device(number)), status=422,
                 body={"message": "name"}, times=None) for number in range(2)]  # fmt: skip
    with owing(tmp_path, 40) as shift:
        for fault in bad:
            shift.cloud.order(fault)
        shift.worker.start()
        shift.clock.sleep(600.0)
        assert shift.passed == 38
        assert {one.mender for one in shift.journal.owed_units() if not one.after} == {Mender.PROFILE}


@pytest.mark.parametrize("seconds", pace.AGAIN_S)
def test_the_next_try_is_never_later_than_the_pause_and_never_sooner_than_half_of_it(seconds: float) -> None:
    begin = datetime.datetime(2026, 1, 5, 6, 0, 0, 123456, tzinfo=datetime.UTC)
    for offset in (0.0, 0.9, 17.3, 1799.99, 3599.0):
        now = begin + datetime.timedelta(seconds=offset)
        assert seconds / 2 <= (pace.next_try(now, seconds) - now).total_seconds() <= seconds


def test_pauses_double_from_seconds_to_an_hour() -> None:
    assert pace.AGAIN_S[0] < 15
    assert pace.AGAIN_S[-1] == 3600
    assert all(later == 2 * earlier for earlier, later in itertools.pairwise(pace.AGAIN_S))
    assert pace.pause_s(3, least_s=2400) == 3600
    assert pace.pause_s(100, pace.MEND_S) == pace.MEND_S
