"""Bad days: slow-downs, server errors, lost answers, outages, cancelling. Real HTTP, simulated time."""

from __future__ import annotations

import email.utils
import functools
import logging
import random
from functools import partial

import pytest
from support.cloud_bench import ARGON, BORON, BORON_ICCID, ME, PRODUCT, Bench

from drivers.clock import Deadline, SimulatedClock
from drivers.errors import Cancelled
from drivers.identity import Secret
from station.cloud import api, sim_api
from station.cloud.answers import ClaimAnswer
from station.cloud.budget import Priority, TokenBucket
from station.cloud.client import CloudClient
from station.cloud.errors import CloudDown, CloudRefused, NotTheCloud, OutcomeUnknown, RateLimited, is_waiting
from station.cloud.virtual import Fault, FaultKind
from station.errors import BadInput

CLAIM = "POST /v1/devices"


def spent(bench: Bench, seconds: float) -> bool:
    """About ``seconds`` have passed: the nominal waits, spread by at most a fifth."""
    return 0.8 * seconds <= bench.clock.now() <= 1.2 * seconds + 0.01


# --- the retry table ---


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_server_errors_are_tried_again_after_1_2_4_8_seconds(bench: Bench, status: int) -> None:
    bench.cloud.order(Fault(FaultKind.STATUS, status=status, times=4))
    assert bench.client.run(api.user()).username == ME
    assert spent(bench, 15)
    assert [c.status for c in bench.calls] == [status] * 4 + [200]


def test_server_errors_without_end_are_reported_as_cloud_down(bench: Bench) -> None:
    bench.cloud.order(Fault(FaultKind.STATUS, status=503, body={"error": "overload"}, times=None))
    with pytest.raises(CloudDown, match="503 'overload'"):
        bench.client.run(api.user())
    assert len(bench.calls) == 5
    assert spent(bench, 15)


def test_an_html_error_page_is_judged_by_its_status(bench: Bench) -> None:
    bench.cloud.order(Fault(FaultKind.HTML, status=502))
    assert bench.client.run(api.user()).username == ME
    assert [c.status for c in bench.calls] == [502, 200]


STRANGERS = [
    *(
        Fault(FaultKind.HTML, status=status, times=None)
        for status in (200, 302, 400, 401, 403, 404, 407, 422, 451, 511)
    ),
    Fault(FaultKind.HTML, status=404, body="", times=None),
    *(Fault(FaultKind.STATUS, status=status, times=None) for status in (204, 302, 400, 401, 403, 404, 407)),  # {}
    Fault(FaultKind.LIE, body={}, times=None),
    Fault(FaultKind.STATUS, status=307, body={"error": "log in at the front desk"}, times=None),
    Fault(FaultKind.STATUS, status=451, body={"error": "blocked"}, times=None),
]


@pytest.mark.parametrize("fault", STRANGERS, ids=lambda fault: f"{fault.kind.name}-{fault.status}")
def test_whoever_answers_in_the_clouds_place_counts_as_a_cloud_that_is_away(bench: Bench, fault: Fault) -> None:
    """A portal, a firewall, a proxy: asked again as often as a sick cloud, and never believed."""
    bench.client.run(api.user())
    bench.cloud.order(fault)
    with pytest.raises(NotTheCloud, match="not the cloud's") as caught:
        bench.client.run(api.device_in_product(PRODUCT, BORON))
    assert is_waiting(caught.value)
    assert "network" in caught.value.who
    assert spent(bench, 15)
    assert [up for up, _ in bench.reachable] == [True, False]
    bench.cloud.cancel_faults()
    assert bench.client.run(api.user()).username == ME
    assert [up for up, _ in bench.reachable] == [True, False, True]


def test_a_single_page_of_somebody_else_is_sat_out(bench: Bench) -> None:
    bench.cloud.order(Fault(FaultKind.HTML, status=403))
    assert bench.client.run(api.user()).username == ME
    assert [c.status for c in bench.calls] == [403, 200]


@pytest.mark.rule("N2")
@pytest.mark.parametrize(
    "fault", [Fault(FaultKind.HTML, status=302), Fault(FaultKind.LIE, body={}), Fault(FaultKind.HTML, status=502)],
    ids=["redirect", "nothing said", "bad gateway"],
)  # fmt: skip
def test_a_page_in_answer_to_a_write_leaves_open_whether_it_was_done(bench: Bench, fault: Fault) -> None:
    bench.cloud.order(fault)
    with pytest.raises(OutcomeUnknown):
        bench.client.run(api.add_to_product(PRODUCT, BORON))
    assert len(bench.calls) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_refusal_is_never_tried_again(bench: Bench, status: int) -> None:
    bench.cloud.order(Fault(FaultKind.STATUS, status=status, body={"error": "no"}))
    with pytest.raises(CloudRefused) as caught:
        bench.client.run(api.user())
    assert (caught.value.status, caught.value.words) == (status, "no")
    assert len(bench.calls) == 1


def test_a_200_that_says_not_ok_is_a_refusal(bench: Bench) -> None:
    bench.cloud.order(Fault(FaultKind.LIE, body={"ok": False, "errors": [["Compile failed", 1]]}))
    with pytest.raises(CloudRefused, match="Compile failed"):
        bench.client.run(api.user())


@pytest.mark.parametrize("status", [429, 529])
def test_slow_down_without_a_time_waits_5_10_20_40_60_seconds_then_gives_up(bench: Bench, status: int) -> None:
    bench.cloud.order(Fault(FaultKind.STATUS, status=status, times=None))
    with pytest.raises(RateLimited):
        bench.client.run(api.user())
    assert len(bench.calls) == 6
    assert spent(bench, 135)


def test_retry_after_is_obeyed_in_seconds_or_as_a_date_and_capped(bench: Bench) -> None:
    moments = []
    date = email.utils.format_datetime(bench.clock.utc().replace(minute=1, second=0), usegmt=True)
    for retry_after in ("7", date, "86400"):
        bench.cloud.order(Fault(FaultKind.STATUS, status=429, retry_after=retry_after))
    bench.client.run(api.user())
    moments = [(c.at - bench.calls[0].at).total_seconds() for c in bench.calls]
    assert moments == pytest.approx([0, 7, 60, 360])


@pytest.mark.rule("N3")
def test_one_429_makes_both_slots_wait(bench: Bench) -> None:
    bench.cloud.order(Fault(FaultKind.STATUS, route="/v1/user", status=429, retry_after="100"))
    done: dict[str, float] = {}

    def slot(name: str, first_s: float) -> None:
        bench.clock.sleep(first_s)
        if name == "1":
            bench.client.run(api.user())
        else:
            bench.client.run(api.product(PRODUCT))
        done[name] = bench.clock.now()

    threads = [bench.clock.thread(n, functools.partial(slot, n, s)) for n, s in (("1", 0.0), ("2", 1.0))]
    for thread in threads:
        thread.join()
    assert done["1"] >= 100
    assert done["2"] >= 100
    assert [c.status for c in bench.calls] == [429, 200, 200]


def test_the_station_sends_two_requests_a_second_on_average_after_a_burst(bench: Bench) -> None:
    for _ in range(30):
        bench.client.run(api.user())
    assert bench.clock.now() == pytest.approx(10.0, abs=0.01)


def test_waiters_at_the_bucket_leave_in_order_and_spread_out() -> None:
    clock = SimulatedClock()
    left: list[tuple[int, float]] = []
    with clock.registered():
        bucket = TokenBucket(clock, rate=2.0, burst=1)

        def take(n: int) -> None:
            bucket.take(None, None)
            left.append((n, round(clock.now(), 3)))

        threads = [clock.thread(str(n), functools.partial(take, n)) for n in range(4)]
        for thread in threads:
            thread.join()
    assert sorted(at for _, at in left) == [0.0, 0.5, 1.0, 1.5]


def test_background_work_waits_for_everybody_of_the_bench_and_leaves_half_a_burst() -> None:
    clock = SimulatedClock()
    left: list[tuple[str, float]] = []
    with clock.registered():
        bucket = TokenBucket(clock, rate=2.0, burst=9)

        def take(who: str, times: int, after_s: float = 0.0) -> None:
            clock.sleep(after_s)
            for _ in range(times):
                bucket.take(None, None, Priority.OWED if who == "background" else Priority.UNIT)
                left.append((who, round(clock.now(), 3)))

        stories = [("background", 20, 0.0), ("bench", 8, 1.2), ("bench", 4, 1.2)]
        threads = [clock.thread(str(n), partial(take, *story)) for n, story in enumerate(stories)]
        for thread in threads:
            thread.join()
    background = [at for who, at in left if who == "background"]
    bench = [at for who, at in left if who == "bench"]
    assert background[:7] == [0.0] * 5 + [0.5, 1.0]  # half of the burst, and then what is refilled above the other half
    assert bench[:4] == [1.2] * 4  # found there at once
    assert not [at for at in background if bench[0] < at <= bench[-1]]
    assert len(background) == 20  # its turn comes when the bench has had enough


def test_units_go_before_owed_work_and_owed_work_before_polls() -> None:
    clock = SimulatedClock()
    left: list[Priority] = []
    with clock.registered():
        bucket = TokenBucket(clock, rate=1.0, burst=1)
        bucket.take(None, None)

        def take(priority: Priority) -> None:
            bucket.take(None, None, priority)
            left.append(priority)

        threads = [clock.thread(priority.name, partial(take, priority)) for priority in reversed(Priority)]
        for thread in threads:
            thread.join()
    assert left == [Priority.UNIT, Priority.OWED, Priority.POLL]


def test_background_work_of_a_client_leaves_the_bench_its_requests(bench: Bench) -> None:
    background = bench.client.at(Priority.OWED)

    def owed_work() -> None:
        for _ in range(30):
            background.run(api.product(PRODUCT))

    thread = bench.clock.thread("owed", owed_work)
    bench.clock.sleep(5.0)
    began = bench.clock.now()
    for _ in range(5):
        bench.client.run(api.product(PRODUCT))
    assert bench.clock.now() == began  # a unit that comes to the bench waits for nobody
    thread.join()
    assert background.reachable is bench.client.reachable is True


# --- unknown outcomes ---


@pytest.mark.rule("N2")
def test_a_claim_done_but_not_answered_is_unknown_and_not_sent_twice(bench: Bench) -> None:
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    bench.cloud.order(Fault(FaultKind.DROP_AFTER, route=CLAIM))
    with pytest.raises(OutcomeUnknown, match="read the state"):
        bench.client.run(api.claim(BORON))
    device = bench.client.run(api.device_in_product(PRODUCT, BORON))
    assert device is not None
    assert device.owner == ME
    assert bench.cloud.writes[CLAIM] == 1


@pytest.mark.rule("N2")
@pytest.mark.parametrize("fault", [Fault(FaultKind.DROP_AFTER), Fault(FaultKind.SLOW, seconds=90.0)])
def test_a_sim_activation_of_unknown_outcome_is_not_sent_twice(bench: Bench, fault: Fault) -> None:
    bench.cloud.order(fault)
    with pytest.raises(OutcomeUnknown):
        bench.client.run(sim_api.activate(BORON_ICCID))
    sim = bench.client.run(sim_api.sim(BORON_ICCID))
    assert sim is not None
    assert sim.activations_count == 1
    assert bench.cloud.writes == {"PUT /v1/sims/:iccid": 1}


def test_a_500_to_a_claim_is_unknown_too(bench: Bench) -> None:
    bench.cloud.order(Fault(FaultKind.STATUS, status=500))
    with pytest.raises(OutcomeUnknown):
        bench.client.run(api.claim(BORON))


def test_a_429_to_a_claim_did_nothing_and_is_tried_again(bench: Bench) -> None:
    bench.go_online(ARGON)
    bench.cloud.order(Fault(FaultKind.STATUS, status=429))
    assert bench.client.run(api.claim(ARGON)) is ClaimAnswer.ACCEPTED


@pytest.mark.rule("N2")
@pytest.mark.parametrize("lost", [FaultKind.DROP_AFTER, FaultKind.DROP_BEFORE, FaultKind.STATUS])
@pytest.mark.parametrize("write", ["import", "name", "SIM import", "claim", "activation"])
def test_no_write_that_may_have_arrived_is_sent_again_unread(bench: Bench, write: str, lost: FaultKind) -> None:
    client = bench.client
    client.run(api.add_to_product(PRODUCT, BORON))
    calls = {
        "import": lambda: client.run(api.add_to_product(PRODUCT, BORON)),
        "name": lambda: client.run(api.change(BORON, {"name": "a"}, PRODUCT)),
        "SIM import": lambda: client.run(sim_api.import_sims([BORON_ICCID], PRODUCT)),
        "claim": lambda: client.run(api.claim(BORON)),
        "activation": lambda: client.run(sim_api.activate(BORON_ICCID)),
    }
    bench.calls.clear()
    bench.cloud.order(Fault(lost, status=504))
    with pytest.raises(OutcomeUnknown, match="read the state"):
        calls[write]()
    assert len(bench.calls) == 1


def test_a_read_that_takes_longer_than_a_look_may_is_tried_again(bench: Bench) -> None:
    bench.cloud.order(Fault(FaultKind.SLOW, seconds=21.0))
    assert bench.client.run(api.user()).username == ME
    assert [(c.status, c.note) for c in bench.calls] == [(None, "no answer within 20 s"), (200, "")]


def test_an_answer_after_19_seconds_is_taken(bench: Bench) -> None:
    bench.cloud.order(Fault(FaultKind.SLOW, seconds=19.0))
    assert bench.client.run(api.user()).username == ME
    assert (bench.clock.now(), len(bench.calls)) == (19.0, 1)


# --- outages ---


def test_an_outage_is_shown_at_once_and_its_end_too(bench: Bench) -> None:
    bench.client.run(api.user())
    bench.cloud.down_for(100)
    with pytest.raises(CloudDown, match="cannot be reached"):
        bench.client.run(api.user())
    assert bench.clock.now() < 20
    bench.clock.sleep(100)
    assert bench.client.run(api.user()).username == ME
    assert [up for up, _ in bench.reachable] == [True, False, True]
    assert bench.client.reachable is True


def test_a_short_outage_is_sat_out(bench: Bench) -> None:
    bench.cloud.down_for(5)
    assert bench.client.run(api.user()).username == ME
    assert {c.note for c in bench.calls[:-1]} == {"no network, or the cloud's address does not answer"}


def test_a_claim_that_never_left_this_host_is_safe_to_send_again(bench: Bench) -> None:
    bench.go_online(ARGON)
    bench.cloud.down_for(2)
    assert bench.client.run(api.claim(ARGON)) is ClaimAnswer.ACCEPTED
    assert bench.cloud.writes == {CLAIM: 1}


# --- deadlines and cancelling ---


def test_no_wait_goes_past_the_deadline(bench: Bench) -> None:
    bench.cloud.order(Fault(FaultKind.STATUS, status=429, retry_after="100"))
    with pytest.raises(RateLimited):
        bench.client.run(api.user(), deadline=Deadline.after(bench.clock, 30))
    assert bench.clock.now() == 0
    with pytest.raises(RateLimited, match="no room in time"):
        bench.client.run(api.product(PRODUCT), deadline=Deadline.after(bench.clock, 30))
    assert bench.clock.now() == 0


def test_a_slow_answer_ends_at_the_callers_deadline_and_does_not_judge_the_cloud(bench: Bench) -> None:
    bench.client.run(api.user())
    bench.cloud.order(Fault(FaultKind.SLOW, seconds=50.0))
    with pytest.raises(CloudDown, match="no answer within 3 s"):
        bench.client.run(api.user(), deadline=Deadline.after(bench.clock, 3))
    assert bench.clock.now() == pytest.approx(3.0)
    assert bench.reachable == [(True, "")]
    with pytest.raises(CloudDown, match="too slow"):
        bench.client.run(api.user(), deadline=Deadline.after(bench.clock, 0))


def test_a_yanked_cable_need_not_wait_for_a_slow_cloud(bench: Bench) -> None:
    bench.cloud.order(Fault(FaultKind.SLOW, seconds=50.0))
    cancel = bench.clock.token()

    def yank() -> None:
        bench.clock.sleep(1.5)
        cancel.cancel()

    thread = bench.clock.thread("yank", yank)
    with pytest.raises(Cancelled):
        bench.client.run(api.user(), cancel=cancel)
    assert bench.clock.now() == 1.5
    thread.join()


# --- secrets ---


@pytest.mark.rule("N5")
def test_no_token_in_records_logs_errors_or_on_a_plain_line(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = bench.token.reveal()
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    bench.cloud.order(Fault(FaultKind.DROP_BEFORE, route=CLAIM))
    with pytest.raises(OutcomeUnknown) as caught:
        bench.client.run(api.claim(BORON))
    texts = [
        caplog.text,
        str(caught.value),
        repr(bench.calls),
        repr(bench.client.__dict__),
        repr(bench.cloud.requests()),
    ]
    assert "/v1/devices" in caplog.text
    assert not any(token in text for text in texts)


@pytest.mark.parametrize("url", ["http://api.particle.io", "ftp://127.0.0.1", "api.particle.io", ""])
def test_a_url_that_would_show_the_token_to_the_network_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="clear text"):
        CloudClient(url, lambda: Secret("x"), SimulatedClock(), rng=random.Random(1))


def test_a_redirect_is_not_followed_with_the_token(bench: Bench) -> None:
    bench.cloud.order(Fault(FaultKind.STATUS, status=302, times=None))
    with pytest.raises(NotTheCloud):
        bench.client.run(api.user())
    assert {(c.path, c.status) for c in bench.calls} == {("/v1/user", 302)}


def test_every_try_is_recorded_with_status_request_id_and_duration(bench: Bench) -> None:
    bench.cloud.order(Fault(FaultKind.SLOW, seconds=2.0))
    bench.client.run(api.user())
    (call,) = bench.calls
    assert (call.method, call.path, call.status, call.request_id) == ("GET", "/v1/user", 200, "virtual-1")
    assert call.seconds == 2.0
