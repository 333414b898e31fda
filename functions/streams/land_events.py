"""One Event Hub trigger for each events topic: a batch of one partition becomes durable, or comes again."""

from __future__ import annotations

import typing

import azure.functions as func

from functions import _eventhub
from shared import runtime
from shared.streams.events import EVENTS, event_type_of

bp = func.Blueprint()
_eventhub.install()


def _register(topic: str) -> None:
    @bp.function_name(f"land_events_{event_type_of(topic)}")
    @bp.event_hub_message_trigger(
        arg_name="events",
        event_hub_name=topic,
        connection="EventHubConnection",
        cardinality=func.Cardinality.MANY,
        data_type=func.DataType.BINARY,
    )
    # The trigger moves its checkpoint even when a function throws, once no retry is left: there always is.
    @bp.retry(
        strategy="exponential_backoff",
        max_retry_count="-1",
        minimum_interval="00:00:01",
        maximum_interval="00:00:30",
    )
    async def land(events: typing.List[func.EventHubEvent]) -> None:  # noqa: UP006
        await runtime.landing().land(_eventhub.message_batch(topic, events))


for _topic in EVENTS.topics:
    _register(_topic)
