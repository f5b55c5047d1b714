"""The reconciliation table of the cloud (reference cloud-api 10): one wrong field and the unit does not pass."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from drivers.identity import DeviceId
from station.cloud.answers import CloudDevice
from station.cloud.sim_answers import Sim
from station.errors import UnitRejected
from station.steps.shared.allowed import Cure
from station.steps.shared.cloudchecks import check_all, check_now, check_sim
from station.steps.shared.cloudjob import CloudJob
from station.steps.shared.cures import cures_for

ME, SOMEBODY = "line@example.com", "somebody@example.com"
ID = "e00fce68aaaa000000000001"
NOON = datetime.datetime(2026, 11, 29, 12, tzinfo=datetime.UTC)
BEFORE, AFTER = NOON - datetime.timedelta(minutes=1), NOON + datetime.timedelta(minutes=1)
JOB = CloudJob(
    ID, 13, 20001, "P044AB1234567", notes="order 4711", groups=("rev-b",), firmware_lock=7, awaits_online=True,
    device_os="6.3.4", since=NOON.isoformat(), iccid="89011703278123456789",
)  # fmt: skip
GOOD = CloudDevice(
    DeviceId.parse(ID), product_id=20001, name="P044AB1234567", notes="order 4711", groups=("asia", "rev-b"),
    desired_firmware_version=7, system_firmware_version="6.3.4", last_handshake_at=AFTER,
)  # fmt: skip


def refusal(job: CloudJob, record: CloudDevice, user: str = "") -> str:
    with pytest.raises(UnitRejected) as refused:
        check_all(job, record, user)
    return str(refused.value)


def test_a_record_with_every_field_as_wanted_passes_and_says_how_many() -> None:
    assert check_all(JOB, GOOD, "") == 11
    assert check_all(dataclasses.replace(JOB, claims=True), dataclasses.replace(GOOD, owner=ME.title()), ME) == 11


@pytest.mark.rule("N6")
@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"product_id": 20099}, "product is 20099, expected 20001"),
        ({"owner": SOMEBODY}, "owner is s***@example.com, expected empty"),
        ({"name": "W 1"}, "name is W 1"),
        ({"notes": ""}, "notes is empty, expected order 4711"),
        ({"groups": ("asia",)}, "group is empty, expected rev-b"),
        ({"development": True}, "development mark is True"),
        ({"desired_firmware_version": None}, "firmware lock is None, expected 7"),
        ({"desired_firmware_version": 6}, "firmware lock is 6, expected 7"),
        ({"quarantined": True}, "quarantine is True"),
        ({"system_firmware_version": "3.3.1"}, "Device OS is 3.3.1, expected 6.3.4"),
        ({"id": DeviceId.parse("e00fce68aaaa000000000002")}, "id is"),
    ],
)
def test_each_row_of_the_table_alone_keeps_a_unit_from_passing(columns: dict[str, object], field: str) -> None:
    assert field in refusal(JOB, dataclasses.replace(GOOD, **columns))  # type: ignore[arg-type]


@pytest.mark.rule("K7")
@pytest.mark.parametrize(
    ("owner", "wanted"), [("", "line"), (SOMEBODY, "line"), (ME, "")], ids=["none", "other", "ours"]
)
def test_the_owner_is_the_wanted_one_or_nobody(owner: str, wanted: str) -> None:
    job = dataclasses.replace(JOB, claims=bool(wanted))
    assert "owner is" in refusal(job, dataclasses.replace(GOOD, owner=owner), ME if wanted else "")


@pytest.mark.parametrize(("lock", "awaits", "is_fault"), [(None, False, False), (3, False, True), (3, True, False)])
def test_a_lock_that_nobody_asked_for_is_left_over_unless_the_clouds_wish_is_awaited(
    lock: int | None, awaits: bool, is_fault: bool
) -> None:
    job = dataclasses.replace(JOB, firmware_lock=None, awaits_release=awaits)
    record = dataclasses.replace(GOOD, desired_firmware_version=lock, firmware_version=lock)
    if not is_fault:
        assert check_all(job, record, "") > 0
        return
    assert "leftover firmware lock is 3, expected empty" in refusal(job, record)
    with pytest.raises(UnitRejected, match="station rework unlock"):  # told before the first write, too
        check_now(job, record, "")
    assert cures_for(dataclasses.replace(job, cures=("unlock",)), record, "") == (Cure.UNLOCK,)
    assert cures_for(job, record, "") == ()


@pytest.mark.parametrize(("at", "since"), [(BEFORE, NOON.isoformat()), (None, NOON.isoformat()), (AFTER, "")])
def test_what_an_older_session_told_of_device_os_judges_nobody(at: datetime.datetime | None, since: str) -> None:
    old = dataclasses.replace(GOOD, system_firmware_version="3.3.1", last_handshake_at=at)
    assert check_all(dataclasses.replace(JOB, since=since), old, "") == 10
    young = dataclasses.replace(old, last_handshake_at=AFTER)
    assert check_all(dataclasses.replace(JOB, awaits_online=False), young, "") == 10


@pytest.mark.parametrize(
    ("sim", "is_fault"),
    [
        (Sim(JOB.iccid, "active"), False), (None, False), (Sim(JOB.iccid, "inactive", True, "activate"), False),
        (Sim(JOB.iccid, "deactivated"), True), (Sim(JOB.iccid, "active", True, "deactivate"), True),
    ],
    ids=["active", "pending", "on its way", "off", "going off"],
)  # fmt: skip
def test_a_sim_is_active_or_pending_and_never_off(sim: Sim | None, is_fault: bool) -> None:
    if is_fault:
        with pytest.raises(UnitRejected, match="station rework sim 89011703278123456789 --product 20001"):
            check_sim(JOB, sim)
    else:
        check_sim(JOB, sim)


@pytest.mark.rule("I7")
def test_a_unit_outside_products_is_never_cured_by_the_bench() -> None:
    job = dataclasses.replace(JOB, product_id=None, cures=tuple(Cure))
    with pytest.raises(UnitRejected, match=f"station rework transfer {ID}"):
        check_all(dataclasses.replace(job, firmware_lock=None), dataclasses.replace(GOOD, owner=SOMEBODY), ME)
