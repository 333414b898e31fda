"""Stops, kills and second starts of a stack beside another one; what was stored stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.stack.data import put_blob, put_message, read_blob, read_messages
from tests.stack.processes import survivors
from tests.stack.running import RunningStack

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def other(stack: RunningStack, start_stack: Callable[..., RunningStack]) -> RunningStack:
    """A second stack, beside the first."""
    return start_stack()


def test_two_stacks_share_nothing(stack: RunningStack, other: RunningStack) -> None:
    for address in ("http_url", "kafka_bootstrap", "storage_connection_string", "api_key"):
        assert stack.info[address] != other.info[address]
    assert not set(stack.info["pids"].values()) & set(other.info["pids"].values())


def test_sigterm_ends_all_and_loses_nothing(other: RunningStack) -> None:
    put_message(other, b"kept")
    put_blob(other, b"kept")
    key, pids = other.info["api_key"], other.pids

    assert other.stop(within=10) == 0
    assert survivors(pids, within=0) == []
    assert not (other.home / "stack.json").exists()

    other.start()
    assert read_messages(other, 1) == [b"kept"]
    assert read_blob(other) == b"kept"
    assert other.info["api_key"] == key


def test_killed_supervisor_leaves_no_process_and_the_next_start_works_at_once(other: RunningStack) -> None:
    pids = other.pids
    other.kill("supervisor")
    other.await_end()

    other.start()
    assert survivors(pids, within=0) == []
    assert read_messages(other, 1) == [b"kept"]
    assert read_blob(other) == b"kept"
