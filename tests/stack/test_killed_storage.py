"""A killed Azurite forgets its last seconds; what was acknowledged comes back all the same, once."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.request import urlopen

import pytest
from confluent_kafka import Producer

from tests.stack.running import RunningStack

pytestmark = pytest.mark.stack

TOPIC, COUNT = "events.page_view", 200


def test_events_that_a_killed_azurite_forgets_are_taken_anew(
    start_stack: Callable[..., RunningStack],
) -> None:
    stack = start_stack()
    producer = Producer({"bootstrap.servers": stack.info["kafka_bootstrap"], "log_level": 0})
    for number in range(COUNT):
        producer.produce(TOPIC, json.dumps({"event_id": f"kill-{number}", "data": {}}), partition=number % 4)
    assert producer.flush(15) == 0
    everything = sorted(f"kill-{number}" for number in range(COUNT))
    stack.wait_until(lambda: _found(stack) == everything, what="the events")
    host = stack.pid("host")
    stack.kill("azurite")
    stack.wait_until(lambda: stack.pid("host") != host, what="another host")
    stack.wait_until(lambda: _found(stack) == everything, what="the events once more")


def _found(stack: RunningStack) -> list[str] | None:
    """The ids that the API gives; None while it does not answer."""
    try:
        with urlopen(f"{stack.info['http_url']}/api/events?event_type=page_view&limit=1000") as answer:
            return sorted(event["event_id"] for event in json.load(answer)["events"])
    except OSError:
        return None
