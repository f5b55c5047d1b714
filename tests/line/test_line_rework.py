"""Rework at the desk: what it says it will do, what it does and in what order, and what it never does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from line_bench import BORON, ME, OTHER_PRODUCT, line_bench
from support.rework_bench import (
    ACTIVATE,
    ADD,
    CLAIM,
    IMPORT,
    MEMBER,
    OWNER,
    PRODUCT,
    RELEASE,
    REMOVE,
    SOMEBODY,
    UNCLAIM,
    Desk,
)

from drivers.identity import DeviceId, Iccid
from drivers.virtual.factory import make_spec
from drivers.virtual.world import UnitFacts
from station.cloud.virtual import Fault, FaultKind
from station.errors import BadInput, CloudError, UnitRejected
from station.line.rework.case import Wishes
from station.line.rework.desk import ReworkDesk
from station.line.rework.kinds import REWORKS
from station.model import Outcome


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with line_bench(tmp_path, BORON) as bench:
        yield Desk(bench)


# --- owner --------------------------------------------------------------------------------------------


@pytest.mark.rule("I1")
@pytest.mark.rule("I2")
@pytest.mark.rule("I4")
@pytest.mark.rule("I10")
@pytest.mark.parametrize(
    ("owner", "kind"), [(ME, 0), (SOMEBODY, 0), ("customer@example.com", 1)], ids=["ours", "a user's", "a customer's"]
)
def test_a_member_is_unclaimed_through_its_product_whoever_owns_it_while_it_is_unplugged(
    owner: str, kind: int, desk: Desk
) -> None:
    unit = desk.unit(owner=owner, is_customers=kind)
    done = desk.rework("unclaim", unit)
    assert (done.outcome, desk.changes()) == (Outcome.DONE, [OWNER])
    assert "the cloud shows no owner, it was" in done.proof
    assert owner not in done.proof
    assert desk.record(unit)["product_id"] == PRODUCT
    assert desk.rework("unclaim", unit).outcome is Outcome.ALREADY


@pytest.mark.rule("I2")
def test_the_route_follows_the_membership_the_cloud_shows_and_not_what_was_typed(desk: Desk) -> None:
    member, outside = desk.unit(owner=ME), desk.unit(number=2, product=None, owner=ME)
    assert desk.rework("unclaim", member, product=None).outcome is Outcome.DONE
    assert desk.rework("unclaim", outside, product=PRODUCT).outcome is Outcome.DONE
    assert desk.changes() == [OWNER, UNCLAIM]


@pytest.mark.rule("I3")
def test_a_unit_outside_products_is_unclaimed_by_its_owner_only(desk: Desk) -> None:
    unit = desk.unit(product=None, owner=SOMEBODY)
    with pytest.raises(UnitRejected, match="log in as its owner"):
        desk.look("unclaim", unit, product=None)
    assert desk.cloud.writes == {}


@pytest.mark.rule("G11")
def test_unclaiming_says_that_the_sim_stays_active_and_leaves_it_so(desk: Desk) -> None:
    unit = desk.unit(owner=SOMEBODY)
    iccid = desk.active_sim(unit)
    assert any("SIM stays active" in note for note in desk.foresee("unclaim", unit).notes)
    desk.rework("unclaim", unit)
    assert desk.cloud.sim_status(iccid) == "active"


def test_an_unclaim_the_cloud_only_says_it_did_is_not_done(desk: Desk) -> None:
    unit = desk.unit(owner=SOMEBODY)
    desk.cloud.order(Fault(FaultKind.LIE, OWNER, times=None))
    told = desk.rework("unclaim", unit)
    assert told.outcome is Outcome.ERROR
    assert "still shows an owner" in told.proof


# --- transfer -----------------------------------------------------------------------------------------


@pytest.mark.rule("I7")
def test_a_transfer_is_asked_for_once_and_never_waited_for(desk: Desk) -> None:
    unit = desk.unit(product=None, owner=SOMEBODY)
    foreseen = desk.foresee("transfer", unit, product=None)
    assert desk.cloud.writes == {}  # looking sends no e-mail
    assert "by e-mail" in foreseen.parts[0].says
    assert foreseen.warns == ""
    before = desk.bench.clock.now()
    assert desk.rework("transfer", unit, product=None).outcome is Outcome.DONE
    assert desk.bench.clock.now() - before < 30
    assert desk.cloud.writes == {CLAIM: 1}
    assert desk.record(unit)["owner"] == SOMEBODY
    assert "one more e-mail" in desk.foresee("transfer", unit, product=None, asked=True).warns
    assert desk.foresee("transfer", unit, product=None, asked=True, again=True).warns == ""


@pytest.mark.rule("I7")
def test_a_transfer_of_an_offline_unit_asks_nobody_and_says_what_helps(desk: Desk) -> None:
    unit = desk.unit(product=None, owner=SOMEBODY)
    desk.cloud.order(
        Fault(FaultKind.STATUS, CLAIM, status=404, body={"ok": False, "errors": ["device does not exist"]})
    )
    told = desk.rework("transfer", unit, product=None)
    assert told.outcome is Outcome.FAILED
    assert "nobody was asked" in told.proof
    assert "let it come online" in told.proof
    assert desk.bench.station.journal.unconfirmed_writes(str(unit.spec.device_id)) == ()


def test_a_transfer_whose_answer_is_lost_is_not_sent_again(desk: Desk) -> None:
    unit = desk.unit(product=None, owner=SOMEBODY)
    desk.cloud.order(Fault(FaultKind.DROP_AFTER, CLAIM, times=1))
    told = desk.rework("transfer", unit, product=None)
    assert told.outcome is Outcome.ERROR
    assert "not known" in told.proof
    assert desk.cloud.writes == {CLAIM: 1}


@pytest.mark.rule("I8")
@pytest.mark.rule("E11")
@pytest.mark.parametrize("claims", [False, True], ids=["left so", "claimed anew"])
def test_a_member_is_transferred_by_unclaiming_and_claiming_without_any_e_mail(claims: bool, desk: Desk) -> None:
    unit = desk.unit(owner=SOMEBODY)
    told = desk.rework("transfer", unit, claims=claims)
    assert told.outcome is Outcome.DONE, told.proof
    assert desk.changes() == [OWNER, CLAIM] if claims else [OWNER]
    assert desk.record(unit).get("owner") == (ME if claims else None)


@pytest.mark.rule("I9")
def test_no_rework_offers_a_phone_or_an_app() -> None:
    told = " ".join(f"{kind} {one.about}" for kind, one in REWORKS.items()).lower()
    assert not any(word in told.split() for word in ("app", "phone", "mobile"))


# --- out of a product -----------------------------------------------------------------------------------


@pytest.mark.rule("I6")
@pytest.mark.rule("L5")
def test_a_unit_leaves_its_product_sim_first_owner_next_itself_last(desk: Desk) -> None:
    unit = desk.unit(owner=SOMEBODY)
    iccid = desk.active_sim(unit)
    told = desk.rework("remove", unit, releases_sim=True)
    assert told.outcome is Outcome.DONE, told.proof
    assert desk.changes() == [RELEASE, OWNER, REMOVE]
    assert desk.cloud.sim_status(iccid) == "inactive"
    assert (desk.record(unit)["product_id"], desk.record(unit).get("owner")) == (13, None)


@pytest.mark.rule("I6")
def test_unclaim_after_remove(desk: Desk) -> None:
    """The trap: once a unit is out of its product its owner is hard to take off. So that comes before, by itself."""
    unit = desk.unit(owner=SOMEBODY)
    says = [part.says for part in desk.foresee("remove", unit).parts]
    assert [words.split()[0] for words in says] == ["takes", "takes"]
    assert "owner" in says[0]
    assert "nobody sees it" in says[1]
    assert desk.rework("remove", unit).outcome is Outcome.DONE
    assert desk.changes() == [OWNER, REMOVE]
    with pytest.raises(UnitRejected, match="shows no unit"):
        desk.look("unclaim", unit)


@pytest.mark.rule("L5")
def test_removing_alone_says_that_the_sim_is_still_billed(desk: Desk) -> None:
    unit = desk.unit()
    iccid = desk.active_sim(unit)
    assert any("billed; --release-sim" in note for note in desk.foresee("remove", unit).notes)
    desk.rework("remove", unit)
    assert desk.cloud.sim_status(iccid) == "active"


@pytest.mark.rule("I5")
def test_a_unit_that_runs_its_products_firmware_is_not_removed_unless_somebody_insists(desk: Desk) -> None:
    unit = desk.unit(firmware_product_id=PRODUCT)
    with pytest.raises(UnitRejected, match="station rework retire"):
        desk.foresee("remove", unit)
    assert desk.cloud.writes == {}
    assert desk.rework("remove", unit, leaves_firmware=True).outcome is Outcome.DONE
    tinker = desk.unit(number=2, firmware_product_id=13)
    assert desk.rework("remove", tinker).outcome is Outcome.DONE


@pytest.mark.parametrize("harm", [FaultKind.DROP_AFTER, FaultKind.DROP_BEFORE])
@pytest.mark.parametrize("route", [RELEASE, OWNER, REMOVE])
def test_a_lost_answer_on_the_way_out_is_looked_up_and_the_rest_is_done(
    harm: FaultKind, route: str, desk: Desk
) -> None:
    unit = desk.unit(owner=SOMEBODY)
    desk.active_sim(unit)
    desk.cloud.order(Fault(harm, route, times=1))
    assert desk.rework("remove", unit, releases_sim=True).outcome is Outcome.DONE
    assert desk.changes() == [RELEASE, OWNER, REMOVE]


@pytest.mark.parametrize("route", [OWNER, REMOVE])
def test_started_again_after_the_cloud_went_away_the_rest_is_done_and_nothing_twice(route: str, desk: Desk) -> None:
    unit = desk.unit(owner=SOMEBODY)
    desk.active_sim(unit)
    outage = Fault(FaultKind.STATUS, route, status=503, times=None)
    desk.cloud.order(outage)
    with pytest.raises(CloudError):
        desk.rework("remove", unit, releases_sim=True)
    desk.cloud.cancel_fault(outage)
    assert desk.rework("remove", unit, releases_sim=True).outcome is Outcome.DONE
    assert sorted(desk.changes()) == sorted([RELEASE, OWNER, REMOVE])


# --- quarantine --------------------------------------------------------------------------------------------


@pytest.mark.rule("J2")
@pytest.mark.parametrize("denied", [0, 1], ids=["waiting", "denied"])
def test_a_unit_in_quarantine_is_approved_by_adding_it(denied: int, desk: Desk) -> None:
    unit = desk.unit(quarantined=1, denied=denied)
    assert desk.rework("approve", unit).outcome is Outcome.DONE
    assert desk.changes() == [ADD]
    assert (desk.record(unit)["quarantined"], desk.record(unit)["denied"]) == (False, False)


def test_a_unit_of_a_stranger_in_quarantine_is_not_approved_and_says_what_has_to_go_first(desk: Desk) -> None:
    told = desk.rework("approve", desk.unit(quarantined=1, owner=SOMEBODY))
    assert told.outcome is Outcome.FAILED
    assert "unclaim it first" in told.proof


@pytest.mark.rule("J3")
def test_a_denial_says_so_in_its_body_and_the_text_names_tinker(desk: Desk) -> None:
    unit = desk.unit(quarantined=1)
    assert any("Tinker" in note for note in desk.foresee("deny", unit).notes)
    assert desk.rework("deny", unit).outcome is Outcome.DONE
    (request,) = (one for one in desk.cloud.requests() if one.method == "DELETE")
    assert request.body == {"deny": True}
    assert (desk.record(unit)["denied"], desk.record(unit)["product_id"]) == (True, PRODUCT)


@pytest.mark.rule("J1")
@pytest.mark.parametrize("kind", ["approve", "deny"])
@pytest.mark.parametrize(("device_os", "why"), [("6.3.4", "there is no quarantine"), ("3.3.1", "approved member")])
def test_quarantine_is_offered_to_units_that_can_be_in_it_only(kind: str, device_os: str, why: str, desk: Desk) -> None:
    unit = desk.unit(system_firmware_version=device_os)
    if kind == "approve" and device_os == "3.3.1":
        assert desk.foresee(kind, unit).already
        return
    with pytest.raises(UnitRejected, match=why):
        desk.foresee(kind, unit)
    assert desk.cloud.writes == {}


@pytest.mark.rule("D8")
def test_a_development_mark_is_taken_off(desk: Desk) -> None:
    unit = desk.unit(development=1)
    assert any("at once" in note for note in desk.foresee("unmark", unit).notes)
    assert desk.rework("unmark", unit).outcome is Outcome.DONE
    assert desk.record(unit)["development"] is False


# --- SIM -----------------------------------------------------------------------------------------------------


@pytest.mark.rule("G4")
@pytest.mark.parametrize("plastic", [False, True], ids=["MFF2", "4FF"])
@pytest.mark.parametrize("product", [PRODUCT, None], ids=["product", "account"])
def test_a_sim_of_either_kind_is_activated_by_its_number_with_one_call(
    plastic: bool, product: int | None, desk: Desk
) -> None:
    iccid = Iccid.parse("89011703278123456789")
    desk.cloud.register_sim(iccid, is_plastic=plastic)
    told = desk.rework("sim", iccid, product=product)
    assert told.outcome is Outcome.DONE, told.proof
    assert desk.cloud.writes == {IMPORT if product else ACTIVATE: 1}
    assert desk.cloud.sim_status(iccid) == "active"
    assert desk.rework("sim", iccid, product=product).outcome is Outcome.ALREADY


@pytest.mark.rule("G10")
def test_a_sim_of_the_sandbox_moves_into_the_product_without_a_release(desk: Desk) -> None:
    iccid = desk.active_sim(desk.unit(), username=ME)
    told = desk.rework("sim", iccid)
    assert told.outcome is Outcome.DONE, told.proof
    assert desk.cloud.writes == {IMPORT: 1}


@pytest.mark.rule("G10")
def test_a_sim_of_a_stranger_is_not_taken_and_its_owner_is_named_as_who_has_to_release_it(desk: Desk) -> None:
    iccid = desk.active_sim(desk.unit(), username=SOMEBODY)
    told = desk.rework("sim", iccid)
    assert told.outcome is Outcome.DEFERRED  # an import tells nobody but by e-mail
    assert "its owner has to release it first" in told.proof


@pytest.mark.rule("G8")
@pytest.mark.parametrize(
    ("kind", "wishes"), [("release", {}), ("sim", {"off": True}), ("remove", {"releases_sim": True})]
)
def test_a_slow_sim_is_switched_off_or_released_only_by_somebody_who_was_warned(
    kind: str, wishes: dict[str, bool], desk: Desk
) -> None:
    slow, fast = desk.unit(slow=True), desk.unit(number=2)
    for unit in (slow, fast):
        desk.active_sim(unit)
    assert "sometimes days" in desk.foresee(kind, slow, **wishes).warns
    assert desk.foresee(kind, slow, slow_too=True, **wishes).warns == ""
    assert desk.foresee(kind, fast, **wishes).warns == ""
    assert desk.cloud.writes == {}


def test_a_release_that_takes_its_time_is_under_way_and_no_failure(desk: Desk) -> None:
    unit = desk.unit()
    iccid = desk.active_sim(unit)
    desk.cloud.order_sim(iccid, polls=10**6)
    told = desk.rework("release", unit)
    assert told.outcome is Outcome.DEFERRED
    assert desk.cloud.writes == {RELEASE: 1}


@pytest.mark.rule("E13")
@pytest.mark.parametrize("kind", ["unclaim", "remove", "transfer", "rename"])
def test_an_iccid_names_no_unit(kind: str, desk: Desk) -> None:
    with pytest.raises(UnitRejected, match="names a SIM card"):
        desk.look(kind, Iccid.parse("89011703278123456789"))


# --- whose, and where ------------------------------------------------------------------------------------------


def test_a_unit_in_another_product_than_the_one_named_is_left_alone(desk: Desk) -> None:
    unit = desk.unit(product=OTHER_PRODUCT, owner=SOMEBODY)
    with pytest.raises(UnitRejected, match=f"in product {OTHER_PRODUCT}, not in {PRODUCT}"):
        desk.look("unclaim", unit)
    assert desk.rework("unclaim", unit, product=OTHER_PRODUCT).outcome is Outcome.DONE


@pytest.mark.rule("A15")
def test_a_serial_number_is_looked_for_in_the_product_before_the_scarce_look_up(desk: Desk) -> None:
    unit = desk.unit(owner=SOMEBODY)
    assert unit.spec.serial is not None
    assert desk.rework("unclaim", unit.spec.serial).outcome is Outcome.DONE
    assert not any("serial_numbers" in one.path for one in desk.cloud.requests())


def test_a_unit_the_factory_never_told_of_is_said_so(desk: Desk) -> None:
    stranger = make_spec("boron", 99, 99, "3.3.1").device_id
    with pytest.raises(UnitRejected, match="shows no unit"):
        desk.look("unclaim", DeviceId.parse(str(stranger).upper()))
    with pytest.raises(BadInput, match="no product 99999"):
        desk.look("unclaim", stranger, product=99999)


@pytest.mark.rule("F1")
def test_a_unit_outside_products_gets_no_name_the_account_has_already(desk: Desk) -> None:
    unit, other = desk.unit(product=None, owner=ME), desk.unit(number=2, product=None, owner=ME)
    desk.cloud.edit_device(other.spec.device_id, name=str(unit.spec.serial))
    told = desk.rework("rename", unit, product=None)
    assert told.outcome is Outcome.FAILED
    assert "already has a device named" in told.proof
    assert desk.cloud.writes == {}


def test_a_member_is_renamed_and_the_journal_says_by_whom(desk: Desk) -> None:
    unit = desk.unit()
    assert desk.rework("rename", unit).outcome is Outcome.DONE
    assert desk.record(unit)["name"] == str(unit.spec.serial)
    known = desk.bench.station.journal.unit(unit.device_id)
    assert known is not None
    (fact,) = (one for one in known.facts if one.name == "rework")
    assert (fact.value, fact.source) == (f"cloud shows name {unit.spec.serial}", "0042")


def test_the_online_unit_keeps_its_session_through_a_rework(desk: Desk) -> None:
    unit = desk.unit(owner=SOMEBODY)
    desk.cloud.online(UnitFacts(
        device_id=unit.device_id, platform_id=13, device_os="6.3.4", is_safe_mode=False, product_id=None,
        product_version=None, serial_number="", iccid=None, imei=None, mac=None, claim_code=None,
    ))  # fmt: skip
    assert desk.rework("unclaim", unit).outcome is Outcome.DONE
    assert desk.record(unit)["online"] is True


def test_many_members_are_looked_at_in_one_list_and_each_is_read_back_by_itself(desk: Desk) -> None:
    units = [desk.unit(number=number, owner=SOMEBODY) for number in range(1, 11)]
    station, cancel = desk.bench.station, desk.bench.clock.token()
    many = ReworkDesk(station.client, desk.bench.clock, station.journal.record, product=PRODUCT)
    many.expect([unit.spec.device_id for unit in units], cancel)
    cases = [many.look(unit.spec.device_id, REWORKS["unclaim"], Wishes(), cancel) for unit in units]
    member = f"GET {MEMBER}"
    assert [one.route for one in desk.cloud.requests() if one.route == member] == []
    for case in cases:
        assert many.act(case, REWORKS["unclaim"].foresee(case).parts).outcome is Outcome.DONE
    assert desk.cloud.effects == {OWNER: 10}
    assert sum(one.route == member for one in desk.cloud.requests()) == 20  # before and after each write


@pytest.mark.rule("I4")
def test_a_unit_that_is_ours_already_is_not_taken_from_us_by_a_transfer(desk: Desk) -> None:
    unit = desk.unit(owner=ME)
    told = desk.rework("transfer", unit)
    assert told.outcome is Outcome.ALREADY
    assert desk.changes() == []
    assert desk.record(unit)["owner"] == ME
