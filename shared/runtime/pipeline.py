"""The data's way: intake, landing, flush, upload, clean-up."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from shared.platform.clock import utc_now
from shared.runtime import analytics, brokers, storage
from shared.runtime.configuration import settings

if TYPE_CHECKING:
    from shared.ingest.catch_up import CatchUp
    from shared.ingest.land import Landing
    from shared.ingest.publish import EventIntake
    from shared.lake.cleanup import Cleaner
    from shared.lake.flush import Flusher
    from shared.lake.upload import Uploader


@cache
def event_intake() -> EventIntake:
    """Events over HTTP, to the broker."""
    from shared.ingest.publish import EventIntake, PublishLimits

    limits = PublishLimits(
        event_bytes=settings().max_event_bytes,
        batch_events=settings().max_batch_events,
        pack_bytes=settings().pack_bytes,
    )
    return EventIntake(brokers.publisher(), limits, utc_now)


@cache
def landing() -> Landing:
    """LAND, for the Event Hub triggers."""
    from shared.ingest.decoders import decoder_of
    from shared.ingest.land import Landing, LandingLimits

    limits = LandingLimits(
        segment_bytes=settings().segment_max_bytes,
        segment_rows=settings().segment_max_rows,
        bad_share=settings().bad_share_alarm,
        bad_minimum=settings().bad_share_minimum,
    )
    return Landing(
        storage.segments(), brokers.hubs(), storage.board(), storage.board(), cache(decoder_of), limits
    )


@cache
def flusher() -> Flusher:
    """FLUSH, for the timer and for operators."""
    from shared.lake.flush import Flusher, FlushLimits

    limits = FlushLimits(
        rows=settings().flush_max_rows, bytes=settings().flush_max_bytes, files=settings().flush_max_files
    )
    return Flusher(
        storage.segments(),
        storage.blobs(),
        storage.lake(),
        storage.leases(),
        limits,
        utc_now,
        analytics.followers(),
    )


@cache
def uploader() -> Uploader:
    """UPLOAD, as a job."""
    from shared.lake.upload import Uploader, UploadLimits

    limits = UploadLimits(
        rows=settings().upload_max_rows,
        files=settings().upload_max_files,
        merge_bytes=settings().upload_max_bytes,
        file_bytes=settings().final_file_bytes,
        grace=timedelta(minutes=settings().hour_grace_minutes),
        together=settings().final_files == "asset",
    )
    storage.segments()  # sets Arrow's allocator
    return Uploader(storage.blobs(), storage.lake(), storage.leases(), limits, settings().final_tier, utc_now)


@cache
def cleaner() -> Cleaner:
    """CLEAN UP, as a job."""
    from shared.lake.cleanup import Cleaner, CleanupLimits
    from shared.streams.dead_letters import DEAD_LETTERS
    from shared.streams.events import EVENTS
    from shared.streams.readings import READINGS
    from shared.streams.rollups import ROLLUPS

    days = {
        EVENTS.name: settings().retention_days_events,
        READINGS.name: settings().retention_days_readings,
        DEAD_LETTERS.name: settings().retention_days_dead_letters,
        ROLLUPS.name: settings().retention_days_rollups,
    }
    limits = CleanupLimits(
        removed_files=timedelta(hours=settings().removed_files_hours),
        retention={name: None if kept is None else timedelta(days=kept) for name, kept in days.items()},
    )
    return Cleaner(
        storage.segments(),
        storage.blobs(),
        storage.lake(),
        storage.leases(),
        limits,
        utc_now,
        analytics.followers(),
    )


@cache
def catch_up() -> CatchUp:
    """How far landing is behind the broker."""
    from shared.ingest.catch_up import CatchUp

    return CatchUp(brokers.hubs(), brokers.hubs(), landing(), storage.segments(), storage.lake())
