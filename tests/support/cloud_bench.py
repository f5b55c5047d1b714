"""A virtual cloud under simulated time with one product, one person's token, and two factory-fresh units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from drivers.clock import SimulatedClock
from drivers.identity import DeviceId, Iccid, Imei, MacAddress, MobileSecret, Secret, SerialNumber
from drivers.virtual.world import UnitFacts
from station.cloud.client import CallRecord, CloudClient
from station.cloud.virtual import VirtualCloud

ME = "line@example.com"
BORON = DeviceId.parse("e00fce68aaaa000000000001")
ARGON = DeviceId.parse("e00fce68bbbb000000000002")
BORON_ICCID = Iccid.parse("89011703278123456789")
BORON_SERIAL = SerialNumber.parse("P044AB1234567")
PRODUCT = 20001
MOBILE_SECRET = "ABCDEFGHIJKLMNO"


@dataclass
class Bench:
    """Everything a test of the cloud room touches."""

    clock: SimulatedClock
    cloud: VirtualCloud
    token: Secret
    client: CloudClient = field(init=False)  # made with the callbacks below
    calls: list[CallRecord] = field(default_factory=list)
    reachable: list[tuple[bool, str]] = field(default_factory=list)
    ask_token: Callable[[], Secret] | None = None

    def provide_token(self) -> Secret:
        """What the client is given: the current token, or what a test puts in its place."""
        return self.token if self.ask_token is None else self.ask_token()

    def go_online(self, device_id: DeviceId, device_os: str = "6.3.4") -> None:
        iccid = str(BORON_ICCID) if device_id == BORON else None
        self.cloud.online(
            UnitFacts(
                device_id=str(device_id), platform_id=13, device_os=device_os, is_safe_mode=False, product_id=None,
                product_version=None, serial_number="", iccid=iccid, imei=None, mac=None, claim_code=None,
            )
        )  # fmt: skip


def populate(cloud: VirtualCloud) -> Secret:
    cloud.create_product(PRODUCT, 13, slug="widget-boron", name="Widget", team=[ME])
    cloud.register_unit(
        BORON, 13, serial=BORON_SERIAL, iccid=BORON_ICCID, imei=Imei.parse("357520000000000"),
        secret=MobileSecret(MOBILE_SECRET),
    )  # fmt: skip
    cloud.register_unit(
        ARGON, 12, serial=SerialNumber.parse("P045AB7654321"), mac=MacAddress.parse("a4cf12000001"),
    )  # fmt: skip
    return cloud.create_token(ME)
