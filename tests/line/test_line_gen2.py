"""Photon, P1 and Electron keep the Device OS they came with, get application and network: from the box to PASS."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import pytest
from line_bench import PRODUCTS, LineBench, Recipe, Walk, line_bench, replace
from support.odd_rates import UsualRates
from support.showing import showing

from drivers.identity import Secret
from drivers.platforms import OsVersion, platform_by_slug, platforms
from drivers.virtual import synthetic
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.world import AccessPoint, Login, StoredNetwork
from drivers.wire.messages.tables import EapType, WifiSecurity
from station.engine.events import AttemptFinished, HandsNeeded, UnitIdentified
from station.model import Outcome, Verdict

NAMES_ITS_PRODUCT_BEFORE = OsVersion.parse("1.5.0")  # D7
LISTENS_BY_COMMAND_SINCE = OsVersion.parse("0.5.0")  # usb-and-serial 7.1
TELLS_OF_WIFI_SINCE = OsVersion.parse("0.8.0-0")  # no request before
SLUGS = tuple(row.slug for row in platforms() if row.family == "stm32")
VERSIONS = ("0.5.5", "0.6.4", "0.7.0", "1.0.1", "1.4.4", "1.5.2", "2.3.1", "3.3.1")
AS_THEY_COME = [("photon", "0.4.9"), ("p1", "0.4.9"), *((slug, version) for slug in SLUGS for version in VERSIONS)]
CA = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----"
KEY = "-----BEGIN PRIVATE KEY-----\nREVG\n-----END PRIVATE KEY-----"


def told(walk: Walk) -> set[tuple[str, str, str]]:
    """Name, value and source of every fact the unit was identified by."""
    found = walk.of(UnitIdentified)[-1]
    assert isinstance(found, UnitIdentified)
    return {(fact.name, fact.value, fact.source) for fact in found.facts}


def as_it_comes(slug: str, device_os: str) -> Recipe:
    """A profile for units that keep the Device OS they have, and go online."""
    product = PRODUCTS[slug] if OsVersion.parse(device_os) < NAMES_ITS_PRODUCT_BEFORE else synthetic.NO_PRODUCT
    application = synthetic.application(
        platform_by_slug(slug).id, device_os, seed="story", size=20_000, product_id=product,
        product_version=7 if product != synthetic.NO_PRODUCT else synthetic.NO_PRODUCT,
    )  # fmt: skip
    return Recipe(slug, device_os=None, application=application, online=True)


def next_of(bench: LineBench, since: int) -> AttemptFinished | HandsNeeded:
    event = bench.wait(lambda one: isinstance(one, AttemptFinished | HandsNeeded), since=since)
    assert isinstance(event, AttemptFinished | HandsNeeded)
    return event


def walk_by_hand(bench: LineBench, unit: VirtualUnit) -> Walk:
    """Walk a unit with hands that press what the screen asks for; it ends in the mode in which it was found."""
    buttons = {"listening_by_hand": unit.hold_mode_button, "dfu_by_hand": unit.press_mode_button}
    lights = {"listening_by_hand": "blinking dark blue", "dfu_by_hand": "blinking yellow"}
    mark = bench.mark()
    bench.plug(unit)
    seen = mark
    while not isinstance(event := next_of(bench, seen), AttemptFinished):
        assert event.led == lights[event.sentence]
        bench.sleep(3.0)
        buttons[event.sentence]()
        seen = bench.place_of(event) + 1
    assert unit.mode is UnitMode.NORMAL
    bench.unplug()
    bench.sleep(1.0)
    return bench.told(event)


@pytest.mark.rule("H5")
@pytest.mark.parametrize(("slug", "device_os"), showing("silver", AS_THEY_COME, lambda case: case[0]))
def test_a_unit_keeps_its_device_os_and_gets_its_application_and_network(
    slug: str, device_os: str, tmp_path: Path
) -> None:
    has_wifi = platform_by_slug(slug).has_wifi
    with line_bench(tmp_path, as_it_comes(slug, device_os)) as bench:
        unit = bench.unit(slug, 1, device_os)
        first = bench.walk(unit)
        assert first.verdict is Verdict.PASS, first.finished
        assert first.outcomes["online"] in ("already", "done")
        assert (first.outcomes.get("sim") in ("already", "done")) == (not has_wifi)
        assert unit.report is not None
        assert (unit.report.system_version, unit.score.forbidden) == (device_os, [])
        assert set(unit.score.writes_by_region()) == {"user-part"} | ({"network-store"} if has_wifi else set())
        writes = Counter(unit.score.writes_by_region())
        again = walk_by_hand(bench, unit)
        needs_hands = has_wifi and OsVersion.parse(device_os) < LISTENS_BY_COMMAND_SINCE
        assert bool(again.of(HandsNeeded)) == needs_hands
        assert again.verdict is Verdict.PASS, again.finished
        assert again.with_outcome(Outcome.FAILED) == set()
        if has_wifi:
            tells = OsVersion.parse(device_os) >= TELLS_OF_WIFI_SINCE
            assert again.outcomes["wifi"] == ("already" if tells else "done"), "what it cannot tell is said again"
            assert set(Counter(unit.score.writes_by_region()) - writes) == (set() if tells else {"network-store"})
        else:
            assert again.flash_writes == 0


@pytest.mark.rule("H1")
@pytest.mark.rule("H3")
@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize(
    ("device_os", "odd_rates", "wanted"),
    [
        ("0.4.9", True, ["identify", "firmware"]),
        ("0.4.9", False, ["identify", "dfu", "firmware"]),
        ("0.7.0", False, ["identify", "dfu", "firmware"]),
        ("0.7.0", True, []),
        ("1.0.1", False, []),
    ],
    ids=["0.4.9", "0.4.9 without odd rates", "0.7.0 without odd rates", "0.7.0", "1.0.1 without odd rates"],
)
def test_hands_are_asked_for_wherever_an_old_unit_obeys_no_command(
    slug: str, device_os: str, odd_rates: bool, wanted: list[str], tmp_path: Path
) -> None:
    """A unit that was set up once runs its application: nothing makes the oldest listen, or a computer cannot."""
    has_wifi = platform_by_slug(slug).has_wifi
    networks = (StoredNetwork("at home", Secret("of its first owner")),) if has_wifi else ()
    with line_bench(tmp_path, as_it_comes(slug, device_os)) as bench:
        if not odd_rates:
            bench.open_port = UsualRates.opener(bench.bus)
        unit = bench.unit(slug, 1, device_os, networks=networks)
        walk = walk_by_hand(bench, unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        asked = [event.step for event in walk.of(HandsNeeded)]  # type: ignore[attr-defined]
        assert asked == wanted, "what was made to listen for its modules still does when its network is typed"
        again = walk_by_hand(bench, unit)
        assert again.verdict is Verdict.PASS, again.finished
        assert again.seconds < 90, "it does not stay in listening mode until that ends by itself"


LOGIN = Login(EapType.PEAP, "line", Secret("eap-password"), outer_identity="anonymous", root_ca=CA)
BY_PASSWORD = """[wifi]
ssid = "campus"
security = "wpa2-enterprise"
eap = "peap"
username = "line"
password = "env:EAP_PASSWORD"
outer_identity = "anonymous"
root_ca = "env:EAP_CA"
"""
CARD = Login(EapType.TLS, certificate=CA, private_key=Secret(KEY))
BY_CERTIFICATE = """[wifi]
ssid = "campus"
security = "wpa2-enterprise"
eap = "tls"
certificate = "env:EAP_CA"
private_key = "env:EAP_KEY"
"""


@pytest.mark.rule("H5")
@pytest.mark.parametrize(("login", "network"), [(LOGIN, BY_PASSWORD), (CARD, BY_CERTIFICATE)], ids=["peap", "tls"])
@pytest.mark.parametrize(("slug", "device_os"), [("photon", "0.7.0"), ("p1", "1.5.2"), ("photon", "3.3.1")])
def test_a_unit_joins_an_enterprise_network(
    slug: str, device_os: str, login: Login, network: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path) as bench:
        bench.environ |= {"EAP_PASSWORD": "eap-password", "EAP_CA": CA, "EAP_KEY": KEY}
        bench.world.access_points["campus"] = AccessPoint("campus", security=WifiSecurity.WPA2_ENTERPRISE, login=login)
        bench.restart(replace(as_it_comes(slug, device_os), networks=network))
        unit = bench.unit(slug, 1, device_os)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert walk.outcomes["online"] in ("already", "done"), "it got in"
        assert bench.walk(unit).verdict is Verdict.PASS


@pytest.mark.rule("A4")
@pytest.mark.parametrize("slug", SLUGS)
def test_a_unit_without_serial_number_is_called_by_its_device_id(slug: str, tmp_path: Path) -> None:
    application = synthetic.application(platform_by_slug(slug).id, "2.3.1", seed="story")
    with line_bench(tmp_path, Recipe(slug, device_os=None, application=application, wifi=False)) as bench:
        unit = bench.unit(spec=dataclasses.replace(make_spec(slug, 7, 1, "2.3.1"), serial=None))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert "serial" not in {name for name, _, _ in told(walk)}
        record = bench.cloud.device(unit.spec.device_id)
        assert record is not None
        assert record["name"] == f"{slug}-{unit.device_id[-6:]}"


@pytest.mark.rule("A13")
@pytest.mark.parametrize("slug", [slug for slug in SLUGS if platform_by_slug(slug).has_mac])
def test_the_mac_address_comes_from_the_console(slug: str, tmp_path: Path) -> None:
    """No request of Gen 2 tells it."""
    application = synthetic.application(platform_by_slug(slug).id, "2.3.1", seed="story")
    with line_bench(tmp_path, Recipe(slug, device_os=None, application=application, wifi=False)) as bench:
        unit = bench.unit(slug, 1, "2.3.1")
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert ("mac", str(unit.spec.mac), "console m") in told(walk)


@pytest.mark.parametrize("slug", SLUGS)
def test_imei_and_iccid_of_an_electron_and_modules_come_from_the_sources_there_are(slug: str, tmp_path: Path) -> None:
    application = synthetic.application(platform_by_slug(slug).id, "3.3.1", seed="story")
    with line_bench(tmp_path, Recipe(slug, device_os=None, application=application, wifi=False)) as bench:
        unit = bench.unit(slug, 1, "3.3.1")
        facts = told(bench.walk(unit))
        sources = {(name, source) for name, _, source in facts}
        assert {("device_os", "raw request 30"), ("device_id", "request 20"), ("serial", "request 21")} <= sources
        modem = {("imei", str(unit.spec.imei), "console i"), ("iccid", str(unit.spec.iccid), "console i")}
        assert modem <= facts if slug == "electron" else not modem & facts


@pytest.mark.parametrize("at", range(4, 13))
def test_a_garbled_answer_of_the_console_is_asked_again(at: int, tmp_path: Path) -> None:
    application = synthetic.application(6, "3.3.1", seed="story")
    with line_bench(tmp_path, Recipe("photon", device_os=None, application=application, wifi=False)) as bench:
        walk = bench.walk(bench.unit("photon", 1, "3.3.1", faults=(f"at=console:{at},do=garbage",)))
        assert walk.verdict is Verdict.PASS, walk.finished


@pytest.mark.parametrize("do", ["stall", "error,errno=eio", "error,lost=reply", "garbage", "hang,for=1"])
@pytest.mark.parametrize("at", [9, 24, 61, 83])
def test_one_failed_transfer_costs_a_repetition_and_no_unit(do: str, at: int, tmp_path: Path) -> None:
    application = synthetic.application(6, "2.3.1", seed="story", size=20_000)
    with line_bench(tmp_path, Recipe("photon", device_os=None, application=application, wifi=False)) as bench:
        unit = bench.unit("photon", 1, "2.3.1", faults=(f"at=control:{at},do={do}",))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert len(unit.faults.happened) == 1


@pytest.mark.parametrize("at", [9, 15, 19, 23, 33])
def test_a_console_that_swallows_a_command_is_asked_once_more(at: int, tmp_path: Path) -> None:
    assert walk_of_an_old_photon("0.7.0", f"at=console:{at},do=hang,for=1", tmp_path) is Verdict.PASS


@pytest.mark.parametrize("at", range(30, 42))
def test_a_device_id_garbled_in_dfu_makes_no_other_unit(at: int, tmp_path: Path) -> None:
    assert walk_of_an_old_photon("0.5.5", f"at=control:{at},do=garbage", tmp_path) is Verdict.PASS


def walk_of_an_old_photon(device_os: str, fault: str, tmp_path: Path) -> Verdict | None:
    application = synthetic.application(
        6, device_os, seed="story", size=20_000, product_id=PRODUCTS["photon"], product_version=7
    )
    with line_bench(tmp_path, Recipe("photon", device_os=None, application=application, wifi=False)) as bench:
        return bench.walk(bench.unit("photon", 1, device_os, faults=(fault,))).verdict
