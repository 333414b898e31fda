"""The timer that looks for anomalies in what came."""

import azure.functions as func

from shared import runtime
from shared.platform import logs
from shared.platform.errors import LeaseHeld
from shared.platform.logs import get_log

bp = func.Blueprint()
_log = get_log("anomalies")


@bp.timer_trigger(arg_name="timer", schedule="%FLOE_SCAN_SCHEDULE%", run_on_startup=False)
@logs.working("scan_anomalies")
def scan_anomalies(timer: func.TimerRequest) -> None:
    """Leaves the work to whoever is at it already."""
    try:
        runtime.anomaly_scan().run()
    except LeaseHeld as held:
        _log.info("scan left to another", reason=held.message)
