"""A program: one instance of the app behind Microsoft's worker library, which answers the requests on stdin.

One request a line, as JSON, and one answer a line; several of these programs are several instances.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys

from devstack.host.worker import Worker
from tests.http.through_worker import ROOT, answer


async def main() -> None:
    worker = Worker({}, 30)
    functions = {function.name: function for function in await worker.load(ROOT, os.environ)}
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await answer(worker, functions, json.loads(line))), flush=True)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main())
