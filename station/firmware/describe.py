"""Says in words what a firmware file holds: everything the parser knows of it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping

from drivers.errors import BadImage, UnknownPlatform
from drivers.plain_text import printable
from drivers.platforms import ModuleFunction, platform
from drivers.wire.image import tables, wrapping
from drivers.wire.image.host import Dependency, Extension, Image

from ..errors import BadInput
from .contents import Content, Kind, check_content
from .modules import module_name, release_text

LOCKS = "puts every unit it is written to under device protection, for good"
_WIDTH = 11
_ASSETS_FROM = 5500  # module version of the first 5.5.0 pre-release (reference 3.11)
_NO_PRODUCT = (None, 0, 0xFFFF)
_FLAGS = {
    tables.FLAG_DROP_PREFIX: "stored without its header", tables.FLAG_COMPRESSED: "compressed",
    tables.FLAG_COMBINED: "combined with the next", tables.FLAG_ENCRYPTED: "encrypted",
    tables.FLAG_PREFIX_EXTENSIONS: "extensions behind its header",
}  # fmt: skip
_SPOKEN_OF: frozenset[int] = frozenset({
    tables.EXTENSION_PRODUCT_DATA, tables.EXTENSION_DEPENDENCY, tables.EXTENSION_ASSET_DEPENDENCY,
})  # fmt: skip
"""Extensions that are told with what they are about."""


def platform_words(platform_id: int) -> str:
    """Return name and id of a platform: ``Argon (12)``."""
    try:
        return f"{platform(platform_id).name} ({platform_id})"
    except UnknownPlatform:
        return f"unknown platform {platform_id}"


def title(image: Image) -> str:
    """Return what a module is, without its version: ``system part 1``, ``asset hello.txt``."""
    if image.function != ModuleFunction.ASSET:
        return module_name(image.function, image.index)
    names = [printable(one.payload.decode("utf-8", "replace")) for one in _of(image, tables.EXTENSION_NAME)]
    return " ".join(["asset", *names])


def device_os(image: Image) -> str:
    """Return the Device OS of a system part, or the one an application was built for (``6.3.4 on``); else ""."""
    if image.function == ModuleFunction.SYSTEM_PART:
        return release_text(image.version) or "unlisted"
    if image.function != ModuleFunction.USER_PART:
        return ""
    needs = [release_text(one.version) for one in image.dependencies if _is_system(one)]
    return next((f"{version} on" for version in needs if version), "")


def content_lines(content: Content, data: bytes) -> Iterator[str]:
    """Yield everything known of a file, a line each, and what speaks against flashing it."""
    yield _line("file", f"{len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")
    if content.kind is Kind.COMBINED:
        yield _line("holds", f"{len(content.modules)} modules, one after another")
    for image in content.modules:
        yield from ([""] if content.kind is Kind.COMBINED else [])
        yield from _module_lines(image)
    for asset in content.assets:
        yield _line(
            "bundled", f"asset {asset.name}, {asset.size} bytes" + ("" if asset.is_wanted else ": not asked for")
        )
    try:
        check_content(content)
    except BadInput as error:
        yield _line("refused", str(error))


def _module_lines(image: Image) -> Iterator[str]:
    yield _line("module", f"{title(image)}, version {_version(image.function, image.version)}")
    if image.function != ModuleFunction.ASSET:
        yield _line("platform", platform_words(image.platform_id))
        yield _line(
            "place", f"{image.start:#x} to {image.end + tables.CRC_SIZE:#x}, header at {image.prefix_offset:#x}"
        )
    for dependency in image.dependencies:
        yield _line("needs", f"{module_name(dependency.function, dependency.index)}, {_needed(dependency)}")
    for asset in image.assets:
        yield _line("needs", f"asset {asset.name}, SHA-256 {asset.hash.hex()}")
    yield from _product_lines(image)
    if flags := [words for flag, words in _FLAGS.items() if image.flags & flag]:
        yield _line("form", ", ".join(flags))
    yield from _inner_lines(image)
    yield from (_line("has", _extension(one)) for one in image.extensions if one.type not in _SPOKEN_OF)
    state = "right" if image.is_crc_valid else "WRONG: the file is damaged"
    yield _line("CRC-32", f"{image.crc.hex()}, {state}" if not image.is_combined else "checked module by module")
    right = hashlib.sha256(image.data[: -tables.CRC_SIZE - 2 - tables.SHA_SIZE]).digest() == image.sha256
    stale = ", as in several files of the vendor; the CRC counts" if image.is_crc_valid else ""
    yield _line("own hash", f"{image.sha256.hex()[:12]}…, {'right' if right else f'not that of its content{stale}'}")
    if image.is_locking:
        yield _line("WARNING", LOCKS)
    if image.assets and any(_is_system(one) and one.version < _ASSETS_FROM for one in image.dependencies):
        yield _line(
            "note", "needs assets, and was built for a Device OS before 5.5, whose units the vendor's tool refuses"
        )


def _product_lines(image: Image) -> Iterator[str]:
    if image.function != ModuleFunction.USER_PART:
        return
    number = image.product()
    if number is not None:
        yield _line("product", f"{number}, firmware version {image.product_version}")
    elif image.product_id in _NO_PRODUCT:
        yield _line("product", "none")
    else:
        yield _line("product", f"none (it names the platform), firmware version {image.product_version}")


def _inner_lines(image: Image) -> Iterator[str]:
    if not wrapping.is_compressed(image):
        return
    try:
        module = wrapping.inner(image)
        size = len(wrapping.unpacked(image))
    except BadImage as error:
        yield _line("unpacked", f"no: {error}")
        return
    what = f"{title(module)}, version {_version(module.function, module.version)}, " if module else ""
    yield _line("unpacked", f"{what}{size} bytes")


def _extension(one: Extension) -> str:
    words = _EXTENSIONS.get(one.type)
    return words(one.payload) if words else f"extension {one.type:#06x} of {len(one.payload)} bytes, unknown here"


def _location(payload: bytes) -> str:
    places = [int.from_bytes(payload[at : at + 4], "little") for at in range(0, 12, 4)]
    return "dynamic location {:#x}, dynalib {:#x} from {:#x}".format(*places)


def _security(payload: bytes) -> str:
    mode = {0: "none", 1: "protected"}.get(payload[0] if payload else 0, f"unknown ({payload[:1].hex()})")
    return f"security mode: {mode}" + (f", certificate of {len(payload) - 1} bytes" if len(payload) > 1 else "")


_ASSET_TYPES = {0: "ordinary asset", 1: "environment of the application", 2: "snapshot of the environment"}
_EXTENSIONS: Mapping[int, Callable[[bytes], str]] = {
    tables.EXTENSION_DYNAMIC_LOCATION: _location,
    tables.EXTENSION_SECURITY_MODE: _security,
    tables.EXTENSION_HASH: lambda payload: f"content hash {payload[2:].hex()[:12]}…",
    tables.EXTENSION_NAME: lambda payload: f"name {printable(payload.decode('utf-8', 'replace'))}",
    tables.EXTENSION_ASSET_TYPE: lambda payload: _ASSET_TYPES.get(
        payload[0] if payload else -1, "asset of unknown type"
    ),
}


def _of(image: Image, kind: int) -> Iterator[Extension]:
    return (one for one in image.extensions if one.type == kind)


def _is_system(dependency: Dependency) -> bool:
    return dependency.function == ModuleFunction.SYSTEM_PART


def _version(function: int, version: int) -> str:
    if function != ModuleFunction.SYSTEM_PART:
        return str(version)
    release = release_text(version)
    return f"{version} (Device OS {release})" if release else f"{version} (a release this program does not list)"


def _needed(dependency: Dependency) -> str:
    return f"version {_version(dependency.function, dependency.version)} or newer"


def _line(head: str, words: str) -> str:
    return f"  {head.ljust(_WIDTH)} {words}"
