"""The stack that the demo uses: the one that runs, or one of its own until it ends."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from devstack.home import Home, StackError

_START_SECONDS = 300.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Stack:
    """How to reach a running stack; `own` when it ends with the demo."""

    http_url: str
    kafka_bootstrap: str
    storage_connection_string: str
    api_key: str
    own: bool = False


@contextlib.contextmanager
def running_stack(home: Path) -> Iterator[Stack]:
    """The stack that runs or starts in `home`, else one that is started there and stopped afterwards.

    Raises StackError when none can be started.
    """
    file = home / "stack.json"
    running = _describe(file, own=False)
    if running is not None:
        yield running
        return
    if _is_held(home):
        print(f"a stack is starting in {home}: waiting for it", flush=True)
        yield _await(file, lambda: _is_held(home), own=False)
        return
    print(f"no stack runs in {home}: starting one for the demo (`make run` keeps one up)", flush=True)
    process = subprocess.Popen([sys.executable, "-m", "devstack"], stdin=subprocess.DEVNULL)
    try:
        yield _await(file, lambda: process.poll() is None, own=True)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)


def _is_held(home: Path) -> bool:
    """Whether a supervisor works in `home`."""
    try:
        with Home(home).locked():
            return False
    except StackError:
        return True


def _await(file: Path, starting: Callable[[], bool], *, own: bool) -> Stack:
    deadline = time.monotonic() + _START_SECONDS
    while (stack := _describe(file, own=own)) is None:
        if not starting():
            raise StackError("The demo needs a running stack, and none could be started: try `make run`.")
        if time.monotonic() > deadline:
            raise StackError("The stack did not get ready in time: see what `make run` says.")
        time.sleep(_POLL_SECONDS)
    return stack


def _describe(file: Path, *, own: bool) -> Stack | None:
    """The stack that `file` describes; None where there is no such file, or its stack has ended."""
    try:
        found = json.loads(file.read_text())
    except FileNotFoundError:
        return None
    try:
        os.kill(found["pids"]["supervisor"], 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # it runs, as somebody else
    names = ("http_url", "kafka_bootstrap", "storage_connection_string", "api_key")
    return Stack(**{name: found[name] for name in names}, own=own)
