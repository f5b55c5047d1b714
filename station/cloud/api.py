"""The routes of the walk as values: what to send, whether it may be repeated, how to parse the answer. Pure.

Facts: reference cloud-api. Device IDs are passed as `DeviceId`, whose canonical form is lower case, so every
route gets them that way (A2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from drivers.identity import DeviceId, Imei, SerialNumber

from ..errors import BadInput
from . import answers as read
from .answers import (
    MAX_IMPORT,
    ClaimAnswer,
    CloudDevice,
    ImportResult,
    Page,
    Product,
    SerialRecord,
    TokenInfo,
    User,
)
from .body import MAX_LIST_BYTES, Answer
from .call import PER_PAGE, Call, Effect, ProductRef, device_path, device_route, product_path
from .evidence import About, Route, about

# --- account and product ----------------------------------------------------------------------


def token_info() -> Call[TokenInfo]:
    """Ask what the token is: until when it is good, of which client, with which scopes (reference cloud-api 2.4)."""
    return Call(Route.TOKEN, "GET", "/v1/access_tokens/current", "token info", lambda a: read.read_token_info(a.body))


def user() -> Call[User]:
    """Ask whose token it is (reference cloud-api 2.4)."""
    return Call(Route.USER, "GET", "/v1/user", "look up the token's user", lambda a: read.read_user(a.body))


def product(ref: ProductRef) -> Call[Product]:
    """Look a product up. Any other product in its place is a `BadAnswer`."""
    return Call(
        Route.PRODUCT, "GET", product_path(ref), f"look up product {ref}", lambda a: read.read_product(a.body, ref)
    )


# --- devices ----------------------------------------------------------------------------------


def device_in_product(ref: ProductRef, device_id: DeviceId) -> Call[CloudDevice | None]:
    """Read the device as a member of the product; None when it is not one (404)."""

    def reader(answer: Answer) -> CloudDevice | None:
        return None if answer.status == 404 else read.read_device(answer.body, device_id)

    what = f"look up {device_id} in product {ref}"
    return Call(Route.MEMBER, "GET", f"{product_path(ref)}/devices/{device_id}", what, reader, accepts=frozenset({404}))


def my_device(device_id: DeviceId) -> Call[CloudDevice | None]:
    """Read a device of this account. None: unknown or of another account, which the cloud does not distinguish."""

    def reader(answer: Answer) -> CloudDevice | None:
        return None if answer.status in (403, 404) else read.read_device(answer.body, device_id)

    return Call(
        Route.DEVICE, "GET", f"/v1/devices/{device_id}", f"look up {device_id}", reader, accepts=frozenset({403, 404})
    )


def my_devices() -> Call[tuple[CloudDevice, ...]]:
    """Ask for all devices the account owns."""
    return Call(
        Route.DEVICES, "GET", "/v1/devices", "list the account's devices", lambda a: read.read_devices(a.body),
        most_bytes=MAX_LIST_BYTES,
    )  # fmt: skip


def members(ref: ProductRef, page: int) -> Call[Page[CloudDevice]]:
    """List devices of the product, by Device ID: then one that joins meanwhile moves no other one to a page before."""
    return Call(
        Route.MEMBERS, "GET",
        f"{product_path(ref)}/devices?sortAttr=deviceId&sortDir=asc&page={page}&per_page={PER_PAGE}",
        f"list the devices of product {ref}", lambda a: read.read_members(a.body), most_bytes=MAX_LIST_BYTES,
    )  # fmt: skip


def member_by_serial(ref: ProductRef, serial: SerialNumber) -> Call[CloudDevice | None]:
    """Find the device of the product that has a serial number: in its list, which has no hourly limit (A15)."""

    def reader(answer: Answer) -> CloudDevice | None:
        found = read.read_members(answer.body).rows  # the filter also finds parts
        return next((device for device in found if device.serial_number == str(serial)), None)

    path = f"{product_path(ref)}/devices?serialNumber={serial}&page=1&per_page={PER_PAGE}"
    return Call(
        Route.MEMBERS, "GET", path, f"look up {serial} in product {ref}", reader, most_bytes=MAX_LIST_BYTES,
    )  # fmt: skip


Identifier = DeviceId | SerialNumber | Imei
"""What the import takes for a device (reference cloud-api 4.1). An ICCID, too, but it names a SIM (E13)."""


def add_to_product(
    ref: ProductRef, devices: Identifier | Sequence[Identifier], claim_user: str = ""
) -> Call[ImportResult]:
    """Add devices to the product together with their built-in SIMs, and claim them to ``claim_user`` if there is one.

    The claim works offline and with an API user's token; ``claim_user`` must be in the product's team. Raises
    `BadInput` unless there are 1 to 1000 devices.
    """
    identifiers = devices if isinstance(devices, Sequence) else (devices,)
    if not 1 <= len(identifiers) <= MAX_IMPORT:
        raise BadInput(
            f"add devices to product {ref}: one import takes 1 to {MAX_IMPORT} devices, here are {len(identifiers)}; "
            "send them in parts"
        )
    sent = tuple(map(str, identifiers))
    who = sent[0] if len(sent) == 1 else f"{len(sent)} devices"
    names: dict[str, object] = {"id": sent[0]} if len(sent) == 1 else {"ids": list(sent)}
    if claim_user:
        names["claim_user"] = claim_user
    return Call(
        Route.IMPORT, "POST", f"{product_path(ref)}/devices", f"add {who} to product {ref}",
        lambda a: read.read_import(a.body, sent), Effect.ONCE, names | {"import_sims": True},
    )  # fmt: skip


def change(device_id: DeviceId, fields: Mapping[str, object], ref: ProductRef | None = None) -> Call[None]:
    """Set fields of a device of product ``ref``, or (None) of the account: name, notes, ... (reference 4.4)."""
    what = ", ".join(f"{name} {value!r}" for name, value in fields.items())
    return Call(
        device_route(ref), "PUT", device_path(device_id, ref),
        f"set {what} of {device_id}", lambda _: None, Effect.ONCE, fields,
    )  # fmt: skip


def group(ref: ProductRef, name: str) -> Call[bool]:
    """Ask whether the product has a group of that name (404: no)."""
    return Call(
        Route.GROUP, "GET", f"{product_path(ref)}/groups/{quote(name, safe='')}", f"look up group {name}",
        lambda a: a.status != 404, accepts=frozenset({404}),
    )  # fmt: skip


def create_group(ref: ProductRef, name: str) -> Call[None]:
    """Make a group; whether it is there shows when it is looked up (reference 4.5)."""
    return Call(
        Route.GROUP, "POST", f"{product_path(ref)}/groups", f"make group {name}", lambda _: None, Effect.ONCE,
        {"name": name},
    )  # fmt: skip


def add_to_groups(ref: ProductRef, device_id: DeviceId, names: Sequence[str]) -> Call[None]:
    """Add a device to groups; those it is in stay (F4)."""
    body = {"action": "groups", "devices": [str(device_id)], "metadata": {"add": list(names), "remove": []}}
    return Call(
        Route.MEMBERS, "PUT", f"{product_path(ref)}/devices", f"add {device_id} to groups {', '.join(names)}",
        lambda _: None, Effect.ONCE, body,
    )  # fmt: skip


def claim(device_id: DeviceId) -> Call[ClaimAnswer]:
    """Make the token's user the owner. The body contains only the Device ID (E10)."""

    def reader(answer: Answer) -> ClaimAnswer:
        if answer.status == 403:
            return ClaimAnswer.FOREIGN
        if answer.status == 404:
            return ClaimAnswer.UNKNOWN if about(Route.CLAIM, answer) is About.UNIT else ClaimAnswer.OFFLINE
        return ClaimAnswer.ACCEPTED

    return Call(
        Route.CLAIM, "POST", "/v1/devices", f"claim {device_id}", reader, Effect.ONCE,
        {"id": str(device_id)}, frozenset({403, 404}),
    )  # fmt: skip


def ping(device_id: DeviceId, ref: ProductRef | None = None) -> Call[bool]:
    """Ask the device itself whether it is online; the answer is 200 even if it is offline."""
    return Call(
        device_route(ref), "PUT", f"{device_path(device_id, ref)}/ping", f"ping {device_id}",
        lambda a: read.read_ping(a.body), json={}, takes_long=True,
    )  # fmt: skip


def serial_lookup(serial: SerialNumber) -> Call[SerialRecord | None]:
    """Look up the Device ID of a serial number; None when the cloud has none."""

    def reader(answer: Answer) -> SerialRecord | None:
        return None if answer.status == 404 else read.read_serial(answer.body, str(serial))

    path = f"/v1/serial_numbers/{quote(str(serial), safe='')}"
    return Call(Route.SERIAL, "GET", path, f"look up serial {serial}", reader, accepts=frozenset({404}), is_scarce=True)
