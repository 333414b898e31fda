"""The timer that removes what nobody needs any more."""

import azure.functions as func

from shared import runtime
from shared.jobs.kinds import CLEANUP

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%FLOE_CLEANUP_SCHEDULE%", run_on_startup=False)
def clean_up_storage(timer: func.TimerRequest) -> None:
    """Starts a job where there may be something to do, which is once a day at least."""
    if runtime.cleanup_work().due():
        runtime.jobs().start(CLEANUP)
