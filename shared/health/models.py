"""What `GET /health` tells: the union of the five references' fields, and notices."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from shared.platform.times import UtcTime

Status = Literal["healthy", "degraded", "unhealthy"]
Word = Literal["connected", "disconnected", "unknown", "unused"]


class Notice(BaseModel):
    """Something an operator should know, such as a batch with many dead letters or a hub made anew."""

    kind: str = Field(description="What it is, such as `bad_batch`, `hub_made_anew`, `volatile_broker`.")
    subject: str = Field(description="What it is about, such as a topic.")
    message: str = Field(description="What happened and what follows.")
    since: UtcTime | None = Field(default=None, description="When it began; null where that is not known.")
    severity: Literal["info", "warning"] = Field(
        default="warning", description="A `warning` makes `status` degraded, an `info` does not."
    )


class KafkaMetrics(BaseModel):
    """Durable totals of what was landed; null while storage does not answer."""

    messages_consumed: int | None = Field(description="Messages on `sensor-data` that were landed.")
    last_message_time: UtcTime | None = Field(
        description="When the broker took the newest of them that gave a reading; null without any."
    )
    messages_by_topic: dict[str, int] | None = Field(description="Messages landed, of every topic.")


class KafkaComponent(BaseModel):
    """The broker and what came by it."""

    healthy: bool | None
    metrics: KafkaMetrics


class StorageStats(BaseModel):
    """Live files of Floe's tables."""

    total_files: int | None
    total_size_mb: float | None = Field(description="MiB, three decimals.")


class StorageComponent(BaseModel):
    """The tables, hot and cold."""

    healthy: bool | None
    stats: StorageStats


class AzureMetrics(BaseModel):
    """The storage account."""

    azure_configured: bool
    container_name: str | None


class AzureComponent(BaseModel):
    """The storage account behind the tables."""

    healthy: bool | None
    metrics: AzureMetrics


class CleanupMetrics(BaseModel):
    """The clean-up timer and what it did; null while Azure Tables do not answer."""

    is_running: bool | None = Field(
        description="False where no clean-up began for 26 hours, though one is due every day."
    )
    total_files_deleted: int | None = Field(description="Of all clean-ups that ended.")


class CleanupComponent(BaseModel):
    """The clean-up of files that nothing refers to."""

    healthy: bool | None
    metrics: CleanupMetrics


class Components(BaseModel):
    """The components of the sensor cold storage reference; what is not known is null."""

    kafka: KafkaComponent
    storage: StorageComponent
    azure: AzureComponent
    cleanup: CleanupComponent


class Dependencies(BaseModel):
    """What Floe rests on: `connected`, `disconnected`, `unknown` until checked, or `unused`."""

    event_hub: Word
    blob: Word
    tables: Word


class Health(BaseModel):
    """The whole answer. `unhealthy` means that Floe cannot take data."""

    status: Status
    service: Literal["floe"] = "floe"
    version: str
    timestamp: UtcTime
    components: Components
    dependencies: Dependencies
    notices: list[Notice]
