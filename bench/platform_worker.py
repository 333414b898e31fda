"""Invokes functions through Microsoft's worker library, with Floe's platform around and without; prints JSON.

`python -m bench.platform_worker REQUESTS`; its app is `bench/platform_app`.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any, cast

import uvloop

from devstack.host import protos
from devstack.host.bindings import Function
from devstack.host.protos import TypedData
from devstack.host.worker import Worker
from shared import runtime
from shared.identity.models import NewKey
from shared.platform.tables import Row, RowGone

ROUNDS = 7
_APP = Path(__file__).with_name("platform_app")
# What functions of the platform are sent, and for comparison the bare ones too.
_BARE = ("bare", "bare_with_the_sdks_response")
_REQUESTS: dict[str, dict[str, Any]] = {
    "raw_body": {"method": "POST", "url": "/api/raw", "body": b'{"a":1}'},
    "validated_parameters": {
        "url": "/api/things/7?kind=small&limit=50&share=0.25",
        "params": {"thing": "7"},
        "query": {"kind": "small", "limit": "50", "share": "0.25"},
    },
    "validated_body": {
        "method": "POST",
        "url": "/api/things",
        "body": b'{"name":"pump","size":1.5,"tags":["a","b"]}',
    },
}


class _Rows:
    """Tables in memory, for one process and without conditions."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str, str], Row] = {}

    def get(self, table: str, partition: str, key: str) -> Row:
        """The row."""
        try:
            return self._rows[table, partition, key]
        except KeyError:
            raise RowGone(table) from None

    def insert(self, table: str, row: Row) -> Row:
        """Keeps it."""
        self._rows[table, row.partition, row.key] = row
        return row

    replace = insert

    def query(self, table: str, partition: str, *, after: str = "", limit: int = 1000) -> list[Row]:
        """Nothing was revoked."""
        return []


def main() -> None:
    """Prints CPU µs an invocation, by what was sent and by function."""
    rows = cast(Any, _Rows())
    runtime.storage.tables = cast(Any, lambda: rows)
    _, key = runtime.access.api_keys().create(NewKey("bench", ["events:read", "events:write"], "free"))
    print(json.dumps(uvloop.run(_measure(int(sys.argv[1]), key))))


async def _measure(requests: int, key: str) -> dict[str, dict[str, float]]:
    worker = Worker({}, None)
    functions = {function.name: function for function in await worker.load(_APP, {})}
    logging.disable(logging.CRITICAL)
    sent = {name: _request(key, **request) for name, request in _REQUESTS.items()}
    best = {name: dict.fromkeys((*_BARE, name), float("inf")) for name in sent}
    # In turn, so that a crowd on the machine falls on all alike; the first round warms up.
    for turn in range(ROUNDS + 1):
        for name, costs in best.items():
            for function in costs:
                began = time.process_time()
                await _invoke(worker, functions[function], sent[name], requests)
                if turn:
                    costs[function] = min(costs[function], 1e6 * (time.process_time() - began) / requests)
    return best


def _request(
    key: str,
    *,
    method: str = "GET",
    url: str = "/",
    body: bytes = b"",
    params: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
) -> TypedData:
    headers = {
        "host": "floe.example.com",
        "user-agent": "bench",
        "accept": "*/*",
        "accept-encoding": "gzip, deflate",
        "authorization": f"Bearer {key}",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "x-forwarded-for": "192.0.2.1:40000",
    }
    http = protos.RpcHttp(
        method=method,
        url=f"https://floe.example.com{url}",
        headers=headers,
        params=params or {},
        query=query or {},
        body=TypedData(bytes=body),
    )
    return TypedData(http=http)


async def _invoke(worker: Worker, function: Function, request: TypedData, times: int) -> None:
    for _ in range(times):
        response = await worker.invoke(function, request)
        if response.return_value is None or response.return_value.http.status_code != "200":
            raise RuntimeError(f"{function.name} did not answer as it should: {response.error}")


if __name__ == "__main__":
    main()
