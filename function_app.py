"""The index of the function app: every blueprint, and nothing else."""

import azure.functions as func

from functions.http import (
    admin_keys,
    aggregations,
    analytics,
    anomalies,
    assets,
    auth,
    azure_files,
    dashboard_page,
    dead_letters,
    docs,
    events,
    fallback,
    health,
    info,
    jobs,
    metrics,
    pipeline,
    readings,
    series,
    simulate,
    storage,
    storage_stats,
    users,
)
from functions.queues import run_job
from functions.streams import land_events, land_readings
from functions.timers import (
    clean_up_storage,
    flush_buffers,
    fold_metrics,
    resume_jobs,
    scan_anomalies,
    sweep_identity,
    upload_closed_hours,
)
from shared import runtime

runtime.settings()  # a wrong setting stops the start, by name
runtime.watch()
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

MODULES = (
    *(events, aggregations, analytics, anomalies, series, simulate, readings, assets),
    *(storage, storage_stats, azure_files, jobs, dead_letters),
    *(auth, users, admin_keys, health, info, metrics, docs, dashboard_page, pipeline),
    *(land_events, land_readings, flush_buffers, sweep_identity, fold_metrics),
    *(scan_anomalies, run_job, resume_jobs, upload_closed_hours, clean_up_storage),
    fallback,
)

for module in MODULES:
    app.register_functions(module.bp)
