"""The errors drivers raise. Independent of stations, verdicts and logging.

::

    DriverError
     +- LinkError            the cable, the port or this host
     |   +- Disconnected       the unit is gone from the bus (ENODEV)
     |   +- TransferFailed     one transfer failed, the unit may still be there (EIO, EPROTO, EOVERFLOW, ENOMEM, EINTR)
     |   |   +- PortShared         another program appears to read the same serial port
     |   +- TransferTimeout    no answer in time (also a TimeoutError)
     |   +- Stalled            the unit answered STALL (EPIPE)
     |   +- BootloaderStuck    the bootloader stays in a state in which it accepts no operation
     |   +- AccessDenied       no permission
     |   |   +- PortInUse          another program owns the unit or its serial port
     |   |   +- NoDeviceNodes      the bus shows the unit, but there is no /dev node to open: a container
     |   +- NotFound           nothing with that address or port
     |   +- Swapped            another unit sits on that port now
     |   +- DidNotReturn       the unit did not come back from a restart we requested
     |   +- NeedsHands         no command brings the unit into a mode: somebody has to press its buttons
     |   +- RateRefused        this computer refuses a line rate that the unit would take as a command
     |   +- OutcomeUnknown     the reply was lost: the request may or may not have been carried out
     +- ProtocolError        one side broke the protocol
     |   +- LocalProtocolError   we did: a bug of ours
     |   |   +- RequestUnknown       a request the unit's Device OS does not support; it was not sent
     |   +- RemoteProtocolError  the unit did
     |       +- GarbledConsole       its console printed what no firmware prints
     |       +- StrangeIdentity      it reported an identity in no known format (also a BadIdentity)
     +- DeviceRefused        the unit refused
     |   +- RequestRejected    a control request returned a negative result, and did so again when repeated
     |   |   +- NotNow             a transient result (busy, timed out, ...) that lasted as long as the request may take
     |   |   +- NotOffered         a result about the request or the firmware (not supported, not allowed, ...)
     |   |   +- UnitProtected      the unit is under device protection
     |   +- ProtectionUnknown  the unit did not report whether it is under device protection
     |   +- OutOfRequests      the unit accepts no further control request (BUSY, NO_MEMORY)
     |   +- DfuFailed          dfuERROR with a status
     |   +- ReadBackDiffers    flash does not hold what was written to it
     +- WriteRefused         our own write guard refused; nothing was sent
     +- BadImage             a firmware file that may not be used
     +- BadIdentity          a text that is not a valid Device ID, serial number, ICCID, ...
     +- UnknownPlatform      a platform id or name without a row in the platform table
     +- BadPlatformRow       a platform table, usually a plug-in's, that cannot be parsed
     +- Cancelled            the caller's cancel token was set
     +- DeadlineExceeded     the caller's deadline passed (also a TimeoutError)

``str()`` is one sentence: what was attempted, what came back in words and hex, what to do next.
Facts are attributes, so that code never has to parse the sentence.
"""

from __future__ import annotations


class DriverError(Exception):
    """Root of all errors of the package ``drivers``."""


class LinkError(DriverError):
    """The cable, the port or this host failed; says nothing about the unit."""


class Disconnected(LinkError):
    """The unit left the bus."""


class TransferFailed(LinkError):
    """A transfer failed on the host's side. The unit may have received it, and is usually still there."""


class PortShared(TransferFailed):
    """A serial port was ready but returned no data: another program reads it too, or the unit is just leaving."""


class TransferTimeout(LinkError, TimeoutError):
    """One transfer got no answer within its time-out."""


class Stalled(LinkError):
    """The unit answered a transfer with STALL (EPIPE)."""


class AccessDenied(LinkError):
    """The operating system refused access, or another program owns the unit."""


class PortInUse(AccessDenied):
    """Another program owns the unit or its serial port."""


class NoDeviceNodes(AccessDenied):
    """The system has no device node for a unit that the bus lists, or none at all."""


class BootloaderStuck(LinkError):
    """A bootloader could not be brought to a state in which it accepts operations; says nothing about its flash."""


class NotFound(LinkError):
    """Nothing answers at that address or port."""


class Swapped(LinkError):
    """Another unit sits on the port. ``expected`` and ``found`` are Device IDs as text."""

    def __init__(self, message: str, *, expected: str, found: str) -> None:
        super().__init__(message)
        self.expected = expected
        self.found = found


class DidNotReturn(LinkError):
    """The unit did not come back in time, or in the requested mode, from a restart we requested."""


class NeedsHands(LinkError):
    """Nothing that can be sent to the unit brings it into a mode; its buttons would.

    ``goal`` is the mode (a value of `drivers.devices.Goal`), ``tried`` what was tried and what came of it.
    """

    def __init__(self, message: str, *, goal: str, tried: tuple[str, ...]) -> None:
        super().__init__(message)
        self.goal = goal
        self.tried = tried


class RateRefused(LinkError):
    """This computer's kernel or serial driver refuses the line rate; the unit has not noticed anything."""


class OutcomeUnknown(LinkError):
    """The transfer that carried the reply failed: read the state again before doing anything else."""


class ProtocolError(DriverError):
    """One side broke the protocol. Raised only as one of its two subclasses, which say which side."""


class LocalProtocolError(ProtocolError):
    """We attempted something the protocol forbids: a bug of ours."""


class RequestUnknown(LocalProtocolError):
    """The platform table says the unit's Device OS lacks this request; the caller did not check first."""


class RemoteProtocolError(ProtocolError):
    """The unit sent something the protocol forbids."""


class GarbledConsole(RemoteProtocolError):
    """A console reply could not be parsed: a second program on the port, or a bad line. Says nothing about the unit."""


class DeviceRefused(DriverError):
    """The unit refused."""


class RequestRejected(DeviceRefused):
    """A control request returned a negative result.

    ``request`` is the request type (0-65535), ``code`` the signed 32-bit result
    (reference usb-and-serial 4.12).
    """

    def __init__(self, message: str, *, request: int, code: int) -> None:
        super().__init__(message)
        self.request = request
        self.code = code


class NotNow(RequestRejected):
    """A transient result lasted as long as the request may take; says nothing about the unit."""


class NotOffered(RequestRejected):
    """The firmware that runs does not do what was requested: any unit with the same firmware may refuse it alike.

    That the request was sent means that the capability table, or whoever filled it in, expected otherwise.
    """


class UnitProtected(RequestRejected):
    """The unit is under device protection and answers almost no request."""


class ProtectionUnknown(DeviceRefused):
    """The unit did not report whether it is under device protection. That does not mean "unprotected"."""


class OutOfRequests(DeviceRefused):
    """The unit has no slot free for a control request, even after all open ones were dropped."""


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
    """A text is not a valid identity of the kind it is parsed as."""


class StrangeIdentity(RemoteProtocolError, BadIdentity):
    """A unit reported a serial number, ICCID or the like in no known format."""


class UnknownPlatform(DriverError):
    """A platform id or name has no row in the platform table."""


class BadPlatformRow(DriverError):
    """A text with platform rows, usually a plug-in's, cannot be parsed."""


class Cancelled(DriverError):
    """The caller's cancel token was set while waiting."""


class DeadlineExceeded(DriverError, TimeoutError):
    """The caller's deadline passed while waiting."""
