"""What `GET /metrics` tells in JSON: the fields of the references for cold storage and for events."""

from __future__ import annotations

from pydantic import BaseModel, Field

from shared.platform.times import UtcTime
from shared.telemetry.last_minute import SECONDS, Produced
from shared.telemetry.pipeline import Files, PipelineTotals

_MIB = 1_048_576


class KafkaFigures(BaseModel):
    """Durable totals of `sensor-data`, each message once."""

    messages_consumed: int | None = Field(description="Messages landed.")
    messages_failed: int | None = Field(description="Those with at least one dead letter.")
    last_message_time: UtcTime | None = Field(description="When the broker took the newest of them.")
    is_running: bool | None = Field(
        description="Whether the broker answers, so that messages can be consumed."
    )


class AssetFiles(BaseModel):
    """One asset's live files."""

    files: int
    size_bytes: int


class StorageFigures(BaseModel):
    """Live files of the readings table, and readings landed but not yet flushed."""

    total_files: int | None
    total_size_bytes: int | None
    total_size_mb: float | None = Field(description="MiB, three decimals.")
    assets: dict[str, AssetFiles] | None
    buffer_count: int | None = Field(description="Sensors with buffered readings.")
    buffered_records: int | None


class UploadStats(BaseModel):
    """Durable totals of the uploads to the cold tier, of all streams, in flushed files."""

    total_uploads: int | None
    successful_uploads: int | None
    failed_uploads: int | None
    total_bytes: int | None


class AzureFigures(BaseModel):
    """The cold tier."""

    upload_stats: UploadStats


class CleanupStats(BaseModel):
    """Durable totals of the clean-up."""

    total_files_deleted: int | None
    total_bytes_freed: int | None
    cleanup_runs: int | None


class CleanupFigures(BaseModel):
    """The clean-up."""

    cleanup_stats: CleanupStats


class ProducerMetrics(BaseModel):
    """What all instances sent to the broker in the last minute. A record is a message, which may hold many
    events."""

    record_send_rate: float = Field(description="Messages acknowledged, per second.")
    record_error_rate: float = Field(description="Messages refused or not acknowledged in time, per second.")
    request_latency_avg: float | None = Field(
        description="Mean time to the acknowledgement, in milliseconds; null where none was sent."
    )
    event_send_rate: float = Field(description="Events in the messages acknowledged, per second.")


class Metrics(BaseModel):
    """The whole answer; what is not known is null."""

    kafka: KafkaFigures
    storage: StorageFigures
    azure: AzureFigures
    cleanup: CleanupFigures
    producer_metrics: ProducerMetrics


def metrics(produced: Produced, totals: PipelineTotals) -> Metrics:
    """The answer made of these."""
    return Metrics(
        kafka=KafkaFigures(
            messages_consumed=totals.messages_consumed,
            messages_failed=totals.messages_failed,
            last_message_time=totals.last_message_time,
            is_running=totals.is_running,
        ),
        storage=_storage(totals),
        azure=AzureFigures(
            upload_stats=UploadStats(
                total_uploads=_sum(totals.successful_uploads, totals.failed_uploads),
                successful_uploads=totals.successful_uploads,
                failed_uploads=totals.failed_uploads,
                total_bytes=totals.uploaded_bytes,
            )
        ),
        cleanup=CleanupFigures(
            cleanup_stats=CleanupStats(
                total_files_deleted=totals.deleted_files,
                total_bytes_freed=totals.freed_bytes,
                cleanup_runs=totals.cleanup_runs,
            )
        ),
        producer_metrics=_producer(produced),
    )


def _storage(totals: PipelineTotals) -> StorageFigures:
    size = totals.total_size_bytes
    return StorageFigures(
        total_files=totals.total_files,
        total_size_bytes=size,
        total_size_mb=None if size is None else round(size / _MIB, 3),
        assets=None if totals.assets is None else {name: _files(f) for name, f in totals.assets.items()},
        buffer_count=totals.buffer_count,
        buffered_records=totals.buffered_records,
    )


def _files(files: Files) -> AssetFiles:
    return AssetFiles(files=files.files, size_bytes=files.size_bytes)


def _sum(*parts: int | None) -> int | None:
    return None if None in parts else sum(part for part in parts if part is not None)


def _producer(produced: Produced) -> ProducerMetrics:
    sent = produced.acknowledged
    return ProducerMetrics(
        record_send_rate=round(sent / SECONDS, 3),
        record_error_rate=round(produced.refused / SECONDS, 3),
        request_latency_avg=round(1000 * produced.waited / sent, 3) if sent else None,
        event_send_rate=round(produced.events / SECONDS, 3),
    )
