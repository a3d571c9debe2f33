"""What a worker process gives up before it touches a file."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
"""prctl(2)."""


def confine(memory: int, parent: int) -> None:
    """The process dies with its parent, gains no rights, leaves no core, and allocates no more than so many bytes.

    On Linux; elsewhere what the system has of these.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever interrupts the server ends it
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    # Unlike the address space, data leaves files out that are mapped, and memory that is only set aside. A reader that
    # is refused memory can say so, so that it is refused sooner than the server ends the process.
    resource.setrlimit(resource.RLIMIT_DATA, (memory // 8 * 7,) * 2)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # it was gone before
