"""Lists of units into a product: what is missing is sent, and only what is read back counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cloud_bench import ME
from support.import_bench import (
    ARGONS,
    BORONS,
    ELECTRONS,
    IMPORT,
    OTHERS,
    ImportBench,
    device,
    iccid,
    import_bench,
    serial,
)

from drivers.identity import DeviceId, Imei
from station.bulk.results import Result, State
from station.cloud import api
from station.cloud.virtual import Quirks
from station.cloud.virtual.faults import Fault, FaultKind

FACTORY = "factory@example.com"


def states(results: list[Result]) -> dict[int, str]:
    return {result.line.number: result.state.value for result in results}


def words(results: list[Result]) -> dict[int, str]:
    return {result.line.number: result.words for result in results}


def ids(*numbers: int) -> str:
    return "".join(f"{device(number)}\n" for number in numbers)


# --- C11: an answer for each line ------------------------------------------------------------------


@pytest.mark.rule("C11")
@pytest.mark.parametrize("by", ["Device ID", "serial number"])
def test_each_line_gets_its_own_answer_though_the_whole_says_yes(by: str, tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.register(1, 2, 3, 4, 5)
        bench.cloud.edit_device(device(2), product_id=BORONS)
        bench.cloud.edit_device(device(3), owner="stranger@example.com")
        bench.cloud.edit_device(device(4), product_id=OTHERS)
        bench.cloud.edit_device(device(5), is_protected=1)
        key = device if by == "Device ID" else serial
        results = bench.devices("".join(f"{key(number)}\n" for number in range(1, 7)))
        assert words(results) == {
            1: "read back in product 20001",
            2: "in product 20001 already",
            3: "is claimed by an account outside the team; have it unclaimed first",
            4: "is in product 20099; remove it there first" if by == "Device ID" else
               "was not accepted: check its label, platform and other products",
            5: "is a protected device and cannot join this product",
            6: "was not accepted: check its label, platform and other products",
        }  # fmt: skip
        assert list(states(results).values()) == ["added", "present", *["refused"] * 4]
        assert [len(one) for one in bench.sent(IMPORT)] == [5, 4]  # the refused ones are asked for twice
        assert str(device(2)) not in bench.sent(IMPORT)[0]


@pytest.mark.rule("C11")
@pytest.mark.parametrize("shape", ["old", "empty"])
def test_an_answer_without_lists_is_decided_by_what_the_product_shows(shape: str, tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.register(1, 2)
        bench.cloud.quirks = Quirks(import_answer=shape)
        results = bench.devices(ids(1, 2, 3))
        assert list(states(results).values())[:2] == ["added", "added"]
        assert results[2].state in (State.REFUSED, State.PENDING)


@pytest.mark.rule("C3")
def test_units_of_another_platform_are_told_before_or_after_they_are_sent(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.register(1)
        bench.cloud.register_unit(DeviceId.parse("e00fce68aaaa000000000002"), 12)
        bench.cloud.edit_device(DeviceId.parse("e00fce68aaaa000000000002"), owner=ME)
        results = bench.devices("P033AB000000001\ne00fce68aaaa000000000002\n")
        assert words(results) == {
            1: "P033AB000000001 is a serial number of B-SoM units, the product is for Boron (C3)",
            2: "is a unit of Argon, the product is for Boron (C3)",
        }
        assert all("P033AB000000001" not in one for one in bench.sent(IMPORT))


# --- C9: lists and single units --------------------------------------------------------------------


@pytest.mark.rule("C9")
@pytest.mark.parametrize("by", ["Device ID", "serial number", "mixed"])
def test_fifty_units_from_a_list_and_one_by_one_come_to_the_same(by: str, tmp_path: Path) -> None:
    def cloud_of(bench: ImportBench) -> list[object]:
        bench.clock.sleep(120.0)  # SIMs take their time
        return [[bench.cloud.device(device(n)), bench.cloud.sim_status(iccid(n))] for n in range(50)]

    numbers = {"Device ID": (device,), "serial number": (serial,), "mixed": (device, serial)}[by]
    with import_bench(tmp_path / "list") as bench:
        bench.register(*range(50))
        text = "No;Unit;Box\r\n" + "".join(f"{n};{numbers[n % len(numbers)](n)};7\r\n" for n in range(50))
        assert set(states(bench.devices(text)).values()) == {"added"}
        assert [len(one) for one in bench.sent(IMPORT)] == [50]
        from_list = cloud_of(bench)
    with import_bench(tmp_path / "single") as bench:
        bench.register(*range(50))
        with bench.station() as (client, _, _):
            for number in range(50):
                bench.traffic.pause()
                assert client.run(api.add_to_product(BORONS, device(number))).of(device(number)).is_member
        assert len(bench.sent(IMPORT)) == 50
        one_by_one = cloud_of(bench)
        bench.traffic.story.clear()  # these were announced nowhere
    assert from_list == one_by_one
    assert [one[0]["product_id"] for one in from_list] == [BORONS] * 50  # type: ignore[index]
    assert [one[1] for one in from_list] == ["active"] * 50  # type: ignore[index]


@pytest.mark.rule("C8")
def test_a_product_named_by_its_slug_is_compared_by_its_number(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.register(1, 2)
        bench.cloud.edit_device(device(2), product_id=OTHERS)
        assert states(bench.devices(ids(1, 2), "widget")) == {1: "added", 2: "refused"}
        assert {request.path for request in bench.cloud.requests() if request.route == IMPORT} == {
            f"/v1/products/{BORONS}/devices"
        }


def test_a_long_list_goes_in_parts_of_a_thousand_and_costs_few_requests(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.register(*range(2_300))
        told: list[tuple[int, int]] = []
        results = bench.devices(ids(*range(2_300)), progress=lambda done, total: told.append((done, total)))
        assert set(states(results).values()) == {"added"}
        assert [len(one) for one in bench.sent(IMPORT)] == [1000, 1000, 300]
        assert len(bench.cloud.requests()) < 40
        assert told == [(0, 2300), (1000, 2300), (2000, 2300), (2300, 2300)]


def test_few_units_of_a_product_with_many_are_looked_up_one_by_one(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.register(*range(1_200))
        for number in range(10, 1_200):
            bench.cloud.edit_device(device(number), product_id=BORONS)
        results = bench.devices(f"{device(1)}\n{serial(2)}\n{device(10)}\n{serial(11)}\n")
        assert states(results) == {1: "added", 2: "added", 3: "present", 4: "present"}
        assert len(bench.cloud.requests()) <= 12


# --- which number names a unit ---------------------------------------------------------------------


@pytest.mark.rule("A15")
def test_serial_numbers_cost_no_look_up_however_often_they_are_imported(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.register(*range(60))
        text = "".join(f"{serial(number)}\n" for number in range(60))
        assert set(states(bench.devices(text)).values()) == {"added"}
        assert set(states(bench.devices(text)).values()) == {"present"}
        assert not [request for request in bench.cloud.requests() if "serial_numbers" in request.path]
        assert len(bench.sent(IMPORT)) == 1


@pytest.mark.rule("A11")
def test_the_imei_of_an_old_electron_names_it_and_no_other_unit(tmp_path: Path) -> None:
    electron, imei = DeviceId.parse("27003f000b47343233323032"), Imei.parse("357520012345671")
    with import_bench(tmp_path) as bench:
        bench.cloud.register_unit(electron, 10, imei=imei)
        bench.register(1)
        assert states(bench.devices(f"Electron\t{imei}\n", ELECTRONS)) == {1: "added"}
        assert bench.sent(IMPORT) == [[str(imei)]]
        assert words(bench.devices(f"{imei}\n", BORONS)) == {
            1: "15 digits are an IMEI; expected a Device ID or serial number, as only old Electrons lack one"
        }
        assert len(bench.sent(IMPORT)) == 1


@pytest.mark.rule("E13")
def test_seeds_trap_iccid_as_claim_key(tmp_path: Path) -> None:
    """An ICCID stands for a SIM card: nothing is claimed by it, and whoever tries is told what to do instead."""
    with import_bench(tmp_path) as bench:
        bench.register(1)
        results = bench.devices(f"{iccid(1)}\n", claim_user=ME)
        assert words(results) == {
            1: "an ICCID names a SIM card, not a unit, and no unit is claimed by it; expected a Device ID or serial"
            " number; import SIM cards with: station sim import"
        }
        assert bench.sent(IMPORT) == []
        found = bench.cloud.device(device(1))
        assert found is not None
        assert "owner" not in found


@pytest.mark.rule("A16")
def test_lines_of_one_unit_count_once_and_contradictions_are_told(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.register(1, 2, 3)
        results = bench.devices(
            f"{device(1)};{serial(1)}\n{serial(1)}\n{str(device(1)).upper()}\n;\nnothing\n{device(3)};{serial(2)}\n"
        )
        assert words(results) == {
            1: "read back in product 20001",
            2: "the same as line 1: read back in product 20001",
            3: "the same as line 1: read back in product 20001",
            5: "names no unit; expected a Device ID or serial number",
            6: f"in product 20001, but the cloud knows it with serial number {serial(3)}; ask who made the list",
        }
        assert list(states(results).values()) == [
            "added", "repeated", "repeated", "unreadable", "differs",
        ]  # fmt: skip
        assert bench.sent(IMPORT) == [[str(device(1)), str(device(3))]]


@pytest.mark.rule("A16")
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 1, 3, 0)])
def test_of_lines_that_contradict_each_other_nothing_is_sent_whichever_comes_first(
    order: tuple[int, ...], tmp_path: Path
) -> None:
    """Which of the two is wrong the list does not say."""
    rows = [f"{device(1)};{serial(1)}", f"{device(2)};{serial(1)}", str(device(2)), f"{device(3)};{serial(3)}"]
    with import_bench(tmp_path) as bench:
        bench.register(1, 2, 3)
        results = bench.devices("".join(f"{rows[one]}\n" for one in order))
        bad = [result for result, one in zip(results, order, strict=True) if one != 3]
        assert {result.state.value for result in bad} == {"unreadable"}
        assert all("ask who made the list" in result.words for result in bad)
        assert bench.sent(IMPORT) == [[str(device(3))]]


# --- owners ----------------------------------------------------------------------------------------

SCOPES = ("devices:import", "devices:get", "devices:list", "products:get")


@pytest.mark.rule("E8")
def test_an_api_users_import_claims_for_the_account_it_names(tmp_path: Path) -> None:
    with import_bench(tmp_path, SCOPES) as bench:
        bench.cloud.create_product(BORONS, 13, slug="widget", name="widget", team=[FACTORY])
        bench.register(1, 2, 3)
        bench.cloud.edit_device(device(2), product_id=BORONS)  # a member already, and nobody's
        bench.cloud.edit_device(device(3), product_id=BORONS, owner=ME)
        results = bench.devices(ids(1, 2, 3), claim_user=FACTORY)
        assert words(results) == {
            1: "read back in product 20001, owner f***@example.com",
            2: "in product 20001 already, claimed now, owner f***@example.com",
            3: "in product 20001, but l***@example.com owns it; have it unclaimed, then import it again",
        }
        assert bench.sent(IMPORT) == [[str(device(1)), str(device(2))]]


@pytest.mark.rule("E8")
def test_an_owner_the_cloud_does_not_take_is_told_of_every_unit(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.register(1)
        (result,) = bench.devices(ids(1), claim_user="nobody@example.com")
        assert (result.state, result.words) == (
            State.DIFFERS, "in product 20001, but nobody owns it: check that n***@example.com is in its team",
        )  # fmt: skip


@pytest.mark.rule("J2")
def test_a_quarantined_unit_is_approved_by_the_import(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.register(1)
        bench.cloud.edit_device(device(1), product_id=BORONS, quarantined=1)
        assert states(bench.devices(ids(1))) == {1: "added"}
        found = bench.cloud.device(device(1))
        assert found is not None
        assert found["quarantined"] is False


# --- when something goes wrong ---------------------------------------------------------------------


@pytest.mark.rule("N2")
@pytest.mark.parametrize("kind", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER])
def test_an_answer_that_got_lost_is_decided_by_a_look(kind: FaultKind, tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.register(*range(10))
        bench.cloud.order(Fault(kind, IMPORT))
        assert set(states(bench.devices(ids(*range(10)))).values()) == {"added"}
        assert bench.cloud.effects[IMPORT] == 1
        assert len(bench.sent(IMPORT)) == (1 if kind is FaultKind.DROP_AFTER else 2)


def test_an_import_that_is_never_answered_is_left_for_the_next_time(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.register(*range(10))
        bench.cloud.order(Fault(FaultKind.STATUS, IMPORT, status=503, times=None))
        results = bench.devices(ids(*range(10)))
        assert set(states(results).values()) == {"pending"}
        assert results[0].words.startswith("not done: the import of 10 units was sent 3 times, and the cloud does not")
        bench.cloud.cancel_faults()
        assert set(states(bench.devices(ids(*range(10)))).values()) == {"added"}


def test_a_read_that_lags_behind_is_waited_for(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.register(*range(10))
        bench.cloud.quirks = Quirks(lag_s=6.0)
        assert set(states(bench.devices(ids(*range(10)))).values()) == {"added"}
        assert len(bench.sent(IMPORT)) == 1


def test_a_full_account_stops_the_import_and_what_got_in_is_told(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.register(*range(10))
        bench.cloud.edit_product(BORONS, device_limit=4)
        results = bench.devices(ids(*range(10)))
        assert list(states(results).values()) == ["added"] * 4 + ["pending"] * 6
        assert "the supervisor" in results[4].words
        bench.cloud.edit_product(BORONS, device_limit=None)
        assert list(states(bench.devices(ids(*range(10)))).values()) == ["present"] * 4 + ["added"] * 6


def test_a_cloud_that_goes_away_leaves_the_rest_for_the_next_time(tmp_path: Path) -> None:
    with import_bench(tmp_path) as bench:
        bench.register(*range(1_100))

        def gone(done: int, total: int) -> None:
            if done == 1000:
                bench.cloud.down_for(600.0)

        results = bench.devices(ids(*range(1_100)), progress=gone)
        assert set(states(results).values()) == {"pending"}
        assert "then import the list again" in results[0].words
        bench.clock.sleep(700.0)
        results = bench.devices(ids(*range(1_100)))
        assert list(states(results).values()) == ["present"] * 1000 + ["added"] * 100
        assert [len(one) for one in bench.sent(IMPORT)] == [1000, 100]


def test_argons_need_no_sim(tmp_path: Path) -> None:
    argon = DeviceId.parse("e00fce68aaaa000000000002")
    with import_bench(tmp_path) as bench:
        bench.cloud.register_unit(argon, 12)
        assert states(bench.devices(f"{argon}", ARGONS)) == {1: "added"}


def test_answers_about_other_units_are_told_as_that(tmp_path: Path) -> None:
    other = "e00fce68ffffffffffffffff"
    with import_bench(tmp_path) as bench:
        bench.register(1)
        body = {"updated": 1, "updatedDeviceIds": [other], "invalidDeviceIds": []}
        bench.cloud.order(Fault(FaultKind.LIE, IMPORT, times=None, body=body))
        (result,) = bench.devices(ids(1))
        assert result.state is State.PENDING
        assert f"the cloud did not say what became of it: it answered about {other}" in result.words
