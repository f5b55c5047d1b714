"""A unit in DFU mode: reads, writes and verifies modules, and leaves DFU mode.

It uses a guarded transport only and opens a permit for exactly what it is about to
write, so it cannot touch anything else. What should be written is for the caller to decide.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from ..clock import CancelToken, Clock, Deadline
from ..errors import (
    BootloaderStuck,
    Cancelled,
    DeadlineExceeded,
    DeviceRefused,
    DfuFailed,
    DriverError,
    LinkError,
    LocalProtocolError,
    ReadBackDiffers,
    RemoteProtocolError,
    Stalled,
    TransferFailed,
    TransferTimeout,
)
from ..guard import INTERNAL_FLASH
from ..platforms import Platform, platform
from ..transport.guarded import GuardedTransport
from ..wire.actions import Operation
from ..wire.dfu import host, transfers
from ..wire.dfu.memory_map import MemoryLayout, parse_layout
from ..wire.dfu.tables import INTERFACE, PROTECTION_IN_SERVICE, PROTECTION_PROTECTED, PROTECTION_STRING
from ..wire.image.host import FlashHeader, Image, has_valid_crc, parse_flash_header
from ..wire.image.tables import CRC_SIZE, PREFIX_SIZE, PRODUCT_SUFFIX, VECTORS_SIZE
from ..wire.messages.system import Protection
from .dialogue import Progress, Runner, Trace, no_progress, no_trace
from .flashing import PAGE, Block, WritePlan, check_map, plan_write
from .repeating import Repeater

_CONFIGURATION_MEMORY = 1
"""Alternate setting of the configuration memory (DCT) on every platform (reference usb-and-serial 2.8)."""

T = TypeVar("T")

OPERATION_S = 10.0
"""Deadline of one erase, block or status request (reference firmware-and-dfu 1.7)."""
TRIES = 3
"""Tries of erasing and writing one page before the failure counts (reference firmware-and-dfu 1.7)."""
_READ_PIECE = 64 * PAGE
"""Bytes read in one operation, 0.33 s: what comes before and after costs 2 ms, less than 1 % of it."""
_TAIL = PRODUCT_SUFFIX + CRC_SIZE
_HEAD = VECTORS_SIZE + PREFIX_SIZE


class DfuDevice:
    """One opened unit in DFU mode. One owner thread. All methods raise `DriverError` subclasses only.

    ``deadline`` and ``cancel`` apply to every method until they are replaced.
    """

    def __init__(
        self,
        transport: GuardedTransport,
        clock: Clock,
        deadline: Deadline,
        cancel: CancelToken | None = None,
        trace: Trace | None = None,
    ) -> None:
        self.deadline = deadline
        self.cancel = cancel
        self._transport = transport
        self._clock = clock
        self._trace = trace or no_trace
        self._runner = Runner(transport, clock, self._trace)
        self._repeater = Repeater(transport, clock, self._trace)
        self._alternate: int | None = None
        self._layouts: dict[int, MemoryLayout] = {}

    def open(self) -> None:
        """Claim the interface, check the descriptor and abort what an earlier host left pending."""
        self._patiently(lambda: self._transport.claim(INTERFACE), "dfu claim")
        descriptor = self._patiently(
            lambda: transfers.parse_functional_descriptor(self._transport.configuration_descriptor()), "dfu descriptor"
        )
        self._trace(f"dfu open: {descriptor.transfer_size} bytes a transfer, version {descriptor.version:#06x}")
        self._run(host.settle(), "dfu settle")

    def close(self) -> None:
        self._transport.close()

    # --- state ------------------------------------------------------------------------------

    def status(self) -> transfers.DfuStatus:
        """Read the bootloader's status (GETSTATUS)."""
        return self._run(host.status(), "dfu status")

    def go_idle(self) -> None:
        """Leave whatever state an earlier operation ended in; raises `BootloaderStuck`."""
        self._run(host.go_idle(), "dfu go idle")

    def layout(self, alternate: int) -> MemoryLayout:
        """Read the bootloader's memory map of ``alternate``; cached after the first read."""
        if alternate not in self._layouts:
            self._layouts[alternate] = self._patiently(lambda: self._ask_layout(alternate), "dfu memory map")
        return self._layouts[alternate]

    def _ask_layout(self, alternate: int) -> MemoryLayout:
        index = transfers.memory_string(self._transport.configuration_descriptor(), alternate)
        return parse_layout(self._transport.string(index))

    def protection(self) -> Protection:
        """Read whether the unit is under device protection, in which case nothing can be read or written.

        Newer bootloaders report it in a string, older ones only in their memory map (reference firmware-and-dfu 9.1).
        """
        try:
            told = self._patiently(lambda: self._transport.string(PROTECTION_STRING), "dfu protection")
        except Stalled:
            return Protection(is_protected=self.layout(INTERNAL_FLASH).is_protected, is_service_mode=False)
        return Protection(
            is_protected=told in (PROTECTION_PROTECTED, PROTECTION_IN_SERVICE),
            is_service_mode=told == PROTECTION_IN_SERVICE,
        )

    # --- reading ----------------------------------------------------------------------------

    def read(self, alternate: int, address: int, length: int) -> bytes:
        """Read ``length`` bytes (1 or more) of one memory, in at most `TRIES` tries."""
        what = f"dfu read {length} bytes at {address:#010x} of memory {alternate}"

        def read(_attempt: int) -> bytes:
            self._select(alternate)
            return self._run(host.read(address, length), what)

        return self._tried(alternate, read)

    def read_field(self, name: str) -> bytes:
        """Read a field of the configuration memory; raises `LocalProtocolError` where the platform has none."""
        field = next((one for one in self._row.dct_fields if one.name == name), None)
        if field is None:
            raise LocalProtocolError(f"{self._row.name} keeps no {name} in its configuration memory; it was not read")
        return self.read(_CONFIGURATION_MEMORY, field.offset, field.size)

    def held(self, image: Image) -> bool:
        """Return whether flash holds exactly ``image``. Compares the rest only if header and suffix match."""
        content = image.flash_bytes
        for at, length in ((0, min(_HEAD, len(content))), (max(0, len(content) - _TAIL), min(_TAIL, len(content)))):
            if self._flash(image, at, length) != content[at : at + length]:
                return False
        return self._first_difference(image, no_progress) is None

    def newer_than(self, image: Image) -> int | None:
        """Return the version of an intact module in the place of ``image`` if it is newer than ``image``, else None.

        Only for modules with a prefix in flash (reference firmware-and-dfu 6.3). A corrupt one does not count.
        """
        header = self._header(image)
        is_newer = header is not None and header.version > image.version
        return header.version if header is not None and is_newer and self._is_intact(header) else None

    def _header(self, image: Image) -> FlashHeader | None:
        """Read the header of the module in the place of ``image``, at its current or its legacy address.

        One page or less is not a module: from 6.1.2 on a system part has a second header there (7.1).
        """
        slot = self._row.slot(image.function, image.index)
        starts = (slot.start, slot.legacy_start) if slot is not None else ()
        for start in (one for one in starts if one is not None):
            found = parse_flash_header(self.read(INTERNAL_FLASH, start + image.prefix_offset, PREFIX_SIZE))
            if found is None or found.end - found.start <= PAGE:
                continue
            if (found.start, found.platform_id, found.function) == (start, self._row.id, image.function):
                return found
        return None

    def _is_intact(self, header: FlashHeader) -> bool:
        length = header.end - header.start + CRC_SIZE
        pieces = (
            self.read(INTERNAL_FLASH, header.start + at, min(_READ_PIECE, length - at))
            for at in range(0, length, _READ_PIECE)
        )
        return has_valid_crc(b"".join(pieces))

    def verify(self, image: Image, on_progress: Progress = no_progress) -> None:
        """Read ``image`` back and compare every byte; raises `ReadBackDiffers`."""
        address = self._first_difference(image, on_progress)
        if address is not None:
            raise ReadBackDiffers(
                f"{image.describe()}: flash differs from the file at {address:#010x}; "
                "write it again, then replace the unit",
                address=address,
            )

    def _first_difference(self, image: Image, on_progress: Progress) -> int | None:
        content = image.flash_bytes
        for at in range(0, len(content), _READ_PIECE):
            wanted = content[at : at + _READ_PIECE]
            found = self._read_back(image, at, wanted)
            if found != wanted:
                return image.flash_address + at + next(i for i, b in enumerate(wanted) if found[i] != b)
            on_progress((at + len(wanted)) / len(content))
        return None

    def _read_back(self, image: Image, at: int, wanted: bytes) -> bytes:
        """Read flash at offset ``at`` of ``image``. If it differs from ``wanted``, two further reads must match."""
        readings = (self._flash(image, at, len(wanted)) for _ in range(3))
        first = next(readings)
        return first if first == wanted else next((found for found in readings if found != wanted), wanted)

    def _flash(self, image: Image, at: int, length: int) -> bytes:
        return self.read(INTERNAL_FLASH, image.flash_address + at, length)

    # --- writing ----------------------------------------------------------------------------

    def write_module(
        self, image: Image, on_progress: Progress = no_progress, cancel: CancelToken | None = None
    ) -> None:
        """Erase and write ``image`` at its own address, in the order that survives a cut (`plan_write`).

        Pages of older images that the bootloader would prefer to it are erased as well. A page that fails is
        erased and written again, at most `TRIES` times in all. Nothing is read back: call `verify`.
        Raises `WriteRefused` before the first transfer if the image may not go there, and before the first
        erase if the bootloader's own map disagrees; `DeviceRefused` when the unit is protected.
        When cancelled, it finishes the current page and leaves the unit idle.
        """
        with (
            self._transport.guard.permit(image) as permit,
            self._in_whole_pages(cancel or self.cancel, on_progress) as between,
        ):
            check_map(self.layout(permit.alternate), permit, map(self._sector, sorted(permit.pages)))
            self._execute(plan_write(image), between)

    @contextlib.contextmanager
    def _in_whole_pages(self, cancel: CancelToken | None, on_progress: Progress) -> Iterator[Progress]:
        """Defer cancellation to calls of the progress it yields, so that no erase or block is abandoned halfway."""
        self.cancel = None

        def between(share: float) -> None:
            on_progress(share)
            if cancel is not None:
                cancel.check()

        try:
            if cancel is not None:
                cancel.check()
            yield between
        except Cancelled:
            with contextlib.suppress(DriverError):
                self.go_idle()
            raise
        finally:
            self.cancel = cancel

    def _execute(self, plan: WritePlan, on_progress: Progress) -> None:
        self._select(INTERNAL_FLASH)
        for page in plan.first:
            self._erase(page)
        for page in plan.stale:
            self._erase_unless_blank(page)
        done = len(plan.first)
        blank = self._blank(plan.erase)
        for page in plan.erase:
            if page not in blank:
                self._erase(page)
            done += 1
            on_progress(done / plan.operations)
        written: dict[int, list[Block]] = {}
        pointer = None
        for block in plan.blocks:
            same_page = written.setdefault(block.page, [])
            pointer = self._write(block, same_page, pointer)
            same_page.append(block)
            done += 1
            on_progress(done / plan.operations)

    def invalidate(self, image: Image, page: int) -> None:
        """Erase early, unless it is blank, one page that writing ``image`` erases anyway.

        For plans of several modules: the system part is invalidated before the SoftDevice under it is
        touched. Raises `WriteRefused` for a page that does not belong to ``image``.
        """
        with self._transport.guard.permit(image) as permit:
            check_map(self.layout(permit.alternate), permit, map(self._sector, sorted(permit.pages)))
            self._select(INTERNAL_FLASH)
            self._erase_unless_blank(page)

    def _erase_unless_blank(self, page: int) -> None:
        if page not in self._blank((page,)):
            self._erase(page)

    def _blank(self, pages: Sequence[int]) -> frozenset[int]:
        """Read which of ``pages`` need no erase; none where the unit itself skips what is blank."""
        if not pages or self._row.skips_blank_erase:
            return frozenset()
        sectors, what = [self._sector(page) for page in pages], f"dfu blank check of {len(pages)} pages"
        return self._tried(INTERNAL_FLASH, lambda _: self._run(host.find_blank(sectors), what))

    def _sector(self, page: int) -> range:
        return self._row.memory(INTERNAL_FLASH).sector(page)

    @property
    def _row(self) -> Platform:
        return platform(self._transport.usb_id.platform_id or 0)

    def _erase(self, page: int) -> None:
        self._tried(INTERNAL_FLASH, lambda _: self._run(host.erase(page), f"dfu erase {page:#010x}"))

    def _write(self, block: Block, same_page: list[Block], pointer: int | None) -> int:
        """Write ``block``; if that fails, again after an erase, which takes ``same_page`` along: what stands there.

        ``pointer``: as `host.write_block` takes it. Returns where it is then.
        """

        def write(attempt: int) -> int:
            at = pointer
            if attempt:  # words that were half programmed need an erase
                self._erase(block.page)
                at = None
            for one in (*same_page, block) if attempt else (block,):
                what = f"dfu write {len(one.data)} bytes at {one.address:#010x}"
                at = self._run(host.write_block(one.address, one.data, at), what)
            assert at is not None
            return at

        return self._tried(INTERNAL_FLASH, write)

    def _tried(self, alternate: int, run: Callable[[int], T]) -> T:
        """Call ``run`` with the number of the try, from 0 on, until one succeeds or the last one fails."""
        for attempt in range(TRIES):
            with self._recovering(attempt == TRIES - 1, alternate):
                return run(attempt)
        raise AssertionError("unreachable: the last try returns or raises")

    @contextlib.contextmanager
    def _recovering(self, last: bool, alternate: int) -> Iterator[None]:
        """Suppress a failure that another try may cure, once the unit is idle again with ``alternate`` selected."""
        try:
            yield
        except _HEALABLE as error:
            self._alternate = None
            try:
                self._run(host.settle(), "dfu settle")
                self._select(alternate)
            except (*_HEALABLE, BootloaderStuck) as stuck:
                self.deadline.check("dfu")
                # no second try: the first failure says more, unless it is a refusal the unit gave only once
                raise (stuck if isinstance(error, DeviceRefused) else error) from None
            if last:
                raise

    # --- leaving ----------------------------------------------------------------------------

    def leave(self) -> bool:
        """Ask the bootloader to start the firmware; the unit resets about 0.5 s later.

        Returns False when it is unknown whether the unit received it. Raises `BootloaderStuck`.
        """
        try:
            self._run(host.leave(), "dfu leave")
        except BootloaderStuck:
            raise
        except LinkError as error:  # it may have left already; the bus will show whether it comes back
            self._trace(f"dfu leave: {error}")
            return False
        return True

    # --- helpers ----------------------------------------------------------------------------

    def _select(self, alternate: int) -> None:
        if self._alternate != alternate:
            self._run(host.go_idle(allow_download_idle=True), "dfu go idle")
            self._patiently(lambda: self._transport.set_alternate(INTERFACE, alternate), "dfu select memory")
            self._alternate = alternate

    def _patiently(self, run: Callable[[], T], what: str) -> T:
        return self._repeater.read(run, what, self.deadline.sooner(OPERATION_S), self.cancel)

    def _run(self, operation: Operation[T], what: str) -> T:
        started = self._clock.now()
        try:
            result = self._runner.run(operation, what, self.deadline.sooner(OPERATION_S), self.cancel)
        except DriverError as error:
            self._trace(f"{what}: {error}")
            raise
        self._trace(f"{what}: ok in {(self._clock.now() - started) * 1000:.0f} ms")
        return result


_HEALABLE = (DfuFailed, Stalled, TransferFailed, TransferTimeout, DeadlineExceeded, RemoteProtocolError)
"""Failures that another try of the same page may cure."""
