"""Sensor readings from the topic to the cold tier, beside what Event Hubs Capture would write."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pyarrow as pa

from bench.capture import CODECS, capture
from bench.events import send
from bench.fleet import DAY_HOURS, TOPIC, Fleet, moment_of, yesterday
from bench.http_client import Api
from bench.lake import Landing, open_container
from bench.later_cleanup import LaterCleanup, clean_up_later
from bench.options import Options
from bench.percentiles import percentile
from bench.processes import CpuMeter, cpu_seconds
from bench.progress import say
from bench.report import Result
from bench.sensor_day import (
    Timed,
    days,
    in_capture,
    open_table,
    over_http,
    timed,
    with_datafusion,
    with_duckdb,
)
from bench.stack import Stack, scratch
from devstack.provision import make_containers
from shared.adapters.connection import StorageAccount

_NEVER = "0 0 0 1 1 *"
_NO_TIMERS = {"FLOE_UPLOAD_SCHEDULE": _NEVER, "FLOE_CLEANUP_SCHEDULE": _NEVER}
_CAPTURE_CONTAINER = "capture"
_MOST_DAYS, _CAPTURE_DAYS = 20, 3
_OPENINGS = 3
_POLL = 0.1


@dataclass(frozen=True)
class _Run:
    """A fleet, and what a final file holds an hour of."""

    fleet: Fleet
    final_files: Literal["sensor", "asset"]

    @property
    def label(self) -> str:
        return (
            f"{self.fleet.label}, a file {'a sensor' if self.final_files == 'sensor' else 'an asset'}'s hour"
        )


@dataclass(frozen=True)
class _Stage:
    """Wall seconds, and CPU seconds of the host and of Azurite."""

    seconds: float
    host: float
    azurite: float


@dataclass(frozen=True)
class _Files:
    """Data files that the table names, their bytes and rows."""

    count: int
    size: int
    rows: int


def measure(options: Options) -> Result:
    """Each size and layout of final files in a stack of its own; Capture's stand-in once for each fleet."""
    result = Result()
    captured: set[Fleet] = set()
    for run in _runs(options):
        say(f"sensors: {run.label}")
        with scratch() as folder, Stack(folder, _NEVER) as stack:
            send(stack.bootstrap, TOPIC, run.fleet.messages())
            final = _floe(result, run, stack, options)
            if run.fleet not in captured:
                captured.add(run.fleet)
                _capture(result, run.fleet, stack, final, options)
    result.notes += _notes(options)
    return result


def _runs(options: Options) -> Iterator[_Run]:
    """A file a sensor's hour over the hours that `--final-files` allows; a file an asset's over the day."""
    day = yesterday()
    for sensors in options.sensors:
        if hours := min(options.final_files // sensors, DAY_HOURS):
            yield _Run(Fleet(sensors, options.readings, hours, day), "sensor")
        yield _Run(Fleet(sensors, options.readings, DAY_HOURS, day), "asset")


def _floe(result: Result, run: _Run, stack: Stack, options: Options) -> _Files:
    """All stages, then the reads; returns the final files."""
    fleet, label = run.fleet, run.label
    landing = Landing(stack.account, TOPIC)
    stack.start_host(FLOE_FINAL_FILES=run.final_files, **_NO_TIMERS)
    result.add(f"{label}: CPU of a start", cpu_seconds(stack.pids["host"]), "s")
    api = Api(stack.url, options.timeout)
    stages = {"land": _stage(stack, lambda: _wait(lambda: landing.rows() >= fleet.total, options.timeout))}
    stages["flush"] = _stage(stack, api.flush)
    raw = _files(stack.account, raw=True)
    stages["upload"] = _stage(stack, lambda: _job(api, "/upload/trigger", options.timeout))
    stages["clean-up"] = _stage(stack, lambda: _job(api, "/cleanup/trigger", options.timeout))
    later = clean_up_later(stack.account)
    final = _files(stack.account, raw=False)
    if (raw.rows, final.rows) != (fleet.total, fleet.total):
        raise RuntimeError(f"{label}: {raw.rows:,} rows flushed, {final.rows:,} uploaded, of {fleet.total:,}")
    _add_stages(result, label, stages, fleet.total)
    _add_later(result, label, later, fleet.total)
    for name, files in {"raw": raw, "final": final}.items():
        _add_files(result, f"{label}: {name}", files)
    result.details[label] = {name: asdict(stage) for name, stage in stages.items()}
    _read(result, run, stack, options)
    stack.stop_host()
    return final


def _stage(stack: Stack, work: Callable[[], object]) -> _Stage:
    meter, began = CpuMeter(stack.pids), time.monotonic()
    work()
    seconds, cpu = time.monotonic() - began, meter.read()
    return _Stage(seconds, cpu["host"], cpu["azurite"])


def _wait(done: Callable[[], bool], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not done in {timeout:.0f} s: --timeout gives more")
        time.sleep(_POLL)


def _job(api: Api, path: str, timeout: float) -> None:
    """Starts a job and waits for its end; RuntimeError where it did not succeed."""
    started = api.post(path)["job_id"]
    job: dict[str, Any] = {}

    def ended() -> bool:
        job.update(api.get(f"/storage/jobs/{started}"))
        return job["status"] not in ("queued", "running")

    _wait(ended, timeout)
    if job["status"] != "succeeded":
        raise RuntimeError(f"{path}: {job['status']}, {job['error']}")


def _files(account: StorageAccount, *, raw: bool) -> _Files:
    """What the table names, as delta-rs tells it."""
    found = pa.table(open_table(account).get_add_actions(flatten=True)).select(
        ["path", "size_bytes", "num_records"]
    )
    kept = [one for one in found.to_pylist() if one["path"].startswith("raw/") == raw]
    return _Files(len(kept), sum(one["size_bytes"] for one in kept), sum(one["num_records"] for one in kept))


def _add_stages(result: Result, label: str, stages: dict[str, _Stage], readings: int) -> None:
    millions = readings / 1e6
    for name, stage in stages.items():
        result.add(f"{label}: {name}", stage.seconds, "s")
        result.add(f"{label}: {name}, host", stage.host / millions, "CPU s a million")
    every = stages.values()
    result.add(f"{label}: all stages", sum(stage.seconds for stage in every), "s")
    result.add(f"{label}: all stages, host", sum(stage.host for stage in every) / millions, "CPU s a million")
    azurite = sum(stage.azurite for stage in every) / millions
    result.add(f"{label}: all stages, azurite", azurite, "CPU s a million")


def _add_later(result: Result, label: str, later: LaterCleanup, readings: int) -> None:
    result.add(f"{label}: clean-up two hours later: files deleted", later.files, "")
    result.add(f"{label}: clean-up two hours later", later.seconds, "s")
    cpu = later.cpu * 1e6 / readings
    result.add(f"{label}: clean-up two hours later, its process", cpu, "CPU s a million")


def _add_files(result: Result, label: str, files: _Files) -> None:
    result.add(f"{label}: files", files.count, "")
    result.add(f"{label}: size", files.size / 2**20, "MB")
    result.add(f"{label}: bytes a reading", files.size / files.rows, "")


def _read(result: Result, run: _Run, stack: Stack, options: Options) -> None:
    wanted = days(run.fleet, min(options.queries, _MOST_DAYS))
    meter = CpuMeter(stack.pids)
    done = timed(wanted, over_http(stack.url, options.timeout))
    host = 1000 * meter.read()["host"] / (len(wanted) + 1)
    label = f"{run.label}: a sensor's {run.fleet.each:,} readings"
    result.add(f"{label}, HTTP: p50", percentile(done.millis, 0.5), "ms")
    result.add(f"{label}, HTTP: host", host, "CPU ms")
    openings = [_timed_opening(stack.account) for _ in range(_OPENINGS)]
    result.add(f"{run.label}: opening the table with delta-rs: p50", percentile(openings, 0.5), "ms")
    table = open_table(stack.account)
    _add_reading(result, f"{label}, DataFusion", timed(wanted, with_datafusion(table)))
    _add_reading(result, f"{label}, DuckDB", timed(wanted, with_duckdb(table)))


def _timed_opening(account: StorageAccount) -> float:
    began = time.monotonic()
    open_table(account)
    return 1000 * (time.monotonic() - began)


def _add_reading(result: Result, label: str, done: Timed) -> None:
    result.add(f"{label}: p50", percentile(done.millis, 0.5), "ms")
    result.add(f"{label}: CPU", done.cpu, "CPU ms")
    result.details[label] = [round(one, 1) for one in done.millis]


def _capture(result: Result, fleet: Fleet, stack: Stack, final: _Files, options: Options) -> None:
    make_containers(stack.storage, [_CAPTURE_CONTAINER])
    store = open_container(stack.account, _CAPTURE_CONTAINER)
    for codec in CODECS:
        label = f"{fleet.label}: Capture's files, {codec}"
        say(f"sensors: {label}")
        count, size = capture(stack.bootstrap, TOPIC, store, codec, moment_of)
        _add_files(result, label, _Files(count, size, fleet.total))
        result.add(f"{label}: to Floe's final ones in bytes", size / final.size, "x")
        if fleet.hours < DAY_HOURS:
            continue
        done = timed(days(fleet, min(options.queries, _CAPTURE_DAYS)), in_capture(store, codec), first=True)
        _add_reading(result, f"{label}: a sensor's {fleet.each:,} readings", done)


def _notes(options: Options) -> Iterator[str]:
    yield (
        "Readings of one sensor are spread evenly over the hours that a line names. A file a sensor's hour "
        f"is measured over so many hours that at most {options.final_files:,} final files come of it, a file "
        "an asset's hour over the whole day. --final-files 240000 --timeout 7200 takes the whole day of "
        "10,000 sensors with a file for each of their hours: a very long row of small puts on Azurite."
    )
    yield (
        "The backlog is flushed at once: raw files are fewer than those of a flush each minute. The clean-up "
        "over HTTP deletes none of them, for merged files stay an hour for readers of older versions; the "
        "one two hours later is the same code in the benchmark's process, with its clock ahead."
    )
    yield (
        "Capture's files are a stand-in: Avro files of the documented schema, windows and names, written "
        "from the same messages, as if each was enqueued when it was measured. Both maps are empty, so sizes "
        "are a lower bound. One sensor's readings are found by reading all files: no name says what is in "
        "them."
    )
    yield (
        "CPU of a stage counts from when the host serves, and includes the first use of each library. Over "
        "HTTP the CPU is the host's, else that of the reading process."
    )
