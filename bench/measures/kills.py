"""SIGKILLs of the host while events come in and are flushed; afterwards every acknowledged one is counted."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException

import duckdb
import msgspec
import pyarrow as pa
from confluent_kafka import Producer

from bench.events import event_texts
from bench.http_client import Api
from bench.lake import DeltaLog, Landing
from bench.options import Options
from bench.progress import say
from bench.report import Result, at_most
from bench.stack import SupervisedStack, account_of, scratch

_TOPIC_TYPE, _HTTP_TYPE = "user_action", "transaction"
# Events a second: enough that something is always under way, little enough for any machine.
_RATE = 2000
_PACK = 25
_HTTP_BATCH = 20
_LONGEST_LIFE = 5.0


def measure(options: Options) -> Result:
    """Kills the host `options.kills` times and counts what was lost and what is doubled."""
    result = Result()
    with scratch() as folder, SupervisedStack(folder, "*/3 * * * * *") as stack:
        traffic = _Traffic(stack)
        say(f"kills: {options.kills} SIGKILLs of the host")
        with traffic:
            killed = _kill(stack, options)
        say("kills: counting")
        acknowledged = traffic.acknowledged
        log = DeltaLog(account_of(stack.info["storage_connection_string"]))
        left = _settle(stack, log, len(acknowledged), options.timeout)
        with log.files() as files:
            lost, doubled = _compare(files, acknowledged)
    result.add("kills", killed, "")
    result.add("acknowledged events", len(acknowledged), "")
    result.add("lost rows", lost, "", at_most(0))
    result.add("doubled rows", doubled, "", at_most(0))
    if left:
        result.notes.append(f"{left:,} rows were still in landing when the time was over.")
    result.notes.append("The goal is set for 1,000 kills: --count 1000 takes about two hours.")
    return result


def _kill(stack: SupervisedStack, options: Options) -> int:
    """Kills each host some time after it appeared, also while it still starts; returns how many."""
    deadline = time.monotonic() + options.timeout * max(1, options.kills / 50)
    last = 0
    for number in range(options.kills):
        while (host := stack.info["pids"]["host"]) == last:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no further host after {number} kills")
            time.sleep(0.02)
        time.sleep(random.uniform(0, _LONGEST_LIFE))
        with suppress(ProcessLookupError):
            os.kill(host, signal.SIGKILL)
        last = host
        if (number + 1) % 10 == 0:
            say(f"kills: {number + 1}")
    return options.kills


class _Traffic:
    """Producers over Kafka and HTTP, and an operator who flushes; notes what was acknowledged."""

    def __init__(self, stack: SupervisedStack) -> None:
        self._stack = stack
        self._over = threading.Event()
        self._sent = 0
        self._acknowledged: list[list[str]] = []
        self._threads = [threading.Thread(target=work) for work in (self._produce, self._post, self._flush)]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    @property
    def acknowledged(self) -> list[str]:
        """The ids of all events that the broker or the API said it had."""
        return [one for ids in self._acknowledged for one in ids]

    def _produce(self) -> None:
        producer = Producer({"bootstrap.servers": self._stack.info["kafka_bootstrap"], "acks": "all"})
        number = 0
        while not self._over.wait(0.1):
            texts = list(event_texts(_TOPIC_TYPE, f"kafka{number}", _RATE // 10))
            ids = [msgspec.json.decode(text)["event_id"] for text in texts]
            half = len(texts) // 2
            for text, one in zip(texts[:half], ids[:half], strict=True):
                producer.produce(f"events.{_TOPIC_TYPE}", text, on_delivery=self._noting([one]))
            for start in range(half, len(texts), _PACK):
                pack = b"[" + b",".join(texts[start : start + _PACK]) + b"]"
                names = ids[start : start + _PACK]
                producer.produce(f"events.{_TOPIC_TYPE}", pack, on_delivery=self._noting(names))
            producer.poll(0)
            number += 1
        producer.flush(30)

    def _noting(self, ids: list[str]) -> Callable[[object, object], None]:
        def note(error: object, _: object) -> None:
            if error is None:
                self._acknowledged.append(ids)

        return note

    def _post(self) -> None:
        number = 0
        while not self._over.wait(0.2):
            ids = [f"http{number}-{n}" for n in range(_HTTP_BATCH)]
            number += 1
            events = [{"event_id": one, "event_type": _HTTP_TYPE, "data": {"amount": 1}} for one in ids]
            with suppress(RuntimeError, OSError, HTTPException):
                Api(self._stack.info["http_url"], 15).post("/api/events/batch", msgspec.json.encode(events))
                self._acknowledged.append(ids)

    def _flush(self) -> None:
        while not self._over.wait(random.uniform(0, 2)):
            with suppress(RuntimeError, OSError, HTTPException):
                Api(self._stack.info["http_url"], 30).flush()


def _settle(stack: SupervisedStack, log: DeltaLog, least: int, timeout: float) -> int:
    """Waits until the table has `least` rows and landing is empty; returns the rows that are left there."""
    account = account_of(stack.info["storage_connection_string"])
    landings = [Landing(account, f"events.{kind}") for kind in (_TOPIC_TYPE, _HTTP_TYPE)]
    deadline = time.monotonic() + timeout
    quiet = 0
    while quiet < 5 and time.monotonic() < deadline:
        with suppress(RuntimeError, OSError, HTTPException):
            Api(stack.info["http_url"], 60).flush()
        log.follow()
        left = sum(landing.rows() for landing in landings)
        quiet = quiet + 1 if not left and sum(log.rows.values()) >= least else 0
        time.sleep(0.5)
    return sum(landing.rows() for landing in landings)


def _compare(files: list[str], acknowledged: list[str]) -> tuple[int, int]:
    """Acknowledged ids that no row has, and rows beyond the first of their id."""
    with duckdb.connect() as connection:
        connection.register("sent", pa.table({"event_id": pa.array(acknowledged, pa.string())}))
        connection.execute("CREATE TABLE found AS SELECT event_id FROM read_parquet(?)", [files])
        lost = connection.execute("SELECT count(*) FROM sent ANTI JOIN found USING (event_id)").fetchone()
        doubled = connection.execute("SELECT count(*) - count(DISTINCT event_id) FROM found").fetchone()
    assert lost is not None
    assert doubled is not None
    return int(lost[0]), int(doubled[0])
