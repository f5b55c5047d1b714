"""Lists of SIM cards into a product: the cloud works on an import in the background, only its list shows the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.import_bench import BORONS, OTHERS, SIMS, ImportBench, device, iccid, import_bench

from station.bulk.results import Result, State
from station.cloud import sim_api
from station.cloud.virtual import Quirks
from station.cloud.virtual.faults import Fault, FaultKind
from station.cloud.virtual.sims import SimClass

RUNS = "in the product, its activation runs; import the list again to see"
ON_ITS_WAY = (
    "asked for, and not in the product yet; import the list again to see; the cloud's e-mail to this account says why"
    " if it stays so"
)


def cards(bench: ImportBench, *numbers: int, speed: SimClass = SimClass.FAST) -> str:
    for number in numbers:
        bench.cloud.register_sim(iccid(number), sim_class=speed)
    return "".join(f"{iccid(number)}\n" for number in numbers)


def words(results: list[Result]) -> dict[int, tuple[str, str]]:
    return {result.line.number: (result.state.value, result.words) for result in results}


@pytest.mark.rule("G2")
@pytest.mark.rule("G13")
def test_a_pack_of_plastic_cards_is_activated_by_one_request(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        results = bench.sims("ICCID;Pack\n" + cards(bench, *range(50)))
        assert {result.state for result in results} == {State.ADDED}
        assert [len(one) for one in bench.sent(SIMS)] == [50]
        assert {bench.cloud.sim_status(iccid(number)) for number in range(50)} == {"active"}


def test_each_card_is_told_by_what_the_cloud_shows_of_it(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        text = cards(bench, *range(1, 8))
        bench.cloud.edit_sim(iccid(2), product_id=BORONS, status="active", activations=1)
        bench.cloud.edit_sim(iccid(3), product_id=OTHERS, status="active", activations=1)
        bench.cloud.edit_sim(iccid(4), product_id=BORONS, status="deactivated", activations=1)
        bench.cloud.order_sim(iccid(5), failures=9)
        bench.cloud.order_sim(iccid(6), polls=99)
        bench.cloud.edit_sim(iccid(7), username="stranger@example.com")
        results = bench.sims(text + f"{iccid(99)}\n{iccid(1)}\n{device(1)}\n8.99E+19\n890141000000000001\n")
        assert words(results) == {
            1: ("added", "active"),
            2: ("present", "active already"),
            3: ("refused", "belongs to another product or account; have it released there first"),
            4: ("differs", "in the product, but deactivated; reactivate it in the console, which may take days"),
            5: ("refused", "in the product, but its activation failed at the carrier; ask the vendor"),
            6: ("pending", RUNS),
            7: ("refused", "belongs to another product or account; have it released there first"),
            8: ("pending", ON_ITS_WAY),
            9: ("repeated", "the same as line 1: active"),
            10: ("unreadable", "names no SIM card; expected an ICCID: 19 to 21 digits that begin with 89"),
            11: ("unreadable", "8.99E+19 is a number that a spreadsheet destroyed; format the column as text and"
                 " export the list again"),
            12: ("unreadable", "has 18 digits, expected 19 to 21 digits that begin with 89"),
        }  # fmt: skip
        (sent,) = bench.sent(SIMS)
        assert set(sent) == {str(iccid(number)) for number in (1, 3, 5, 6, 7, 99)}


@pytest.mark.rule("G7")
def test_slow_cards_are_left_pending_and_seen_active_when_the_list_is_imported_again(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        text = cards(bench, *range(10), speed=SimClass.GENERALLY_FAST)
        assert set(words(bench.sims(text, wait_s=10.0)).values()) == {("pending", RUNS)}
        bench.clock.sleep(60.0)
        assert set(words(bench.sims(text)).values()) == {("present", "active already")}
        assert len(bench.sent(SIMS)) == 1


def test_a_list_that_is_imported_again_while_the_cloud_works_on_it_is_not_sent_again(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.cloud.quirks = Quirks(lag_s=300.0)
        text = cards(bench, *range(10))
        assert set(words(bench.sims(text, wait_s=10.0)).values()) == {("pending", ON_ITS_WAY)}
        assert set(words(bench.sims(text, wait_s=10.0)).values()) == {("pending", ON_ITS_WAY)}
        bench.clock.sleep(400.0)
        assert set(words(bench.sims(text)).values()) == {("present", "active already")}
        assert len(bench.sent(SIMS)) == 1


def test_a_card_that_never_arrives_is_asked_for_again_after_a_while(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        for minutes in (0, 10, 10):
            bench.clock.sleep(60.0 * minutes)
            bench.sims(f"{iccid(99)}\n", wait_s=10.0)
        assert len(bench.sent(SIMS)) == 2


@pytest.mark.rule("N2")
@pytest.mark.parametrize("kind", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER])
def test_an_answer_that_got_lost_is_decided_by_a_look(kind: FaultKind, tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.cloud.order(Fault(kind, SIMS))
        assert set(words(bench.sims(cards(bench, *range(10)))).values()) == {("added", "active")}
        assert bench.cloud.effects[SIMS] == 1


def test_an_import_that_is_never_answered_is_left_for_the_next_time(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        text = cards(bench, *range(5), speed=SimClass.SOMETIMES_SLOW)
        bench.cloud.order(Fault(FaultKind.STATUS, SIMS, status=503, times=99))
        results = bench.sims(text)
        assert {result.state for result in results} == {State.PENDING}
        assert "not done: " in results[0].words
        bench.cloud.cancel_faults()
        assert {result.state for result in bench.sims(text)} == {State.ADDED}


def test_a_few_cards_of_a_product_with_many_are_looked_up_one_by_one(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        text = cards(bench, *range(1_000, 1_004))
        cards(bench, *range(1_000))
        for number in range(1_000):
            bench.cloud.edit_sim(iccid(number), product_id=BORONS, status="active")
        results = bench.sims(text)
        assert {result.state for result in results} == {State.ADDED}
        assert len(bench.cloud.requests()) < 30


@pytest.mark.rule("G3")
def test_a_card_of_a_pack_is_tied_to_no_unit_before_one_is_online_with_it(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.sims(cards(bench, 1))
        with bench.station() as (client, _, _):
            found = client.run(sim_api.sim(iccid(1), BORONS))
        assert found is not None
        assert (found.is_active, found.product_id) == (True, BORONS)
