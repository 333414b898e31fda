"""$FLOE_HOME: where one local stack keeps its state, its logs and its locks."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import signal
import time
from collections.abc import Iterator
from pathlib import Path

# How long the processes of a supervisor that was killed may take to end by themselves.
LEFTOVERS_SECONDS = 5.0


class StackError(Exception):
    """The stack cannot run; the message says why and what to do, in a sentence or two."""


class Home:
    """The folder of one stack; made when missing. Raises StackError when it cannot be."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.logs = self.path / "logs"
        self.stack_file = self.path / "stack.json"
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StackError(f"{self.path} cannot be the stack's folder: {error.strerror}.") from None

    def admin_key(self) -> str:
        """The administrator's API key: 256 random bits, made once, readable by the owner only."""
        path = self.path / "admin.key"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(32) + "\n")
        return path.read_text().strip()

    @contextlib.contextmanager
    def locked(self) -> Iterator[int]:
        """Holds the home for one supervisor; yields the descriptor that its children must inherit.

        The second lock lives as long as any child does, so the children of a supervisor that was killed are
        waited for (they end by themselves), and killed when they do not. Raises StackError when another
        supervisor holds the home.
        """
        with _lock_file(self.path / "supervisor.lock") as supervisor:
            if not _try_lock(supervisor):
                holder = os.read(supervisor, 20).decode().strip() or "unknown"
                raise StackError(
                    f"A stack already runs in {self.path} (supervisor pid {holder}): "
                    "stop it, or choose another folder with FLOE_HOME and another port with FLOE_PORT."
                )
            os.truncate(supervisor, 0)
            os.write(supervisor, str(os.getpid()).encode())
            with _lock_file(self.path / "children.lock") as children:
                _await_lock(children, self.path / "children.lock")
                yield children


def sha256_hex(key: str) -> str:
    """How an API key is stored."""
    return hashlib.sha256(key.encode()).hexdigest()


def write_private(path: Path, text: str) -> None:
    """Replaces `path` in one step by a file that only its owner can read."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


@contextlib.contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _await_lock(descriptor: int, path: Path) -> None:
    deadline = time.monotonic() + LEFTOVERS_SECONDS
    while not _try_lock(descriptor):
        if time.monotonic() > deadline:
            for pid in holders(path):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def holders(path: Path) -> list[int]:
    """The other processes that have `path` open (Linux only)."""
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if os.readlink(link) == str(path):
                found.append(int(link.parts[2]))
    return sorted(set(found) - {os.getpid()})
