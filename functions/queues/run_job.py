"""Jobs: a message names one, and whichever instance gets it works on it."""

import azure.functions as func

from shared import runtime
from shared.platform import logs
from shared.platform.logs import get_log
from shared.platform.state_tables import JOBS_POISON_QUEUE, JOBS_QUEUE, QUEUE_CONNECTION

bp = func.Blueprint()
_log = get_log("jobs")


@bp.queue_trigger(arg_name="message", queue_name=JOBS_QUEUE, connection=QUEUE_CONNECTION)
@logs.working("run_job")
def run_job(message: func.QueueMessage) -> None:
    """A message may come twice, late or never: the job's row says what there is to do."""
    runtime.job_runner().run(message.get_body().decode())


@bp.queue_trigger(arg_name="message", queue_name=JOBS_POISON_QUEUE, connection=QUEUE_CONNECTION)
@logs.working("settle_poisoned_job")
def settle_poisoned_job(message: func.QueueMessage) -> None:
    """Its message was tried too often; its job may be good, and is taken up like any that fell silent."""
    _log.warning("message given up", job=message.get_body().decode(errors="replace")[:100])
    runtime.jobs().resume()
