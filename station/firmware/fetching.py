"""Fetches the files of a Device OS release from the cloud into the cache, each checked before it takes a place there.

Its CRC-32 must be that of its content, that at its end and that of the cloud's list, and it must be one plain module
of the platform that was asked for (reference firmware-and-dfu 4.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol

from drivers.platforms import Platform
from drivers.wire.image.host import MAX_FILE_SIZE
from drivers.wire.image.tables import FLAG_ENCRYPTED

from ..cloud.device_os import DeviceOsRelease, ReleaseFile
from ..cloud.download import Progress
from ..errors import BadInput
from .cache import FirmwareCache, Origin
from .contents import Content, Kind, read_content
from .describe import platform_words
from .intake import Arrival, State


class Downloader(Protocol):
    """What fetches the bytes: `station.cloud.download.Downloads`."""

    def get(self, url: str, what: str, most_bytes: int, progress: Progress) -> bytes: ...


def fetch(
    release: DeviceOsRelease, platform: Platform, cache: FirmwareCache, source: Downloader, at: datetime,
    progress: Callable[[str], Progress], whose: str = "the cloud",
) -> Iterator[Arrival]:  # fmt: skip
    """Fetch what the cache does not have yet of ``release``; yields what became of each file, in the cloud's order.

    ``progress`` gives what is told of the bytes of the file of that name; ``whose`` release it is, the cache keeps. A
    file that is refused does not keep the others out. Raises `CloudError` when one cannot be fetched at all,
    `CacheUnwritable` when one cannot be kept; what came before stays, so that the next call goes on from there.
    """
    there = {(one.name, one.content.main.crc.hex()): one for one in cache.of_platform(platform)}
    for file in release.files:
        if (known := there.get((file.name, file.crc))) is not None:
            yield Arrival(file.name, State.THERE, known)
            continue
        data = source.get(release.address(file), file.name, MAX_FILE_SIZE, progress(file.name))
        try:
            content = _checked(data, file, platform)
        except BadInput as error:
            yield Arrival(file.name, State.REFUSED, why=str(error))
            continue
        if content.main.flags & FLAG_ENCRYPTED:
            yield Arrival(file.name, State.LEFT_OUT, why=f"{file.name}, encrypted: no station flashes it")
            continue
        origin = Origin(f"Device OS {release.version} of {whose}", at)
        entry, is_new = cache.add(data, file.name, file.name, origin)
        yield Arrival(file.name, State.ADDED if is_new else State.THERE, entry)


def _checked(data: bytes, file: ReleaseFile, platform: Platform) -> Content:
    """Return what was fetched if it is what the cloud lists; raises `BadInput`."""
    content = read_content(data, file.name)
    image = content.main
    if content.kind is not Kind.MODULE:
        raise BadInput(f"{file.name} holds more than one module; the files of a release hold one each")
    if image.platform_id != platform.id:
        raise BadInput(f"{file.name} is for {platform_words(image.platform_id)}, asked for was {platform.name}")
    if not image.is_crc_valid:
        raise BadInput(f"{file.name} came damaged, its CRC-32 is not the one stored at its end; fetch it again")
    if file.crc and image.crc.hex() != file.crc:
        raise BadInput(
            f"{file.name} has the CRC-32 {image.crc.hex()}, the cloud's list says {file.crc}; fetch it again"
        )
    return content
