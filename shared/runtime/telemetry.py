"""How Floe is: health, counts, metrics and traces."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING

from shared.platform import logs
from shared.platform.clock import utc_now
from shared.platform.version import VERSION
from shared.runtime import brokers, queries, storage, work
from shared.runtime.configuration import settings
from shared.telemetry import catalogue

if TYPE_CHECKING:
    from shared.health.service import HealthService
    from shared.telemetry.pipeline import PipelineTotals
    from shared.telemetry.ports import Telemetry
    from shared.telemetry.recorder import Recorder


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
        next(iter(storage.blobs().list(LANDING_CONTAINER, "health/")), None)

    probes = (
        Probe("event_hub", lambda: brokers.hubs().ping(), essential=True),
        Probe("blob", blob, essential=True),
        Probe("tables", lambda: storage.tables().query(USERS, "probe", limit=1)),
    )
    notices = (volatile_broker(),) if settings().broker_volatile else ()
    deployment = Deployment(azure_configured=True, container_name=READINGS.container, notices=notices)
    facts = LakeFacts(
        storage.segments, storage.lake, storage.board, lambda: cleanup_facts(work.jobs(), utc_now)
    )
    return HealthService(probes, facts, deployment)


@cache
def recorder() -> Recorder:
    """What this instance counts, in a table, and what all instances counted together."""
    from shared.telemetry.recorder import Recorder

    return Recorder(storage.tables, catalogue.counted, catalogue.PRODUCED_LAST_MINUTE.read, utc_now)


async def pipeline_totals() -> PipelineTotals:
    """What the pipeline did, as far as it keeps account of it."""
    from dataclasses import replace

    from shared.health.figures import Figures

    report = await health().report()
    totals = await asyncio.to_thread(
        Figures(queries.readings_gauge, storage.segments, storage.lake, work.jobs).read
    )
    kafka = report.components.kafka
    return replace(totals, is_running=kafka.healthy, messages_by_topic=kafka.metrics.messages_by_topic)


def fold_metrics() -> int:
    """Folds what instances counted that are gone; how many."""
    from shared.telemetry.recorder import fold

    return fold(storage.tables(), utc_now)


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
