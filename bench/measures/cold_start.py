"""What importing the function app costs, in fresh processes."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import Any

from bench.options import Options
from bench.report import Result, at_most
from devstack.tools import PROJECT

_RUNS = 5
HEAVY = (
    "pyarrow",
    "deltalake",
    "confluent_kafka",
    "obstore",
    "numpy",
    "azure.storage.blob",
    "azure.identity",
    "azure.data.tables",
    "azure.eventhub",
)
_CODE = """
import time
began = time.perf_counter()
import function_app
seconds = time.perf_counter() - began
import json, sys
print(json.dumps({"seconds": seconds, "modules": list(sys.modules)}))
"""


def measure(options: Options) -> Result:
    """Imports `function_app` a few times; the first one warms the disk and does not count."""
    runs = [_import() for _ in range(min(_RUNS, options.probes) + 1)][1:]
    times = [1000 * run["seconds"] for run in runs]
    heavy = [name for name in HEAVY if name in runs[0]["modules"]]
    result = Result()
    result.add("median", statistics.median(times), "ms", at_most(600))
    result.add("shortest", min(times), "ms")
    result.add("modules loaded", len(runs[0]["modules"]), "")
    result.add("heavy modules in it", len(heavy), "", at_most(0))
    if heavy:
        result.notes.append(f"Heavy modules: {', '.join(heavy)}.")
    return result


def _import() -> dict[str, Any]:
    settings = {"FLOE_STORAGE_ACCOUNT": "bench", "FLOE_KAFKA_BOOTSTRAP": "127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-c", _CODE], cwd=PROJECT, env=settings, check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
