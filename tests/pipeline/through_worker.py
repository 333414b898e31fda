"""A program: the app in Microsoft's worker library, every trigger invoked once and more.

Bad and good events are landed, queried, flushed by the timer and by hand, and queried again; prints what
each invocation gave, as JSON. One app per process is what that library allows, hence a program.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from devstack.host import protos
from devstack.host.worker import Worker

ROOT = Path(__file__).parents[2]
_TAKEN = "2025-09-30T12:00:00.5"
BODIES = [
    b'{"event_id":"plain","data":{"value":1}}',
    b'[{"event_id":"pack-0","data":{}},7,{"event_id":"pack-2","data":{}}]',
    b"no event",
    b"",
]


class App:
    """The app's functions by name."""

    def __init__(self, worker: Worker, functions: dict[str, Any]) -> None:
        self._worker = worker
        self.functions = functions

    async def http(self, name: str, body: bytes = b"", **query: str) -> Any:
        """What an HTTP function answers: its status and its JSON."""
        request = protos.RpcHttp(
            method="POST" if body else "GET",
            url="http://127.0.0.1/",
            headers={"content-type": "application/json", "accept": "application/json"},
            query=query,
            body=protos.TypedData(bytes=body),
        )
        returned = (await self._invoke(name, protos.TypedData(http=request))).return_value.http
        text = returned.body.bytes.decode()
        is_json = returned.headers.get("content-type", "").startswith("application/json")
        return [int(returned.status_code), json.loads(text) if is_json else text[:15]]

    async def hub(self, name: str, first: int, partition: int = 0) -> None:
        """As many messages as there are BODIES, each of which comes again and again in the partition; the
        batch is as the Event Hubs extension sends it."""
        bodies = [BODIES[number % len(BODIES)] for number in range(first, first + len(BODIES))]
        properties = [
            {"SequenceNumber": first + i, "Offset": i, "PartitionKey": None, "EnqueuedTimeUtc": _TAKEN}
            for i in range(len(BODIES))
        ]
        context = {"PartitionId": str(partition), "EventHubName": "hub", "ConsumerGroup": "$Default"}
        await self._invoke(
            name,
            protos.TypedData(collection_bytes=protos.CollectionBytes(bodies)),
            {
                "SystemPropertiesArray": protos.TypedData(json=json.dumps(properties)),
                "PartitionContext": protos.TypedData(json=json.dumps(context)),
            },
        )

    async def timer(self, name: str) -> None:
        """A timer that is due."""
        due = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": False}
        await self._invoke(name, protos.TypedData(json=json.dumps(due)))

    async def _invoke(self, name: str, data: Any, metadata: dict[str, Any] | None = None) -> Any:
        response = await self._worker.invoke(self.functions[name], data, metadata)
        if not response.succeeded:
            raise SystemExit(f"{name}: {response.error.message}\n{response.error.stack_trace}")
        return response


async def main() -> None:
    worker = Worker({}, 30)
    functions = {function.name: function for function in await worker.load(ROOT, os.environ)}
    app = App(worker, functions)
    outcome: dict[str, Any] = {
        "functions": {name: function.trigger.fields for name, function in functions.items()}
    }
    hubs = [name for name in functions if name.startswith("land_events_")]
    for name in hubs:
        await app.hub(name, 0)
    await app.hub(hubs[0], 2)  # a redelivery with other boundaries, and more
    outcome["landed"] = await app.http("query_events", limit="1000")
    await app.timer("flush_buffers")
    outcome["flushed"] = await app.http("query_events", limit="1000")
    event = b'{"event_type":"error","event_id":"posted","data":{}}'
    outcome["create_event"] = await app.http("create_event", event)
    outcome["create_events"] = await app.http("create_events", b"[" + event + b",{}]")
    await app.hub(hubs[0], 100, partition=1)
    outcome["flush_storage"] = await app.http("flush_storage", b" ")
    outcome["again"] = await app.http("query_events", limit="1000")
    outcome["get_health"] = await app.http("get_health")
    outcome["get_openapi"] = await app.http("get_openapi")
    outcome["get_docs"] = await app.http("get_docs")
    json.dump(outcome, sys.stdout, default=str)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main())
