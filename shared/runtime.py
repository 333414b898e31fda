"""The composition root: builds each service once, when first asked for, and alone picks the adapters."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from shared.platform import logs
from shared.platform.clock import utc_now
from shared.platform.settings import Settings, load_settings

if TYPE_CHECKING:
    from shared.adapters.eventhub_hubs import EventHubHubs
    from shared.adapters.kafka_hubs import KafkaHubs
    from shared.health.board import NoticeBoard
    from shared.health.service import HealthService
    from shared.ingest.land import Landing
    from shared.ingest.ports import Publisher
    from shared.ingest.publish import EventIntake
    from shared.lake.flush import Flusher
    from shared.lake.ports import Blobs, Lake
    from shared.lake.segments import SegmentStore
    from shared.query.events import EventHistory


@cache
def settings() -> Settings:
    """The checked settings; logging follows them from here on."""
    loaded = load_settings()
    logs.configure(loaded.log_level)
    return loaded


@cache
def landing() -> Landing:
    """LAND, for the Event Hub triggers."""
    from shared.ingest.decode_events import EventDecoder
    from shared.ingest.land import Landing, LandingLimits

    limits = LandingLimits(
        segment_bytes=settings().segment_max_bytes,
        segment_rows=settings().segment_max_rows,
        bad_share=settings().bad_share_alarm,
        bad_minimum=settings().bad_share_minimum,
    )
    return Landing(segments(), _hubs(), _board(), _board(), cache(EventDecoder), limits)


@cache
def flusher() -> Flusher:
    """FLUSH, for the timer and for operators."""
    from shared.adapters.blob_leases import BlobLeases
    from shared.adapters.connection import storage_account
    from shared.lake.flush import Flusher, FlushLimits
    from shared.streams.models import SYSTEM_CONTAINER

    leases = BlobLeases(storage_account(settings()), SYSTEM_CONTAINER, settings().lease_seconds)
    limits = FlushLimits(rows=settings().flush_max_rows, bytes=settings().flush_max_bytes)
    return Flusher(segments(), _blobs(), _lake(), leases, limits, utc_now)


@cache
def event_intake() -> EventIntake:
    """Events over HTTP, to the broker."""
    from shared.ingest.publish import EventIntake, PublishLimits

    limits = PublishLimits(
        event_bytes=settings().max_event_bytes,
        batch_events=settings().max_batch_events,
        pack_bytes=settings().pack_bytes,
    )
    return EventIntake(_publisher(), limits, utc_now)


@cache
def event_history() -> EventHistory:
    """Queries over events."""
    from shared.query.events import EventHistory

    return EventHistory(segments(), _lake())


@cache
def segments() -> SegmentStore:
    """The landing segments of all streams."""
    import pyarrow as pa

    from shared.lake.segments import SegmentStore

    # The system's allocator gives memory back; Arrow's own kept half as much again after a flush.
    pa.set_memory_pool(pa.system_memory_pool())
    return SegmentStore(_blobs())


@cache
def health() -> HealthService:
    """The health service, over probes of what this deployment rests on."""
    from shared.health.pipeline import LakeFacts, volatile_broker
    from shared.health.ports import Deployment, Probe
    from shared.health.service import HealthService
    from shared.streams.events import EVENTS
    from shared.streams.models import LANDING_CONTAINER

    def blob() -> None:
        next(iter(_blobs().list(LANDING_CONTAINER, "health/")), None)

    probes = (
        Probe("event_hub", lambda: _hubs().ping(), essential=True),
        Probe("blob", blob, essential=True),
    )
    notices = (volatile_broker(),) if settings().broker_volatile else ()
    deployment = Deployment(azure_configured=True, container_name=EVENTS.container, notices=notices)
    return HealthService(probes, LakeFacts(_lake, _board), deployment)


@cache
def _blobs() -> Blobs:
    from shared.adapters.connection import storage_account
    from shared.adapters.obstore_blobs import ObstoreBlobs

    return ObstoreBlobs(storage_account(settings()))


@cache
def _lake() -> Lake:
    from shared.adapters.connection import storage_account
    from shared.adapters.delta_lake import DeltaLake

    return DeltaLake(storage_account(settings()), _blobs(), identity=settings().delta_identity())


@cache
def _board() -> NoticeBoard:
    from shared.health.board import NoticeBoard

    return NoticeBoard(_blobs(), utc_now)


@cache
def _publisher() -> Publisher:
    from shared.adapters.kafka_connection import kafka_connection
    from shared.adapters.kafka_publisher import KafkaPublisher

    return KafkaPublisher(kafka_connection(settings()), timeout_seconds=settings().produce_timeout_seconds)


@cache
def _hubs() -> KafkaHubs | EventHubHubs:
    namespace = settings().eventhub_namespace
    if namespace is not None:
        from shared.adapters.eventhub_hubs import EventHubHubs
        from shared.streams.events import EVENTS

        return EventHubHubs(namespace, EVENTS.topics[0])
    from shared.adapters.kafka_connection import kafka_connection
    from shared.adapters.kafka_hubs import KafkaHubs

    return KafkaHubs(kafka_connection(settings()), volatile=settings().broker_volatile)
