"""Keeps a terminal usable however the program on it ends: the program runs as the child of a small parent process.

The parent only waits: it forwards the signals it receives, tells the child of a terminal that went away, restores the
terminal when the child was killed, and exits as the child did.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable

HANDED_ON = frozenset({signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGWINCH, signal.SIGUSR1, signal.SIGUSR2})
_WATCHED = HANDED_ON | {signal.SIGCHLD}
LOOK_S = 1.0
"""How often the parent looks whether its terminal is still there."""
RESET = (
    b"\x1b[<u\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?2004l\x1b[?1004l\x1b[?2048l"
    b"\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[0m"
)
"""Escape sequences: keyboard, mouse, paste and focus reports off, line wrap on, normal screen, cursor on, no colour."""


def kept(run: Callable[[], int]) -> int:
    """Run ``run`` in a child process on the terminal of standard input; return its exit status.

    It returns in the child too, with the result of ``run``. If a signal ends the child, the same signal ends the
    caller. Call it before any thread is started.
    """
    before = termios.tcgetattr(sys.stdin.fileno())
    sys.stdout.flush()
    sys.stderr.flush()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    alive, parent_alive = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(parent_alive)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        threading.Thread(target=_end_with_parent, args=(alive,), name="parent", daemon=True).start()
        return run()
    os.close(alive)
    status = _wait(child)
    if os.WIFSIGNALED(status):
        _restore(before)
    os.close(parent_alive)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    if os.WIFSIGNALED(status):
        _die_of(os.WTERMSIG(status))
    return os.waitstatus_to_exitcode(status)


def _end_with_parent(alive: int) -> None:
    """End this process when the parent has ended, which closes its end of the pipe even if it was killed."""
    with contextlib.suppress(OSError):
        os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGHUP)


def _wait(child: int) -> int:
    """Forward signals until ``child`` has ended; return its wait status.

    A terminal that is not the controlling one (a container's) goes away without a signal; the child gets it from here.
    """
    terminal = select.poll()
    terminal.register(sys.stdin.fileno(), 0)  # what poll tells unasked is that it hung up
    is_there = True
    while True:
        got = signal.sigtimedwait(_WATCHED, LOOK_S)
        if got is None:
            if is_there and terminal.poll(0):
                is_there = False
                os.kill(child, signal.SIGHUP)
        elif got.si_signo == signal.SIGCHLD:
            found, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
            if found and os.WIFSTOPPED(status):
                os.kill(os.getpid(), signal.SIGSTOP)  # the shell waits for this process, not for its child
                os.kill(child, signal.SIGCONT)
            elif found:
                return status
        else:  # the child may already have received it from the terminal, and treats both as one request
            os.kill(child, got.si_signo)
            is_there = is_there and got.si_signo != signal.SIGHUP  # told, and not to be told twice


def _restore(before: list[object]) -> None:
    """Restore the terminal, best effort: the child may have ended because the terminal went away."""
    with contextlib.suppress(OSError, termios.error):
        os.write(sys.stdout.fileno(), RESET)
    with contextlib.suppress(OSError, termios.error):
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, before)  # type: ignore[arg-type]


def _die_of(number: int) -> None:
    """End this process by the same signal, so that a shell or a service manager sees the cause."""
    with contextlib.suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
