"""What the API takes: batches, single events as fast as it can, and single events at a steady rate."""

from __future__ import annotations

import time

from bench.http_client import Api
from bench.lake import DeltaLog
from bench.load import Job, LoadReport, run
from bench.options import Options
from bench.processes import CpuMeter
from bench.progress import say
from bench.report import Result, at_least, at_most
from bench.stack import Stack, scratch

_BATCH = 1000
_STEADY = 500.0


def measure(options: Options) -> Result:
    """Three loads, one after the other, while the same host lands and flushes what it took."""
    result = Result()
    with scratch() as folder, Stack(folder, options.flush_schedule) as stack:
        stack.start_host()
        jobs = {
            "batches": Job(stack.url, "/api/events/batch", _BATCH, 8, options.seconds),
            "single": Job(stack.url, "/api/events", 0, 32, options.seconds),
            "steady": Job(stack.url, "/api/events", 0, 64, options.seconds, _STEADY),
        }
        accepted = 0
        for name, job in jobs.items():
            say(f"http: {name} for {job.seconds:g} s")
            meter = CpuMeter(stack.pids)
            report = run(job)
            cpu = meter.read()
            accepted += report.accepted
            _add(result, name, report, cpu)
            result.details[name] = {"statuses": report.statuses, "cpu": cpu, "client_cpu": report.cpu}
            _settle(stack, accepted, options.timeout)
        committed = _settle(stack, accepted, options.timeout)
        result.add("events acknowledged", accepted, "events")
        result.add("events committed", committed, "events")
    result.notes.append("The same process lands and flushes while it answers.")
    return result


def _add(result: Result, name: str, report: LoadReport, cpu: dict[str, float]) -> None:
    rate = report.requests / report.seconds
    if name == "batches":
        result.add("batches of 1,000", rate * _BATCH, "events/s", at_least(150_000))
        each, unit = 1e6 / max(report.accepted, 1), "CPU µs/event"
    elif name == "single":
        result.add("single events", rate, "requests/s", at_least(2000))
        each, unit = 1e6 / max(report.accepted, 1), "CPU µs/request"
    else:
        result.add(f"steady {_STEADY:g} requests/s: sent", rate, "requests/s")
        result.add(f"steady {_STEADY:g} requests/s: p99", report.p99, "ms", at_most(20))
        each, unit = 1e6 / max(report.accepted, 1), "CPU µs/request"
    label = {"batches": "batches of 1,000", "single": "single events", "steady": "steady"}[name]
    result.add(f"{label}: p50", report.p50, "ms")
    if name != "steady":
        result.add(f"{label}: p99", report.p99, "ms")
    result.add(f"{label}: host", cpu["host"] * each, unit)
    result.add(f"{label}: load generator", report.cpu * each, unit)
    refused = sum(count for status, count in report.statuses.items() if status != "200")
    if refused:
        result.notes.append(f"{label}: {refused} requests were not answered with 200: {report.statuses}.")


def _settle(stack: Stack, accepted: int, timeout: float) -> int:
    """Waits until everything that was taken is committed; returns the rows of the table."""
    log, api = DeltaLog(stack.account), Api(stack.url)
    deadline = time.monotonic() + timeout
    while True:
        log.follow()
        committed = sum(log.rows.values())
        if committed >= accepted or time.monotonic() > deadline:
            return committed
        time.sleep(0.2)
        api.flush()
