"""The flush timer: landing segments of all streams become committed files."""

import azure.functions as func

from shared import runtime
from shared.platform import logs
from shared.platform.errors import LeaseHeld
from shared.platform.logs import get_log

bp = func.Blueprint()
# An upload's commit holds a table for moments; another flush is left to its work.
_WAIT_SECONDS = 5.0
_log = get_log("flush")


@bp.timer_trigger(arg_name="timer", schedule="%FLOE_FLUSH_SCHEDULE%", run_on_startup=False)
@logs.working("flush_buffers")
def flush_buffers(timer: func.TimerRequest) -> None:
    """Leaves the work to whoever is at it already."""
    try:
        runtime.recorded_flush().flush_all(wait_seconds=_WAIT_SECONDS)
    except LeaseHeld as held:
        _log.info("flush left to another", reason=held.message)
