"""What the HTTP platform adds to an invocation: key, rate limit, validation, encoding, headers, metrics."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from bench.options import Options
from bench.report import Result, at_most
from devstack.tools import PROJECT

_REQUESTS = 2000
_SETTINGS = {
    "FLOE_STORAGE_CONNECTION_STRING": "none",
    "FLOE_KAFKA_BOOTSTRAP": "none:1",
    "API_RATE_LIMIT": "1000000",
}
_BARE, _BARE_WITH_THE_SDK = "bare", "bare_with_the_sdks_response"
_KINDS = {
    "raw_body": "raw body",
    "validated_parameters": "validated parameters",
    "validated_body": "validated body",
}


def measure(options: Options) -> Result:
    """Invokes functions through Microsoft's worker library, in a process of its own, without storage."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.platform_worker", str(min(_REQUESTS, options.events // 10))],
        cwd=PROJECT,
        env={**os.environ, **_SETTINGS},
        timeout=options.timeout,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"the worker ended with {done.returncode}:\n{done.stderr[-3000:]}")
    costs: dict[str, dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    result = Result()
    for name, kind in _KINDS.items():
        found = costs[name]
        result.add(f"{kind}: invocation with key, limit and all", found[name], "CPU µs")
        result.add(f"{kind}: added to a bare function", found[name] - found[_BARE], "CPU µs", at_most(60))
        result.add(
            f"{kind}: added to one that builds the SDK's response",
            found[name] - found[_BARE_WITH_THE_SDK],
            "CPU µs",
        )
    result.notes.append("The best of seven rounds; the bare function gets the same and has its answer there.")
    result.notes.append("The key is an account's, seen before; telemetry counts, times and exports nothing.")
    return result
