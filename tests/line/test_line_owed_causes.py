"""Whatever keeps owed work from the cloud: nothing ends by it, who can mend it is told, and all is finished after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support import cloud_bench
from support.loopback_talker import serving
from support.owing import ADD, RENAME, STEPS, Owing, device, owing, pending

from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.events import OutboxSettled, OwedWorkStuck, VerdictRevised
from station.model import Mender, Outcome, Verdict

Act = Callable[[Owing], object]
UNITS = 3


def order(fault: Fault) -> Act:
    return lambda shift: shift.cloud.order(fault)


def over(shift: Owing) -> None:
    shift.cloud.cancel_faults()


def page(status: int) -> Act:
    return order(Fault(FaultKind.HTML, status=status, times=None))


def told(status: int, route: str, **body: object) -> Act:
    return order(Fault(FaultKind.STATUS, route, status=status, body={"ok": False} | body, times=None))


def sql(text: str, *values: object) -> Act:
    return lambda shift: shift.cloud._store.run(text, *values)


def revoke(shift: Owing) -> None:
    shift.cloud.revoke_tokens(cloud_bench.ME)


def log_in(shift: Owing) -> None:
    shift.token = shift.cloud.create_token(cloud_bench.ME)


CAUSES: dict[str, tuple[Act, Act, Mender]] = {
    # what happens, how it ends, and who can mend it (reference cloud-api 1.2, 3.2, 4.1, 9)
    "portal, 302": (page(302), over, Mender.NETWORK),
    "portal, 200": (page(200), over, Mender.NETWORK),
    "firewall, 403": (page(403), over, Mender.NETWORK),
    "proxy, 407": (page(407), over, Mender.NETWORK),
    "censor, 451": (page(451), over, Mender.NETWORK),
    "portal, 511": (page(511), over, Mender.NETWORK),
    "no network": (lambda shift: shift.cloud.down_for(1200.0), lambda shift: shift.clock.sleep(600.0), Mender.NETWORK),
    "broken connections": (order(Fault(FaultKind.DROP_BEFORE, times=None)), over, Mender.NETWORK),
    "sick cloud, 503": (order(Fault(FaultKind.STATUS, status=503, times=None)), over, Mender.VENDOR),
    "too many requests": (order(Fault(FaultKind.STATUS, status=429, times=None)), over, Mender.NOBODY),
    "dead token": (revoke, log_in, Mender.ACCOUNT),
    "lost team right": (
        sql("DELETE FROM team"), sql("INSERT INTO team VALUES (?, ?)", cloud_bench.PRODUCT, cloud_bench.ME),
        Mender.ACCOUNT,
    ),
    "lost scope": (told(400, RENAME, error="unauthorized"), over, Mender.ACCOUNT),
    "full account": (
        sql("UPDATE products SET device_limit = 0"), sql("UPDATE products SET device_limit = NULL"), Mender.ACCOUNT,
    ),
    "full plan, 402": (told(402, ADD, error="Upgrade your plan"), over, Mender.ACCOUNT),
    "paused product": (told(403, "/v1/products", error="The product is paused"), over, Mender.ACCOUNT),
    "no product": (told(404, "/v1/products", error="Product not found."), over, Mender.PRODUCT),
    "refused name": (told(422, RENAME, message="name"), over, Mender.PROFILE),
}  # fmt: skip


@pytest.mark.rule("N4")
@pytest.mark.parametrize("cause", CAUSES)
def test_nothing_that_is_owed_ends_by_a_cause_that_is_no_units_and_all_is_done_when_it_is_gone(
    cause: str, tmp_path: Path
) -> None:
    begin, end, mender = CAUSES[cause]
    with owing(tmp_path, UNITS) as shift:
        begin(shift)
        shift.worker.start()
        shift.clock.sleep(600.0)
        assert not [event for event in shift.events if isinstance(event, VerdictRevised)]
        assert {one.mender for one in shift.journal.owed_units() if not one.after} == {mender}
        stuck = [event.say for event in shift.events if isinstance(event, OwedWorkStuck)]
        assert len(stuck) == len(set(stuck)), "a person is told once, and not for every unit"
        end(shift)
        assert shift.wait_drained() < 600
        _each_was_done_once_and_in_order(shift)


def test_encryption_that_breaks_is_the_networks_and_all_is_done_when_it_holds_again(tmp_path: Path) -> None:
    with owing(tmp_path, UNITS) as shift, serving(lambda peer: peer.sendall(b"this is no TLS record")) as no_tls:
        cloud, shift.url = shift.url, no_tls.replace("http:", "https:")
        shift.stop()
        shift.start()
        shift.worker.start()
        shift.clock.sleep(120.0)
        assert {one.mender for one in shift.journal.owed_units() if not one.after} == {Mender.NETWORK}
        shift.stop()
        shift.url = cloud
        shift.start()
        assert shift.drain() < 600
        _each_was_done_once_and_in_order(shift)


def _each_was_done_once_and_in_order(shift: Owing) -> None:
    verdicts = {e.attempt: e.verdict for e in shift.events if isinstance(e, VerdictRevised)}
    assert verdicts == {f"a-{number}": Verdict.PASS for number in range(UNITS)}
    for number in range(UNITS):
        settled = [e.action for e in shift.events if isinstance(e, OutboxSettled) and e.attempt == f"a-{number}"]
        assert settled == list(STEPS)
    assert shift.cloud.effects == {ADD: UNITS, RENAME: UNITS}


@pytest.mark.rule("N2")
def test_work_that_two_visits_of_one_unit_owe_is_done_once(tmp_path: Path) -> None:
    """The unit came back to the bench while the cloud was still away."""
    with owing(tmp_path, 2) as shift:
        shift.journal.record(*pending(0, attempt="a-9"))
        assert shift.drain() < 300
        assert shift.passed == 3
        assert shift.cloud.effects == {ADD: 2, RENAME: 2}
        assert shift.cloud.writes == shift.cloud.effects


def test_what_follows_a_step_that_failed_is_not_tried(tmp_path: Path) -> None:
    with owing(tmp_path, 2) as shift:
        shift.cloud.edit_device(device(0), owner="stranger@example.com")
        assert shift.drain() < 300
        ends = {e.action: e.outcome for e in shift.events if isinstance(e, OutboxSettled) and e.attempt == "a-0"}
        assert ends == {"product_add": Outcome.FAILED} | dict.fromkeys(STEPS[1:], Outcome.SKIPPED)
        assert not [one for one in shift.cloud.requests() if one.route == RENAME and str(device(0)) in one.path]
