"""A program: indexes the app with Microsoft's worker library and sends it the requests on stdin.

Prints the functions and the answers as JSON.

One app per process is what that library allows, hence a program.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from devstack.host import protos
from devstack.host.worker import Worker

ROOT = Path(__file__).parents[2]


async def main() -> None:
    settings = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
    worker = Worker({}, 30)
    functions = {function.name: function for function in await worker.load(ROOT, settings)}
    answers = [await answer(worker, functions, request) for request in json.load(sys.stdin)]
    bindings = {name: function.trigger.fields for name, function in functions.items()}
    json.dump({"functions": bindings, "answers": answers}, sys.stdout, default=str)


async def answer(worker: Worker, functions: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    url = request.get("url", "http://127.0.0.1/")
    http = protos.RpcHttp(
        method=request.get("method", "GET"),
        url=url,
        headers=request.get("headers", {}),
        params=request.get("route", {}),
        query=dict(pair.split("=") for pair in urlsplit(url).query.split("&") if pair),
        body=protos.TypedData(bytes=request.get("body", "").encode()),
    )
    response = await worker.invoke(functions[request["function"]], protos.TypedData(http=http))
    if not response.succeeded:
        return {"error": response.error.message}
    returned = response.return_value.http
    body = returned.body.bytes.decode()
    return {"status": returned.status_code, "headers": dict(returned.headers), "body": body}


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main())
