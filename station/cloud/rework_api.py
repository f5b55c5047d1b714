"""Requests of rework as values: unclaim, remove, deny, transfer (reference cloud-api 4.6, 4.7, 5.2). Pure.

To deny a unit and to remove it is one address with and without a body: two functions here, and each takes the record
that was read just before and refuses it where that act would do harm. Groups are not set here at all: the walk adds.
"""

from __future__ import annotations

from urllib.parse import quote

from drivers.identity import DeviceId, SerialNumber

from ..errors import BadInput
from . import answers as read
from .answers import CloudDevice, Page
from .body import MAX_LIST_BYTES, Answer, Fields
from .call import PER_PAGE, Call, Effect, ProductRef, device_path, product_path
from .evidence import Route


def member_of_serial(ref: ProductRef, serial: SerialNumber) -> Call[CloudDevice | None]:
    """Find the member of product ``ref`` with that very serial number, without the scarce look-up (A15).

    None when it is not there. The cloud's filter also matches parts of numbers.
    """

    def reader(answer: Answer) -> CloudDevice | None:
        page: Page[CloudDevice] = read.read_members(answer.body)
        return next((one for one in page.rows if one.serial_number.upper() == str(serial)), None)

    path = f"{product_path(ref)}/devices?serialNumber={quote(str(serial), safe='')}&per_page={PER_PAGE}"
    what = f"look up serial {serial} in product {ref}"
    return Call(Route.MEMBERS, "GET", path, what, reader, most_bytes=MAX_LIST_BYTES)


def unclaim_member(ref: ProductRef, device_id: DeviceId) -> Call[None]:
    """Take the owner off a member, whoever it is: user, team member or customer (I4 I10). It stays a member."""
    return Call(
        Route.MEMBER, "DELETE", f"{device_path(device_id, ref)}/owner", f"unclaim {device_id} in product {ref}",
        lambda _: None, Effect.ONCE,
    )  # fmt: skip


def unclaim_mine(device_id: DeviceId) -> Call[None]:
    """Give up a unit outside products; only its owner can (I3). 403: it is not this account's, any more or ever."""
    return Call(
        Route.DEVICE, "DELETE", device_path(device_id, None), f"unclaim {device_id}", lambda _: None, Effect.ONCE,
        accepts=frozenset({403}),
    )  # fmt: skip


def remove(member: CloudDevice) -> Call[None]:
    """Take a unit out of its product; it then is out of sight. 404: it is out already.

    Raises `BadInput` for a record with an owner, who would be hard to take off afterwards (I6), and for a unit in no
    product.
    """
    ref = _product(member)
    if member.owner:
        raise BadInput(f"remove {member.id} from product {ref}: it has an owner; unclaim it first (I6)")
    return Call(
        Route.MEMBER_REMOVAL, "DELETE", device_path(member.id, ref), f"remove {member.id} from product {ref}",
        lambda _: None, Effect.ONCE, accepts=frozenset({404}),
    )  # fmt: skip


def deny(held: CloudDevice) -> Call[None]:
    """Refuse a unit in quarantine (J3). Raises `BadInput` for any other: an approved member is never denied."""
    ref = _product(held)
    if not held.quarantined:
        raise BadInput(f"deny {held.id} in product {ref}: it is not in quarantine; remove it if it shall leave")
    return Call(
        Route.MEMBER_REMOVAL, "DELETE", device_path(held.id, ref), f"deny {held.id} in product {ref}",
        lambda _: None, Effect.ONCE, {"deny": True},
    )  # fmt: skip


def request_transfer(device_id: DeviceId) -> Call[str | None]:
    """Ask the owner of a unit outside products to hand it over; returns the number of the request (5.2).

    None: the cloud knows no such unit, or it is offline, which it does not tell apart (5.1): nobody was asked. Every
    other call sends an e-mail, and nothing shows what becomes of it but the owner of the unit, some day.
    """
    return Call(
        Route.CLAIM, "POST", "/v1/devices", f"ask the owner of {device_id} for it",
        lambda a: None if a.status == 404 else Fields(a.body, "transfer").text("transfer_id"), Effect.ONCE,
        {"id": str(device_id), "request_transfer": True}, frozenset({404}),
    )  # fmt: skip


def _product(record: CloudDevice) -> int:
    if not record.is_product_device or record.product_id is None:
        raise BadInput(f"{record.id} is in no product; nothing to remove it from, or to deny it in")
    return record.product_id
