"""Stacks without a Kafka of their own: the volatile stand-in, and a broker that runs already."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from devstack.provision import broker_answers
from tests.stack.running import RunningStack

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def volatile(start_stack: Callable[..., RunningStack]) -> RunningStack:
    """A stack on the mock broker."""
    return start_stack(FLOE_BROKER="mock")


def test_volatile_broker_is_said_everywhere(volatile: RunningStack) -> None:
    info = volatile.info
    assert (info["broker"], info["broker_volatile"]) == ("mock", True)
    assert "5 MB" in info["notes"][0]
    assert info["notes"][0] in volatile.screen
    assert "FLOE_BROKER_VOLATILE=true" in (volatile.proc("host") / "environ").read_bytes().decode()


def test_health_says_that_the_broker_is_volatile(volatile: RunningStack) -> None:
    assert "volatile" in httpx.get(volatile.info["http_url"] + "/health").text


def test_app_follows_a_volatile_broker_that_moves(volatile: RunningStack) -> None:
    before, host = volatile.info["kafka_bootstrap"], volatile.pid("host")
    volatile.kill("kafka")
    volatile.wait_until(lambda: volatile.pid("host") != host, what="another host")
    after = volatile.info["kafka_bootstrap"]
    assert after != before
    assert broker_answers(after)
    volatile.wait_until(  # right after the fork it has none of its own
        lambda: f"FLOE_KAFKA_BOOTSTRAP={after}" in (volatile.proc("host") / "environ").read_bytes().decode(),
        what="the new address in the host's environment",
    )


def test_external_broker_is_used_and_not_started(
    start_stack: Callable[..., RunningStack], kafka_bootstrap: str
) -> None:
    info = start_stack(FLOE_KAFKA=kafka_bootstrap).info
    assert (info["kafka_bootstrap"], info["broker"], info["pids"]["kafka"]) == (
        kafka_bootstrap,
        "external",
        None,
    )
