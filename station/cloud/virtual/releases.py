"""The virtual cloud's Device OS releases: the synthetic ones, as the vendor lists and serves its own.

Reference cloud-api 6.2, firmware-and-dfu 4.2.
"""

from __future__ import annotations

import functools

from drivers.errors import UnknownPlatform
from drivers.platforms import ModuleFunction, platforms, release_of
from drivers.virtual import synthetic
from drivers.virtual.synthetic import SyntheticFile
from drivers.wire.image.tables import CRC_SIZE, PREFIX

from .ask import Ask, Refuse, Reply

_PREFIX_AT = (0, 0x20, 0x184, 0x200)
_NONE = {"ok": False, "error": "Device OS version not found"}


@functools.lru_cache(maxsize=32)
def _files(platform_id: int, version: str) -> tuple[SyntheticFile, ...]:
    """Make a release as it is listed: with its application, and with what no tool ever flashes."""
    made = (*synthetic.release(platform_id, version), synthetic.application(platform_id, version))
    return (*made, *(file for _, file in synthetic.burnt_in(platform_id)))


def get_device_os(ask: Ask) -> Reply:
    """Return one release by version, module version or ``latest``; 404 if there is none for that platform."""
    platform_id, asked = ask.query.get("platform_id", ""), ask.params["version"]
    version = _version(int(platform_id), asked) if platform_id.isdecimal() else None
    if version is None:
        raise Refuse(404, _NONE)
    released = release_of(version)
    modules = [_module(file) for file in _files(int(platform_id), version)]
    return Reply(200, {
        "version": version, "internal_version": released.system_version if released else None,
        "base_url": f"{ask.base_url}/v1/firmware/device-os/v{version}", "modules": modules,
    })  # fmt: skip


def _version(platform_id: int, asked: str) -> str | None:
    try:
        made = synthetic.versions(platform_id)
    except UnknownPlatform:
        return None
    if asked == "latest":
        return made[-1]
    names = {str(row.system_version): name for name in made if (row := release_of(name)) is not None}
    return names.get(asked, asked.removeprefix("v") if asked.removeprefix("v") in made else None)


def _module(file: SyntheticFile) -> dict[str, object]:
    crc = file.data[-CRC_SIZE:].hex()
    return {
        "filename": file.name, "crc": {"ok": True, "storedCrc": crc, "actualCrc": crc}, "prefixInfo": _prefix(file.data)
    }  # fmt: skip


def _prefix(data: bytes) -> dict[str, object]:
    """Read the header where the file's length agrees with its addresses."""
    for at in _PREFIX_AT:
        start, end, _, _, version, platform_id, function, index, *_ = PREFIX.unpack_from(data, at)
        if end - start + CRC_SIZE == len(data):
            return {
                "moduleFunction": ModuleFunction(function).name.lower(), "moduleIndex": index,
                "moduleVersion": version, "platformID": platform_id,
            }  # fmt: skip
    raise AssertionError("a synthetic file without a header")


def get_device_os_file(ask: Ask) -> Reply:
    """Return the bytes of one file; its name says for which platform it is."""
    version, name = ask.params["version"].removeprefix("v"), ask.params["file"]
    slug = name.removeprefix("synthetic-").partition("-")[0]
    for row in platforms():
        if row.slug == slug and version in synthetic.versions(row.id):
            found = next((file for file in _files(row.id, version) if file.name == name), None)
            if found is not None:
                return Reply(200, found.data)
    raise Refuse(404, {"error": "Not Found"})
