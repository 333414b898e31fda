"""Processes to kill."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devstack.provision import make_topics
from tests.kills.deliveries import PARTITIONS

KILLED = -signal.SIGKILL


@dataclass
class Case:
    """A place for one story of processes that work, die and are followed by others."""

    zygote: Path
    common: dict[str, str]

    def run(self, task: str, **arguments: Any) -> Any:
        """What the task returned, or KILLED when the process was; raises when it failed."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.zygote))
            with connection.makefile("rw") as stream:
                stream.write(json.dumps({"task": task, **self.common, **arguments}) + "\n")
                stream.flush()
                reply = json.loads(stream.readline())
        if reply["code"] == KILLED:
            return KILLED
        if reply["code"] != 0:
            raise AssertionError(reply["answer"])
        return json.loads(reply["answer"])


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of the program that forks processes for tasks."""
    path = tmp_path_factory.mktemp("zygote") / "socket"
    command = [sys.executable, "-m", "tests.kills.zygote", str(path)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield path
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="session")
def topics(kafka_bootstrap: str) -> str:
    """The prefix of topics that stand for those of the streams."""
    prefix = f"kills-{uuid.uuid4().hex[:8]}"
    make_topics(kafka_bootstrap, {f"{prefix}.{p.topic}" for p in PARTITIONS}, 1)
    return prefix


@pytest.fixture
def new_case(
    zygote: Path, topics: str, kafka_bootstrap: str, storage_connection_string: str, tmp_path: Path
) -> Callable[[], Case]:
    """Makes cases, each with a place and checkpoints of its own."""

    def make() -> Case:
        prefix = f"k{uuid.uuid4().hex[:10]}"
        checkpoints = tmp_path / prefix
        checkpoints.mkdir()
        return Case(
            zygote,
            {
                "storage": storage_connection_string,
                "prefix": prefix,
                "kafka": kafka_bootstrap,
                "topics": topics,
                "checkpoints": str(checkpoints),
            },
        )

    return make
