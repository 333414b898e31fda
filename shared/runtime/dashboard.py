"""What the page at `/dashboard` shows of the pipeline."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from shared.platform.clock import utc_now
from shared.runtime import pipeline, queries, storage, telemetry, work

if TYPE_CHECKING:
    from shared.dashboard.service import PipelineService

_RECENT = timedelta(hours=24)
_SLOWEST = 10


@cache
def pipeline_state() -> PipelineService:
    """The state of streams, buffers, tables, jobs and operations."""
    from shared.dashboard.service import PipelineService, Sources
    from shared.dashboard.tables import table_facts
    from shared.dead_letters.standing import standing
    from shared.streams import STREAMS, TABLES
    from shared.telemetry.slowest import Slowest

    slowest = Slowest(lambda: telemetry.recorder().seen().totals, utc_now)
    sources = Sources(
        tables=lambda: {
            table.name: table_facts(table, storage.segments(), storage.lake()) for table in TABLES
        },
        lag=lambda: pipeline.catch_up().lag(STREAMS),
        dead_letters=lambda: standing(queries.history(), storage.segments(), utc_now() - _RECENT),
        jobs=lambda: work.jobs().active(),
        slowest=lambda: slowest.read(_SLOWEST),
    )
    return PipelineService(sources, TABLES)
