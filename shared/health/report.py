"""From what the checks said to what `/health` tells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from shared.health.models import (
    AzureComponent,
    AzureMetrics,
    CleanupComponent,
    CleanupMetrics,
    Components,
    Dependencies,
    Health,
    KafkaComponent,
    KafkaMetrics,
    Notice,
    Status,
    StorageComponent,
    StorageStats,
    Word,
)
from shared.health.ports import DependencyName, Deployment, Facts
from shared.platform.version import VERSION

Answers = Mapping[DependencyName, bool | None]
_MIB = 1_048_576


def compose(
    answers: Answers,
    essential: frozenset[DependencyName],
    facts: Facts | None,
    deployment: Deployment,
    now: datetime,
) -> Health:
    """The answer as of `now`; `answers` has every dependency in use, `facts` is None where unknown."""
    known = facts or Facts()
    notices = [*deployment.notices, *known.notices]
    return Health(
        status=_status(answers, essential, facts is not None, notices),
        version=VERSION,
        timestamp=now,
        components=_components(answers, known, deployment),
        dependencies=Dependencies(
            event_hub=_word(answers, "event_hub"),
            blob=_word(answers, "blob"),
            tables=_word(answers, "tables"),
        ),
        notices=notices,
    )


def _status(
    answers: Answers, essential: frozenset[DependencyName], measured: bool, notices: list[Notice]
) -> Status:
    if not all(answers[name] for name in essential):
        return "unhealthy"
    warned = any(notice.severity == "warning" for notice in notices)
    return "healthy" if measured and not warned and all(answers.values()) else "degraded"


def _word(answers: Answers, name: DependencyName) -> Word:
    if name not in answers:
        return "unused"
    answered = answers[name]
    return "unknown" if answered is None else "connected" if answered else "disconnected"


def _components(answers: Answers, facts: Facts, deployment: Deployment) -> Components:
    blob = answers.get("blob")
    return Components(
        kafka=KafkaComponent(
            healthy=answers.get("event_hub"),
            metrics=KafkaMetrics(
                messages_consumed=facts.messages_consumed,
                last_message_time=facts.last_message_time,
                messages_by_topic=None if facts.messages_by_topic is None else dict(facts.messages_by_topic),
            ),
        ),
        storage=StorageComponent(
            healthy=blob,
            stats=StorageStats(total_files=facts.total_files, total_size_mb=_in_mib(facts.total_size_bytes)),
        ),
        azure=AzureComponent(
            healthy=blob,
            metrics=AzureMetrics(
                azure_configured=deployment.azure_configured, container_name=deployment.container_name
            ),
        ),
        cleanup=CleanupComponent(
            healthy=facts.cleanup.healthy,
            metrics=CleanupMetrics(
                is_running=facts.cleanup.running, total_files_deleted=facts.cleanup.files_deleted
            ),
        ),
    )


def _in_mib(size: int | None) -> float | None:
    return None if size is None else round(size / _MIB, 3)
