from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Ipv4(_message.Message):
    __slots__ = ("address",)
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    address: int
    def __init__(self, address: _Optional[int] = ...) -> None: ...

class Ipv6(_message.Message):
    __slots__ = ("address",)
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    address: bytes
    def __init__(self, address: _Optional[bytes] = ...) -> None: ...

class IpAddress(_message.Message):
    __slots__ = ("v4", "v6")
    V4_FIELD_NUMBER: _ClassVar[int]
    V6_FIELD_NUMBER: _ClassVar[int]
    v4: Ipv4
    v6: Ipv6
    def __init__(self, v4: _Optional[_Union[Ipv4, _Mapping]] = ..., v6: _Optional[_Union[Ipv6, _Mapping]] = ...) -> None: ...

class InterfaceAddress(_message.Message):
    __slots__ = ("address", "prefix_length")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PREFIX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    address: IpAddress
    prefix_length: int
    def __init__(self, address: _Optional[_Union[IpAddress, _Mapping]] = ..., prefix_length: _Optional[int] = ...) -> None: ...

class Ipv4Config(_message.Message):
    __slots__ = ("addresses",)
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    addresses: _containers.RepeatedCompositeFieldContainer[InterfaceAddress]
    def __init__(self, addresses: _Optional[_Iterable[_Union[InterfaceAddress, _Mapping]]] = ...) -> None: ...

class Interface(_message.Message):
    __slots__ = ("index", "name", "type", "flags", "ipv4_config", "hw_address", "mtu")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    IPV4_CONFIG_FIELD_NUMBER: _ClassVar[int]
    HW_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    MTU_FIELD_NUMBER: _ClassVar[int]
    index: int
    name: str
    type: int
    flags: int
    ipv4_config: Ipv4Config
    hw_address: bytes
    mtu: int
    def __init__(self, index: _Optional[int] = ..., name: _Optional[str] = ..., type: _Optional[int] = ..., flags: _Optional[int] = ..., ipv4_config: _Optional[_Union[Ipv4Config, _Mapping]] = ..., hw_address: _Optional[bytes] = ..., mtu: _Optional[int] = ...) -> None: ...

class InterfaceListReply(_message.Message):
    __slots__ = ("interfaces",)
    INTERFACES_FIELD_NUMBER: _ClassVar[int]
    interfaces: _containers.RepeatedCompositeFieldContainer[Interface]
    def __init__(self, interfaces: _Optional[_Iterable[_Union[Interface, _Mapping]]] = ...) -> None: ...

class InterfaceRequest(_message.Message):
    __slots__ = ("index",)
    INDEX_FIELD_NUMBER: _ClassVar[int]
    index: int
    def __init__(self, index: _Optional[int] = ...) -> None: ...

class InterfaceReply(_message.Message):
    __slots__ = ("interface",)
    INTERFACE_FIELD_NUMBER: _ClassVar[int]
    interface: Interface
    def __init__(self, interface: _Optional[_Union[Interface, _Mapping]] = ...) -> None: ...

class Credentials(_message.Message):
    __slots__ = ("type", "password")
    class Type(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NONE: _ClassVar[Credentials.Type]
        PASSWORD: _ClassVar[Credentials.Type]
    NONE: Credentials.Type
    PASSWORD: Credentials.Type
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    type: Credentials.Type
    password: str
    def __init__(self, type: _Optional[_Union[Credentials.Type, str]] = ..., password: _Optional[str] = ...) -> None: ...

class JoinNewNetworkRequest(_message.Message):
    __slots__ = ("ssid", "bssid", "security", "credentials", "hidden")
    SSID_FIELD_NUMBER: _ClassVar[int]
    BSSID_FIELD_NUMBER: _ClassVar[int]
    SECURITY_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    ssid: bytes
    bssid: bytes
    security: int
    credentials: Credentials
    hidden: bool
    def __init__(self, ssid: _Optional[bytes] = ..., bssid: _Optional[bytes] = ..., security: _Optional[int] = ..., credentials: _Optional[_Union[Credentials, _Mapping]] = ..., hidden: _Optional[bool] = ...) -> None: ...

class KnownNetwork(_message.Message):
    __slots__ = ("ssid", "security", "credentials_type")
    SSID_FIELD_NUMBER: _ClassVar[int]
    SECURITY_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_TYPE_FIELD_NUMBER: _ClassVar[int]
    ssid: bytes
    security: int
    credentials_type: int
    def __init__(self, ssid: _Optional[bytes] = ..., security: _Optional[int] = ..., credentials_type: _Optional[int] = ...) -> None: ...

class KnownNetworksReply(_message.Message):
    __slots__ = ("networks",)
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    networks: _containers.RepeatedCompositeFieldContainer[KnownNetwork]
    def __init__(self, networks: _Optional[_Iterable[_Union[KnownNetwork, _Mapping]]] = ...) -> None: ...

class KnownNetworkRequest(_message.Message):
    __slots__ = ("ssid",)
    SSID_FIELD_NUMBER: _ClassVar[int]
    ssid: bytes
    def __init__(self, ssid: _Optional[bytes] = ...) -> None: ...

class CurrentNetworkReply(_message.Message):
    __slots__ = ("ssid", "bssid", "channel", "rssi")
    SSID_FIELD_NUMBER: _ClassVar[int]
    BSSID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    RSSI_FIELD_NUMBER: _ClassVar[int]
    ssid: bytes
    bssid: bytes
    channel: int
    rssi: int
    def __init__(self, ssid: _Optional[bytes] = ..., bssid: _Optional[bytes] = ..., channel: _Optional[int] = ..., rssi: _Optional[int] = ...) -> None: ...

class ScannedNetwork(_message.Message):
    __slots__ = ("ssid", "bssid", "security", "channel", "rssi")
    SSID_FIELD_NUMBER: _ClassVar[int]
    BSSID_FIELD_NUMBER: _ClassVar[int]
    SECURITY_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    RSSI_FIELD_NUMBER: _ClassVar[int]
    ssid: bytes
    bssid: bytes
    security: int
    channel: int
    rssi: int
    def __init__(self, ssid: _Optional[bytes] = ..., bssid: _Optional[bytes] = ..., security: _Optional[int] = ..., channel: _Optional[int] = ..., rssi: _Optional[int] = ...) -> None: ...

class ScanNetworksReply(_message.Message):
    __slots__ = ("networks",)
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    networks: _containers.RepeatedCompositeFieldContainer[ScannedNetwork]
    def __init__(self, networks: _Optional[_Iterable[_Union[ScannedNetwork, _Mapping]]] = ...) -> None: ...

class OldNetwork(_message.Message):
    __slots__ = ("ssid", "bssid", "security", "cipher", "channel", "max_data_rate", "rssi", "password", "eap_type", "inner_identity", "outer_identity", "private_key", "client_certificate", "ca_certificate")
    SSID_FIELD_NUMBER: _ClassVar[int]
    BSSID_FIELD_NUMBER: _ClassVar[int]
    SECURITY_FIELD_NUMBER: _ClassVar[int]
    CIPHER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    MAX_DATA_RATE_FIELD_NUMBER: _ClassVar[int]
    RSSI_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    EAP_TYPE_FIELD_NUMBER: _ClassVar[int]
    INNER_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    OUTER_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_KEY_FIELD_NUMBER: _ClassVar[int]
    CLIENT_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    CA_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    ssid: bytes
    bssid: bytes
    security: int
    cipher: int
    channel: int
    max_data_rate: int
    rssi: int
    password: str
    eap_type: int
    inner_identity: str
    outer_identity: str
    private_key: str
    client_certificate: str
    ca_certificate: str
    def __init__(self, ssid: _Optional[bytes] = ..., bssid: _Optional[bytes] = ..., security: _Optional[int] = ..., cipher: _Optional[int] = ..., channel: _Optional[int] = ..., max_data_rate: _Optional[int] = ..., rssi: _Optional[int] = ..., password: _Optional[str] = ..., eap_type: _Optional[int] = ..., inner_identity: _Optional[str] = ..., outer_identity: _Optional[str] = ..., private_key: _Optional[str] = ..., client_certificate: _Optional[str] = ..., ca_certificate: _Optional[str] = ...) -> None: ...

class OldSetRequest(_message.Message):
    __slots__ = ("network",)
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    network: OldNetwork
    def __init__(self, network: _Optional[_Union[OldNetwork, _Mapping]] = ...) -> None: ...

class OldNetworkList(_message.Message):
    __slots__ = ("networks",)
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    networks: _containers.RepeatedCompositeFieldContainer[OldNetwork]
    def __init__(self, networks: _Optional[_Iterable[_Union[OldNetwork, _Mapping]]] = ...) -> None: ...

class OldNetworksReply(_message.Message):
    __slots__ = ("list",)
    LIST_FIELD_NUMBER: _ClassVar[int]
    list: OldNetworkList
    def __init__(self, list: _Optional[_Union[OldNetworkList, _Mapping]] = ...) -> None: ...

class ActiveSimReply(_message.Message):
    __slots__ = ("sim_type",)
    SIM_TYPE_FIELD_NUMBER: _ClassVar[int]
    sim_type: int
    def __init__(self, sim_type: _Optional[int] = ...) -> None: ...

class IccidReply(_message.Message):
    __slots__ = ("iccid", "imei")
    ICCID_FIELD_NUMBER: _ClassVar[int]
    IMEI_FIELD_NUMBER: _ClassVar[int]
    iccid: str
    imei: str
    def __init__(self, iccid: _Optional[str] = ..., imei: _Optional[str] = ...) -> None: ...
