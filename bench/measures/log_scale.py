"""What very many live files cost: opening the table, one sensor's day, a commit; and the kept summary."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.log_scale import Shape, fill, shapes
from bench.options import Options
from bench.progress import say
from bench.report import Result
from bench.stack import account_of, scratch
from devstack.azurite import Azurite
from devstack.children import Child
from devstack.home import Home
from devstack.ports import free_port
from devstack.provision import make_containers
from devstack.tools import PROJECT
from shared.streams.models import LANDING_CONTAINER

_PATIENCE = 6.0
_STEPS = {
    "summary": "the kept summary, by a new process",
    "open": "opening",
    "files": "its list of files",
    "first day": "one sensor's day, first",
    "day once more": "one sensor's day, later",
    "commit": "a commit of one file",
    "day after a commit": "one sensor's day, after a commit",
}


def measure(options: Options) -> Result:
    """Makes each table in storage of its own, and looks into it from a new process."""
    result = Result()
    for files in options.files:
        for shape in shapes(files):
            with scratch() as folder, _storage(folder) as connection:
                say(f"log-scale: {shape.label}")
                make_containers(connection, [shape.stream.container, LANDING_CONTAINER])
                fill(account_of(connection), shape)
                _add(result, shape, connection, options.timeout)
    result.notes.append(
        "Each kind of table holds the same readings; CPU is that of the reading process alone."
    )
    return result


def _add(result: Result, shape: Shape, connection: str, timeout: float) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.log_scale_reader"],
        cwd=PROJECT,
        input=json.dumps([connection, shape.stream.container]),
        timeout=timeout,
        check=True,
        capture_output=True,
        text=True,
    )
    steps = result.details[shape.label] = json.loads(done.stdout)
    for step, words in _STEPS.items():
        result.add(f"{shape.label}: {words}", 1000 * steps[step]["seconds"], "ms")
        result.add(f"{shape.label}: {words}, CPU", 1000 * steps[step]["cpu"], "ms")
    result.add(f"{shape.label}: resident after all", max(step["mb"] for step in steps.values()), "MB")


@contextmanager
def _storage(folder: Path) -> Iterator[str]:
    """The connection string of an Azurite that runs meanwhile."""
    home = Home(folder)
    azurite = Azurite(home, tuple(free_port() for _ in range(3)))
    child = Child(azurite, home)
    with asyncio.Runner() as runner:

        async def start() -> None:
            await child.start()
            await child.answered()

        runner.run(start())
        try:
            yield azurite.connection_string
        finally:
            runner.run(child.stop(_PATIENCE))
