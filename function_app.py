"""The index of the function app: every blueprint, and nothing else."""

import azure.functions as func

from functions.http import docs, events, fallback, health, storage
from functions.streams import land_events
from functions.timers import flush_buffers
from shared import runtime

runtime.settings()  # a wrong setting stops the start, by name
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

for module in (events, storage, health, docs, land_events, flush_buffers, fallback):
    app.register_functions(module.bp)
