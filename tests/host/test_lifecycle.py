"""Starting and stopping: what is wrong is said plainly, and the end is orderly."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.host.running import APPS, RunningHost

_BEGIN = "import azure.functions as func\napp = func.FunctionApp()\n"


def refused(host: RunningHost) -> str:
    """What the host said when it ended with exit code 1."""
    assert host.process.wait(20) == 1
    assert host.process.stdout is not None
    assert host.process.stdout.read() == ""
    return host.log


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import no_such_module", "No module named 'no_such_module'"),
        ("", "Could not find top level function app instances"),
        (_BEGIN, "has no function_app.py with functions"),
        (
            _BEGIN + "@app.route('x')\ndef x(wrong) -> func.HttpResponse: ...",
            "the following parameters are declared in Python but not in the function definition",
        ),
        (
            _BEGIN
            + "@app.blob_trigger(arg_name='b', path='p', connection='c')\ndef x(b: func.InputStream): ...",
            "function x: this host has no blobTrigger binding",
        ),
        (
            _BEGIN
            + "@app.event_hub_message_trigger(arg_name='e', event_hub_name='%NO_HUB%', connection='c')\n"
            + "def x(e: func.EventHubEvent): ...",
            "function x: there is no app setting NO_HUB for %NO_HUB%",
        ),
        (
            _BEGIN + "@app.queue_trigger(arg_name='m', queue_name='q', connection='NoAccount')\n"
            "def x(m: func.QueueMessage): ...",
            "there is no app setting NoAccount",
        ),
        (
            _BEGIN
            + "@app.timer_trigger(schedule='0 0 0 * * 7', arg_name='t')\ndef x(t: func.TimerRequest): ...",
            "'7' is no day of week that NCRONTAB knows",
        ),
        (
            _BEGIN + "@app.route('a/{id:odd}')\ndef x(req: func.HttpRequest) -> func.HttpResponse: ...",
            "there is no constraint 'odd'",
        ),
    ],
)
def test_what_is_wrong_with_an_app_is_said(
    tmp_path: Path, start_host: Callable[..., RunningHost], code: str, said: str
) -> None:
    (tmp_path / "host.json").write_text("{}")
    (tmp_path / "function_app.py").write_text(code)
    assert said in refused(start_host(tmp_path, AzureWebJobsStorage="UseDevelopmentStorage=true"))


def test_a_folder_without_host_json_is_no_app(tmp_path: Path, start_host: Callable[..., RunningHost]) -> None:
    assert "host.json does not exist" in refused(start_host(tmp_path))


def test_a_port_that_is_taken_is_said(start_host: Callable[..., RunningHost]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1:{port}" in refused(start_host(APPS / "shop", port=port))


def test_an_app_may_have_a_devstack_package_of_its_own_folder(
    tmp_path: Path, start_host: Callable[..., RunningHost]
) -> None:
    (tmp_path / "host.json").write_text("{}")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "__init__.py").write_text("NAME = 'mine'")
    (tmp_path / "function_app.py").write_text(
        _BEGIN + "import parts, devstack.host.timespans\nassert parts.NAME == 'mine'\n"
        "@app.route('x')\ndef x(req: func.HttpRequest) -> func.HttpResponse: ..."
    )
    assert start_host(tmp_path).ready().stop() == 0


def test_stopping_does_not_wait_for_a_sync_function_that_never_returns(
    tmp_path: Path, start_host: Callable[..., RunningHost]
) -> None:
    (tmp_path / "host.json").write_text("{}")
    (tmp_path / "function_app.py").write_text(
        _BEGIN + "import time\n@app.route('x')\ndef x(req: func.HttpRequest) -> func.HttpResponse:\n"
        "    print('asleep', flush=True)\n    time.sleep(60)"
    )
    host = start_host(tmp_path).ready()
    address, port = host.url.removeprefix("http://").split(":")
    with socket.create_connection((address, int(port))) as connection:
        connection.sendall(b"GET /api/x HTTP/1.1\r\nHost: x\r\n\r\n")
        assert host.process.stdout is not None
        assert host.process.stdout.readline() == "asleep\n"
        assert host.stop() == 0
