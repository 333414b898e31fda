"""TCP ports on this machine: which are free, and who holds one that is not."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

from devstack.home import StackError

LOOPBACK = "127.0.0.1"
# Below the range that outgoing connections take theirs from, so that a free one stays free.
_FALLBACK = range(20_000, 32_000)
_CLAIMS: dict[int, int] = {}


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A free port, chosen at random so that stacks that start together seldom meet."""
    while not is_free(port := random.choice(_FALLBACK)):  # noqa: S311
        pass
    return port


def prefer(port: int) -> int:
    """`port` when it is free and no other stack is about to take it, else another."""
    return port if is_free(port) and _claim(port) else free_port()


def _claim(port: int) -> bool:
    """Whether this process has `port` to itself among stacks that start at the same time, from now on."""
    if port in _CLAIMS:
        return True
    try:
        claim = os.open(Path(tempfile.gettempdir(), f"floe-port-{port}.lock"), os.O_CREAT | os.O_RDWR, 0o666)
    except OSError:  # somebody else's file: then being free has to do
        return True
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(claim)
        return False
    _CLAIMS[port] = claim  # held until this process ends
    return True


def require_free(port: int) -> None:
    """Raises StackError, which says who holds `port`, unless it is free."""
    if not is_free(port):
        raise StackError(
            f"Port {port} is taken by {holder_of(port)}: stop that, or choose another port with FLOE_PORT, "
            f"as in `FLOE_PORT={free_port()} make run`."
        )


def holder_of(port: int) -> str:
    """Who listens on `port`, as `NAME (pid N)`; as far as this user may see."""
    inodes = _listening_inodes(port)
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if os.readlink(link) in inodes:
                name = Path("/proc", link.parts[2], "comm").read_text().strip()
                return f"{name} (pid {link.parts[2]})"
    return "another process"


def holds(pid: int, port: int) -> bool:
    """Whether the process `pid` listens on `port`; taken for granted where the system does not tell."""
    if not Path("/proc/net/tcp").exists():
        return True
    inodes = _listening_inodes(port)
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        with contextlib.suppress(OSError):
            if os.readlink(link) in inodes:
                return True
    return False


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    return inodes
