"""What the trigger costs: from the batch that the host hands over to checked Arrow rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from bench.options import Options
from bench.report import Result, at_most
from devstack.tools import PROJECT

_NEVER = "0 0 0 1 1 *"
_SETTINGS = {
    "FLOE_STORAGE_CONNECTION_STRING": "none",
    "FLOE_KAFKA_BOOTSTRAP": "none:1",
    "FLOE_FLUSH_SCHEDULE": _NEVER,
    "FLOE_UPLOAD_SCHEDULE": _NEVER,
    "FLOE_CLEANUP_SCHEDULE": _NEVER,
    "FLOE_SCAN_SCHEDULE": _NEVER,
}


def measure(options: Options) -> Result:
    """Invokes the trigger through Microsoft's worker library, in a process of its own, without storage."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.trigger_worker", str(options.events)],
        cwd=PROJECT,
        env={**os.environ, **_SETTINGS},
        timeout=options.timeout,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"the worker ended with {done.returncode}:\n{done.stderr[-3000:]}")
    result = Result()
    costs: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    for what, cost in costs.items():
        goal = at_most(1.5) if what.endswith("1,000 messages: invocation") else None
        result.add(what, cost, "CPU µs/event", goal)
    ways = ("invocation", "with the SDK's own conversion")
    plain, sdk = (costs[f"plain, 1,000 messages: {way}"] for way in ways)
    result.add("the SDK's own conversion to Floe's", sdk / plain, "x")
    result.notes.append("An invocation ends with the segment encoded, and a put that does nothing.")
    result.notes.append("Packed messages hold 100 events each.")
    return result
