"""The health service over fakes: true, quick, and patient with what hangs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.health.models import Health, Notice
from shared.health.ports import CleanupFacts, Deployment, Facts, Probe
from shared.health.service import STALE_SECONDS, HealthService

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DEPLOYMENT = Deployment(azure_configured=True, container_name="events-cold-storage")
WARNING = Notice(kind="bad_batch", subject="events.error", message="Half of it was wrong", since=NOW)
INFO = Notice(kind="volatile_broker", subject="broker", message="Keeps nothing", severity="info")


class Dependency:
    """Answers, refuses or hangs, as told."""

    def __init__(self) -> None:
        self.mood = "answers"
        self.asked = 0

    async def __call__(self) -> None:
        self.asked += 1
        if self.mood == "hangs":
            await asyncio.Event().wait()
        if self.mood == "refuses":
            raise ConnectionError("refused")


class FakeFacts:
    """The given facts; None raises."""

    def __init__(self, facts: Facts | None = None) -> None:
        self.facts = facts

    async def read(self) -> Facts:
        if self.facts is None:
            raise ConnectionError("no storage")
        return self.facts


class Ticks:
    """Monotonic seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Setting:
    """A service over three dependencies."""

    def __init__(self, facts: Facts | None = Facts(), **options: Any) -> None:  # noqa: B008
        self.hub, self.blob = Dependency(), Dependency()
        self.facts = FakeFacts(facts)
        self.ticks = Ticks()
        self.service = HealthService(
            [Probe("event_hub", self.hub.__call__, essential=True), Probe("blob", self.blob.__call__)],
            self.facts,
            options.pop("deployment", DEPLOYMENT),
            clock=lambda: NOW,
            ticks=self.ticks,
            **{"interval": 3600, "timeout": 0.02, **options},
        )

    async def after(self, seconds: float) -> Health:
        """The report after some time without one."""
        self.ticks.now += seconds
        return await self.service.report()

    async def until(self, status: str) -> None:
        """Ask until the status is this one."""
        while (await self.service.report()).status != status:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


@pytest.fixture
async def make() -> AsyncIterator[Callable[..., Setting]]:
    made: list[Setting] = []

    def build(*arguments: Any, **options: Any) -> Setting:
        made.append(Setting(*arguments, **options))
        return made[-1]

    yield build
    for one in made:
        await one.service.close()


@pytest.mark.parametrize(
    ("hub", "blob", "facts", "status", "words"),
    [
        ("answers", "answers", Facts(), "healthy", ("connected", "connected")),
        ("refuses", "answers", Facts(), "unhealthy", ("disconnected", "connected")),
        ("hangs", "answers", Facts(), "unhealthy", ("disconnected", "connected")),
        ("answers", "refuses", Facts(), "degraded", ("connected", "disconnected")),
        ("answers", "hangs", None, "degraded", ("connected", "disconnected")),
        ("hangs", "hangs", None, "unhealthy", ("disconnected", "disconnected")),
        ("answers", "answers", None, "degraded", ("connected", "connected")),
        ("answers", "answers", Facts(notices=(WARNING,)), "degraded", ("connected", "connected")),
        ("answers", "answers", Facts(notices=(INFO,)), "healthy", ("connected", "connected")),
    ],
)
async def test_status(
    make: Callable[..., Setting],
    hub: str,
    blob: str,
    facts: Facts | None,
    status: str,
    words: tuple[str, str],
) -> None:
    setting = make(facts)
    setting.hub.mood, setting.blob.mood = hub, blob
    report = await setting.service.report()
    assert report.status == status
    assert (report.dependencies.event_hub, report.dependencies.blob) == words
    assert report.dependencies.tables == "unused"


async def test_a_dependency_that_dies_and_returns_is_told(make: Callable[..., Setting]) -> None:
    setting = make()
    stale = STALE_SECONDS + 1
    assert (await setting.after(0)).status == "healthy"
    setting.hub.mood = "hangs"
    assert (await setting.after(stale)).status == "unhealthy"
    setting.hub.mood = "answers"
    assert (await setting.after(stale)).status == "healthy"


async def test_reports_come_from_memory(make: Callable[..., Setting]) -> None:
    setting = make()
    for _ in range(10):
        await setting.after(0.5)
    assert setting.hub.asked == 1


async def test_checks_go_on_in_the_background_while_somebody_asks(make: Callable[..., Setting]) -> None:
    setting = make(interval=0.001)
    await setting.service.report()
    setting.hub.mood = "hangs"
    await setting.until("unhealthy")
    setting.hub.mood = "answers"
    await setting.until("healthy")


async def test_checks_end_when_nobody_asks_any_more(make: Callable[..., Setting]) -> None:
    setting = make(interval=0.001)
    await setting.service.report()
    setting.ticks.now += 10_000
    assert setting.service._loop is not None
    await setting.service._loop
    assert (await setting.service.report()).status == "healthy"


async def test_simultaneous_first_reports_share_the_checks(make: Callable[..., Setting]) -> None:
    setting = make()
    reports = await asyncio.gather(*(setting.service.report() for _ in range(20)))
    assert {report.status for report in reports} == {"healthy"}
    assert setting.hub.asked == 1


async def test_a_blocking_check_that_hangs_is_started_once() -> None:
    release, started = threading.Event(), []

    def hang() -> None:
        started.append(1)
        release.wait(30)

    service = HealthService(
        [Probe("event_hub", hang, essential=True)], FakeFacts(Facts()), DEPLOYMENT, timeout=0.02
    )
    for _ in range(3):
        await service.refresh()
    assert (await service.report()).status == "unhealthy"
    assert len(started) == 1
    release.set()
    while (await service.report()).status == "unhealthy":
        await service.refresh()
    await service.close()


async def test_a_check_that_forgets_to_await_is_no_answer() -> None:
    async def ping() -> None: ...

    made = ping()
    service = HealthService(
        [Probe("event_hub", lambda: made, essential=True)], FakeFacts(Facts()), DEPLOYMENT, timeout=0.5
    )
    assert (await service.report()).status == "unhealthy"
    made.close()
    await service.close()


async def test_facts_may_block_in_a_thread_of_their_own() -> None:
    class Blocking:
        def read(self) -> Facts:
            return Facts(total_files=len(threading.current_thread().name.removesuffix("_0")))

    service = HealthService([], Blocking(), DEPLOYMENT)
    assert (await service.report()).components.storage.stats.total_files == len("health-facts")
    await service.close()


async def test_all_documented_fields(make: Callable[..., Setting]) -> None:
    facts = Facts(
        messages_consumed=7,
        messages_by_topic={"sensor-data": 7, "events.error": 1},
        last_message_time=NOW,
        total_files=3,
        total_size_bytes=5_452_595,
        cleanup=CleanupFacts(healthy=True, running=False, files_deleted=2),
        notices=(WARNING,),
    )
    setting = make(facts, deployment=Deployment(True, "events-cold-storage", (INFO,)))
    report = (await setting.service.report()).model_dump(mode="json")
    moment = "2026-01-02T03:04:05Z"
    assert report == {
        "status": "degraded",
        "service": "floe",
        "version": report["version"],
        "timestamp": moment,
        "components": {
            "kafka": {
                "healthy": True,
                "metrics": {
                    "messages_consumed": 7,
                    "last_message_time": moment,
                    "messages_by_topic": {"sensor-data": 7, "events.error": 1},
                },
            },
            "storage": {"healthy": True, "stats": {"total_files": 3, "total_size_mb": 5.2}},
            "azure": {
                "healthy": True,
                "metrics": {"azure_configured": True, "container_name": "events-cold-storage"},
            },
            "cleanup": {"healthy": True, "metrics": {"is_running": False, "total_files_deleted": 2}},
        },
        "dependencies": {"event_hub": "connected", "blob": "connected", "tables": "unused"},
        "notices": [
            {
                "kind": "volatile_broker",
                "subject": "broker",
                "message": "Keeps nothing",
                "since": None,
                "severity": "info",
            },
            {
                "kind": "bad_batch",
                "subject": "events.error",
                "message": "Half of it was wrong",
                "since": moment,
                "severity": "warning",
            },
        ],
    }


async def test_what_is_not_known_is_null(make: Callable[..., Setting]) -> None:
    report = await make(None).service.report()
    assert report.components.kafka.metrics.messages_consumed is None
    assert report.components.storage.stats.total_size_mb is None
    assert report.components.cleanup.healthy is None
