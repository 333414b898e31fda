"""Starts that cannot succeed say why, and leave nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from devstack.home import holders
from tests.stack.running import RunningStack

pytestmark = pytest.mark.stack


def test_app_that_does_not_index_ends_the_start_with_its_error(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "host.json").write_text('{"version": "2.0"}')
    (app / "function_app.py").write_text("raise RuntimeError('no such luck')")
    stack = RunningStack(tmp_path, {"FLOE_APP": str(app), "FLOE_BROKER": "mock"}).launch()
    assert stack.await_end() == 1
    assert "no such luck" in stack.screen
    assert holders(tmp_path / "children.lock") == []
    assert not (tmp_path / "stack.json").exists()


def test_external_broker_that_is_not_there_is_named(tmp_path: Path) -> None:
    stack = RunningStack(tmp_path, {"FLOE_KAFKA": "127.0.0.1:1"}).launch()
    assert stack.await_end() == 1
    assert "No Kafka broker answers at 127.0.0.1:1" in stack.screen
    assert holders(tmp_path / "children.lock") == []


def test_ctrl_c_during_the_start_ends_it(tmp_path: Path) -> None:
    import signal

    stack = RunningStack(tmp_path, {"FLOE_BROKER": "mock"}).launch()
    stack.wait_until(lambda: "installed" in stack.screen, what="the start")
    assert stack.stop(signal.SIGINT) == 0
    assert holders(tmp_path / "children.lock") == []
