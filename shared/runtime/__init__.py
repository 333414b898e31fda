"""The composition root: builds each service once, when first asked for, and alone picks the adapters.

Triggers use what is named here (`runtime.flusher()`); what only its modules need stays with them
(`storage.blobs()`). They call each other's functions through the module, so whoever replaces one there
replaces it for all. A module is not named like a function: `runtime.jobs` is the function.
"""

from shared.runtime import (
    access,
    analytics,
    brokers,
    dashboard,
    detection,
    pipeline,
    queries,
    storage,
    telemetry,
    work,
)
from shared.runtime.access import authenticator, identity, limiter, limits, sweep_identity
from shared.runtime.analytics import event_totals, recent, rollups
from shared.runtime.configuration import settings
from shared.runtime.dashboard import pipeline_state
from shared.runtime.detection import anomalies, anomaly_scan, bands
from shared.runtime.pipeline import catch_up, cleaner, event_intake, flusher, landing, uploader
from shared.runtime.queries import dead_letters, exports, history, inventory, readings_gauge
from shared.runtime.storage import file_listing, segments
from shared.runtime.telemetry import fold_metrics, health, pipeline_totals, recorder, watch
from shared.runtime.work import cleanup_work, job_runner, jobs, recorded_flush, simulator, upload_work

__all__ = [
    "access",
    "analytics",
    "anomalies",
    "anomaly_scan",
    "authenticator",
    "bands",
    "brokers",
    "catch_up",
    "cleaner",
    "cleanup_work",
    "dashboard",
    "dead_letters",
    "detection",
    "event_intake",
    "event_totals",
    "exports",
    "file_listing",
    "flusher",
    "fold_metrics",
    "health",
    "history",
    "identity",
    "inventory",
    "job_runner",
    "jobs",
    "landing",
    "limiter",
    "limits",
    "pipeline",
    "pipeline_state",
    "pipeline_totals",
    "queries",
    "readings_gauge",
    "recent",
    "recorded_flush",
    "recorder",
    "rollups",
    "segments",
    "settings",
    "simulator",
    "storage",
    "sweep_identity",
    "telemetry",
    "upload_work",
    "uploader",
    "watch",
    "work",
]
