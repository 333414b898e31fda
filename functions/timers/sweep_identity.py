"""The daily timer that deletes expired tokens, revocations and login attempts."""

import azure.functions as func

from shared import runtime
from shared.platform import logs

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="0 17 3 * * *", run_on_startup=False)
@logs.working("sweep_identity")
def sweep_identity(timer: func.TimerRequest) -> None:
    """Nothing depends on when it runs: what has expired is not good for anything before either."""
    runtime.sweep_identity()
