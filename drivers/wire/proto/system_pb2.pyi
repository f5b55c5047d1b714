from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TextReply(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class DeviceModeReply(_message.Message):
    __slots__ = ("mode",)
    class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NORMAL: _ClassVar[DeviceModeReply.Mode]
        LISTENING: _ClassVar[DeviceModeReply.Mode]
    NORMAL: DeviceModeReply.Mode
    LISTENING: DeviceModeReply.Mode
    MODE_FIELD_NUMBER: _ClassVar[int]
    mode: DeviceModeReply.Mode
    def __init__(self, mode: _Optional[_Union[DeviceModeReply.Mode, str]] = ...) -> None: ...

class Flag(_message.Message):
    __slots__ = ("value",)
    VALUE_FIELD_NUMBER: _ClassVar[int]
    value: bool
    def __init__(self, value: _Optional[bool] = ...) -> None: ...

class ClaimCodeRequest(_message.Message):
    __slots__ = ("code",)
    CODE_FIELD_NUMBER: _ClassVar[int]
    code: str
    def __init__(self, code: _Optional[str] = ...) -> None: ...

class ProtectedStateReply(_message.Message):
    __slots__ = ("is_protected", "is_overridden")
    IS_PROTECTED_FIELD_NUMBER: _ClassVar[int]
    IS_OVERRIDDEN_FIELD_NUMBER: _ClassVar[int]
    is_protected: bool
    is_overridden: bool
    def __init__(self, is_protected: _Optional[bool] = ..., is_overridden: _Optional[bool] = ...) -> None: ...

class Dependency(_message.Message):
    __slots__ = ("type", "index", "version")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    type: int
    index: int
    version: int
    def __init__(self, type: _Optional[int] = ..., index: _Optional[int] = ..., version: _Optional[int] = ...) -> None: ...

class OldModule(_message.Message):
    __slots__ = ("type", "index", "version", "size", "failed_checks", "dependencies")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    FAILED_CHECKS_FIELD_NUMBER: _ClassVar[int]
    DEPENDENCIES_FIELD_NUMBER: _ClassVar[int]
    type: int
    index: int
    version: int
    size: int
    failed_checks: int
    dependencies: _containers.RepeatedCompositeFieldContainer[Dependency]
    def __init__(self, type: _Optional[int] = ..., index: _Optional[int] = ..., version: _Optional[int] = ..., size: _Optional[int] = ..., failed_checks: _Optional[int] = ..., dependencies: _Optional[_Iterable[_Union[Dependency, _Mapping]]] = ...) -> None: ...

class Security(_message.Message):
    __slots__ = ("mode", "certificate_fingerprint")
    MODE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    mode: int
    certificate_fingerprint: bytes
    def __init__(self, mode: _Optional[int] = ..., certificate_fingerprint: _Optional[bytes] = ...) -> None: ...

class AssetDependency(_message.Message):
    __slots__ = ("hash", "name")
    HASH_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    hash: bytes
    name: str
    def __init__(self, hash: _Optional[bytes] = ..., name: _Optional[str] = ...) -> None: ...

class Module(_message.Message):
    __slots__ = ("type", "index", "version", "store", "max_size", "checked_flags", "passed_flags", "hash", "dependencies", "asset_dependencies", "size", "security")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    MAX_SIZE_FIELD_NUMBER: _ClassVar[int]
    CHECKED_FLAGS_FIELD_NUMBER: _ClassVar[int]
    PASSED_FLAGS_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    DEPENDENCIES_FIELD_NUMBER: _ClassVar[int]
    ASSET_DEPENDENCIES_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SECURITY_FIELD_NUMBER: _ClassVar[int]
    type: int
    index: int
    version: int
    store: int
    max_size: int
    checked_flags: int
    passed_flags: int
    hash: bytes
    dependencies: _containers.RepeatedCompositeFieldContainer[Dependency]
    asset_dependencies: _containers.RepeatedCompositeFieldContainer[AssetDependency]
    size: int
    security: Security
    def __init__(self, type: _Optional[int] = ..., index: _Optional[int] = ..., version: _Optional[int] = ..., store: _Optional[int] = ..., max_size: _Optional[int] = ..., checked_flags: _Optional[int] = ..., passed_flags: _Optional[int] = ..., hash: _Optional[bytes] = ..., dependencies: _Optional[_Iterable[_Union[Dependency, _Mapping]]] = ..., asset_dependencies: _Optional[_Iterable[_Union[AssetDependency, _Mapping]]] = ..., size: _Optional[int] = ..., security: _Optional[_Union[Security, _Mapping]] = ...) -> None: ...

class ModuleInfoReply(_message.Message):
    __slots__ = ("old_modules", "modules")
    OLD_MODULES_FIELD_NUMBER: _ClassVar[int]
    MODULES_FIELD_NUMBER: _ClassVar[int]
    old_modules: _containers.RepeatedCompositeFieldContainer[OldModule]
    modules: _containers.RepeatedCompositeFieldContainer[Module]
    def __init__(self, old_modules: _Optional[_Iterable[_Union[OldModule, _Mapping]]] = ..., modules: _Optional[_Iterable[_Union[Module, _Mapping]]] = ...) -> None: ...

class Asset(_message.Message):
    __slots__ = ("hash", "name", "size", "storage_size")
    HASH_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    STORAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    hash: bytes
    name: str
    size: int
    storage_size: int
    def __init__(self, hash: _Optional[bytes] = ..., name: _Optional[str] = ..., size: _Optional[int] = ..., storage_size: _Optional[int] = ...) -> None: ...

class AssetInfoReply(_message.Message):
    __slots__ = ("available", "required")
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    available: _containers.RepeatedCompositeFieldContainer[Asset]
    required: _containers.RepeatedCompositeFieldContainer[Asset]
    def __init__(self, available: _Optional[_Iterable[_Union[Asset, _Mapping]]] = ..., required: _Optional[_Iterable[_Union[Asset, _Mapping]]] = ...) -> None: ...

class StartFirmwareUpdateRequest(_message.Message):
    __slots__ = ("size",)
    SIZE_FIELD_NUMBER: _ClassVar[int]
    size: int
    def __init__(self, size: _Optional[int] = ...) -> None: ...

class StartFirmwareUpdateReply(_message.Message):
    __slots__ = ("chunk_size",)
    CHUNK_SIZE_FIELD_NUMBER: _ClassVar[int]
    chunk_size: int
    def __init__(self, chunk_size: _Optional[int] = ...) -> None: ...

class FirmwareUpdateDataRequest(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class FinishFirmwareUpdateRequest(_message.Message):
    __slots__ = ("validate_only",)
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    validate_only: bool
    def __init__(self, validate_only: _Optional[bool] = ...) -> None: ...

class ConnectionStatusReply(_message.Message):
    __slots__ = ("status",)
    class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DISCONNECTED: _ClassVar[ConnectionStatusReply.Status]
        CONNECTING: _ClassVar[ConnectionStatusReply.Status]
        CONNECTED: _ClassVar[ConnectionStatusReply.Status]
        DISCONNECTING: _ClassVar[ConnectionStatusReply.Status]
    DISCONNECTED: ConnectionStatusReply.Status
    CONNECTING: ConnectionStatusReply.Status
    CONNECTED: ConnectionStatusReply.Status
    DISCONNECTING: ConnectionStatusReply.Status
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: ConnectionStatusReply.Status
    def __init__(self, status: _Optional[_Union[ConnectionStatusReply.Status, str]] = ...) -> None: ...

class NcpVersionReply(_message.Message):
    __slots__ = ("version", "module_version")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MODULE_VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    module_version: int
    def __init__(self, version: _Optional[str] = ..., module_version: _Optional[int] = ...) -> None: ...

class EnvVariable(_message.Message):
    __slots__ = ("name", "value", "is_app")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    IS_APP_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    is_app: bool
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ..., is_app: _Optional[bool] = ...) -> None: ...

class EnvReply(_message.Message):
    __slots__ = ("variables",)
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    variables: _containers.RepeatedCompositeFieldContainer[EnvVariable]
    def __init__(self, variables: _Optional[_Iterable[_Union[EnvVariable, _Mapping]]] = ...) -> None: ...
