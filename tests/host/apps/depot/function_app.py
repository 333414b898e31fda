"""A depot that events, timers and queues keep busy; `DEPOT_PARTS` says which of its functions there are.

Every function writes what it saw as a line of JSON to the file `DEPOT_REPORT`. The file `DEPOT_MOOD` tells
functions how to behave: `ok`, `fail`, `hang`.
"""

import asyncio
import json
import os
import threading
import time
import typing
from pathlib import Path

import azure.functions as func

app = func.FunctionApp()
_parts = os.environ["DEPOT_PARTS"].split(",")
_report = Path(os.environ["DEPOT_REPORT"])
_mood = Path(os.environ["DEPOT_MOOD"])


def _tell(function: str, **seen: object) -> None:
    line = json.dumps({"function": function, "pid": os.getpid(), "at": time.time(), **seen})
    with _report.open("a") as file:
        file.write(line + "\n")


def _current_mood() -> str:
    return _mood.read_text() if _mood.exists() else "ok"


async def _hang_while(*moods: str) -> None:
    while _current_mood() in moods:  # noqa: ASYNC110 (what changes is a file)
        await asyncio.sleep(0.01)


def _behave() -> None:
    if _current_mood() == "fail":
        raise RuntimeError("in a bad mood")


async def _batch(function: str, events: list[func.EventHubEvent], context: func.Context) -> None:
    metadata = events[0].metadata
    partition = metadata["PartitionContext"]["PartitionId"]
    offsets = [event.sequence_number for event in events]
    bodies = [event.get_body().decode() for event in events]
    retry = context.retry_context.retry_count
    seen = {"partition": partition, "offsets": offsets, "bodies": bodies, "retry": retry}
    _tell(function, phase="begin", **seen)
    await _hang_while("hang")
    if f"fail:{partition}" in _current_mood():
        raise RuntimeError("this partition is in a bad mood")
    _behave()
    _tell(function, phase="end", **seen)


if "batches" in _parts:

    @app.event_hub_message_trigger(
        arg_name="events",
        event_hub_name="%DEPOT_TOPIC%",
        connection="EventHubConnection",
        consumer_group="%DEPOT_TOPIC%",
        cardinality=func.Cardinality.MANY,
        data_type=func.DataType.BINARY,
    )
    async def batches(events: typing.List[func.EventHubEvent], context: func.Context) -> None:  # noqa: UP006
        await _batch("batches", events, context)


if "stubborn" in _parts:

    @app.event_hub_message_trigger(
        arg_name="events",
        event_hub_name="%DEPOT_TOPIC%",
        connection="EventHubConnection",
        consumer_group="%DEPOT_TOPIC%",
        cardinality=func.Cardinality.MANY,
        data_type=func.DataType.BINARY,
    )
    @app.retry(
        strategy="exponential_backoff",
        max_retry_count="-1",
        minimum_interval="00:00:00",
        maximum_interval="00:00:01",
    )
    async def stubborn(events: typing.List[func.EventHubEvent], context: func.Context) -> None:  # noqa: UP006
        await _batch("stubborn", events, context)


if "metadata" in _parts:

    @app.event_hub_message_trigger(
        arg_name="events",
        event_hub_name="%DEPOT_TOPIC%",
        connection="EventHubConnection",
        consumer_group="%DEPOT_TOPIC%",
        cardinality=func.Cardinality.MANY,
        data_type=func.DataType.STRING,
    )
    def many(events: typing.List[func.EventHubEvent]) -> None:  # noqa: UP006
        _tell(
            "many",
            bodies=[event.get_body().decode() for event in events],
            keys=[event.partition_key for event in events],
            times=[event.enqueued_time.isoformat() for event in events],
            metadata=events[0].metadata,
        )

    @app.event_hub_message_trigger(
        arg_name="event",
        event_hub_name="%DEPOT_TOPIC%",
        connection="EventHubConnection",
        consumer_group="%DEPOT_TOPIC%",
    )
    def one(event: func.EventHubEvent) -> None:
        _tell(
            "one",
            body=event.get_body().decode(),
            key=event.partition_key,
            offset=event.sequence_number,
            time=event.enqueued_time.isoformat(),
            metadata=event.metadata,
        )


if "timers" in _parts:

    @app.timer_trigger(schedule="00:00:01", arg_name="timer")
    async def tick(timer: func.TimerRequest) -> None:
        _tell("tick", past_due=timer.past_due, phase="begin")
        await _hang_while("hang")
        _tell("tick", phase="end")

    @app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="timer")
    async def yearly(timer: func.TimerRequest) -> None:
        _tell("yearly", past_due=timer.past_due, status=timer.schedule_status)

    @app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="timer", run_on_startup=True, use_monitor=False)
    def at_start(timer: func.TimerRequest) -> None:
        _tell("at_start", past_due=timer.past_due, thread=threading.current_thread().name)


if "queues" in _parts:

    @app.queue_trigger(arg_name="message", queue_name="%DEPOT_QUEUE%", connection="AzureWebJobsStorage")
    @app.queue_output(arg_name="copies", queue_name="%DEPOT_QUEUE%-copies", connection="AzureWebJobsStorage")
    @app.queue_output(arg_name="$return", queue_name="%DEPOT_QUEUE%-done", connection="AzureWebJobsStorage")
    async def work(message: func.QueueMessage, copies: func.Out[typing.List[str]]) -> str:  # noqa: UP006
        body = message.get_body().decode()
        _tell("work", body=body, count=message.dequeue_count, id=message.id, phase="begin")
        if body == "slow":
            await asyncio.sleep(10)
        if body == "together":
            await _hang_while("hang")
        if body == "bad":
            raise ValueError("this one never works")
        copies.set([body, body.upper()])
        return f"done with {body}"

    @app.route("orders", methods=["POST"])
    @app.queue_output(arg_name="sent", queue_name="%DEPOT_QUEUE%-orders", connection="AzureWebJobsStorage")
    def order(req: func.HttpRequest, sent: func.Out[func.QueueMessage]) -> func.HttpResponse:
        sent.set(func.QueueMessage(body=req.get_body()))
        return func.HttpResponse("sent", status_code=202)
