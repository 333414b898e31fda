"""The composition root: builds each service once, when first asked for, and alone picks the adapters."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from shared.platform import logs
from shared.platform.clock import utc_now
from shared.platform.settings import Settings, load_settings
from shared.platform.version import VERSION
from shared.telemetry import catalogue

if TYPE_CHECKING:
    from shared.adapters.eventhub_hubs import EventHubHubs
    from shared.adapters.kafka_hubs import KafkaHubs
    from shared.dead_letters.browse import DeadLetters
    from shared.dead_letters.replay import Replay
    from shared.health.board import NoticeBoard
    from shared.health.service import HealthService
    from shared.identity.access_tokens import AccessTokens
    from shared.identity.authentication import Authenticator, Verify
    from shared.identity.keys import ApiKeys
    from shared.identity.logins import Logins
    from shared.identity.revocations import Revocations
    from shared.identity.service import IdentityService
    from shared.identity.users import Users
    from shared.identity.workers import Workers
    from shared.ingest.catch_up import CatchUp
    from shared.ingest.land import Landing
    from shared.ingest.ports import Publisher
    from shared.ingest.publish import EventIntake
    from shared.jobs.context import JobLimits
    from shared.jobs.recorded_flush import RecordedFlush
    from shared.jobs.run import JobKind, JobRunner
    from shared.jobs.service import Jobs
    from shared.jobs.slots import Slots
    from shared.jobs.tier_work import CleanupWork, UploadWork
    from shared.lake.buffered import BufferGauge
    from shared.lake.cleanup import Cleaner
    from shared.lake.file_listing import FileListing
    from shared.lake.flush import Flusher
    from shared.lake.ports import Blobs, Lake, Leases
    from shared.lake.segments import SegmentStore
    from shared.lake.upload import Uploader
    from shared.limits.limiter import Limiter
    from shared.limits.rules import Limits
    from shared.platform.queues import Queues
    from shared.platform.tables import Tables
    from shared.query.history import History
    from shared.query.inventory import Inventory
    from shared.telemetry.pipeline import PipelineTotals
    from shared.telemetry.ports import Telemetry
    from shared.telemetry.recorder import Recorder


@cache
def settings() -> Settings:
    """The checked settings; logging follows them from here on."""
    loaded = load_settings()
    logs.configure(loaded.log_level, loaded.instance_id)
    return loaded


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
    return Landing(segments(), _hubs(), _board(), _board(), cache(decoder_of), limits)


@cache
def flusher() -> Flusher:
    """FLUSH, for the timer and for operators."""
    from shared.lake.flush import Flusher, FlushLimits

    limits = FlushLimits(
        rows=settings().flush_max_rows, bytes=settings().flush_max_bytes, files=settings().flush_max_files
    )
    return Flusher(segments(), _blobs(), _lake(), _leases(), limits, utc_now)


@cache
def uploader() -> Uploader:
    """UPLOAD, as a job."""
    from datetime import timedelta

    from shared.lake.upload import Uploader, UploadLimits

    limits = UploadLimits(
        rows=settings().upload_max_rows,
        files=settings().upload_max_files,
        merge_bytes=settings().upload_max_bytes,
        file_bytes=settings().final_file_bytes,
        grace=timedelta(minutes=settings().hour_grace_minutes),
        together=settings().final_files == "asset",
    )
    segments()  # sets Arrow's allocator
    return Uploader(_blobs(), _lake(), _leases(), limits, settings().final_tier, utc_now)


@cache
def cleaner() -> Cleaner:
    """CLEAN UP, as a job."""
    from datetime import timedelta

    from shared.lake.cleanup import Cleaner, CleanupLimits
    from shared.streams.dead_letters import DEAD_LETTERS
    from shared.streams.events import EVENTS
    from shared.streams.readings import READINGS

    days = {
        EVENTS.name: settings().retention_days_events,
        READINGS.name: settings().retention_days_readings,
        DEAD_LETTERS.name: settings().retention_days_dead_letters,
    }
    limits = CleanupLimits(
        removed_files=timedelta(hours=settings().removed_files_hours),
        retention={name: None if kept is None else timedelta(days=kept) for name, kept in days.items()},
    )
    return Cleaner(segments(), _blobs(), _lake(), _leases(), limits, utc_now)


@cache
def recorded_flush() -> RecordedFlush:
    """FLUSH, noted among the jobs."""
    from shared.jobs.recorded_flush import RecordedFlush

    return RecordedFlush(flusher(), jobs, utc_now)


@cache
def jobs() -> Jobs:
    """Jobs: to start, to look up, to take up again."""
    from shared.jobs.kinds import KINDS
    from shared.jobs.service import Jobs

    return Jobs(_job_slots(), _queues(), KINDS, utc_now, _job_limits())


@cache
def job_runner() -> JobRunner:
    """What works on jobs, for the queue trigger."""
    from shared.jobs.run import JobRunner

    return JobRunner(_job_slots(), _queues(), _job_kinds(), utc_now, _job_limits(), logs.instance())


@cache
def upload_work() -> UploadWork:
    """Uploads as jobs do them."""
    from shared.jobs.tier_work import UploadWork
    from shared.streams import STREAMS

    # Dead letters stay as they were flushed: replays read and rewrite them file by file.
    return UploadWork(uploader(), _lake(), [stream for stream in STREAMS if stream.topics])


@cache
def cleanup_work() -> CleanupWork:
    """Clean-ups as jobs do them."""
    from shared.jobs.tier_work import CleanupWork
    from shared.streams import STREAMS

    return CleanupWork(cleaner(), STREAMS)


@cache
def catch_up() -> CatchUp:
    """How far landing is behind the broker."""
    from shared.ingest.catch_up import CatchUp

    return CatchUp(_hubs(), _hubs(), landing(), segments(), _lake())


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
def history() -> History:
    """Queries over the rows of every stream."""
    from shared.query.history import History

    return History(segments(), _lake())


@cache
def inventory() -> Inventory:
    """Which assets and sensors there are."""
    from shared.query.inventory import Inventory

    return Inventory(history(), segments())


@cache
def exports() -> Workers:
    """Where long answers are made, one after the other, for each is held in memory as a whole."""
    from shared.identity.workers import Workers

    return Workers("export", threads=1, waiting=8)


@cache
def segments() -> SegmentStore:
    """The landing segments of all streams."""
    import pyarrow as pa

    from shared.lake.segments import SegmentStore

    # The system's allocator gives memory back; Arrow's own kept half as much again after a flush.
    pa.set_memory_pool(pa.system_memory_pool())
    return SegmentStore(_blobs())


@cache
def readings_gauge() -> BufferGauge:
    """The buffers of the sensor readings, and the table above which they stand."""
    from shared.lake.buffered import BufferGauge
    from shared.streams.readings import READINGS

    return BufferGauge(READINGS, segments(), _lake())


@cache
def file_listing() -> FileListing:
    """Data files as storage lists them."""
    from shared.adapters.connection import storage_account
    from shared.adapters.file_listing import AzureFileListing

    return AzureFileListing(storage_account(settings()))


@cache
def authenticator() -> Authenticator:
    """Who asks, for every request with credentials."""
    from shared.identity.authentication import Authenticator
    from shared.identity.workers import Workers

    workers = Workers("verify", threads=4, waiting=10_000)
    return Authenticator(lambda given: _verify_credential()(given), _revocations(), workers.run, utc_now)


@cache
def identity() -> IdentityService:
    """Users, logins and API keys."""
    from shared.identity.service import IdentityService
    from shared.identity.workers import Workers

    return IdentityService(
        _api_keys,
        _users,
        _logins,
        hashing=Workers("hash", threads=2, waiting=32),
        reading=Workers("identity", threads=4, waiting=200),
    )


@cache
def limiter() -> Limiter:
    """Counts requests against the rate limits."""
    from shared.identity.workers import Workers
    from shared.limits.limiter import Limiter
    from shared.limits.quotas import Quotas

    return Limiter(Quotas(_tables), Workers("limits", threads=2, waiting=1000).run)


@cache
def limits() -> Limits:
    """How many requests each rule allows."""
    from shared.limits.rules import limits_of

    return limits_of(settings())


def sweep_identity() -> int:
    """Deletes what has expired of tokens, revocations and login attempts; how many rows."""
    from shared.identity.sweep import sweep

    return sweep(_tables(), utc_now)


@cache
def health() -> HealthService:
    """The health service, over probes of what this deployment rests on."""
    from shared.health.pipeline import LakeFacts, cleanup_facts, volatile_broker
    from shared.health.ports import Deployment, Probe
    from shared.health.service import HealthService
    from shared.platform.state_tables import USERS
    from shared.streams.models import LANDING_CONTAINER
    from shared.streams.readings import READINGS

    def blob() -> None:
        next(iter(_blobs().list(LANDING_CONTAINER, "health/")), None)

    probes = (
        Probe("event_hub", lambda: _hubs().ping(), essential=True),
        Probe("blob", blob, essential=True),
        Probe("tables", lambda: _tables().query(USERS, "probe", limit=1)),
    )
    notices = (volatile_broker(),) if settings().broker_volatile else ()
    deployment = Deployment(azure_configured=True, container_name=READINGS.container, notices=notices)
    facts = LakeFacts(segments, _lake, _board, lambda: cleanup_facts(jobs(), utc_now))
    return HealthService(probes, facts, deployment)


@cache
def recorder() -> Recorder:
    """What this instance counts, in a table, and what all instances counted together."""
    from shared.telemetry.recorder import Recorder

    return Recorder(_tables, catalogue.counted, catalogue.PRODUCED_LAST_MINUTE.read, utc_now)


async def pipeline_totals() -> PipelineTotals:
    """What the pipeline did, as far as it keeps account of it."""
    from dataclasses import replace

    from shared.health.figures import Figures

    report = await health().report()
    totals = await asyncio.to_thread(Figures(readings_gauge, segments, _lake, jobs).read)
    kafka = report.components.kafka
    return replace(totals, is_running=kafka.healthy, messages_by_topic=kafka.metrics.messages_by_topic)


def fold_metrics() -> int:
    """Folds what instances counted that are gone; how many."""
    from shared.telemetry.recorder import fold

    return fold(_tables(), utc_now)


def watch() -> None:
    """Has this instance report what it counts, and send telemetry where it is to, from its first work on."""
    catalogue.when_first_used(_start_reporting)
    if settings().applicationinsights_connection_string or settings().otlp_endpoint:
        from shared.telemetry.export import Export

        # On Azure the host forwards lines by itself, unless it knows that the app sends them.
        lines = settings().worker_opentelemetry or settings().instance_id is None
        catalogue.when_first_used(Export(_telemetry, lines=lines).start)


def _telemetry() -> Telemetry:
    from shared.adapters.telemetry_opentelemetry import OpenTelemetry, application_insights, otlp

    insights, collector = settings().applicationinsights_connection_string, settings().otlp_endpoint
    exporters = [application_insights(insights.get_secret_value())] if insights else []
    return OpenTelemetry(
        [*exporters, *([otlp(collector)] if collector else [])],
        version=VERSION,
        instance=logs.instance(),
        environment=settings().environment,
        hosted=settings().instance_id is not None,
    )


def _start_reporting() -> None:
    from shared.telemetry.reporting import Reporting

    catalogue.INSTANCES_STARTED.add(1)
    Reporting(recorder()).start()


@cache
def _blobs() -> Blobs:
    from shared.adapters.connection import storage_account
    from shared.adapters.obstore_blobs import ObstoreBlobs

    return ObstoreBlobs(storage_account(settings()))


@cache
def _leases() -> Leases:
    from shared.adapters.blob_leases import BlobLeases
    from shared.adapters.connection import storage_account
    from shared.streams.models import SYSTEM_CONTAINER

    return BlobLeases(storage_account(settings()), SYSTEM_CONTAINER, settings().lease_seconds)


@cache
def _lake() -> Lake:
    from shared.adapters.connection import storage_account
    from shared.adapters.delta_lake import DeltaLake

    return DeltaLake(storage_account(settings()), _blobs(), identity=settings().delta_identity())


@cache
def _tables() -> Tables:
    from shared.adapters.connection import storage_account
    from shared.adapters.table_storage import TableStorage

    return TableStorage(storage_account(settings()))


@cache
def _queues() -> Queues:
    from shared.adapters.connection import storage_account
    from shared.adapters.queue_storage import QueueStorage

    return QueueStorage(storage_account(settings()))


@cache
def _job_slots() -> Slots:
    from shared.jobs.slots import Slots

    return Slots(_tables(), timedelta(days=settings().job_retention_days))


def _job_limits() -> JobLimits:
    from shared.jobs.context import JobLimits

    lapse = timedelta(seconds=settings().job_lapse_seconds)
    return JobLimits(beat=lapse / 6, lapse=lapse, slice=timedelta(seconds=settings().job_slice_seconds))


def _job_kinds() -> Mapping[str, JobKind]:
    from shared.jobs.kinds import CLEANUP, REPLAY, UPLOAD
    from shared.jobs.run import JobKind

    return {
        UPLOAD: JobKind("files", lambda context: upload_work().handle(context)),
        CLEANUP: JobKind("streams", lambda context: cleanup_work().handle(context)),
        REPLAY: JobKind("letters", lambda context: _replay().handle(context)),
    }


@cache
def dead_letters() -> DeadLetters:
    """What could not become rows, to look through."""
    from shared.dead_letters.browse import DeadLetters

    return DeadLetters(history(), segments())


@cache
def _replay() -> Replay:
    from shared.dead_letters.intents import ReplayStore
    from shared.dead_letters.letter_files import LetterFiles
    from shared.dead_letters.replay import Replay, ReplayLimits
    from shared.dead_letters.settle import Settlement
    from shared.ingest.decoders import decoder_of

    def new_name() -> str:
        return f"{utc_now():%Y%m%dT%H%M%S}-{secrets.token_hex(6)}"

    blobs, lake, leases = _blobs(), _lake(), _leases()
    files, store = LetterFiles(blobs, lake, leases, new_name), ReplayStore(blobs)
    settlement = Settlement(store, files, lake, leases, utc_now)
    limits = ReplayLimits(bytes=settings().flush_max_bytes)
    return Replay(
        store, files, settlement, flusher(), blobs, lake, leases, cache(decoder_of), new_name, limits
    )


@cache
def _revocations() -> Revocations:
    from shared.identity.revocations import Revocations
    from shared.identity.workers import Workers

    return Revocations(_tables, utc_now, offload=Workers("revocations", threads=1, waiting=1).run)


@cache
def _verify_credential() -> Verify:
    from shared.identity.authentication import verifier

    return verifier(_api_keys().verify, _access_tokens().verify)


@cache
def _api_keys() -> ApiKeys:
    from shared.identity.keys import ApiKeys

    return ApiKeys(_tables(), _revocations(), utc_now)


@cache
def _access_tokens() -> AccessTokens:
    from shared.identity.access_tokens import AccessTokens
    from shared.identity.signing_keys import SigningKeys

    return AccessTokens(SigningKeys(_tables(), utc_now), f"floe:{settings().environment}", utc_now)


@cache
def _users() -> Users:
    from shared.identity.claims import Claims
    from shared.identity.users import Users

    return Users(_tables(), Claims(_tables(), utc_now), utc_now)


@cache
def _logins() -> Logins:
    from shared.identity.login_attempts import LoginAttempts
    from shared.identity.logins import Logins
    from shared.identity.passwords import Passwords
    from shared.identity.refresh_tokens import RefreshTokens

    return Logins(
        _users(),
        Passwords(),
        LoginAttempts(_tables(), utc_now),
        RefreshTokens(_tables(), _revocations(), utc_now),
        _access_tokens(),
    )


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
