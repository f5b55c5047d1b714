"""DfuSe 1.1a on top of DFU: addressed erase and write, memory maps, and the host's side as pure dialogues.

Each operation is a generator (`drivers.wire.actions.Operation`): it yields transfers and waits and is
sent the replies. It keeps no time: whoever runs it holds the deadline. Reference firmware-and-dfu 1.4
to 1.8, written for Gen 3 bootloaders; a stalled GETSTATUS counts as a failed block (Gen 2).
"""

from __future__ import annotations

import struct

from ...errors import BootloaderStuck, DfuFailed, LocalProtocolError, RemoteProtocolError, Stalled
from ..actions import Answer, Operation, Transfer, Wait
from . import transfers
from .tables import COMMAND_BLOCK, FIRST_BLOCK, TRANSFER_SIZE, DfuseCommand, DfuState, DfuStatusCode
from .transfers import DfuStatus

_MAX_BLOCKS = 0x10000 - FIRST_BLOCK
_BUSY_PAUSE_S = 0.001
COMMAND_RETRIES = 5
COMMAND_PAUSE_S = 1.0
"""A command whose DNLOAD is stalled is sent that often again, that far apart (reference firmware-and-dfu 1.7)."""
STATUS_TRIES = 3
"""How often a status is asked for that comes back as no status."""
ROUNDS_PAUSES_S = (0.0, 0.02, 0.1, 0.5)
"""Before each try to bring the state machine where it is wanted: one failed transfer may cost a round."""


def set_address_payload(address: int) -> bytes:
    return _addressed(DfuseCommand.SET_ADDRESS, address)


def erase_payload(address: int) -> bytes:
    return _addressed(DfuseCommand.ERASE, address)


def _addressed(command: DfuseCommand, address: int) -> bytes:
    if not 0 <= address <= 0xFFFFFFFF:
        raise LocalProtocolError(f"address {address:#x} does not fit in 32 bits; this is a bug of the station")
    return struct.pack("<BI", command, address)


def block_address(pointer: int, block: int) -> int:
    """Tell where data block ``block`` (2 or more) lands; 4096 is a constant, not the block's length."""
    return pointer + (block - FIRST_BLOCK) * TRANSFER_SIZE


# --- operations -----------------------------------------------------------------------------


def status() -> Operation[DfuStatus]:
    """Ask GETSTATUS, which also starts what a DNLOAD has announced, and may time out while a large page is erased.

    Raises `Stalled` when the bootloader stalls it again and again: no word about flash, unless a block was sent before.
    """
    for left in reversed(range(STATUS_TRIES)):
        reply = yield Transfer(transfers.get_status())
        if isinstance(reply, Answer):
            break
        try:
            return transfers.parse_status(reply)
        except RemoteProtocolError:
            if left == 0:
                raise
    raise Stalled("the bootloader stalls GETSTATUS; unplug the unit and plug it in again")


def settle() -> Operation[DfuStatus]:
    """Do the first thing on a fresh handle: drop whatever an earlier host left pending, then go idle.

    A block that was announced and never started would otherwise be executed by our first GETSTATUS,
    perhaps in another memory: a host that dies takes the unit back to alternate setting 0. Raises `BootloaderStuck`.
    """
    for pause_s in ROUNDS_PAUSES_S:
        yield from _pause(pause_s)
        for setup in (
            transfers.abort(),
            transfers.clear_status(),
        ):  # ABORT has no place in dfuERROR, CLRSTATUS in no other state
            if not isinstance((yield Transfer(setup)), Answer):
                return (yield from go_idle())
    raise BootloaderStuck("the bootloader takes neither ABORT nor CLRSTATUS; unplug the unit and plug it in again")


def go_idle(*, allow_download_idle: bool = False) -> Operation[DfuStatus]:
    """Bring the unit to dfuIDLE (or leave it in dfuDNLOAD_IDLE when allowed); raises `BootloaderStuck`.

    CLRSTATUS is sent only in dfuERROR: anywhere else it is itself an error. What becomes of ABORT and
    CLRSTATUS is read from the state, so one that failed on its way costs a round and no more.
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
    raise BootloaderStuck(f"the bootloader does not go back to dfuIDLE, it says {now}; unplug the unit and plug it in")


def set_address(address: int) -> Operation[DfuStatus]:
    """Set the address pointer; ends in dfuDNLOAD_IDLE."""
    payload = set_address_payload(address)
    return (yield from _command(payload, f"setting the address {address:#010x}"))


def erase(address: int) -> Operation[DfuStatus]:
    """Erase the page that holds ``address``; ends in dfuDNLOAD_IDLE. About 85 ms on a Gen 3."""
    return (yield from _command(erase_payload(address), f"erasing the page at {address:#010x}"))


def write_block(address: int, data: bytes) -> Operation[DfuStatus]:
    """Write 1 to 4096 bytes at ``address``: set-address, then data block 2, so each block stands alone."""
    if not 0 < len(data) <= TRANSFER_SIZE:
        raise LocalProtocolError(f"a block of {len(data)} bytes was to be written, DFU takes 1 to {TRANSFER_SIZE}")
    yield from set_address(address)
    return (yield from _download(FIRST_BLOCK, data, f"writing {len(data)} bytes at {address:#010x}"))


def read(address: int, length: int) -> Operation[bytes]:
    """Read ``length`` bytes at ``address``; starts and ends in dfuIDLE."""
    if not 0 < length <= _MAX_BLOCKS * TRANSFER_SIZE:
        raise LocalProtocolError(f"{length} bytes were to be read in one go, DFU can count to 256 MiB")
    yield from go_idle(allow_download_idle=True)
    yield from set_address(address)
    yield from _abort()
    data = bytearray()
    for block in range(FIRST_BLOCK, 0x10000):
        wanted = min(TRANSFER_SIZE, length - len(data))
        data += yield from _upload(block, wanted, address)
        if len(data) == length:
            break
    yield from _abort()
    return bytes(data)


def leave() -> Operation[DfuStatus]:
    """Ask the unit to restart into its firmware; it resets about 0.5 s after the last status.

    Returns the status that started the countdown; raises `BootloaderStuck` when none did. Another `LinkError`
    while this runs means it has gone already.
    """
    for pause_s in ROUNDS_PAUSES_S:
        yield from _pause(pause_s)
        yield from go_idle(allow_download_idle=True)
        reply = yield Transfer(transfers.dnload(FIRST_BLOCK, 0))
        now = yield from _not_busy()
        is_faked = now.state is DfuState.DNLOAD_IDLE and not isinstance(reply, Answer)  # what Gen 2 says of it
        if now.state in (DfuState.MANIFEST, DfuState.MANIFEST_WAIT_RESET) or is_faked:
            return now
    raise BootloaderStuck(
        f"the bootloader does not leave DFU mode, it says {now}; unplug the unit and plug it in again"
    )


def _command(payload: bytes, what: str) -> Operation[DfuStatus]:
    """A DfuSe command; the DNLOAD alone is tried again when it is stalled or lost, never what it has started."""
    for _ in range(COMMAND_RETRIES):
        reply = yield Transfer(transfers.dnload(COMMAND_BLOCK, len(payload)), payload)
        if not isinstance(reply, Answer):
            return (yield from _executed(what))
        if reply is Answer.STALL:
            yield Wait(COMMAND_PAUSE_S)
        # a STALL may have meant dfuERROR, where the next DNLOAD would be stalled too; a lost command that did
        # arrive is executed by this, and then once more: an address and an erase are the same the second time
        yield from go_idle(allow_download_idle=True)
    return (yield from _download(COMMAND_BLOCK, payload, what))


def _download(block: int, data: bytes, what: str) -> Operation[DfuStatus]:
    """One DNLOAD and the GETSTATUS exchange that executes it."""
    yield from _dnload(block, data, what)
    return (yield from _executed(what))


def _executed(what: str) -> Operation[DfuStatus]:
    """The GETSTATUS exchange that has an accepted block executed."""
    try:
        now = yield from _not_busy()
    except Stalled as error:
        raise DfuFailed(
            f"{what}: GETSTATUS was stalled, the block was refused or not programmed; erase the page, write it again",
            status=DfuStatusCode.ERR_UNKNOWN,
            state=DfuState.ERROR,
        ) from error
    if now.status is not DfuStatusCode.OK or now.state is not DfuState.DNLOAD_IDLE:
        raise _failed(what, now)
    return now


def _not_busy() -> Operation[DfuStatus]:
    """GETSTATUS until the unit is no longer erasing or programming; the runner's deadline ends it."""
    now = yield from status()
    while now.state is DfuState.DNBUSY:
        yield Wait(max(now.poll_ms / 1000, _BUSY_PAUSE_S))
        now = yield from status()
    return now


def _dnload(block: int, data: bytes, what: str) -> Operation[None]:
    reply = yield Transfer(transfers.dnload(block, len(data)), data)
    if reply is Answer.LOST:
        now = yield from settle()  # a block that did arrive is dropped, not written
        raise _failed(f"{what} (lost on its way)", now)
    if isinstance(reply, Answer):
        now = yield from status()
        raise _failed(f"{what} (stalled)", now)


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
    """From an idle-type state to dfuIDLE; `go_idle` does it again if this one is lost."""
    yield Transfer(transfers.abort())
    yield from go_idle()


def _failed(what: str, now: DfuStatus) -> DfuFailed:
    return DfuFailed(
        f"{what}: the bootloader answered {now}; clear it and try that page again",
        status=now.status,
        state=now.state,
    )
