"""Free and taken ports."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from devstack.home import StackError
from devstack.ports import LOOPBACK, free_port, is_free, prefer, require_free


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((LOOPBACK, free_port())) as server:
        yield server.getsockname()[1]


def test_free_port_can_be_listened_on() -> None:
    port = free_port()
    assert is_free(port)
    assert prefer(port) == port
    require_free(port)


def test_taken_port_gives_way_to_a_free_one(taken: int) -> None:
    other = prefer(taken)
    assert other != taken
    assert is_free(other)


def test_holder_of_a_taken_port_is_named(taken: int) -> None:
    with pytest.raises(StackError, match=rf"Port {taken} is taken by .* \(pid {os.getpid()}\): .*FLOE_PORT"):
        require_free(taken)


def test_port_of_an_ended_connection_is_free() -> None:
    port = free_port()
    with socket.create_server((LOOPBACK, port)) as server, socket.create_connection((LOOPBACK, port)):
        server.accept()[0].close()
    assert is_free(port)


def test_stacks_that_start_together_do_not_prefer_the_same_port() -> None:
    """The first one has not bound it yet when the second one looks."""
    port = free_port()
    assert prefer(port) == port
    look = f"from devstack.ports import prefer; print(prefer({port}))"
    other = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert int(other.stdout) != port
    assert prefer(port) == port
