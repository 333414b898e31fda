"""The timer that uploads the hours that are closed."""

import azure.functions as func

from shared import runtime
from shared.jobs.kinds import UPLOAD

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%FLOE_UPLOAD_SCHEDULE%", run_on_startup=False)
def upload_closed_hours(timer: func.TimerRequest) -> None:
    """Starts a job where there is something to upload."""
    if runtime.upload_work().pending(closed_only=True):
        runtime.jobs().start(UPLOAD, {"closed_only": True})
