"""Reads the body of a request, however it is encoded: JSON, form or multipart (reference cloud-api 1)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from werkzeug.wrappers import Request

from .ask import Refuse, Upload
from .refusals import Refusal

FORM = "application/x-www-form-urlencoded"
_FLAGS = frozenset({
    "development", "flash", "import_sims", "request_transfer", "deny", "firmware_updates_forced", "product_default",
    "intelligent", "no_password", "private",
})  # fmt: skip
_NUMBERS = frozenset({"desired_firmware_version", "version", "expires_in", "platform_id"})
"""Fields that are no texts: a form has only texts, so these are converted."""
_ELEMENT = re.compile(r"(\w+)\[\d*\]")


def fields_of(request: Request) -> dict[str, object]:
    """Return the fields of the body, {} if it has none. Raises `Refuse` for anything but an object."""
    raw = request.get_data(cache=True)
    if request.mimetype in (FORM, "multipart/form-data"):
        return _decoded(request.form.items(multi=True))
    try:
        body = json.loads(raw) if raw else {}
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refuse(Refusal.NOT_JSON)
    return body


def files_of(request: Request) -> dict[str, Upload]:
    """Return the files of a multipart body by the name of their part."""
    return {part: Upload(file.filename or "", file.stream.read()) for part, file in request.files.items()}


def _decoded(pairs: Iterable[tuple[str, str]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for name, text in pairs:
        if element := _ELEMENT.fullmatch(name):
            listed = fields.setdefault(element[1], [])
            assert isinstance(listed, list)
            listed.append(text)
        else:
            fields[name] = _value(name, text)
    return fields


def _value(name: str, text: str) -> object:
    if name in _FLAGS and text in ("true", "false"):
        return text == "true"
    if name in _NUMBERS and text == "null":
        return None
    if name in _NUMBERS and re.fullmatch(r"-?\d{1,12}", text):
        return int(text)
    return text


SECRET_FIELDS = frozenset({
    "password", "otp", "mfa_token", "client_secret", "access_token", "token", "claim_code", "activation_code",
})  # fmt: skip


def shown(fields: dict[str, object]) -> dict[str, object]:
    """Return the fields as the log may have them: without credentials."""
    return {name: "..." if name in SECRET_FIELDS else value for name, value in fields.items()}
