"""The timer that takes up jobs whose message was lost or whose runner died."""

import azure.functions as func

from shared import runtime
from shared.platform import logs

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="45 * * * * *", run_on_startup=False)
@logs.working("resume_jobs")
def resume_jobs(timer: func.TimerRequest) -> None:
    """One reading, and no writing where nothing was left lying."""
    runtime.jobs().resume()
