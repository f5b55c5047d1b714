"""Which version of the product's firmware the cloud brings a unit to, and its file. Rules D2 D5 D8.

Known before the first write: by the profile (its lock, its groups), by what is released, and by the unit's own record.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from drivers.clock import CancelToken, Clock, Deadline
from drivers.errors import DriverError
from drivers.platforms import ModuleFunction
from drivers.wire.image.host import Image

from ...cloud import firmware_api
from ...cloud.answers import CloudDevice
from ...cloud.call import ProductRef
from ...cloud.client import CloudClient
from ...cloud.errors import BadAnswer
from ...cloud.firmware_api import FirmwareVersion
from ...errors import BadInput, StepFault
from ...firmware.contents import read_content
from ...settings.profile import Profile
from ...words.say import Say
from .cloud_sections import Difference, FirmwareLock, Groups, Release

KEPT_S = 300.0
"""How long the list of releases is believed. A unit's own record is read later, and counts more."""
NO_VERSION = (None, 0, 0xFFFF)
"""What an application carries that was built for no version of a product."""


class NotReleased(StepFault):
    """The cloud has nothing to bring units of this profile to: for the supervisor to mend, or to say otherwise."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The version a unit is to run in the end, and ``flashed``, what the profile's file says it is (None: nothing)."""

    version: int
    flashed: int | None

    @property
    def is_sent(self) -> bool:
        """Return whether the cloud will send it over the air, as versions are compared for equality (D2)."""
        return self.version != self.flashed

    def __str__(self) -> str:
        if not self.is_sent:
            return f"the cloud wants version {self.version}, which is flashed"
        flashes = f"version {self.flashed}" if self.flashed else "firmware without a version"
        return f"the cloud wants version {self.version}, the profile flashes {flashes}: it comes over the air"


def version_of(application: Image | None) -> int | None:
    """Return the version of the product's firmware that a file says it is."""
    found = application.product_version if application is not None else None
    return None if found in NO_VERSION else found


def wanted(
    profile: Profile,
    versions: Collection[FirmwareVersion],
    application: Image | None,
    record: CloudDevice | None = None,
) -> Wanted:
    """Return what a unit of ``profile`` will be brought to; ``record`` None: one the cloud does not know yet.

    Raises `NotReleased` when nothing is released to it, when its version was not uploaded, and when one is sent that
    the profile refuses.
    """
    lock, groups = profile.section(FirmwareLock), profile.section(Groups)
    locked = lock.version if lock else record.desired_firmware_version if record else None
    among = {*(groups.names if groups else ()), *(record.groups if record else ())}
    version = firmware_api.wanted_version(tuple(versions), lock=locked, groups=among)
    if version is None:
        raise NotReleased(
            f"profile {profile.id}: the product has no released firmware for such a unit; release a version, or remove "
            "[release]", say=Say("not_released"),
        )  # fmt: skip
    if version not in {one.version for one in versions}:
        raise NotReleased(
            f"profile {profile.id}: units are locked to version {version}, which was not uploaded to the product; "
            "upload it, or lock another one", say=Say("not_released"),
        )  # fmt: skip
    found, section = Wanted(version, version_of(application)), profile.section(Release)
    if found.is_sent and section is not None and section.ota is Difference.REFUSE:
        raise NotReleased(
            f"profile {profile.id}: {found}, which it refuses; name the file of version {version} in [firmware]",
            say=Say("not_released"),
        )
    return found


def foresee(
    profile: Profile, ref: ProductRef, applications: Iterable[Image | None], releases: Releases, deadline: Deadline
) -> tuple[Wanted, ...]:
    """Return what units of ``profile`` that the cloud does not know yet are brought to, by the file they are flashed.

    ``ref``: their product. Raises `NotReleased` and `CloudError`.
    """
    versions = releases.versions(ref, deadline)
    return tuple(dict.fromkeys(wanted(profile, versions, application) for application in applications))


def due_now(record: CloudDevice, foreseen: Wanted) -> int:
    """Return what the cloud will bring a member to whose lock and groups are set: its record says so, if it does."""
    return record.desired_firmware_version or record.targeted_firmware_release_version or foreseen.version


class Releases:
    """What a product has released, for all units of a batch: asked rarely, as it changes rarely. Thread-safe."""

    def __init__(self, client: CloudClient, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._lock = threading.Lock()
        self._listed: tuple[float, tuple[FirmwareVersion, ...]] | None = None
        self._images: dict[int, Image] = {}

    def versions(
        self, ref: ProductRef, deadline: Deadline, cancel: CancelToken | None = None, *, lacks: int | None = None
    ) -> tuple[FirmwareVersion, ...]:
        """Return what was uploaded, anew if ``lacks`` is not among what was listed. Raises `CloudError`."""
        with self._lock:
            kept = self._listed
        is_old = kept is None or self._clock.now() - kept[0] >= KEPT_S
        if kept is None or is_old or (lacks is not None and lacks not in {one.version for one in kept[1]}):
            found = self._client.run(firmware_api.firmware(ref), deadline=deadline, cancel=cancel)
            kept = (self._clock.now(), found)
            with self._lock:
                self._listed = kept
        return kept[1]

    def forget(self) -> None:
        """Ask again: what was listed does not fit."""
        with self._lock:
            self._listed = None

    def image(self, ref: ProductRef, version: int, deadline: Deadline, cancel: CancelToken | None = None) -> Image:
        """Return the application of a version as it is delivered. Raises `CloudError`."""
        with self._lock:
            kept = self._images.get(version)
        if kept is None:
            call = firmware_api.firmware_binary(ref, version)
            data = self._client.run(call, deadline=deadline, cancel=cancel)
            kept = _application(data, f"version {version} of the firmware of product {ref}")
            with self._lock:
                self._images[version] = kept
        return kept


def _application(data: bytes, what: str) -> Image:
    try:
        plain = read_content(data, what).plain
    except (BadInput, DriverError) as error:
        raise BadAnswer(f"{what}: the cloud sent a file that is no firmware ({error}); upload it again") from error
    found = next((image for image in plain if image.function == ModuleFunction.USER_PART), None)
    if found is None:
        raise BadAnswer(f"{what}: the cloud sent a file without an application; upload it again")
    return found
