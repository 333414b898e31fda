"""Long work: jobs, what works on them and what each kind does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from shared.platform import logs
from shared.platform.clock import utc_now
from shared.runtime import analytics, pipeline, storage
from shared.runtime.configuration import settings

if TYPE_CHECKING:
    from shared.dead_letters.intents import ReplayStore
    from shared.dead_letters.letter_files import LetterFiles
    from shared.dead_letters.replay import Replay
    from shared.dead_letters.settle import Settlement
    from shared.jobs.context import JobLimits
    from shared.jobs.recorded_flush import RecordedFlush
    from shared.jobs.run import JobKind, JobRunner
    from shared.jobs.service import Jobs
    from shared.jobs.slots import Slots
    from shared.jobs.tier_work import CleanupWork, UploadWork
    from shared.rollups.recompute import Recompute
    from shared.simulation.work import Simulator


@cache
def jobs() -> Jobs:
    """Jobs: to start, to look up, to take up again."""
    from shared.jobs.kinds import KINDS
    from shared.jobs.service import Jobs

    return Jobs(job_slots(), storage.queues(), KINDS, utc_now, job_limits())


@cache
def job_runner() -> JobRunner:
    """What works on jobs, for the queue trigger."""
    from shared.jobs.run import JobRunner

    return JobRunner(job_slots(), storage.queues(), job_kinds(), utc_now, job_limits(), logs.instance())


@cache
def recorded_flush() -> RecordedFlush:
    """FLUSH, noted among the jobs."""
    from shared.jobs.recorded_flush import RecordedFlush

    return RecordedFlush(pipeline.flusher(), jobs, utc_now)


@cache
def upload_work() -> UploadWork:
    """Uploads as jobs do them."""
    from shared.jobs.tier_work import UploadWork
    from shared.streams import STREAMS

    # Dead letters stay as they were flushed: replays read and rewrite them file by file.
    return UploadWork(pipeline.uploader(), storage.lake(), [stream for stream in STREAMS if stream.topics])


@cache
def cleanup_work() -> CleanupWork:
    """Clean-ups as jobs do them."""
    from shared.jobs.tier_work import CleanupWork
    from shared.streams import TABLES

    return CleanupWork(pipeline.cleaner(), TABLES)


@cache
def replay() -> Replay:
    """Replays of dead letters."""
    from shared.dead_letters.replay import Replay, ReplayLimits
    from shared.ingest.decoders import decoder_of

    limits = ReplayLimits(bytes=settings().flush_max_bytes)
    return Replay(
        replays(),
        letter_files(),
        settlement(),
        pipeline.flusher(),
        storage.blobs(),
        storage.lake(),
        storage.leases(),
        cache(decoder_of),
        analytics.new_name,
        limits,
    )


@cache
def settlement() -> Settlement:
    """What follows the commits of replays."""
    from shared.dead_letters.settle import Settlement

    return Settlement(
        replays(), letter_files(), storage.lake(), storage.leases(), utc_now, analytics.followers()
    )


@cache
def replays() -> ReplayStore:
    """What replays are about to do."""
    from shared.dead_letters.intents import ReplayStore

    return ReplayStore(storage.blobs())


@cache
def letter_files() -> LetterFiles:
    """The committed dead letters."""
    from shared.dead_letters.letter_files import LetterFiles

    return LetterFiles(storage.blobs(), storage.lake(), storage.leases(), analytics.new_name)


@cache
def recompute() -> Recompute:
    """Roll-ups made anew."""
    from shared.rollups.recompute import Recompute

    return Recompute(
        storage.segments(),
        pipeline.flusher(),
        analytics.rollup_table(),
        storage.lake(),
        storage.leases(),
        replays(),
        settlement().settle_all,
    )


@cache
def simulator() -> Simulator:
    """Made-up traffic, at once and as jobs make it."""
    from shared.simulation.work import Simulator

    return Simulator(pipeline.event_intake(), settings().max_batch_events)


@cache
def job_slots() -> Slots:
    """Rows of jobs, one running job of a kind."""
    from shared.jobs.slots import Slots

    return Slots(storage.tables(), timedelta(days=settings().job_retention_days))


def job_limits() -> JobLimits:
    """How long a job may be silent, and how long an instance works on it in one go."""
    from shared.jobs.context import JobLimits

    lapse = timedelta(seconds=settings().job_lapse_seconds)
    return JobLimits(beat=lapse / 6, lapse=lapse, slice=timedelta(seconds=settings().job_slice_seconds))


def job_kinds() -> Mapping[str, JobKind]:
    """What each kind of job does, and what its progress counts."""
    from shared.jobs.kinds import CLEANUP, RECOMPUTE, REPLAY, SIMULATE, UPLOAD
    from shared.jobs.run import JobKind

    return {
        UPLOAD: JobKind("files", lambda context: upload_work().handle(context)),
        CLEANUP: JobKind("streams", lambda context: cleanup_work().handle(context)),
        REPLAY: JobKind("letters", lambda context: replay().handle(context)),
        SIMULATE: JobKind("events", lambda context: simulator().handle(context)),
        RECOMPUTE: JobKind("dates", lambda context: recompute().handle(context)),
    }
