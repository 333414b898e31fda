"""The app's host.json: what of it this host honours, with the real host's defaults."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from devstack.host.errors import SettingError
from devstack.host.timespans import parse_timespan


@dataclass(frozen=True, slots=True)
class EventHubOptions:
    """`extensions.eventHubs`; `max_wait` counts only where a batch has a smallest size above one."""

    max_event_batch_size: int = 100
    min_event_batch_size: int = 1
    max_wait: timedelta = timedelta(minutes=1)
    prefetch_count: int = 300
    batch_checkpoint_frequency: int = 1
    initial_offset: str = "fromStart"
    initial_enqueued_time: str | None = None


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """`extensions.queues`; `visibility_timeout` is the wait before a failed message is tried again."""

    max_dequeue_count: int = 5
    visibility_timeout: timedelta = timedelta(0)
    batch_size: int = 16
    new_batch_threshold: int = 8
    max_polling_interval: timedelta = timedelta(minutes=1)
    base64: bool = True


@dataclass(frozen=True, slots=True)
class HostOptions:
    """All of it. `function_timeout` is None where there is no limit."""

    route_prefix: str = "api"
    function_timeout: timedelta | None = timedelta(minutes=30)
    event_hubs: EventHubOptions = field(default_factory=EventHubOptions)
    queues: QueueOptions = field(default_factory=QueueOptions)


def read_host_json(app: Path) -> HostOptions:
    """The options of the app in this folder; raises SettingError when they cannot be read."""
    path = app / "host.json"
    try:
        content = json.loads(path.read_text())
        extensions = content.get("extensions", {})
        return HostOptions(
            route_prefix=extensions.get("http", {}).get("routePrefix", "api").strip("/"),
            function_timeout=_timeout(content.get("functionTimeout")),
            event_hubs=_event_hubs(extensions.get("eventHubs", {})),
            queues=_queues(extensions.get("queues", {})),
        )
    except FileNotFoundError as error:
        raise SettingError(f"{path} does not exist: is --app the folder of a Functions app?") from error
    except (ValueError, AttributeError, TypeError) as error:
        raise SettingError(f"{path} cannot be read: {error}") from error


def _timeout(text: str | None) -> timedelta | None:
    if text is None:
        return HostOptions().function_timeout
    return None if text == "-1" else parse_timespan(text)


def _event_hubs(section: dict[str, Any]) -> EventHubOptions:
    offset = section.get("initialOffsetOptions", {})
    size = int(section.get("maxEventBatchSize", 100))
    return EventHubOptions(
        max_event_batch_size=size,
        min_event_batch_size=min(size, int(section.get("minEventBatchSize", 1))),
        max_wait=parse_timespan(section.get("maxWaitTime", "00:01:00")),
        prefetch_count=int(section.get("prefetchCount", 300)),
        batch_checkpoint_frequency=max(1, int(section.get("batchCheckpointFrequency", 1))),
        initial_offset=offset.get("type", "fromStart"),
        initial_enqueued_time=offset.get("enqueuedTimeUtc"),
    )


def _queues(section: dict[str, Any]) -> QueueOptions:
    size = int(section.get("batchSize", 16))
    if not 1 <= size <= 32:
        raise ValueError("extensions.queues.batchSize must be 1 to 32")
    return QueueOptions(
        max_dequeue_count=int(section.get("maxDequeueCount", 5)),
        visibility_timeout=parse_timespan(section.get("visibilityTimeout", "00:00:00")),
        batch_size=size,
        new_batch_threshold=int(section.get("newBatchThreshold", size // 2)),
        max_polling_interval=parse_timespan(section.get("maxPollingInterval", "00:01:00")),
        base64=section.get("messageEncoding", "base64").lower() == "base64",
    )
