"""Log lines are JSON with the request's context."""

from __future__ import annotations

import json
import logging

import pytest

from shared.platform import logs

log = logs.get_log("test")


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [json.loads(record.message) for record in caplog.records]


def test_context_and_fields(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "floe"):
        token = logs.bind("req_1", "get_things")
        log.info("things listed", count=3)
        logs.unbind(token)
        log.warning("100% strange", value=object)
    here = {"instance": logs.instance()}
    assert lines(caplog) == [
        {"event": "things listed", **here, "request_id": "req_1", "function": "get_things", "count": 3},
        {"event": "100% strange", **here, "value": "<class 'object'>"},
    ]


def test_work_that_serves_no_request(caplog: pytest.LogCaptureFixture) -> None:
    token = logs.bind(None, "flush_buffers")
    log.warning("slow")
    assert logs.request_id() is None
    logs.unbind(token)
    assert lines(caplog) == [{"event": "slow", "instance": logs.instance(), "function": "flush_buffers"}]


def test_lines_name_the_instance(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_instance", logs.instance())
    logs.configure("INFO")
    assert logs.instance().startswith("local-")
    logs.configure("INFO", "the-first")
    log.warning("here")
    assert lines(caplog)[0]["instance"] == "the-first"


def test_the_level_follows_the_settings(caplog: pytest.LogCaptureFixture) -> None:
    before = logging.getLogger("floe").level
    try:
        logs.configure("ERROR")
        log.debug("a")
        log.warning("b")
        log.error("c")
    finally:
        logging.getLogger("floe").setLevel(before)
    assert [line["event"] for line in lines(caplog)] == ["c"]


def test_exceptions_carry_their_traceback(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise KeyError("gone")
    except KeyError as error:
        log.exception("it failed", error, step=2)
    (line,) = lines(caplog)
    assert line["step"] == 2
    assert "KeyError: 'gone'" in str(line["traceback"])
