"""What to try next, ready to copy."""

from __future__ import annotations

from urllib.parse import urlencode

from devstack.demo.plan import EVENT_TYPE, Plan, rfc3339
from devstack.demo.stack import Stack
from shared.streams.events import EVENTS

_DEFAULT_BLOBS = "http://127.0.0.1:10000/devstoreaccount1"


def hints(stack: Stack, plan: Plan) -> list[str]:
    """Three lines: a query, a reader of the table, and where its files are."""
    span = {"event_type": EVENT_TYPE, "start_time": rfc3339(plan.start), "end_time": rfc3339(plan.end)}
    query = f"curl -s '{stack.http_url}/api/events?{urlencode({**span, 'limit': 3}, safe=':')}'"
    parts = dict(part.split("=", 1) for part in stack.storage_connection_string.split(";") if "=" in part)
    blobs = parts["BlobEndpoint"]
    # The emulator is looked for at its usual port; another one has to be told.
    elsewhere = "" if blobs == _DEFAULT_BLOBS else f"AZURITE_BLOB_STORAGE_URL={blobs.rpartition('/')[0]} "
    reader = (
        f"{elsewhere}.venv/bin/python -c 'import polars as pl; "
        f'print(pl.scan_delta("az://{EVENTS.container}", storage_options={{"use_emulator": "true"}})'
        '.group_by("event_type").agg(pl.len(), pl.max("timestamp")).collect())\''
    )
    files = f"{blobs}/{EVENTS.container}/raw/{EVENT_TYPE}/{plan.events[-1].time:%Y/%m/%d/%H}/"
    return [f"query:  {query}", f"read:   {reader}", f"files:  {files}"]
