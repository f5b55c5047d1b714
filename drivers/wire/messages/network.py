"""Parses replies about a unit's interfaces, networks and modem. Reference usb-and-serial 4.6, 4.8, 4.10."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ...errors import RemoteProtocolError
from ...identity import Iccid, Imei, MacAddress, Secret
from ..proto import network_pb2
from . import reading
from .tables import EapType, SimType


class CellularIdentity(NamedTuple):
    """What the modem reports; either may be missing (no SIM; a Device OS that does not report the IMEI)."""

    iccid: Iccid | None
    imei: Imei | None


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface. ``mac`` is None for an interface without a 6-byte hardware address."""

    index: int
    name: str
    type: int
    mac: MacAddress | None = None


@dataclass(frozen=True, slots=True)
class KnownNetwork:
    """A network the unit has stored; its password cannot be read back."""

    ssid: str
    security: int


@dataclass(frozen=True, slots=True)
class Enterprise:
    """What a unit shows an enterprise network. Certificates are PEM texts, "" for none."""

    type: EapType
    username: str = ""  # inner identity
    password: Secret | None = None
    outer_identity: str = ""
    certificate: str = ""  # of the unit, EAP-TLS
    private_key: Secret | None = None
    root_ca: str = ""


@dataclass(frozen=True, slots=True)
class CurrentNetwork:
    """The network a unit is joined to."""

    ssid: str
    bssid: MacAddress | None
    channel: int
    rssi: int  # dBm


@dataclass(frozen=True, slots=True)
class ScannedNetwork:
    """A network in range; a hidden one has an empty ``ssid``."""

    ssid: str
    bssid: MacAddress | None
    security: int
    channel: int
    rssi: int  # dBm


def interface_list(raw: bytes) -> tuple[Interface, ...]:
    reply = reading.parse_message(network_pb2.InterfaceListReply, raw)
    return tuple(_interface(i) for i in reading.bounded(reply.interfaces, "interfaces"))


def interface(raw: bytes) -> Interface:
    return _interface(reading.parse_message(network_pb2.InterfaceReply, raw).interface)


def _interface(i: network_pb2.Interface) -> Interface:
    return Interface(i.index, reading.clean(i.name), i.type, reading.mac(i.hw_address))


def known_networks(raw: bytes) -> tuple[KnownNetwork, ...]:
    reply = reading.parse_message(network_pb2.KnownNetworksReply, raw)
    found = reading.bounded(reply.networks, "networks")
    return tuple(KnownNetwork(reading.ssid(n.ssid), n.security) for n in found)


def current_network(raw: bytes) -> CurrentNetwork:
    reply = reading.parse_message(network_pb2.CurrentNetworkReply, raw)
    return CurrentNetwork(reading.ssid(reply.ssid), reading.mac(reply.bssid), reply.channel, reply.rssi)


def old_stored_networks(raw: bytes) -> tuple[KnownNetwork, ...]:
    """Parse the reply of 114; `KnownNetwork.security` counts as `OldSecurity` there."""
    found = reading.bounded(reading.parse_message(network_pb2.OldNetworksReply, raw).list.networks, "networks")
    return tuple(KnownNetwork(reading.ssid(n.ssid), n.security) for n in found)


def old_scanned_networks(raw: bytes) -> tuple[ScannedNetwork, ...]:
    """Parse the reply of 112; `ScannedNetwork.security` counts as `OldSecurity` there."""
    found = reading.bounded(reading.parse_message(network_pb2.OldNetworksReply, raw).list.networks, "networks")
    return tuple(
        ScannedNetwork(reading.ssid(n.ssid), reading.mac(n.bssid), n.security, n.channel, n.rssi) for n in found
    )


def scanned_networks(raw: bytes) -> tuple[ScannedNetwork, ...]:
    """Parse the reply to request 506; raises `RemoteProtocolError`."""
    reply = reading.parse_message(network_pb2.ScanNetworksReply, raw)
    found = reading.bounded(reply.networks, "networks")
    return tuple(
        ScannedNetwork(reading.ssid(n.ssid), reading.mac(n.bssid), n.security, n.channel, n.rssi) for n in found
    )


def active_sim(raw: bytes) -> SimType:
    """Parse which SIM is in use (553). Raises `RemoteProtocolError` for one that is neither."""
    value = reading.parse_message(network_pb2.ActiveSimReply, raw).sim_type
    try:
        return SimType(value)
    except ValueError:
        raise RemoteProtocolError(f"the unit uses a SIM of type {value}, expected 1 or 2; reset the unit") from None


def cellular_identity(raw: bytes) -> CellularIdentity:
    """Parse ICCID and IMEI, each None when not reported. Raises `StrangeIdentity` for an IMEI that is not one.

    An ICCID in an unusual format is kept as it is (`Iccid.told`): the SIM's format is no evidence against the unit.
    """
    reply = reading.parse_message(network_pb2.IccidReply, raw)
    iccid, imei = reading.clean(reply.iccid), reading.clean(reply.imei)
    return CellularIdentity(
        reading.identity(Iccid.told, iccid) if iccid else None,
        reading.identity(Imei.parse, imei) if imei else None,
    )
