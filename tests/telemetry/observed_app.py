"""A program: the app under Microsoft's worker library, asked for `/info` until its telemetry is loaded, and
once more with the headers given as JSON on the command line; then it ends, as an instance does."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from devstack.host import protos
from devstack.host.worker import Worker
from shared.telemetry import tracing

ROOT = Path(__file__).parents[2]


async def main() -> None:
    settings = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
    worker = Worker({}, 30)
    functions = {function.name: function for function in await worker.load(ROOT, settings)}

    async def ask(headers: dict[str, str]) -> None:
        http = protos.RpcHttp(
            method="GET",
            url="http://127.0.0.1/nowhere",
            headers=headers,
            params={},
            query={},
            body=protos.TypedData(bytes=b""),
        )
        response = await worker.invoke(functions["fallback"], protos.TypedData(http=http))
        assert response.succeeded

    async with asyncio.timeout(60):
        while not tracing.installed():
            await ask({})
            await asyncio.sleep(0.05)
    await ask(json.loads(sys.argv[1]))


if __name__ == "__main__":
    asyncio.run(main())
