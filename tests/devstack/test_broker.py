"""Which broker is chosen, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from devstack.broker import choose_broker
from devstack.home import Home


def test_mock_stands_in_where_java_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    broker, notes = choose_broker("kafka", Home(tmp_path), 4)
    assert (broker.kind, broker.volatile) == ("mock", True)
    assert "5 MB" in notes[0]
    assert "Java 17 or newer is not on the PATH" in notes[1]


def test_mock_can_be_asked_for(tmp_path: Path) -> None:
    broker, notes = choose_broker("mock", Home(tmp_path), 4)
    assert broker.kind == "mock"
    assert "FLOE_BROKER=mock" in notes[1]


def test_kafka_is_the_rule(tmp_path: Path) -> None:
    broker, notes = choose_broker("kafka", Home(tmp_path), 4)
    assert (broker.kind, broker.volatile, notes) == ("kafka", False, [])
