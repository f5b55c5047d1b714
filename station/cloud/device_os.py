"""Device OS releases as the cloud lists them: which files one has for a platform, and where they are. Pure.

Reference firmware-and-dfu 4.2, cloud-api 6.2. The answer is untrusted: names are names, never paths, and where its
files may be fetched from is for `download.check_address` to decide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from .body import Answer, Fields
from .call import Call
from .errors import BadAnswer
from .evidence import Route

MAX_FILES = 64
_NAME = re.compile(r"[\w@+-][\w.@+-]{0,119}", re.ASCII)
_APPLICATIONS = ("user_part", 5)  # as text here, as a number inside files
_CRC = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """One file of a release. ``crc``: its CRC-32 in 8 lower-case digits, "" where the cloud names none.

    ``is_application``: the cloud lists it as one. The vendor's update tool drops those, we keep them.
    """

    name: str
    crc: str
    is_application: bool = False


@dataclass(frozen=True, slots=True)
class DeviceOsRelease:
    """A Device OS release for one platform."""

    version: str
    base_url: str
    files: tuple[ReleaseFile, ...]

    def address(self, file: ReleaseFile) -> str:
        """Return the URL of a file of this release."""
        return f"{self.base_url.rstrip('/')}/{quote(file.name, safe='')}"


def device_os(version: str, platform_id: int) -> Call[DeviceOsRelease]:
    """Ask for one release: ``version`` is ``latest``, a version, or a system part's module version."""
    what = f"look up Device OS {version} for platform {platform_id}"

    def reader(answer: Answer) -> DeviceOsRelease:
        release = _read(answer, what)
        is_version = "." in version
        if is_version and release.version.removeprefix("v") != version.removeprefix("v"):
            raise BadAnswer(f"{what}: the cloud answered with {release.version or 'no version'}; try again")
        return release

    path = f"/v1/device-os/versions/{quote(version, safe='')}?platform_id={platform_id}"
    return Call(Route.DEVICE_OS, "GET", path, what, reader)


def _read(answer: Answer, what: str) -> DeviceOsRelease:
    fields = Fields(answer.body, what)
    rows = fields.get("modules")
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_FILES:
        raise BadAnswer(f"{what}: the cloud lists no files of it, or more than {MAX_FILES}; try again")
    files = tuple(_file(Fields(row, what), what) for row in rows)
    if len({file.name for file in files}) < len(files):
        raise BadAnswer(f"{what}: the cloud lists a file twice; try again")
    base_url = fields.text("base_url", required=True)
    if "?" in base_url or "#" in base_url:
        raise BadAnswer(
            f"{what}: the cloud says its files are at {base_url[:80]!r}, expected a folder; nothing was fetched"
        )
    return DeviceOsRelease(fields.text("version", required=True), base_url, files)


def _file(fields: Fields, what: str) -> ReleaseFile:
    name = fields.text("filename", required=True)
    if not _NAME.fullmatch(name):
        raise BadAnswer(f"{what}: the cloud lists a file {name[:40]!r}, expected a plain name; nothing was fetched")
    crc = Fields(fields.get("crc") or {}, what)
    told = {text for text in (crc.text("storedCrc"), crc.text("actualCrc")) if text}
    if len(told) > 1 or crc.get("ok") is False:
        raise BadAnswer(f"{what}: the cloud says itself that its {name} is damaged; take another release")
    if any(not _CRC.fullmatch(text) for text in told):
        raise BadAnswer(f"{what}: the CRC-32 of {name} is not 8 hexadecimal digits in lower case; try again")
    function = Fields(fields.get("prefixInfo") or {}, what).get("moduleFunction")
    return ReleaseFile(name, next(iter(told), ""), function in _APPLICATIONS)
