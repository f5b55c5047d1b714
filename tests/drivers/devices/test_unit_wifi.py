"""What a unit of each platform and Device OS does about Wi-Fi, by the way it has: requests, old requests, console."""

from __future__ import annotations

import pytest
from support.device_bench import DeviceBench

from drivers.devices import ParticleDevice
from drivers.devices.wifi import UnitWifi, WifiNetwork
from drivers.errors import GarbledConsole, RequestRejected, RequestUnknown
from drivers.identity import Secret
from drivers.virtual.factory import make_spec
from drivers.virtual.faults import parse_fault
from drivers.virtual.radio import WifiStore
from drivers.virtual.unit import VirtualUnit
from drivers.virtual.world import AccessPoint, Login, World
from drivers.wire.messages.network import Enterprise
from drivers.wire.messages.tables import EapType, WifiSecurity

CERTIFICATE = "-----BEGIN CERTIFICATE-----\n" + "\n".join(["QUJD" * 16] * 40) + "\n-----END CERTIFICATE-----"
KEY = "-----BEGIN PRIVATE KEY-----\n" + "\n".join(["REVG" * 16] * 20) + "\n-----END PRIVATE KEY-----"
ROOT_CA = "-----BEGIN CERTIFICATE-----\nR0hJ\n-----END CERTIFICATE-----"
PASSWORD = "hunter2hunter2"
PLAIN = WifiNetwork("factory-ap", WifiSecurity.WPA2_PSK, Secret(PASSWORD))

NETWORKS = {
    "usual": PLAIN,
    "open": WifiNetwork("guests", WifiSecurity.NONE),
    "wep": WifiNetwork("museum", WifiSecurity.WEP, Secret("abcde")),
    "wpa": WifiNetwork("old", WifiSecurity.WPA_PSK, Secret("x" * 63)),
    "hex": WifiNetwork("hex", WifiSecurity.WPA2_PSK, Secret("0123456789abcdef" * 4)),
    "32 bytes": WifiNetwork("n" * 32, WifiSecurity.WPA2_PSK, Secret("12345678")),
    "emoji": WifiNetwork("工場　\U0001f3ed\U0001f469‍\U0001f527", WifiSecurity.WPA2_PSK, Secret(PASSWORD)),
    "looks like a prompt": WifiNetwork("Password: ", WifiSecurity.WPA2_PSK, Secret("Security 0=unsecured")),
}
WAYS = {
    ("argon", "6.3.4"): "request 507", ("argon", "6.0.0"): "the console", ("argon", "3.3.1"): "the console",
    ("asom", "3.3.1"): "the console", ("p2", "6.3.4"): "request 507", ("p2", "6.0.0"): "the console",
    ("msom", "5.9.0"): "request 507", ("photon", "1.5.2"): "request 113", ("p1", "1.4.4"): "request 113",
    ("photon", "2.3.1"): "the console", ("p1", "3.3.1"): "the console",
}  # fmt: skip
each_unit = pytest.mark.parametrize(("slug", "device_os"), list(WAYS), ids=map("@".join, WAYS))
PHOTONS = [one for one in WAYS if one[0] in ("photon", "p1")]
each_photon = pytest.mark.parametrize(("slug", "device_os"), PHOTONS, ids=map("@".join, PHOTONS))
each_network = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)


def login_of(one: Enterprise) -> Login:
    """What an access point wants to see that lets such a user in."""
    return Login(
        one.type, one.username, one.password, one.certificate, one.private_key, one.outer_identity, one.root_ca
    )


def point(network: WifiNetwork, **settings: object) -> AccessPoint:
    login = login_of(network.enterprise) if network.enterprise else None
    return AccessPoint(network.ssid, network.password, network.security, login=login, **settings)  # type: ignore[arg-type]


def plugged(
    bench: DeviceBench, slug: str, device_os: str, *points: AccessPoint, faults: tuple[str, ...] = ()
) -> tuple[VirtualUnit, ParticleDevice]:
    spec = make_spec(slug, 7, 1, device_os, setup_done=True)
    unit = VirtualUnit(spec, bench.clock, World(points))
    unit.order(*map(parse_fault, faults))
    bench.bus.plug("1-1", unit)
    bench.watch("1-1").wait_for(lambda candidate: candidate is not None, bench.within(30.0))
    device = bench.device()
    device.identify(bench.within(10.0))
    return unit, device


def connected(bench: DeviceBench, device: ParticleDevice) -> bool:
    """Leave listening mode, and see whether the unit gets in somewhere within a minute."""
    if device.is_listening(bench.within(10.0)):
        device.leave_listening(bench.within(20.0))
    for _ in range(60):
        if UnitWifi(device, bench.within(60.0)).link() is not None:
            return True
        bench.clock.sleep(1.0)
    return False


@pytest.mark.rule("H5")
@each_network
@each_unit
@pytest.mark.parametrize("is_seen", [True, False], ids=["seen", "not seen"])
def test_any_network_is_stored_untried_and_works(
    bench: DeviceBench, slug: str, device_os: str, network: WifiNetwork, is_seen: bool
) -> None:
    unit, device = plugged(bench, slug, device_os, *([point(network)] if is_seen else []))
    wifi = UnitWifi(device, bench.within(300.0))
    assert wifi.store(network) == WAYS[slug, device_os]
    (stored,) = WifiStore(unit).networks()
    assert (stored.ssid, stored.password) == (network.ssid, network.password)
    assert wifi.stored() in (None, {network.ssid})
    unit.world.access_points[network.ssid] = point(network)
    assert connected(bench, device)
    assert PASSWORD not in "\n".join(bench.trace)


@pytest.mark.parametrize("security", [WifiSecurity.WPA_ENTERPRISE, WifiSecurity.WPA2_ENTERPRISE])
@pytest.mark.parametrize("kind", EapType)
@pytest.mark.parametrize("is_seen", [True, False], ids=["seen", "not seen"])
@each_photon
def test_a_photon_logs_in_at_an_enterprise_network(
    bench: DeviceBench, slug: str, device_os: str, security: WifiSecurity, kind: EapType, is_seen: bool
) -> None:
    logins = {
        EapType.PEAP: Enterprise(kind, "line", Secret(PASSWORD), "anonymous", root_ca=ROOT_CA),
        EapType.TLS: Enterprise(kind, "", None, "", CERTIFICATE, Secret(KEY)),
    }
    network = WifiNetwork("campus", security, enterprise=logins[kind])
    unit, device = plugged(bench, slug, device_os, *([point(network)] if is_seen else []))
    UnitWifi(device, bench.within(300.0)).store(network)
    (stored,) = WifiStore(unit).networks()
    assert stored.login == login_of(logins[kind])
    unit.world.access_points["campus"] = point(network)
    assert connected(bench, device)
    shown = "\n".join(bench.trace)
    assert not any(secret in shown for secret in (PASSWORD, "REVGREVG", "QUJDQUJD"))


@each_photon
def test_an_enterprise_network_refuses_another_user_and_a_unit_another_root(
    bench: DeviceBench, slug: str, device_os: str
) -> None:
    good = Enterprise(EapType.PEAP, "line", Secret(PASSWORD), root_ca=ROOT_CA)
    for bad in (
        Enterprise(EapType.PEAP, "line", Secret("another one")),
        Enterprise(EapType.PEAP, "nobody", Secret(PASSWORD)),
        Enterprise(EapType.PEAP, "line", Secret(PASSWORD), root_ca=CERTIFICATE),
    ):
        campus = point(WifiNetwork("campus", WifiSecurity.WPA2_ENTERPRISE, enterprise=good))
        _, device = plugged(bench, slug, device_os, campus)
        UnitWifi(device, bench.within(300.0)).store(WifiNetwork("campus", WifiSecurity.WPA2_ENTERPRISE, enterprise=bad))
        assert not connected(bench, device)
        bench.bus.unplug("1-1")
        bench.clock.sleep(3.0)


CONSOLES = [one for one, way in WAYS.items() if way == "the console"]


@pytest.mark.parametrize(("slug", "device_os"), CONSOLES, ids=map("@".join, CONSOLES))
@pytest.mark.parametrize("byte", [1, 2, 3, 4, 5, 14, 15, 16, 17, 20, 30])
def test_a_console_garbled_once_at_any_byte_ends_with_the_right_network(
    bench: DeviceBench, slug: str, device_os: str, byte: int
) -> None:
    unit, device = plugged(bench, slug, device_os, point(PLAIN), faults=(f"at=console:{byte},do=garbage",))
    UnitWifi(device, bench.within(600.0)).store(PLAIN)
    assert [(one.ssid, one.password) for one in WifiStore(unit).networks()] == [(PLAIN.ssid, PLAIN.password)]
    assert connected(bench, device)


@pytest.mark.parametrize(("slug", "device_os"), CONSOLES, ids=map("@".join, CONSOLES))
def test_a_console_garbled_for_good_judges_nobody(bench: DeviceBench, slug: str, device_os: str) -> None:
    _, device = plugged(bench, slug, device_os, point(PLAIN), faults=("at=console:1,do=garbage,times=1000",))
    with pytest.raises(GarbledConsole):
        UnitWifi(device, bench.within(900.0)).store(PLAIN)


@pytest.mark.parametrize(("slug", "device_os"), [one for one in WAYS if one[0] not in ("photon", "p1")])
def test_a_join_tells_at_once_and_a_refused_one_stores_nothing(bench: DeviceBench, slug: str, device_os: str) -> None:
    unit, device = plugged(bench, slug, device_os, point(PLAIN))
    wifi = UnitWifi(device, bench.within(300.0))
    assert wifi.joins_by_request(PLAIN)
    with pytest.raises(RequestRejected):
        wifi.join(WifiNetwork("factory-ap", WifiSecurity.WPA2_PSK, Secret("something else")))
    assert WifiStore(unit).networks() == []
    wifi.join(PLAIN)
    assert wifi.stored() == {"factory-ap"}
    assert connected(bench, device)
    link = wifi.link()
    assert link is not None
    assert (link.ssid, link.rssi) == ("factory-ap", -52)


@each_unit
def test_networks_are_forgotten_where_a_request_does_it(bench: DeviceBench, slug: str, device_os: str) -> None:
    unit, device = plugged(bench, slug, device_os, point(PLAIN))
    wifi = UnitWifi(device, bench.within(300.0))
    wifi.store(PLAIN)
    knows = not (slug in ("photon", "p1") and device_os >= "2.")
    assert wifi.can_forget == knows
    if knows:
        wifi.forget(["factory-ap"])
        assert WifiStore(unit).networks() == []
    else:
        with pytest.raises(RequestUnknown):
            wifi.forget(["factory-ap"])
        assert wifi.heard() is None


@each_unit
@pytest.mark.parametrize(("fault", "rssi"), [("do=weak", -82), ("do=deaf", None)])
def test_a_bad_antenna_shows_in_what_a_unit_hears(
    bench: DeviceBench, slug: str, device_os: str, fault: str, rssi: int | None
) -> None:
    _, device = plugged(bench, slug, device_os, point(PLAIN), faults=(fault,))
    wifi = UnitWifi(device, bench.within(300.0))
    if wifi.heard() is not None:
        assert [one.rssi for one in wifi.heard() or ()] == ([] if rssi is None else [rssi])
    wifi.store(PLAIN)
    assert connected(bench, device) == (rssi is not None)
    if rssi is not None:
        link = wifi.link()
        assert link is not None
        assert link.rssi == rssi
