"""The virtual cloud's Device OS releases: the synthetic ones, as the vendor lists and serves its own.

Reference cloud-api 6.2, firmware-and-dfu 4.2.
"""

from __future__ import annotations

import functools

from drivers.errors import UnknownPlatform
from drivers.platforms import ModuleFunction, platform, platforms, release_of
from drivers.virtual import synthetic
from drivers.virtual.synthetic import SyntheticFile
from drivers.virtual.world import ModuleVersion
from drivers.wire.image.tables import CRC_SIZE

from .ask import Ask, Refuse, Reply, page_of
from .firmware import prefix_of
from .refusals import Refusal

_APPLICATIONS = {"tracker": "tracker-edge"}
"""What a release has in place of Tinker (firmware-and-dfu 4.1)."""


@functools.lru_cache(maxsize=32)
def _files(platform_id: int, version: str) -> tuple[SyntheticFile, ...]:
    """Make a release as it is listed: with its application, and with what no tool ever flashes."""
    seed = _APPLICATIONS.get(platform(platform_id).slug, "tinker")
    made = (*synthetic.release(platform_id, version), synthetic.application(platform_id, version, seed=seed))
    return (*made, *(file for _, file in synthetic.burnt_in(platform_id)))


@functools.lru_cache(maxsize=64)
def module_for(platform_id: int, need: ModuleVersion) -> bytes | None:
    """Return the module that meets ``need`` from the oldest release that has one; None if there is none."""
    for version in synthetic.versions(platform_id):
        for file in synthetic.release(platform_id, version):
            header = prefix_of(file.data)
            if header is not None and header[2:] == need.kind and header[0] >= need.version:
                return file.data
    return None


def get_device_os(ask: Ask) -> Reply:
    """Return one release by version, module version or ``latest``; 404 if there is none for that platform."""
    platform_id, asked = ask.query.get("platform_id", ""), ask.params["version"]
    version = _version(int(platform_id), asked) if platform_id.isdecimal() else None
    if version is None:
        raise Refuse(Refusal.NO_DEVICE_OS)
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
    header = prefix_of(data)
    assert header is not None, "a synthetic file without a header"
    version, platform_id, function, index = header
    return {
        "moduleFunction": ModuleFunction(function).name.lower(), "moduleIndex": index, "moduleVersion": version,
        "platformID": platform_id,
    }  # fmt: skip


def list_device_os(ask: Ask) -> Reply:
    """List the releases of a platform, the newest first, page by page; with ``internal_version`` only that one."""
    platform_id, internal = ask.query.get("platform_id", ""), ask.query.get("internal_version")
    try:
        made = synthetic.versions(int(platform_id)) if platform_id.isdecimal() else ()
    except UnknownPlatform:
        made = ()
    rows = [_release_json(version) for version in reversed(made)]
    page = page_of(ask, [row for row in rows if internal in (None, str(row["internal_version"]))])
    return Reply(200, {"versions": page.rows, "meta": page.meta})


def _release_json(version: str) -> dict[str, object]:
    released = release_of(version)
    return {
        "version": version, "internal_version": released.system_version if released else None,
        "release_state": "preview" if "-" in version else "ga",
    }  # fmt: skip


def list_build_targets(_: Ask) -> Reply:
    """List which releases exist for which platforms (6.2)."""
    made = {row.id: synthetic.versions(row.id) for row in platforms()}
    versions = dict.fromkeys(version for each in made.values() for version in each)
    return Reply(200, {
        "targets": [
            {
                "version": version, "prereleases": [], "firmware_vendor": "Particle",
                "platforms": [platform_id for platform_id, each in made.items() if version in each],
            }
            for version in versions
        ],
        "platforms": {row.name: row.id for row in platforms()},
        "default_versions": {str(platform_id): each[-1] for platform_id, each in made.items()},
    })  # fmt: skip


def get_device_os_file(ask: Ask) -> Reply:
    """Return the bytes of one file; its name says for which platform it is."""
    version, name = ask.params["version"].removeprefix("v"), ask.params["file"]
    slug = name.removeprefix("synthetic-").partition("-")[0]
    for row in platforms():
        if row.slug == slug and version in synthetic.versions(row.id):
            found = next((file for file in _files(row.id, version) if file.name == name), None)
            if found is not None:
                return Reply(200, found.data)
    raise Refuse(Refusal.NO_FILE)
