"""What the HTTP platform adds to an invocation: key, rate limit, validation, encoding, headers, metrics."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from bench.options import Options
from bench.report import Result, at_most
from devstack.tools import PROJECT

_REQUESTS = 3000
_SETTINGS = {
    "FLOE_STORAGE_CONNECTION_STRING": "none",
    "FLOE_KAFKA_BOOTSTRAP": "none:1",
    "API_RATE_LIMIT": "1000000",
}
_BARE = "bare"
_WITHOUT = {_BARE: "a bare function", "bare_with_the_sdks_response": "a bare function, the SDK's response"}
_WITH = {
    "raw_body": "key, limit, raw body",
    "validated_parameters": "key, limit, validated parameters",
    "validated_body": "key, limit, validated body",
}


def measure(options: Options) -> Result:
    """Invokes functions through Microsoft's worker library, in a process of its own, without storage."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.platform_worker", str(min(_REQUESTS, options.events))],
        cwd=PROJECT,
        env={**os.environ, **_SETTINGS},
        timeout=options.timeout,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"the worker ended with {done.returncode}:\n{done.stderr[-3000:]}")
    costs: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    result = Result()
    for name, what in {**_WITHOUT, **_WITH}.items():
        result.add(f"{what}: invocation", costs[name], "CPU µs")
    for name, what in _WITH.items():
        result.add(f"{what}: added", costs[name] - costs[_BARE], "CPU µs", at_most(60))
    result.notes.append("The best of seven rounds; added to a bare function whose answer is there already.")
    result.notes.append(
        "The key is an account's, seen before; telemetry counts and times and exports nothing."
    )
    return result
