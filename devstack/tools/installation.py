"""Installing a tool: once for each version of what pins it, in one step, safe when two do it at once."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from devstack.tools import TOOLS

INSTALL_SECONDS = 600

Announce = Callable[[str], None]


class ToolMissingError(Exception):
    """A tool cannot be had here; the message says what to install, or what failed."""


def installed_at(name: str, pinned_by: Sequence[Path]) -> Path:
    """Where the version of tool `name` that the files `pinned_by` ask for is, or will be, installed."""
    digest = hashlib.sha256()
    for path in pinned_by:
        digest.update(path.read_bytes())
    return TOOLS / f"{name}-{digest.hexdigest()[:12]}"


def install(target: Path, fill: Callable[[Path], None], announce: Announce) -> None:
    """Makes `target`, unless it is there: `fill` gets an empty folder that becomes it when all went well.

    `announce` is told before anything that takes long.
    """
    if target.exists():
        return
    announce("installing")
    with one_at_a_time():
        if target.exists():
            return
        for leftover in TOOLS.glob(f".{target.name}-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=TOOLS))
        try:
            fill(draft)
            draft.chmod(0o755)
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Waits until no other process of this checkout installs."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(command: Sequence[str], folder: Path) -> None:
    """Runs an installer in `folder`; raises ToolMissingError with the end of what it said when it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ToolMissingError(f"`{' '.join(command)}` took more than {INSTALL_SECONDS} s") from None
    if done.returncode != 0:
        said = "\n".join(done.stdout.splitlines()[-10:])
        raise ToolMissingError(f"`{' '.join(command)}` failed:\n{said}")
