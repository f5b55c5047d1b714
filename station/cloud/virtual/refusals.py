"""Every error the virtual cloud answers with: one table of statuses and bodies, in the shapes of the real one.

Facts: reference cloud-api 1.1 and the tables of each route. Its open points (13) are marked with a ``?``: nobody has
seen those answers, a client must not depend on them.
"""

from __future__ import annotations

import enum


class Refusal(enum.Enum):
    """Status and body of one error."""

    NO_TOKEN = (400, {"error": "invalid_request", "error_description": "The access token was not found"})
    BAD_TOKEN = (401, {"error": "invalid_token", "error_description": "The access token provided is invalid."})
    BAD_CREDENTIALS = (400, {"error": "invalid_grant", "error_description": "User credentials are invalid"})
    MFA_REQUIRED = (403, {"error": "mfa_required", "error_description": "Multi-factor authentication required"})
    BAD_CLIENT = (400, {"error": "invalid_client", "error_description": "Client credentials are invalid"})  # ?
    BAD_GRANT = (400, {"error": "unsupported_grant_type", "error_description": "Invalid or missing grant_type"})  # ?
    OTP_EXPIRED = (400, {"error": "invalid_grant", "error_description": "OTP expired"})
    NOT_A_FORM = (
        400,
        {
            "error": "invalid_request",
            "error_description": "Method must be POST with application/x-www-form-urlencoded encoding",
        },
    )
    NOT_JSON = (400, {"error": "invalid_request", "error_description": "The body is not a JSON object"})
    LOGIN_LOCKED = (429, {"error": "too_many_requests", "error_description": "Too many failed logins"})  # ?
    TOO_MANY = (429, {"error": "too_many_requests", "error_description": "Too many requests"})  # ?
    TOO_MANY_STREAMS = (529, {"error": "too_many_requests", "error_description": "Too many event streams"})  # ?
    UNKNOWN_USER = (400, {"ok": False, "errors": ["Unknown user"]})
    BAD_PASSWORD = (401, {"ok": False, "errors": ["Bad password"]})
    USER_EXISTS = (400, {"ok": False, "errors": ["username must be unique"]})  # ?
    NOT_IN_SCOPE = (400, {"error": "unauthorized"})
    NOT_FOR_API_USERS = (
        400,
        {"error": "unauthorized", "error_description": "API users are not allowed to call this endpoint"},
    )

    NO_PRODUCT = (404, {"ok": False, "error": "Product not found."})
    NOT_IN_TEAM = (403, {"ok": False, "error": "Permission denied"})
    NO_MEMBER = (404, {"ok": False, "error": "Device not found for this product"})
    NOT_MINE = (
        403,
        {
            "error": "Permission Denied",
            "info": "I didn't recognize that device name or ID, try opening https://console.particle.io/devices",
        },
    )
    NO_IDENTIFIERS = (400, {"ok": False, "error": "No device identifiers"})  # ?
    ACCOUNT_FULL = (403, {"ok": False, "error": "The device limit of this account's plan is reached"})  # ?
    PRODUCT_PAUSED = (403, {"ok": False, "error": "This product is paused"})  # ?
    NOTHING_TO_CHANGE = (400, {"ok": False, "error": "Nothing to change, or a field of the wrong kind"})  # ?
    DEVICE_SILENT = (
        500,
        {"ok": False, "code": 500, "errors": [{"error": "Timed out, didn't hear back from device service"}]},
    )

    DEVICE_UNKNOWN = (404, {"ok": False, "errors": ["device does not exist"]})
    DEVICE_OFFLINE = (404, {"ok": False, "errors": [["Core isn't online", 404]]})
    SOMEONE_ELSES = (403, {"ok": False, "errors": ["That belongs to someone else."]})
    NO_SERIAL = (404, {"ok": False, "error": "Serial number not found"})
    TOO_MANY_LOOKUPS = (429, {"ok": False, "error": "Too many serial number look-ups"})  # ?
    CLAIM_CODE_WRONG_TOKEN = (403, {"ok": False, "error": "The access token must belong to a customer"})  # ?

    NO_GROUP = (404, {"ok": False, "error": "Group not found"})
    GROUP_EXISTS = (409, {"ok": False, "error": "A group of that name exists"})  # ?
    BAD_GROUP_NAME = (400, {"ok": False, "error": "Group names have 1 to 64 characters of a-z 0-9 - _"})  # ?

    NO_SIM_NUMBERS = (400, {"ok": False, "error": "No SIM cards"})  # ?
    NO_SIM = (404, {"ok": False, "error": "SIM card not found"})
    SIM_OF_ANOTHER = (403, {"ok": False, "error": "This SIM card belongs to somebody else"})
    SIM_CHANGES = (408, {"ok": False, "error": "Activation in progress"})
    SIM_ACTION = (400, {"ok": False, "error": "Unknown action"})  # ?

    NO_FIRMWARE = (404, {"ok": False, "error": "Firmware version not found"})  # ?
    BAD_FIRMWARE = (400, {"ok": False, "error": "Not a firmware binary for this product"})  # ?
    BAD_VERSION = (400, {"ok": False, "error": "Firmware versions are whole numbers from 1 to 65535"})  # ?
    VERSION_EXISTS = (400, {"ok": False, "error": "That firmware version exists"})  # ?
    VERSION_NEVER_RAN = (400, {"ok": False, "error": "No device of this product has run that version yet"})  # ?
    NO_DEVICE_OS = (404, {"ok": False, "error": "Device OS version not found"})
    NO_FILE = (404, {"error": "Not Found"})

    NO_CUSTOMER = (404, {"ok": False, "error": "Customer not found"})  # ?
    CUSTOMER_EXISTS = (400, {"ok": False, "error": "customer_exists"})  # ?
    NO_TEAM_MEMBER = (404, {"ok": False, "error": "User not found in the team"})  # ?
    NO_CLIENT = (404, {"ok": False, "error": "Client not found"})  # ?
    NO_VITALS = (404, {"error": "not_found", "description": "No diagnostics of this device"})  # ?
    BAD_CONFIGURATION = (
        422,
        {"message": "Validation failed", "description": "The value is not an object", "violations": []},
    )

    @property
    def status(self) -> int:
        return int(self.value[0])

    @property
    def body(self) -> dict[str, object]:
        return dict(self.value[1])
