"""Quix Streams' Azure file sink with Parquet files; runs in an environment of its own, see `quix.py`."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any

from quixstreams import Application  # type: ignore[import-not-found]
from quixstreams.sinks.community.file.azure import AzureFileSink  # type: ignore[import-not-found]
from quixstreams.sinks.community.file.formats import ParquetFormat  # type: ignore[import-not-found]


class _TimedSink(AzureFileSink):  # type: ignore[misc]
    """Notes when the first row comes, and nothing afterwards."""

    began: tuple[float, float] | None = None

    def add(self, *arguments: Any, **named: Any) -> None:
        _TimedSink.began = (time.monotonic(), time.process_time())
        del _TimedSink.add
        self.add(*arguments, **named)


def main() -> None:
    """Consumes one backlog, which the first argument describes as JSON."""
    job = json.loads(sys.argv[1])
    logging.disable(logging.WARNING)
    app = Application(
        broker_address=job["bootstrap"],
        consumer_group=job["group"],
        auto_offset_reset="earliest",
        commit_interval=2.0,
        loglevel=None,
    )
    topic = app.topic(job["topic"], value_deserializer="json")
    frame = app.dataframe(topic)
    if job["packed"]:
        frame = frame.apply(lambda events: events, expand=True)
    frame.sink(
        _TimedSink(
            azure_connection_string=job["storage"], azure_container=job["container"], format=ParquetFormat()
        )
    )
    app.run(count=job["count"], timeout=60)
    assert _TimedSink.began is not None
    wall, cpu = _TimedSink.began
    print(json.dumps({"seconds": time.monotonic() - wall, "cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    main()
