"""The flush timer: landing segments of all streams become committed files."""

import logging

import azure.functions as func

from shared import runtime
from shared.platform.errors import LeaseHeld

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%FLOE_FLUSH_SCHEDULE%", run_on_startup=False)
def flush_buffers(timer: func.TimerRequest) -> None:
    """Leaves the work to whoever is at it already."""
    try:
        runtime.flusher().flush_all()
    except LeaseHeld as held:
        logging.info("flush left to another: %s", held)
