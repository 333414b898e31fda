"""Timer triggers: one host of an app runs them, each strictly one run after the other."""

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from devstack.host.bindings import Function
from devstack.host.leases import RENEW_SECONDS, HostLease
from devstack.host.ncrontab import parse_schedule
from devstack.host.outputs import Outputs
from devstack.host.protos import InvocationResponse, RetryContext, TypedData
from devstack.host.retries import invoke_with_retries
from devstack.host.schedule_status import ScheduleStatus, StatusStore
from devstack.host.waiting import stopped_within
from devstack.host.worker import Worker

log = logging.getLogger(__name__)

_LONGEST_WAIT = 60.0
"""Seconds after which the clock is looked at again, in case it was set."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Timer:
    """One timer function."""

    def __init__(
        self,
        function: Function,
        worker: Worker,
        outputs: Outputs,
        store: StatusStore,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        """Raises SettingError for a schedule that cannot be."""
        self._function = function
        self._worker = worker
        self._outputs = outputs
        self._store = store
        self._clock = clock
        self._schedule = parse_schedule(function.trigger.text("schedule"))
        now = clock()
        first = self._schedule.next_after(now)
        # As on the real host, what runs more often than once a minute is not monitored.
        frequent = self._schedule.next_after(first) - first < timedelta(minutes=1)
        self._monitored = function.trigger.fields.get("useMonitor") is not False and not frequent

    async def run(self, stopping: asyncio.Event) -> None:
        """Run at each occurrence until `stopping`, after making up for one missed run."""
        status = await self._store.load(self._function.name) if self._monitored else None
        if status is not None and self._schedule.next_after(status.updated) <= self._clock():
            await self._invoke(stopping, status, past_due=True)
        elif self._function.trigger.fields.get("runOnStartup"):
            await self._invoke(stopping, status, past_due=False)
        elif status is None:
            await self._record(None)
        while not stopping.is_set():
            due = self._schedule.next_after(self._clock())
            if not await self._wait(stopping, due):
                await self._invoke(stopping, status, past_due=False)

    async def _wait(self, stopping: asyncio.Event, due: datetime) -> bool:
        """Whether `stopping` came before the time was due."""
        while (left := (due - self._clock()).total_seconds()) > 0:
            if await stopped_within(stopping, min(left, _LONGEST_WAIT)):
                return True
        return stopping.is_set()

    async def _invoke(self, stopping: asyncio.Event, status: ScheduleStatus | None, past_due: bool) -> None:
        started = self._clock()
        data = TypedData(json=json.dumps(self._input(status, past_due)))
        if past_due:
            log.info("%s: is past due and runs now", self._function.name)

        async def invoke(retry: RetryContext) -> InvocationResponse:
            return await self._worker.invoke_in_time(self._function, data, None, retry)

        response = await invoke_with_retries(invoke, self._function.retry, stopping)
        if response is not None and response.succeeded:
            await self._outputs.write(self._function, response)
        await self._record(started)

    async def _record(self, last: datetime | None) -> None:
        if self._monitored:
            now = self._clock()
            status = ScheduleStatus(last or now, self._schedule.next_after(now), now)
            await self._store.save(self._function.name, status)

    def _input(self, status: ScheduleStatus | None, past_due: bool) -> dict[str, object]:
        return {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": status.fields() if status else None,
            "IsPastDue": past_due,
        }


class TimerListener:
    """Runs all timers of the app while this host holds the lease."""

    def __init__(self, timers: list[Timer], lease: HostLease) -> None:
        self._timers = timers
        self._lease = lease
        self._stopping = asyncio.Event()
        self._leading: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, on the running loop."""
        self._leading = asyncio.create_task(self._lead())

    async def stop(self, patience: float) -> None:
        """Start no further run; let runs in flight end."""
        self._stopping.set()
        if self._leading is not None:
            await asyncio.wait({self._leading}, timeout=patience)

    async def _lead(self) -> None:
        while not self._stopping.is_set():
            if await self._lease.hold():
                await self._run_while_held()
            else:
                await stopped_within(self._stopping, RENEW_SECONDS)

    async def _run_while_held(self) -> None:
        ending = asyncio.Event()
        running = [asyncio.create_task(timer.run(ending)) for timer in self._timers]
        for task in running:
            task.add_done_callback(_report)
        held = True
        while held and not await stopped_within(self._stopping, RENEW_SECONDS):
            held = await self._lease.hold()
        ending.set()
        while running:
            # A run in flight keeps the lease, so that no other host starts the same timer beside it.
            _, pending = await asyncio.wait(running, timeout=RENEW_SECONDS)
            running = list(pending)
            if running and held:
                held = await self._lease.hold()
        if held:
            await self._lease.release()


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("a timer ended", exc_info=task.exception())
