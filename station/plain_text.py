"""Text from files, journals and units, made fit for a terminal or a log. Knows nothing of what it says."""

from __future__ import annotations

import json


def clean(text: str) -> str:
    """``text`` as one line that moves no cursor and turns no reading order: what cannot be shown becomes an escape.

    The escapes are those of JSON, so that a JSON text still says the same.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)
