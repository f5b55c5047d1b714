"""Pages in HTML as PDF, such as the report of a batch: printed by a Chromium on this computer; it fetches nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TextIO

from drivers.clock import SystemClock
from drivers.host.executable import Programs, SystemPrograms

from ..errors import BadInput
from .batch_log import BatchLog
from .exporter import Exporter
from .report import write_report

BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge", "microsoft-edge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)  # fmt: skip
_LIMIT_S = 300.0
"""For 100,000 units on a slow computer."""


class NoBrowser(BadInput):
    """There is no program here that prints the page."""


def write_pdf(log: BatchLog, file: IO[Any], programs: Programs | None = None) -> int:
    """Write the report as PDF to a binary file; return how many units it lists. Raises as `print_page` does."""
    return print_page(lambda page: write_report(log, page), file, programs)


def print_page(write: Callable[[TextIO], int], file: IO[Any], programs: Programs | None = None) -> int:
    """Print the HTML page that ``write`` writes as PDF to a binary file; return what ``write`` returned.

    Raises `NoBrowser` where there is no Chromium, `BadInput` if it prints nothing.
    """
    programs = programs or SystemPrograms()
    browser = next((found for name in BROWSERS if (found := programs.find(name))), None)
    if browser is None:
        raise NoBrowser(
            "a PDF is printed by Chromium, Chrome or Edge, and none is installed here; install one, or write HTML and"
            " print that page"
        )
    with tempfile.TemporaryDirectory(prefix="station-pdf-", ignore_cleanup_errors=True) as folder:
        page, made = Path(folder, "page.html"), Path(folder, "page.pdf")
        with page.open("w", encoding="utf-8") as text:
            count = write(text)
        ended = programs.run(_command(browser, page, made), b"", _LIMIT_S, SystemClock().token())
        if not made.exists():
            why = ended.trouble or f"it ended with {ended.status}"
            raise BadInput(f"{browser} printed no PDF ({why}); start it by hand once, or write HTML")
        with made.open("rb") as pdf:
            shutil.copyfileobj(pdf, file)
    return count


def _command(browser: str, page: Path, made: Path) -> tuple[str, ...]:
    # as root Chromium starts in no sandbox; the page is our own and loads nothing
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return (
        browser, "--headless", *(("--no-sandbox",) if is_root else ()), "--disable-gpu", "--no-first-run",
        "--disable-extensions", "--disable-dev-shm-usage", "--disable-background-networking",
        f"--user-data-dir={page.parent / 'profile'}", "--no-pdf-header-footer", f"--print-to-pdf={made}",
        page.as_uri(),
    )  # fmt: skip


PDF = Exporter("pdf", "the report as PDF, printed by a Chromium on this computer", write_pdf, True)
