"""The Event Hub trigger of a topic: a batch of one partition becomes durable, or comes again."""

from __future__ import annotations

import typing

import azure.functions as func

from functions import _eventhub
from shared import runtime
from shared.platform import logs


def land_from(bp: func.Blueprint, topic: str, name: str) -> None:
    """Registers the function `name`, which lands what `topic` brings."""

    @bp.function_name(name)
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
        with logs.working(name):
            await runtime.landing().land(_eventhub.message_batch(topic, events))


_eventhub.install()
