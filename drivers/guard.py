"""The write guard: a default-deny filter under every transfer to a unit in DFU mode.

From the transfers alone it tracks which memory is selected, the value of the address pointer and
which operation the unit has accepted but not begun. An erase or a data block passes only if it lies
inside a range covered by an open *permit*, and permits exist only for modules the platform
table allows. Anything uncertain is forbidden: after a failed or unanswered transfer the
memory must be selected and the address set again.

Rules 1 and 2 of reference firmware-and-dfu: the units do not protect themselves.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .errors import BadImage, RemoteProtocolError, WriteRefused
from .platforms import ModuleFunction, OsVersion, Platform, Region, Via, WritePolicy, os_version_of_module
from .wire.dfu.host import block_address
from .wire.dfu.tables import (
    CLASS_IN,
    CLASS_OUT,
    COMMAND_BLOCK,
    FIRST_BLOCK,
    INTERFACE,
    SETUP_DONE,
    TRANSFER_SIZE,
    UPDATE_WAITS,
    DfuRequest,
    DfuseCommand,
    DfuState,
    DfuStatusCode,
)
from .wire.dfu.transfers import parse_state, parse_status
from .wire.image.host import Image, parse_image
from .wire.image.tables import FLAG_COMBINED, FLAG_COMPRESSED, FLAG_DROP_PREFIX, FLAG_ENCRYPTED
from .wire.usb import STANDARD_IN, TO_DEVICE, TO_INTERFACE, Setup, StandardRequest

INTERNAL_FLASH, CONFIGURATION_MEMORY = 0, 1
"""Alternate settings, the same on every platform (reference usb-and-serial 2.8)."""
EXTRA_COMMANDS = frozenset({DfuseCommand.ENTER_SAFE_MODE, DfuseCommand.CLEAR_OVERRIDE})
"""The only one-byte commands that can pass, and only if the caller allows them by name."""

_HARMLESS = frozenset({
    (kind, request)
    for kind in STANDARD_IN
    for request in StandardRequest
    if request not in (StandardRequest.SET_CONFIGURATION, StandardRequest.SET_INTERFACE)
})  # fmt: skip
"""Standard IN requests that only read: status, descriptors, configuration, interface."""
_SET_CONFIGURATION = (TO_DEVICE, StandardRequest.SET_CONFIGURATION)
_SET_INTERFACE = (TO_INTERFACE, StandardRequest.SET_INTERFACE)
_RESTING = frozenset({DfuState.IDLE, DfuState.DNLOAD_IDLE, DfuState.UPLOAD_IDLE, DfuState.ERROR})
_UNPLAIN = FLAG_COMPRESSED | FLAG_COMBINED | FLAG_ENCRYPTED


@dataclass(frozen=True, slots=True)
class Permit:
    """What writing one module may touch: exact bytes at one address, and whole pages to erase."""

    what: str
    alternate: int
    start: int
    content: bytes
    pages: frozenset[int]  # start addresses

    @property
    def end(self) -> int:
        return self.start + len(self.content)

    def allows_erase(self, alternate: int, page: int) -> bool:
        """Return whether the page that starts at ``page`` of memory ``alternate`` may be erased."""
        return alternate == self.alternate and page in self.pages

    def allows_write(self, alternate: int, address: int, data: bytes) -> bool:
        """Return whether ``data`` is exactly what the module has at ``address``."""
        at = address - self.start
        return alternate == self.alternate and at >= 0 and self.content[at : at + len(data)] == data


class _Pending(enum.Enum):
    """An operation the unit holds and runs at the next GETSTATUS."""

    NONE = enum.auto()
    UNKNOWN = enum.auto()  # a fresh handle: an earlier host may have left one
    ADDRESS = enum.auto()  # a set-address that may have been lost in transit
    ADDRESS_TAKEN = enum.auto()  # a set-address the unit has certainly accepted
    WRITE = enum.auto()  # an erase or a data block that was let through
    LEAVE = enum.auto()  # a zero-length DNLOAD or an allowed one-byte command


class WriteGuard:
    """One unit's guard, for one opened handle. Not thread-safe, like the handle.

    A transport calls `check` before each transfer (it raises `WriteRefused`, and then nothing may be
    sent) and `observe` after each one that succeeded. A transfer that failed is not observed.
    """

    def __init__(self, platform: Platform, *, allow_commands: frozenset[DfuseCommand] = frozenset()) -> None:
        if not allow_commands <= EXTRA_COMMANDS:
            raise WriteRefused(f"commands {sorted(allow_commands - EXTRA_COMMANDS)} can never be allowed")
        self._platform = platform
        self._allow_commands = allow_commands
        self._permits: list[Permit] = []
        self.forget()

    def forget(self) -> None:
        """Discard all tracked state, as on a fresh handle. Permits stay open."""
        self._alternate: int | None = None
        self._pointer: int | None = None
        self._next_pointer: int | None = None
        self._pending = _Pending.UNKNOWN

    # --- permits --------------------------------------------------------------------------

    def allow_module(self, image: Image) -> Permit:
        """Make the permit for writing ``image`` to its own address.

        The bytes are parsed again here: an `Image` built elsewhere proves nothing. Raises
        `WriteRefused` when platform, function, index, address or length do not match a row of the
        platform table that may be written over DFU.
        """
        image = self._parsed(image)
        region = self._region_of(image)
        content, start = image.flash_bytes, image.flash_address
        if start + len(content) > region.end:
            raise WriteRefused(
                f"{image.describe()} would end at {start + len(content):#010x}, its place ends at {region.end:#010x}"
            )
        pages = self._platform.memory(region.alt).sector_starts(start, start + len(content))
        return Permit(image.describe(), region.alt, start, content, frozenset({*pages, *region.also_erase}))

    def allow_update(self, image: Image, device_os: OsVersion) -> tuple[Permit, Permit]:
        """Make the permits for leaving ``image`` in the slot ``device_os`` looks into at boot, and for its flag.

        Only a bootloader, whole and unchanged, and only into that one slot (reference firmware-and-dfu 4.6). Raises
        `WriteRefused`.
        """
        image, row = self._parsed(image), self._platform
        home, slot = row.slot(image.function, image.index), row.ota_slot(device_os)
        flag = next((field for field in row.dct_fields if field.name == "ota_update_flag"), None)
        if home is None or image.function != ModuleFunction.BOOTLOADER or home.via is not Via.OTA:
            raise WriteRefused(f"{image.describe()} does not go into the update slot; it is written to its own place")
        if not home.has_prefix_at(image.prefix_offset) or image.start != home.start or len(image.data) > home.max_size:
            raise WriteRefused(f"{image.describe()} has no place on {row.name}; choose the right file")
        if slot is None or flag is None or len(image.data) > slot.size:
            raise WriteRefused(f"{image.describe()} has no update slot on a {row.name} with Device OS {device_os}")
        end = slot.start + len(image.data)
        pages = frozenset(row.memory(slot.alt).sector_starts(slot.start, end))
        return (
            Permit(f"{image.describe()} in the update slot", slot.alt, slot.start, image.data, pages),
            Permit(
                "the flag of a waiting update", CONFIGURATION_MEMORY, flag.offset, bytes([UPDATE_WAITS]), frozenset()
            ),
        )

    def _parsed(self, image: Image) -> Image:
        try:
            image = parse_image(image.data, image.name)
            image.check()
        except BadImage as error:
            raise WriteRefused(f"not written: {error}") from error
        if image.flags & _UNPLAIN:
            raise WriteRefused(f"{image.describe()} is compressed; it can only go as a control-request update")
        if image.platform_id != self._platform.id:
            raise WriteRefused(
                f"{image.describe()} is for platform {image.platform_id}, "
                f"this unit is {self._platform.name} ({self._platform.id}); choose the right file"
            )
        return image

    def _region_of(self, image: Image) -> Region:
        slot = self._platform.slot(image.function, image.index)
        if slot is not None and slot.via is not Via.DFU:
            raise WriteRefused(f"{image.describe()} is never written raw over DFU; send it as a control-request update")
        if slot is None or not slot.has_prefix_at(image.prefix_offset) or slot.drop_prefix != _drops_prefix(image):
            raise WriteRefused(f"{image.describe()} has no place on {self._platform.name}; choose the right file")
        homes: list[Region] = []
        for region in self._platform.regions:
            start = region.end - len(image.flash_bytes) if slot.is_right_aligned else region.start
            is_home = (image.function, image.index) in region.modules and region.start <= start == image.flash_address
            if is_home and region.write is WritePolicy.DFU:
                homes.append(region)
        if homes:  # the oldest comes last; the first is for what nobody listed
            return next((one for one in reversed(homes) if _was_there_for(one, image)), homes[0])
        raise WriteRefused(
            f"{image.describe()} says it starts at {image.flash_address:#010x}; "
            f"no module of that kind and length starts there on {self._platform.name}; choose the right file"
        )

    @contextlib.contextmanager
    def permit(self, image: Image) -> Iterator[Permit]:
        """Allow ``image`` to be erased and written while the ``with`` block runs; raises `WriteRefused`."""
        permit = self.allow_module(image)
        with self._open(permit):
            yield permit

    @contextlib.contextmanager
    def permit_update(self, image: Image, device_os: OsVersion) -> Iterator[tuple[Permit, Permit]]:
        """Allow what `allow_update` makes permits for while the ``with`` block runs; raises `WriteRefused`."""
        permits = self.allow_update(image, device_os)
        with self._open(*permits):
            yield permits

    @contextlib.contextmanager
    def permit_setup_done(self) -> Iterator[Permit]:
        """Allow the one byte that says setup is done while the ``with`` block runs; raises `WriteRefused`."""
        field = self._platform.setup_done_field
        if field is None:
            raise WriteRefused(
                f"{self._platform.name} keeps no setup-done flag that DFU may write; nothing was written"
            )
        permit = Permit("the setup-done flag", CONFIGURATION_MEMORY, field.offset, SETUP_DONE, frozenset())
        with self._open(permit):
            yield permit

    @contextlib.contextmanager
    def _open(self, *permits: Permit) -> Iterator[None]:
        self._permits.extend(permits)
        try:
            yield
        finally:
            for permit in permits:
                self._permits.remove(permit)

    # --- before a transfer ------------------------------------------------------------------

    def check(self, setup: Setup, data: bytes = b"") -> None:
        """Raise `WriteRefused` unless this transfer is safe; otherwise record it as sent."""
        if not setup.is_in and setup.length != len(data):
            raise self._refused(setup, f"it announces {setup.length} bytes and carries {len(data)}")
        kind = (setup.request_type, setup.request)
        rule = _RULES.get(kind)
        if rule is not None:
            rule(self, setup, data)
        elif kind not in _HARMLESS:
            raise self._refused(setup, "it is no request a unit in DFU mode needs")

    def _check_set_configuration(self, setup: Setup, data: bytes) -> None:
        if (setup.value, setup.index, len(data)) != (1, 0, 0):
            raise self._refused(setup, "only configuration 1 exists")
        self.forget()

    def _check_set_interface(self, setup: Setup, data: bytes) -> None:
        if setup.index != INTERFACE or data:
            raise self._refused(setup, "only interface 0 exists")
        if self._pending is not _Pending.NONE:
            raise self._refused(setup, "an operation may be pending and would run in the other memory; ABORT first")
        self._alternate = None

    def _check_get_status(self, setup: Setup, _data: bytes) -> None:
        self._require_interface(setup)
        if self._pending is _Pending.UNKNOWN:
            raise self._refused(setup, "an earlier host may have left an operation pending; ABORT first")

    def _check_reset_of_state(self, setup: Setup, data: bytes) -> None:
        """Allow ABORT and CLRSTATUS; what is pending stays pending until one of them has succeeded."""
        self._require_interface(setup)
        if data:
            raise self._refused(setup, "it takes no data")

    def _check_upload(self, setup: Setup, _data: bytes) -> None:
        self._require_interface(setup)

    def _check_dnload(self, setup: Setup, data: bytes) -> None:
        self._require_interface(setup)
        if len(data) > TRANSFER_SIZE:
            raise self._refused(setup, f"a block has at most {TRANSFER_SIZE} bytes")
        if self._pending is not _Pending.NONE:
            raise self._refused(setup, "an operation is pending already; GETSTATUS or ABORT first")
        if not data:
            self._pending = _Pending.LEAVE
        elif setup.value == COMMAND_BLOCK:
            self._check_command(setup, data)
        else:
            self._check_block(setup, data)

    def _check_command(self, setup: Setup, data: bytes) -> None:
        address = int.from_bytes(data[1:], "little")
        if len(data) == 5 and data[0] == DfuseCommand.SET_ADDRESS:
            self._next_pointer, self._pointer = address, None
            self._pending = _Pending.ADDRESS
        elif len(data) == 5 and data[0] == DfuseCommand.ERASE:
            self._check_erase(setup, address)
            self._pointer = None  # Gen 2 takes the address of an erase for its pointer
            self._pending = _Pending.WRITE
        elif len(data) == 1 and data[0] in self._allow_commands:
            self._pending = _Pending.LEAVE
        else:
            raise self._refused(setup, f"command {data[:8].hex(' ')} is not one this station sends")

    def _check_erase(self, setup: Setup, address: int) -> None:
        if self._alternate is None:
            raise self._refused(setup, "it is not certain which memory is selected; select it again")
        memory = self._platform.memory(self._alternate)
        page = memory.sector(address).start if memory.start <= address < memory.end else address
        if not any(permit.allows_erase(self._alternate, page) for permit in self._permits):
            raise self._refused(setup, f"nobody may erase the page {page:#010x} of {memory.name} now")

    def _check_block(self, setup: Setup, data: bytes) -> None:
        if setup.value < FIRST_BLOCK:
            raise self._refused(setup, "data block 1 is illegal")
        if self._alternate is None or self._pointer is None:
            raise self._refused(setup, "memory or address are not certain; select and set them again")
        address = block_address(self._pointer, setup.value)
        if not any(permit.allows_write(self._alternate, address, data) for permit in self._permits):
            memory = self._platform.memory(self._alternate).name
            raise self._refused(setup, f"nobody may write those {len(data)} bytes at {address:#010x} of {memory} now")
        self._pending = _Pending.WRITE

    def _require_interface(self, setup: Setup) -> None:
        if setup.index != INTERFACE:
            raise self._refused(setup, "only interface 0 exists")

    def _refused(self, setup: Setup, why: str) -> WriteRefused:
        return WriteRefused(f"transfer {setup.to_bytes().hex(' ')} to a unit in DFU mode was not sent: {why}")

    # --- after a transfer ---------------------------------------------------------------------

    def observe(self, setup: Setup, reply: bytes = b"") -> None:
        """Record a transfer that succeeded; ``reply`` is the data of an IN transfer."""
        note = _NOTES.get((setup.request_type, setup.request))
        if note is not None:
            note(self, setup, reply)

    def _note_set_interface(self, setup: Setup, _reply: bytes) -> None:
        known = {row.alt for row in self._platform.memories}
        self._alternate = setup.value if setup.value in known else None

    def _note_dnload(self, _setup: Setup, _reply: bytes) -> None:
        if self._pending is _Pending.ADDRESS:
            self._pending = _Pending.ADDRESS_TAKEN

    def _note_reset_of_state(self, _setup: Setup, _reply: bytes) -> None:
        self._pending = _Pending.NONE

    def _note_status(self, _setup: Setup, reply: bytes) -> None:
        try:
            status = parse_status(reply)
        except RemoteProtocolError:
            return  # nothing learned; the caller that parses the reply reports it
        self._settled_in(status.state, is_ok=status.status is DfuStatusCode.OK)

    def _note_state(self, _setup: Setup, reply: bytes) -> None:
        with contextlib.suppress(RemoteProtocolError):
            state = parse_state(reply)
            if self._pending is _Pending.UNKNOWN and state in _RESTING:
                self._pending = _Pending.NONE

    def _settled_in(self, state: DfuState, *, is_ok: bool) -> None:
        """Clear what was pending once the unit has left its busy states: it has run, failed or been dropped."""
        if state in (DfuState.DNLOAD_SYNC, DfuState.DNBUSY, DfuState.MANIFEST_SYNC):
            return
        if self._pending is _Pending.ADDRESS_TAKEN and is_ok and state is DfuState.DNLOAD_IDLE:
            self._pointer = self._next_pointer
        self._next_pointer = None
        self._pending = _Pending.NONE


_Rule = Callable[[WriteGuard, Setup, bytes], None]

_RULES: dict[tuple[int, int], _Rule] = {
    _SET_CONFIGURATION: WriteGuard._check_set_configuration,
    _SET_INTERFACE: WriteGuard._check_set_interface,
    (CLASS_OUT, DfuRequest.DNLOAD): WriteGuard._check_dnload,
    (CLASS_OUT, DfuRequest.CLRSTATUS): WriteGuard._check_reset_of_state,
    (CLASS_OUT, DfuRequest.ABORT): WriteGuard._check_reset_of_state,
    (CLASS_IN, DfuRequest.UPLOAD): WriteGuard._check_upload,
    (CLASS_IN, DfuRequest.GETSTATUS): WriteGuard._check_get_status,
    (CLASS_IN, DfuRequest.GETSTATE): WriteGuard._check_upload,
}

_NOTES: dict[tuple[int, int], _Rule] = {
    (CLASS_OUT, DfuRequest.DNLOAD): WriteGuard._note_dnload,
    _SET_INTERFACE: WriteGuard._note_set_interface,
    (CLASS_OUT, DfuRequest.CLRSTATUS): WriteGuard._note_reset_of_state,
    (CLASS_OUT, DfuRequest.ABORT): WriteGuard._note_reset_of_state,
    (CLASS_IN, DfuRequest.GETSTATUS): WriteGuard._note_status,
    (CLASS_IN, DfuRequest.GETSTATE): WriteGuard._note_state,
}


def _was_there_for(region: Region, image: Image) -> bool:
    """Return whether units had ``region`` with the Device OS of a system part, by the table of releases."""
    device_os = os_version_of_module(image.version) if image.function == ModuleFunction.SYSTEM_PART else None
    return device_os is not None and OsVersion.parse(device_os) in region.exists


def _drops_prefix(image: Image) -> bool:
    return bool(image.flags & FLAG_DROP_PREFIX)
