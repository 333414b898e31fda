"""What the health service asks of the rest of Floe."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from shared.health.models import Notice

DependencyName = Literal["event_hub", "blob", "tables"]


@dataclass(frozen=True, slots=True)
class Probe:
    """A check of one dependency: it returns when the dependency answers and raises when it does not.

    A plain function runs in a thread of its own and should give up by itself within a few seconds; a
    coroutine is cancelled after the service's time limit. `essential`: without it Floe cannot take data.
    """

    name: DependencyName
    check: Callable[[], Awaitable[object] | object]
    essential: bool = False


@dataclass(frozen=True, slots=True)
class CleanupFacts:
    """What is known of the clean-up: whether its timer starts it when it is due, whether it works, and how
    many files it deleted in all."""

    healthy: bool | None = None
    running: bool | None = None
    files_deleted: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the pipeline knows of itself; None is unknown. Sizes in bytes, totals durable.

    `messages_consumed` and `last_message_time` are of sensor readings, `messages_by_topic` has all topics.
    """

    messages_consumed: int | None = None
    messages_by_topic: Mapping[str, int] | None = None
    last_message_time: datetime | None = None
    total_files: int | None = None
    total_size_bytes: int | None = None
    cleanup: CleanupFacts = CleanupFacts()
    notices: tuple[Notice, ...] = ()


class PipelineFacts(Protocol):
    """The pipeline's own figures."""

    def read(self) -> Awaitable[Facts] | Facts:
        """The figures of now; may read storage, and may raise when it does not answer.

        A plain function runs in a thread of its own, as a blocking probe does: nothing that hangs in it takes
        a thread from the requests.
        """
        ...


@dataclass(frozen=True, slots=True)
class Deployment:
    """What does not change while the process lives."""

    azure_configured: bool
    container_name: str | None
    notices: tuple[Notice, ...] = ()
