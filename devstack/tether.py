"""Runs a command that ends when its starter does: `tether.py STARTER SIGNAL COMMAND…`.

The command takes this process over, so its id is the one that the starter knows. When the starter dies,
however it dies, Linux sends SIGNAL; elsewhere the command merely runs.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def tether(starter: int, signal_number: int) -> None:
    """Asks for `signal_number` on the death of `starter`; exits when that has happened already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != starter:
            sys.exit(1)


if __name__ == "__main__":
    tether(int(sys.argv[1]), int(sys.argv[2]))
    os.execvp(sys.argv[3], sys.argv[3:])  # noqa: S606
