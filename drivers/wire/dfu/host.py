"""DfuSe 1.1a on top of DFU, host side, without I/O: addressed erase, write and read.

Each operation is a generator (`drivers.wire.actions.Operation`) that yields transfers and waits and is
sent the replies. It has no clock: its runner keeps the deadline. Reference firmware-and-dfu 1.4
to 1.8, written for Gen 3 bootloaders; what a stalled GETSTATUS means on Gen 2 is for `_executed` to find out.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from ...errors import BootloaderStuck, DfuFailed, LocalProtocolError, RemoteProtocolError, Stalled, TransferFailed
from ..actions import Answer, Operation, Transfer, Wait
from . import transfers
from .tables import COMMAND_BLOCK, FIRST_BLOCK, TRANSFER_SIZE, DfuseCommand, DfuState, DfuStatusCode
from .transfers import DfuStatus

_MAX_BLOCKS = 0x10000 - FIRST_BLOCK
_BUSY_PAUSE_S = 0.001
"""Between polls of a bootloader that says it is busy, asks for no wait, and does not hold the poll up either.

None of those known does: they NAK the next GETSTATUS until the flash is done (reference firmware-and-dfu 1.7), so a
fixed pause after the first one would only be added to every operation.
"""
PROBE = 64
"""Bytes looked at before a whole block is read to see whether it is blank: one packet, 0.3 ms in place of 5."""
COMMAND_RETRIES = 5
COMMAND_PAUSE_S = 1.0
"""Retries of a command whose DNLOAD is stalled, and the pause between them (reference firmware-and-dfu 1.7)."""
STATUS_PAUSES_S = (0.02, 0.1)
"""Pauses before a GETSTATUS is repeated that was stalled, or whose reply cannot be parsed."""
ROUNDS_PAUSES_S = (0.0, 0.02, 0.1, 0.5)
"""Pause before each attempt to bring the state machine into the wanted state: a failed transfer costs one attempt."""


def set_address_payload(address: int) -> bytes:
    return _addressed(DfuseCommand.SET_ADDRESS, address)


def erase_payload(address: int) -> bytes:
    return _addressed(DfuseCommand.ERASE, address)


def _addressed(command: DfuseCommand, address: int) -> bytes:
    if not 0 <= address <= 0xFFFFFFFF:
        raise LocalProtocolError(f"address {address:#x} does not fit in 32 bits; this is a bug of the station")
    return struct.pack("<BI", command, address)


def block_address(pointer: int, block: int) -> int:
    """Return the address of data block ``block`` (2 or more); its 4096 is a constant, not the length of the block."""
    return pointer + (block - FIRST_BLOCK) * TRANSFER_SIZE


# --- operations -----------------------------------------------------------------------------


def status() -> Operation[DfuStatus]:
    """Send GETSTATUS, which also starts the operation of the last DNLOAD and may time out while a page is erased.

    Raises `Stalled` when the bootloader keeps stalling it, which says nothing about flash.
    """
    for pause_s in (*STATUS_PAUSES_S, None):
        reply = yield Transfer(transfers.get_status())
        if isinstance(reply, Answer):
            if pause_s is None:
                break
            yield Wait(pause_s)
            continue
        try:
            return transfers.parse_status(reply)
        except RemoteProtocolError:
            if pause_s is None:
                raise
    raise Stalled("the bootloader stalls GETSTATUS; unplug the unit and plug it in again")


def settle() -> Operation[DfuStatus]:
    """Abort whatever an earlier host left pending, then go idle; run this first on a fresh handle.

    Otherwise our first GETSTATUS would execute a block that was sent but never started, perhaps in a different
    memory: when a host dies, the unit returns to alternate setting 0. Raises `BootloaderStuck`.
    A host that read block 1 of a Gen 2 left it in a state that is none, which only CLRSTATUS ends (by dfuERROR).
    """
    for pause_s in ROUNDS_PAUSES_S:
        yield from _pause(pause_s)
        for setup in (
            transfers.abort(),
            transfers.clear_status(),
        ):  # ABORT is illegal in dfuERROR, CLRSTATUS in any other state
            if isinstance((yield Transfer(setup)), Answer):
                continue
            try:
                return (yield from go_idle())
            except RemoteProtocolError:
                yield Transfer(transfers.clear_status())
                return (yield from go_idle())
    raise BootloaderStuck("the bootloader takes neither ABORT nor CLRSTATUS; unplug the unit and plug it in again")


def go_idle(*, allow_download_idle: bool = False) -> Operation[DfuStatus]:
    """Bring the unit to dfuIDLE (or leave it in dfuDNLOAD_IDLE when allowed); raises `BootloaderStuck`.

    CLRSTATUS is sent only in dfuERROR: in any other state it is itself an error. The effect of ABORT and
    CLRSTATUS is read from the state, so a lost one only costs another round.
    """
    resting = {DfuState.IDLE, DfuState.DNLOAD_IDLE} if allow_download_idle else {DfuState.IDLE}
    now = yield from _not_busy()
    for pause_s in ROUNDS_PAUSES_S:
        if now.state in resting:
            return now
        yield from _pause(pause_s)
        yield Transfer(transfers.clear_status() if now.state is DfuState.ERROR else transfers.abort())
        now = yield from _not_busy()
    if now.state in resting:
        return now
    raise BootloaderStuck(f"the bootloader does not return to dfuIDLE, it says {now}; unplug the unit and plug it in")


def set_address(address: int) -> Operation[DfuStatus]:
    """Set the address pointer; ends in dfuDNLOAD_IDLE. Writes nothing, so it is repeated whatever was stalled.

    Raises `Stalled` when that does not help: no word about flash.
    """
    payload, what = set_address_payload(address), f"setting the address {address:#010x}"
    for pause_s in (*STATUS_PAUSES_S, None):
        now = yield from _command(payload, what)
        if now is not None:
            return now
        yield from _pause(pause_s or 0.0)
    raise Stalled(f"{what}: the bootloader stalls GETSTATUS after it; unplug the unit and plug it in again")


def erase(address: int) -> Operation[DfuStatus]:
    """Erase the page that holds ``address``; ends in dfuDNLOAD_IDLE. About 85 ms on a Gen 3."""
    what = f"erasing the page at {address:#010x}"
    return _succeeded(what, (yield from _command(erase_payload(address), what)))


def write_block(address: int, data: bytes, pointer: int | None = None) -> Operation[int]:
    """Write 1 to 4096 bytes at ``address``; returns where the unit's address pointer is then.

    ``pointer``: what the block before returned, if nothing was done in between: an erase moves it on Gen 2, a failure
    leaves it unknown. Where a block number reaches ``address`` from there it says so (1.5); else the address is set,
    which costs three transfers, and 50 ms more on the Gen 2 bootloaders that ask for that after each operation.
    """
    if not 0 < len(data) <= TRANSFER_SIZE:
        raise LocalProtocolError(f"a block of {len(data)} bytes was to be written, DFU takes 1 to {TRANSFER_SIZE}")
    block = None if pointer is None else _block_number(pointer, address)
    if pointer is None or block is None:
        yield from set_address(address)
        pointer, block = address, FIRST_BLOCK
    what = f"writing {len(data)} bytes at {address:#010x}"
    _succeeded(what, (yield from _download(block, data, what)))
    return pointer


def _block_number(pointer: int, address: int) -> int | None:
    """Return the number of the data block at ``address`` counted from ``pointer``; None if it has none."""
    blocks, beside = divmod(address - pointer, TRANSFER_SIZE)
    return FIRST_BLOCK + blocks if beside == 0 and 0 <= blocks < _MAX_BLOCKS else None


def read(address: int, length: int) -> Operation[bytes]:
    """Read ``length`` bytes at ``address``; starts and ends in dfuIDLE."""
    if not 0 < length <= _MAX_BLOCKS * TRANSFER_SIZE:
        raise LocalProtocolError(f"{length} bytes were to be read in one go, DFU can count to 256 MiB")
    yield from _point_to(address)
    data = bytearray()
    for block in range(FIRST_BLOCK, 0x10000):
        wanted = min(TRANSFER_SIZE, length - len(data))
        data += yield from _upload(block, wanted, address)
        if len(data) == length:
            break
    yield from _abort()
    return bytes(data)


def find_blank(pages: Sequence[range]) -> Operation[frozenset[int]]:
    """Return the starts of those ``pages`` that hold nothing but 0xFF; starts and ends in dfuIDLE.

    ``pages``: ascending, each of whole blocks of 4096 bytes. A page that is not blank nearly always shows it in the
    first bytes of its first block; one that may be is read whole.
    """
    base = pages[0].start
    yield from _point_to(base)
    blank = set[int]()
    for page in pages:
        if (yield from _is_blank(page, base)):
            blank.add(page.start)
    yield from _abort()
    return frozenset(blank)


def _is_blank(page: range, base: int) -> Operation[bool]:
    for length in (PROBE, TRANSFER_SIZE):
        for at in range(page.start, page.stop, TRANSFER_SIZE):
            block = FIRST_BLOCK + (at - base) // TRANSFER_SIZE
            if (yield from _upload(block, length, base)).strip(b"\xff"):
                return False
    return True


def _point_to(address: int) -> Operation[None]:
    """Set the address pointer and go to dfuIDLE, where an upload may begin."""
    yield from go_idle(allow_download_idle=True)
    yield from set_address(address)
    yield from _abort()


def leave() -> Operation[DfuStatus]:
    """Ask the unit to restart into its firmware; it resets about 0.5 s after the last status.

    Returns the status that started the countdown; raises `BootloaderStuck` when none did. Any other `LinkError`
    means that it has already left the bus.
    """
    for pause_s in ROUNDS_PAUSES_S:
        yield from _pause(pause_s)
        yield from go_idle(allow_download_idle=True)
        reply = yield Transfer(transfers.dnload(FIRST_BLOCK, 0))
        now = yield from _not_busy()
        is_faked = now.state is DfuState.DNLOAD_IDLE and not isinstance(reply, Answer)  # what Gen 2 reports instead
        if now.state in (DfuState.MANIFEST, DfuState.MANIFEST_WAIT_RESET) or is_faked:
            return now
    raise BootloaderStuck(
        f"the bootloader does not leave DFU mode, it says {now}; unplug the unit and plug it in again"
    )


def _command(payload: bytes, what: str) -> Operation[DfuStatus | None]:
    """Run a DfuSe command. Only a stalled or lost DNLOAD is repeated here, never an operation it has started."""
    for _ in range(COMMAND_RETRIES):
        reply = yield Transfer(transfers.dnload(COMMAND_BLOCK, len(payload)), payload)
        if not isinstance(reply, Answer):
            return (yield from _executed(what))
        if reply is Answer.STALL:
            yield Wait(COMMAND_PAUSE_S)
        # a STALL may have meant dfuERROR, where the next DNLOAD would be stalled too; a lost command that did
        # arrive is executed by this, and then a second time: setting an address and erasing are idempotent
        yield from go_idle(allow_download_idle=True)
    return (yield from _download(COMMAND_BLOCK, payload, what))


def _download(block: int, data: bytes, what: str) -> Operation[DfuStatus | None]:
    """Run one DNLOAD and the GETSTATUS exchange that executes it."""
    yield from _dnload(block, data, what)
    return (yield from _executed(what))


def _executed(what: str) -> Operation[DfuStatus | None]:
    """Run the GETSTATUS exchange that executes what was sent; None: the unit may have refused it, or failed.

    A Gen 2 works within the first GETSTATUS. If that fails it stalls it, says so only once, and is idle for the next
    one (reference firmware-and-dfu 1.8). If it says dfuDNBUSY after the STALL, it has begun only then: the STALL was
    none of its own. Neither is a later one.
    """
    first = yield Transfer(transfers.get_status())
    try:
        now = (yield from status()) if isinstance(first, Answer) else transfers.parse_status(first)
    except RemoteProtocolError:
        now = yield from status()
    if isinstance(first, Answer) and (now.status, now.state) == (DfuStatusCode.OK, DfuState.DNLOAD_IDLE):
        return None
    now = yield from _not_busy(now)
    if now.status is not DfuStatusCode.OK or now.state is not DfuState.DNLOAD_IDLE:
        raise _failed(what, now)
    return now


def _succeeded(what: str, now: DfuStatus | None) -> DfuStatus:
    """Return ``now``; raises `DfuFailed` where `_executed` found a refused or failed erase or write."""
    if now is None:
        raise DfuFailed(
            f"{what}: GETSTATUS was stalled, the block was refused or not programmed; erase the page, write it again",
            status=DfuStatusCode.ERR_UNKNOWN,
            state=DfuState.ERROR,
        )
    return now


def _not_busy(now: DfuStatus | None = None) -> Operation[DfuStatus]:
    """Repeat GETSTATUS until the unit is no longer erasing or programming; only the runner's deadline limits it."""
    now = now or (yield from status())
    least_s = 0.0
    while now.state is DfuState.DNBUSY:
        yield from _pause(max(now.poll_ms / 1000, least_s))
        now = yield from status()
        least_s = _BUSY_PAUSE_S
    return now


def _dnload(block: int, data: bytes, what: str) -> Operation[None]:
    """Send one DNLOAD, again if it was stalled by a unit that is idle and well: then it has taken nothing.

    Raises `Stalled` when it keeps doing so and `TransferFailed` when it got lost, which say nothing about flash, and
    `DfuFailed` when the unit says why.
    """
    for pause_s in (*STATUS_PAUSES_S, None):
        reply = yield Transfer(transfers.dnload(block, len(data)), data)
        if reply is Answer.LOST:
            now = yield from settle()  # a block that did arrive is dropped, not written
            raise TransferFailed(f"{what}: it was lost in transit, the bootloader says {now}; check the contacts")
        if not isinstance(reply, Answer):
            return
        now = yield from status()
        if now.status is not DfuStatusCode.OK or now.state not in (DfuState.IDLE, DfuState.DNLOAD_IDLE):
            raise _failed(f"{what} (stalled)", now)
        yield from _pause(pause_s or 0.0)
    raise Stalled(f"{what}: the bootloader stalls DNLOAD though it says {now}; unplug the unit and plug it in again")


def _upload(block: int, wanted: int, address: int) -> Operation[bytes]:
    reply = yield Transfer(transfers.upload(block, wanted))
    if isinstance(reply, Answer):
        raise _failed(f"reading at {block_address(address, block):#010x} (stalled)", (yield from status()))
    if len(reply) != wanted:
        raise RemoteProtocolError(
            f"reading at {block_address(address, block):#010x} gave {len(reply)} bytes, expected {wanted}"
        )
    return reply


def _pause(seconds: float) -> Operation[None]:
    if seconds:
        yield Wait(seconds)


def _abort() -> Operation[None]:
    """Go from an idle-type state to dfuIDLE; `go_idle` repeats the ABORT if it was lost."""
    yield Transfer(transfers.abort())
    yield from go_idle()


def _failed(what: str, now: DfuStatus) -> DfuFailed:
    return DfuFailed(
        f"{what}: the bootloader answered {now}; clear it and try that page again",
        status=now.status,
        state=now.state,
    )
