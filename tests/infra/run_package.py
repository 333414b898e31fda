"""A program: runs an unpacked package with nothing else beside it but Microsoft's worker library.

    python -I -S run_package.py <package> <worker library and driver>

Azure brings the worker library itself; the driver is that of `tests/http/through_worker.py`. Requests come on
standard input; functions, answers and the places of imported modules go to standard output, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from pathlib import Path


async def main(package: Path, beside: Path) -> None:
    sys.path[:0] = [str(package / ".python_packages/lib/site-packages")]
    sys.path.append(str(beside))
    from devstack.host.worker import Worker
    from tests.http.through_worker import answer

    worker = Worker({}, 30)
    functions = {function.name: function for function in await worker.load(package, dict(os.environ))}
    answers = [await answer(worker, functions, request) for request in json.load(sys.stdin)]
    places = {name: str(getattr(module, "__file__", None)) for name, module in list(sys.modules.items())}
    triggers = {name: function.trigger.type for name, function in functions.items()}
    json.dump({"functions": triggers, "answers": answers, "modules": places}, sys.stdout, default=str)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
