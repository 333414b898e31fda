"""`GET /health` over a service that says what the test wants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from shared import runtime
from shared.health.ports import Deployment, Facts
from shared.health.report import compose
from tests.http.conftest import call


@pytest.mark.parametrize(
    ("answers", "facts", "status", "word"),
    [
        ({"event_hub": True, "blob": True}, Facts(), 200, "healthy"),
        ({"event_hub": True, "blob": False}, Facts(), 200, "degraded"),
        ({"event_hub": False, "blob": True}, Facts(), 503, "unhealthy"),
    ],
)
async def test_health(
    answers: Any,
    facts: Facts,
    status: int,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    app_triggers: dict[str, Any],
) -> None:
    class Service:
        async def report(self) -> Any:
            now = datetime(2026, 1, 1, tzinfo=UTC)
            return compose(answers, frozenset({"event_hub"}), facts, Deployment(True, "c"), now)

    monkeypatch.setattr(runtime, "health", Service)
    answer = await call(app_triggers["get_health"], path="/health", key=None)
    assert (answer.status, answer.json["status"], answer.json["service"]) == (status, word, "floe")
    assert answer.headers["Cache-Control"] == "no-store"
