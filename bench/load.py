"""The load generator: a process of its own, so that it takes no time from what it measures.

`python -m bench.load '<job as JSON>'` sends requests over keep-alive connections and prints a LoadReport as
JSON. With a `rate` it sends in an open loop: each request is due at its time whatever became of those before,
and its latency counts from then. Without, each connection sends its next request when the answer is there.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections import Counter, deque
from typing import cast
from urllib.parse import urlsplit

import msgspec
import uvloop

from bench.percentiles import percentile
from devstack.tools import PROJECT

_TYPES = ("user_action", "transaction", "page_view", "error", "system_metric")
_BODIES = 16


class Job(msgspec.Struct):
    """What to send: `events` per request (0: a single one that is no array), for so many seconds."""

    url: str
    path: str
    events: int
    connections: int
    seconds: float
    rate: float | None = None

    @property
    def warm_up(self) -> float:
        """Seconds before those that count."""
        return min(1.0, self.seconds / 2)


class LoadReport(msgspec.Struct):
    """What came of it after the warm-up; `accepted` and `statuses` count the warm-up too. Times in ms."""

    seconds: float
    requests: int
    p50: float
    p99: float
    longest: float
    cpu: float
    accepted: int
    statuses: dict[str, int]


def run(job: Job) -> LoadReport:
    """Runs `job` in a process of its own."""
    command = [sys.executable, "-m", "bench.load", msgspec.json.encode(job).decode()]
    limit = job.seconds + job.warm_up + 60
    done = subprocess.run(command, cwd=PROJECT, timeout=limit, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the load generator ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return msgspec.json.decode(done.stdout, type=LoadReport)


class _Connection(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection with at most one request under way."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._transport: asyncio.Transport
        self._received = bytearray()
        self._whole = 0
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.lost(self)

    def send(self, request: bytes, due: float) -> None:
        """Sends a request whose latency counts from `due`."""
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._whole:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._received[:end]).lower()
            start = head.index(b"content-length:") + 15
            self._whole = end + 4 + int(head[start:].split(b"\r\n", 1)[0])
        if len(self._received) >= self._whole:
            status = bytes(self._received[9:12]).decode()
            self._received.clear()
            self._whole = 0
            self._load.answered(self, status, self._due)


class _Load:
    """Decides which connection sends what, and notes the answers."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._requests = _requests(job)
        self._sent = 0
        self._idle: deque[_Connection] = deque()
        self._waiting: deque[float] = deque()
        self._latencies: list[float] = []
        self._statuses: Counter[str] = Counter()
        self._counts_from = self._ends = 0.0
        self._under_way = 0
        self._over = asyncio.Event()
        self._cpu = 0.0

    async def run(self) -> LoadReport:
        """Sends until the time is over and every answer is there."""
        loop = asyncio.get_running_loop()
        address = urlsplit(self._job.url)
        for _ in range(self._job.connections):
            _, connection = await loop.create_connection(
                lambda: _Connection(self), str(address.hostname), int(address.port or 80)
            )
            self._idle.append(connection)
        self._counts_from = time.perf_counter() + self._job.warm_up
        self._ends = self._counts_from + self._job.seconds
        loop.call_later(self._job.warm_up, self._note_cpu)
        await (self._send_all() if self._job.rate is None else self._send_at(self._job.rate))
        await asyncio.wait_for(self._over.wait(), self._job.warm_up + self._job.seconds + 40)
        return self._report(max(time.perf_counter() - self._counts_from, 1e-9))

    async def _send_all(self) -> None:
        for connection in list(self._idle):
            self._send(connection, time.perf_counter())
        self._idle.clear()

    async def _send_at(self, rate: float) -> None:
        began = time.perf_counter()
        for n in range(int(rate * (self._ends - began))):
            due = began + n / rate
            await asyncio.sleep(due - time.perf_counter())
            if self._idle:
                self._send(self._idle.popleft(), due)
            else:
                self._waiting.append(due)
        self._end_if_done()

    def _send(self, connection: _Connection, due: float) -> None:
        self._sent += 1
        self._under_way += 1
        connection.send(self._requests[self._sent % len(self._requests)], due)

    def answered(self, connection: _Connection, status: str, due: float) -> None:
        """Notes an answer and goes on."""
        now = time.perf_counter()
        self._under_way -= 1
        self._statuses[status] += 1
        if self._job.rate is None:
            if due >= self._counts_from and now <= self._ends:
                self._latencies.append(now - due)
            if now < self._ends:
                self._send(connection, now)
        else:
            if due >= self._counts_from:
                self._latencies.append(now - due)
            if self._waiting:
                self._send(connection, self._waiting.popleft())
            else:
                self._idle.append(connection)
        self._end_if_done()

    def lost(self, connection: _Connection) -> None:
        """A connection that the server closed fails the run: nothing of it could be trusted."""
        if not self._over.is_set():
            sys.exit("the server closed a connection")

    def _end_if_done(self) -> None:
        if time.perf_counter() >= self._ends - 0.01 and not self._under_way and not self._waiting:
            self._over.set()

    def _note_cpu(self) -> None:
        self._cpu = time.process_time()

    def _report(self, seconds: float) -> LoadReport:
        times = [1000 * latency for latency in self._latencies]
        return LoadReport(
            seconds=self._job.seconds if self._job.rate is None else seconds,
            requests=len(times),
            p50=percentile(times, 0.5) if times else 0.0,
            p99=percentile(times, 0.99) if times else 0.0,
            longest=max(times, default=0.0),
            cpu=time.process_time() - self._cpu,
            accepted=self._statuses["200"] * max(1, self._job.events),
            statuses=dict(self._statuses),
        )


def _requests(job: Job) -> list[bytes]:
    """A few different requests, encoded beforehand."""
    host = urlsplit(job.url).netloc
    made = []
    for _ in range(_BODIES):
        events = [_event() for _ in range(max(1, job.events))]
        body = msgspec.json.encode(events if job.events else events[0])
        head = (
            f"POST {job.path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


def _event() -> dict[str, object]:
    user = f"user_{random.randrange(1000):03d}"
    data = {"user_id": user, "action": "click", "value": random.randrange(100), "region": "us-east"}
    return {"event_type": random.choice(_TYPES), "data": data}


async def _main() -> None:
    job = msgspec.json.decode(sys.argv[1], type=Job)
    print(msgspec.json.encode(await _Load(job).run()).decode())


if __name__ == "__main__":
    uvloop.run(_main())
