"""The hourly timer that folds what instances counted that are gone."""

from __future__ import annotations

import azure.functions as func

from shared import runtime
from shared.platform import logs

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="0 23 * * * *", run_on_startup=False)
@logs.working("fold_metrics")
def fold_metrics(timer: func.TimerRequest) -> None:
    """Nothing depends on when it runs: reports count in the same way before and after."""
    runtime.fold_metrics()
