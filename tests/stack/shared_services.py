"""One Kafka and one Azurite for a whole test run, whichever worker asks first.

Each is kept by a process of its own (`python -m tests.stack.shared_services SERVICE HOME RUN_PID`), which
ends it on SIGTERM and when the run's process is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from devstack.azurite import Azurite
from devstack.broker import choose_broker
from devstack.children import Child
from devstack.home import Home, write_private
from devstack.ports import free_port
from devstack.tools import azurite as azurite_tool

START_SECONDS = 60
END_SECONDS = 10


class _AzuriteInMemory(Azurite):
    """What it holds dies with it: no index of thousands of blobs is written every few seconds."""

    def command(self) -> Sequence[str]:
        command = list(super().command())
        at = command.index("--location")
        return [*command[:at], *command[at + 2 :], "--inMemoryPersistence"]


def address_of(service: str, shared: Path, run_pid: int) -> str:
    """The address of the run's `service` ("kafka" or "azurite"), started when it does not run yet."""
    note = shared / f"{service}-service" / "note.json"
    note.parent.mkdir(exist_ok=True)
    with note.with_name("lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not note.exists():
            _spawn_keeper(service, note.parent, run_pid)
            _await(note)
    return str(json.loads(note.read_text())["address"])


def _spawn_keeper(service: str, home: Path, run_pid: int) -> None:
    command = [sys.executable, "-m", __name__, service, str(home), str(run_pid)]
    log = os.open(home / "keeper.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    output = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    os.posix_spawn(sys.executable, command, os.environ, file_actions=output, setpgroup=0)
    os.close(log)


def _await(note: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not note.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not up: {note.with_name('keeper.log').read_text()}")
        time.sleep(0.05)


def end_services(shared: Path) -> None:
    """Ends what `address_of` started below `shared` and waits until it is gone."""
    for note in shared.glob("*-service/note.json"):
        with contextlib.suppress(ProcessLookupError):
            _end(os.pidfd_open(json.loads(note.read_text())["pid"]))


def _end(keeper: int) -> None:
    signal.pidfd_send_signal(keeper, signal.SIGTERM)
    select.select([keeper], [], [], END_SECONDS)
    # It is a child of this process only when there were no workers.
    with contextlib.suppress(ChildProcessError):
        os.waitid(os.P_PIDFD, keeper, os.WEXITED)
    os.close(keeper)


async def keep(service: str, folder: Path, run_pid: int) -> None:
    """Runs the service until SIGTERM, or the end of the process `run_pid`."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(os.pidfd_open(run_pid), over.set)
    loop.add_signal_handler(signal.SIGTERM, over.set)
    home = Home(folder)
    if service == "azurite":
        azurite_tool.ensure(print)
        started = _AzuriteInMemory(home, tuple(free_port() for _ in range(3)))
    else:
        started = choose_broker("kafka", home, 4, free_port())[0]
    child = Child(started, home)
    try:
        await child.start()
        await child.answered()
        address = started.connection_string if service == "azurite" else started.bootstrap
        write_private(folder / "note.json", json.dumps({"pid": os.getpid(), "address": address}))
        await over.wait()
    finally:
        await child.stop(3)


if __name__ == "__main__":
    asyncio.run(keep(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
