"""The operations: who may read the metrics, what is said where storage is silent, what is counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from functions._http.observed import observer
from functions._http.responses import Response
from shared import runtime
from shared.platform.errors import StorageUnavailable
from shared.telemetry.catalogue import HTTP_REQUESTS, RATE_LIMITED
from shared.telemetry.pipeline import PipelineTotals
from tests.fakes.tables import MemoryTables
from tests.http.conftest import Configure, app_triggers, call, configure

__all__ = ["app_triggers", "configure"]


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryTables]:
    """The tables behind the recorder; the pipeline tells nothing."""

    async def unknown() -> PipelineTotals:
        return PipelineTotals()

    memory = MemoryTables()
    monkeypatch.setattr(runtime.storage, "tables", lambda: memory)
    monkeypatch.setattr(runtime, "pipeline_totals", unknown)
    runtime.recorder.cache_clear()
    yield memory
    runtime.recorder.cache_clear()


async def test_metrics_need_a_key_and_info_needs_none(
    app_triggers: dict[str, Any], tables: MemoryTables
) -> None:
    metrics, info = app_triggers["get_metrics"], app_triggers["get_info"]
    assert (await call(metrics, path="/metrics", key=None)).status == 401
    assert (await call(metrics, path="/metrics")).status == 200
    assert (await call(info, path="/info", key=None)).status == 200


async def test_metrics_are_open_locally(
    app_triggers: dict[str, Any], tables: MemoryTables, configure: Configure
) -> None:
    configure(auth="local")
    assert (await call(app_triggers["get_metrics"], path="/metrics", key=None)).status == 200


async def test_what_is_not_known_is_null(app_triggers: dict[str, Any], tables: MemoryTables) -> None:
    told = (await call(app_triggers["get_metrics"], path="/metrics")).json
    rates = told.pop("producer_metrics")

    def leaves(value: Any) -> list[Any]:
        return (
            [leaf for one in value.values() for leaf in leaves(one)] if isinstance(value, dict) else [value]
        )

    assert set(leaves(told)) == {None}
    assert rates["record_send_rate"] == 0


@pytest.mark.parametrize("accept", ["application/json", "text/plain"])
async def test_silent_storage_is_503_not_a_smaller_total(
    app_triggers: dict[str, Any], tables: MemoryTables, accept: str
) -> None:
    tables.broken = StorageUnavailable("down")
    answer = await call(app_triggers["get_metrics"], path="/metrics", headers={"accept": accept})
    assert answer.status == 503
    assert "detail" in answer.json


async def test_a_refusal_is_counted_as_one() -> None:
    from functions._http.catalogue import CATALOGUE

    (declared,) = [one for one in CATALOGUE if one.name == "get_info"]
    before = RATE_LIMITED.read().get(("get_info",), [0.0])[0]
    labels = ("get_info", "OTHER", "/info", "4xx")
    requests = HTTP_REQUESTS.read().get(labels, [0.0])[0]
    seen = observer(declared)("BREW", "req_1", {})
    seen.answered(Response(b"", 429, {}))
    seen.end()
    assert RATE_LIMITED.read()["get_info",] == [before + 1]
    assert HTTP_REQUESTS.read()[labels] == [requests + 1]
