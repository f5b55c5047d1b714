"""Reads scans from standard input: without a screen a scanner types there."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)

MAX_SCAN_BYTES = 512
"""More than any label has; longer scans are refused."""


def read_scans(send: Callable[[str], None]) -> None:
    """Call ``send`` with every line of standard input, on a thread of its own that ends with the program."""

    def read() -> None:
        try:
            # unbuffered: at exit the interpreter would wait for the lock of a buffer that is being read
            with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as stream:
                for text in scans(stream):
                    send(text)
        except io.UnsupportedOperation:
            return  # no file is behind it
        except OSError as error:
            log.warning("standard input cannot be read any more, so no scans come: %s", error)

    threading.Thread(target=read, name="scans", daemon=True).start()


def scans(stream: io.RawIOBase | io.BytesIO) -> Iterator[str]:
    """Yield the non-empty lines of ``stream``, whatever bytes come, each cut at `MAX_SCAN_BYTES`."""
    while line := stream.readline(MAX_SCAN_BYTES):
        text = line.decode("utf-8", "replace").strip()
        while line and not line.endswith(b"\n"):
            line = stream.readline(MAX_SCAN_BYTES)
        if text:
            yield text
