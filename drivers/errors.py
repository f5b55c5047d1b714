"""The errors drivers raise. Nothing here knows of stations, verdicts or logging.

::

    DriverError
     +- LinkError            the cable, the port or this host
     |   +- Disconnected       the unit is gone from the bus (ENODEV)
     |   +- TransferFailed     one transfer broke, the unit may be there (EIO, EPROTO, EOVERFLOW, ENOMEM, EINTR)
     |   |   +- PortShared         it looks as if another program reads the same serial port
     |   +- TransferTimeout    no answer in time (also a TimeoutError)
     |   +- Stalled            the unit answered STALL (EPIPE)
     |   +- BootloaderStuck    the bootloader stays in a state nothing can be asked in
     |   +- AccessDenied       no permission
     |   |   +- PortInUse          another program owns the unit or its serial port
     |   |   +- NoDeviceNodes      the bus shows the unit, but there is no /dev node to open: a container
     |   +- NotFound           nothing with that address or port
     |   +- Swapped            another unit sits on that port now
     |   +- DidNotReturn       the unit did not come back from a restart we asked for
     |   +- OutcomeUnknown     the answer got lost: what was asked for may or may not have happened
     +- ProtocolError        somebody broke the protocol
     |   +- LocalProtocolError   we did: a bug of ours
     |   |   +- RequestUnknown       a request the unit's Device OS does not have; it was not sent
     |   +- RemoteProtocolError  the unit did
     |       +- GarbledConsole       its console printed what no firmware prints
     |       +- StrangeIdentity      it told an identity of no known form (also a BadIdentity)
     +- DeviceRefused        the unit said no, in its own words
     |   +- RequestRejected    a control request ended with a negative result, and with it when it was asked again
     |   |   +- NotNow             one about the moment (busy, timed out, ...), for as long as the request may take
     |   |   +- UnitProtected      the unit is under device protection
     |   +- ProtectionUnknown  it does not say whether it is under device protection
     |   +- OutOfRequests      the unit takes no further control request (BUSY, NO_MEMORY)
     |   +- DfuFailed          dfuERROR with a status
     |   +- ReadBackDiffers    flash does not hold what was written to it
     +- WriteRefused         our own write guard said no; nothing was sent
     +- BadImage             a firmware file that may not be used
     +- BadIdentity          a text that is no Device ID, serial number, ICCID, ...
     +- UnknownPlatform      a platform id or name without a row in the platform table
     +- BadPlatformRow       a row of the platform table, from a plug-in, that cannot be read
     +- Cancelled            the caller's cancel token was set
     +- DeadlineExceeded     the caller's deadline passed (also a TimeoutError)

``str()`` is one sentence: what was tried, what came back in words and hex, what to do next.
Facts are attributes, so that code never has to parse the sentence.
"""

from __future__ import annotations


class DriverError(Exception):
    """Root of all errors of the package ``drivers``."""


class LinkError(DriverError):
    """The cable, the port or this host failed; the unit is not judged."""


class Disconnected(LinkError):
    """The unit left the bus."""


class TransferFailed(LinkError):
    """A transfer broke on the host's side. The unit may have got it, and is usually still there."""


class PortShared(TransferFailed):
    """A serial port was ready and gave nothing: another program reads it too, or the unit is just leaving."""


class TransferTimeout(LinkError, TimeoutError):
    """One transfer got no answer within its time-out."""


class Stalled(LinkError):
    """The unit answered a transfer with STALL (EPIPE)."""


class AccessDenied(LinkError):
    """The operating system refused access, or another program owns the unit."""


class PortInUse(AccessDenied):
    """Another program owns the unit or its serial port."""


class NoDeviceNodes(AccessDenied):
    """The system has no device nodes: for a unit that the bus lists, or for any."""


class BootloaderStuck(LinkError):
    """A bootloader could not be brought to a state in which it takes orders; its flash is not judged by that."""


class NotFound(LinkError):
    """Nothing answers at that address or port."""


class Swapped(LinkError):
    """Another unit sits on the port. ``expected`` and ``found`` are Device IDs as text."""

    def __init__(self, message: str, *, expected: str, found: str) -> None:
        super().__init__(message)
        self.expected = expected
        self.found = found


class DidNotReturn(LinkError):
    """The unit restarted because we asked, and was not back in time or not in the mode asked for."""


class OutcomeUnknown(LinkError):
    """The transfer that carried the answer failed: read the state again before doing anything else."""


class ProtocolError(DriverError):
    """Raised only as one of its two subclasses: they say who broke the protocol."""


class LocalProtocolError(ProtocolError):
    """We tried something the protocol forbids: a bug of ours."""


class RequestUnknown(LocalProtocolError):
    """A request that the unit's Device OS does not have, by the platform table: a caller did not ask first."""


class RemoteProtocolError(ProtocolError):
    """The unit sent something the protocol forbids."""


class GarbledConsole(RemoteProtocolError):
    """A console answer made no sense: a second program on the port, or a bad line. The unit is not judged by it."""


class DeviceRefused(DriverError):
    """The unit said no."""


class RequestRejected(DeviceRefused):
    """A control request ended with a negative result.

    ``request`` is the request type (0-65535), ``code`` the signed 32-bit result
    (reference usb-and-serial 4.12).
    """

    def __init__(self, message: str, *, request: int, code: int) -> None:
        super().__init__(message)
        self.request = request
        self.code = code


class NotNow(RequestRejected):
    """A result about the moment stood for as long as the request may take; the unit is not judged by it."""


class UnitProtected(RequestRejected):
    """The unit is under device protection and answers next to nothing."""


class ProtectionUnknown(DeviceRefused):
    """The unit did not answer whether it is under device protection. That is not "unprotected"."""


class OutOfRequests(DeviceRefused):
    """The unit has no room for a control request, even after all open ones were dropped."""


class DfuFailed(DeviceRefused):
    """The bootloader went to dfuERROR, or stalled an operation.

    ``status`` and ``state`` are bStatus and bState of DFU 1.1 section 6.1.2.
    """

    def __init__(self, message: str, *, status: int, state: int) -> None:
        super().__init__(message)
        self.status = status
        self.state = state


class ReadBackDiffers(DeviceRefused):
    """What was read back is not what was written. ``address`` is the first byte that differs."""

    def __init__(self, message: str, *, address: int) -> None:
        super().__init__(message)
        self.address = address


class WriteRefused(DriverError):
    """The write guard refused an erase or write; not one byte was sent."""


class BadImage(DriverError):
    """A firmware file is damaged, of another platform, or of a kind that may not be flashed."""


class BadIdentity(DriverError):
    """A text is not the identity it claims to be."""


class StrangeIdentity(RemoteProtocolError, BadIdentity):
    """A unit told a serial number, ICCID or the like that has no known form."""


class UnknownPlatform(DriverError):
    """A platform id or name that has no row in the platform table."""


class BadPlatformRow(DriverError):
    """A text with platform rows, usually a plug-in's, cannot be read."""


class Cancelled(DriverError):
    """The caller's cancel token was set while waiting."""


class DeadlineExceeded(DriverError, TimeoutError):
    """The caller's deadline passed while waiting."""
