"""The hourly timer that folds what instances counted that are gone."""

from __future__ import annotations

import azure.functions as func

from shared import runtime

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="0 23 * * * *", run_on_startup=False)
def fold_metrics(timer: func.TimerRequest) -> None:
    """Nothing depends on when it runs: reports count in the same way before and after."""
    runtime.fold_metrics()
