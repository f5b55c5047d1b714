"""Programs that tests start and that run until somebody ends them: with the test process, however that ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

# Linux kills a process that asked for it when its parent dies; the wish survives exec. (Not in preexec_fn:
# Python warns of that beside threads.) Whoever finds another parent already came too late. Ctrl-C means what it does
# at a terminal: a shell that starts the tests in the background has them ignore it, and that survives exec, too.
_BESIDE_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
signal.signal(signal.SIGINT, signal.SIG_DFL)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


def start(command: Sequence[str], **options: Any) -> subprocess.Popen[str]:
    """Like ``subprocess.Popen`` with text; ``command`` begins with the path of a program."""
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-S", "-c", _BESIDE_PARENT, str(os.getpid()), *command]
    return subprocess.Popen(command, text=True, **options)
