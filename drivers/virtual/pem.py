"""What a unit makes of a certificate or key it was given as text: it keeps what it can decode (usb-and-serial 5.5)."""

from __future__ import annotations

import base64
import re

_PEM = re.compile(r"\s*-----BEGIN ([A-Z0-9 ]{1,40})-----\s+([A-Za-z0-9+/=\s]+)-----END \1-----\s*")


def readable(text: str) -> str:
    """Return ``text`` with plain line ends if it is PEM, else "": what cannot be decoded is ignored silently."""
    match = _PEM.fullmatch(text)
    if match is None:
        return ""
    try:
        base64.b64decode("".join(match[2].split()), validate=True)
    except ValueError:
        return ""
    return "\n".join(line.strip() for line in text.strip().splitlines())
