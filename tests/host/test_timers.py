"""Timer triggers on a real storage account."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from azure.storage.blob import BlobServiceClient

from tests.host.running import APPS, RunningHost, wait_until


@pytest.fixture
def host(
    start_host: Callable[..., RunningHost], storage_connection_string: str, unique: str
) -> Callable[[], RunningHost]:
    """Starts hosts of one app that is nobody else's."""
    return lambda: start_host(
        APPS / "depot",
        DEPOT_PARTS="timers",
        AzureWebJobsStorage=storage_connection_string,
        AzureFunctionsWebHost__hostid=unique,
    ).ready()


def status_blob(connection: str, host_id: str) -> BlobServiceClient:
    service = BlobServiceClient.from_connection_string(connection)
    return service.get_blob_client("azure-webjobs-hosts", f"timers/{host_id}/yearly/status")


def test_an_interval_runs_again_and_again_without_overlap(host: Callable[[], RunningHost]) -> None:
    running = host()
    running.set_mood("hang")
    wait_until(lambda: running.reports("tick", phase="begin"))
    wait_until(lambda: "Timeout value of 2 s was exceeded by function: tick" in running.log)
    assert len(running.reports("tick", phase="begin")) == 1
    running.set_mood("ok")
    wait_until(lambda: len(running.reports("tick", phase="end")) == 2)
    assert not any(told["past_due"] for told in running.reports("tick", phase="begin"))


def test_run_on_startup_runs_at_once_and_others_wait_for_their_time(host: Callable[[], RunningHost]) -> None:
    running = host()
    told = wait_until(lambda: running.reports("at_start"))
    assert told[0]["thread"].startswith("ThreadPoolExecutor")
    assert told[0]["past_due"] is False
    wait_until(lambda: running.reports("tick", phase="end"))
    assert not running.reports("yearly")


def test_a_missed_run_is_made_up_for_once(
    host: Callable[[], RunningHost], storage_connection_string: str, unique: str
) -> None:
    first = host()
    blob = status_blob(storage_connection_string, unique)
    wait_until(blob.exists)
    status = json.loads(blob.download_blob().readall())
    assert datetime.fromisoformat(status["Next"]) > datetime.now(UTC)
    assert first.stop() == 0
    assert not first.reports("yearly")
    blob.upload_blob(json.dumps(dict.fromkeys(status, "2020-05-05T00:00:00+00:00")), overwrite=True)
    second = host()
    told = wait_until(lambda: second.reports("yearly"))
    assert told[0]["past_due"] is True
    assert told[0]["status"]["Last"] == "2020-05-05T00:00:00+00:00"
    wait_until(lambda: json.loads(blob.download_blob().readall())["Next"] == status["Next"])
    assert second.stop() == 0
    third = host()
    wait_until(lambda: third.reports("at_start", pid=third.process.pid))
    assert len(third.reports("yearly")) == 1


def test_one_of_two_hosts_runs_timers_and_the_other_takes_over(host: Callable[[], RunningHost]) -> None:
    first = host()
    wait_until(lambda: first.reports("tick", pid=first.process.pid))
    second = host()
    # Two more rounds of the first, and none of the second.
    wait_until(lambda: len(first.reports("tick", phase="end")) >= 2)
    assert not first.reports("tick", pid=second.process.pid)
    assert first.stop() == 0
    wait_until(lambda: second.reports("tick", pid=second.process.pid))
