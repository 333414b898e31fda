"""The peers on a backlog that Floe worked off too, each as a process, with its rows counted afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import obstore
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import ContainerClient

from bench.events import Backlog
from bench.lake import DeltaLog, Recount, open_container, recount
from bench.processes import CpuMeter
from bench.stack import Stack, scratch
from devstack.tools import PROJECT


@dataclass(frozen=True)
class PeerRun:
    """How a peer worked off a backlog: wall and CPU seconds from its first message, and what it wrote."""

    seconds: float
    cpu: float
    services: dict[str, float]
    found: Recount


def run_handwritten(stack: Stack, backlog: Backlog, timeout: float) -> PeerRun:
    """The hand-written loop, into a Delta table of its own."""
    container = f"handwritten-{backlog.prefix}"
    _make_container(stack, container)
    account = stack.account
    job = {
        "bootstrap": stack.bootstrap,
        "group": container,
        "topic": backlog.topic,
        "starts": list(backlog.starts),
        "ends": list(backlog.ends),
        "table": f"az://{container}/",
        "storage_options": {
            "azure_storage_account_name": account.name,
            "azure_storage_account_key": account.key,
            "azure_storage_endpoint": account.blob_endpoint,
            "allow_http": "true",
        },
    }
    meter = CpuMeter(stack.pids)
    done = _run([sys.executable, "-m", "bench.peers.handwritten", json.dumps(job)], timeout)
    services = meter.read()
    with DeltaLog(account, container).files() as files:
        return PeerRun(done["seconds"], done["cpu"], services, recount(files, backlog.prefix))


def run_quix(stack: Stack, backlog: Backlog, python: Path, packed: bool, timeout: float) -> PeerRun:
    """Quix Streams' Azure file sink, into a container of its own; reads the topic from its start."""
    container = f"quix-{backlog.prefix}"
    _make_container(stack, container)
    job = {
        "bootstrap": stack.bootstrap,
        "group": container,
        "topic": backlog.topic,
        "packed": packed,
        "count": backlog.events,
        "storage": stack.storage,
        "container": container,
    }
    meter = CpuMeter(stack.pids)
    script = Path(__file__).with_name("quix_sink.py")
    done = _run([str(python), str(script), json.dumps(job)], timeout)
    services = meter.read()
    return PeerRun(done["seconds"], done["cpu"], services, _recount_blobs(stack, container, backlog.prefix))


def _recount_blobs(stack: Stack, container: str, prefix: str) -> Recount:
    store = open_container(stack.account, container)
    paths = [blob["path"] for page in obstore.list(store) for blob in page]
    with scratch() as folder:
        files = []
        for number, path in enumerate(paths):
            target = folder / f"{number}.parquet"
            target.write_bytes(obstore.get(store, path).bytes().to_bytes())
            files.append(str(target))
        return recount(files, prefix)


def _make_container(stack: Stack, name: str) -> None:
    with ContainerClient.from_connection_string(stack.storage, name) as client, suppress(ResourceExistsError):
        client.create_container()


def _run(command: Sequence[str], timeout: float) -> dict[str, Any]:
    done = subprocess.run(command, cwd=PROJECT, timeout=timeout, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[1]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
