"""Leaves a module in the unit's update slot, from where the next boot installs it. Reference firmware-and-dfu 4.6.

Sets the setup-done flag too, where the Device OS has no request for it (firmware-and-dfu 2.6).

For units whose Device OS takes no updates by request: its bootloader goes no other way, as nothing may be written to
the place where it runs. The Device OS that boots next looks into the slot, so it has to stand already.
"""

from __future__ import annotations

from ..clock import CancelToken
from ..errors import ReadBackDiffers
from ..guard import Permit
from ..platforms import OsVersion
from ..wire.dfu import host
from ..wire.image.host import Image
from .dfu import TRIES, DfuDevice
from .dialogue import Progress, no_progress
from .flashing import PAGE


class StagingDevice(DfuDevice):
    """A unit in DFU mode that takes more than modules for their own place: one for its next boot, or a flag."""

    def stage_update(
        self, image: Image, device_os: OsVersion, on_progress: Progress = no_progress, cancel: CancelToken | None = None
    ) -> None:
        """Write ``image`` into the slot of ``device_os``, read it back, and set the flag: last, as it makes it count.

        Whether it was installed is said by the unit afterwards and by nothing here: the flag is cleared first, and a
        module that does not fit is passed over in silence. Cancelled between pages only. Raises as `write_module`.
        """
        with (
            self._transport.guard.permit_update(image, device_os) as (slot, flag),
            self._in_whole_pages(cancel or self.cancel, on_progress) as between,
        ):
            self._put(slot, between)
            self._put(flag, no_progress)

    def set_setup_done(self) -> None:
        """Write the setup-done flag into the configuration memory and read it back. Raises as `write_module`."""
        with self._transport.guard.permit_setup_done() as flag:
            self._put(flag, no_progress)

    def _put(self, permit: Permit, on_progress: Progress) -> None:
        """Write what ``permit`` allows and read it back, again from the first erase on where that differs."""
        for left in reversed(range(TRIES)):
            with self._recovering(left == 0, permit.alternate):
                self._select(permit.alternate)
                for page in sorted(permit.pages):
                    self._run(host.erase(page), f"dfu erase {page:#010x}")
                for at in range(0, len(permit.content), PAGE):
                    piece, address = permit.content[at : at + PAGE], permit.start + at
                    self._run(host.write_block(address, piece), f"dfu write {len(piece)} bytes at {address:#010x}")
                    on_progress((at + len(piece)) / len(permit.content))
            if self.read(permit.alternate, permit.start, len(permit.content)) == permit.content:
                return
        raise ReadBackDiffers(
            f"{permit.what}: flash differs from what was written at {permit.start:#010x}; replace the unit",
            address=permit.start,
        )
