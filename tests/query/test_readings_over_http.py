"""Readings through a whole running stack: sent by Kafka, found over HTTP, flushed or not."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import quote

import httpx
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from shared.query.table_formats import ARROW, CSV, PARQUET
from tests.stack.running import RunningStack

pytestmark = pytest.mark.stack

NAMES = (
    "plain",
    "a b/c",
    "..",
    ".",
    "../../etc/passwd",
    "%2F",
    "%",
    "😀",
    "e\u0301",
    "é",
    "x" * 1000,
    "日本" * 150,
    'it\'s "quoted" -- ;',
    "__HIVE_DEFAULT_PARTITION__",
    "a=b&c#d?e+f",
    "line\nbreak\ttab",
    "\\back\\slash",
    " lead and trail ",
    "x-2",
    "_delta_log",
)


class Plant:
    """One test's assets and sensors, whose names all start with its own mark."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self.http = httpx.Client(base_url=stack.info["http_url"], timeout=60)
        self.mark = uuid.uuid4().hex[:8]

    def send(self, readings: list[dict[str, Any]]) -> None:
        """Produces each as a message of its own, and waits until all are found."""
        from confluent_kafka import Producer

        producer = Producer({"bootstrap.servers": self.stack.info["kafka_bootstrap"], "log_level": 0})
        for reading in readings:
            producer.produce("sensor-data", json.dumps(reading))
        assert producer.flush(15) == 0
        wanted = {reading["asset"] for reading in readings}
        self.stack.wait_until(lambda: all(self.find(asset=asset) for asset in wanted), what="the readings")

    def find(self, **query: Any) -> list[dict[str, Any]]:
        """The readings that the API gives."""
        answer = self.get("/storage/readings", **query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page["count"] == len(page["readings"])
        return list(page["readings"])

    def get(self, path: str, accept: str = "application/json", **query: Any) -> httpx.Response:
        """Any answer."""
        return self.http.get(path, params=query, headers={"Accept": accept})

    def flush(self) -> None:
        """Commits everything."""
        answer = self.http.post("/storage/flush")
        assert answer.status_code == 200, answer.text

    def all_sensors(self, path: str, **query: Any) -> list[str]:
        """The names on all pages of a list of sensors."""
        found: list[str] = []
        while True:
            page = self.get(path, limit=7, **query).json()
            found += [sensor["sensor_id"] for sensor in page["sensors"]]
            if page["continuation"] is None:
                return found
            query["continuation"] = page["continuation"]


@pytest.fixture
def plant(stack: RunningStack) -> Iterator[Plant]:
    one = Plant(stack)
    with one.http:
        yield one


def test_names_of_any_kind_come_back_flushed_or_not(plant: Plant) -> None:
    assets = [plant.mark + name for name in NAMES]
    first = assets[0]
    plant.send(
        [{"asset": asset, "sensor": name, "value": 1} for asset, name in zip(assets, NAMES, strict=True)]
        + [{"asset": first, "sensor": name, "value": 2} for name in NAMES[1:]]
    )
    for flushed in (False, True):
        if flushed:
            plant.flush()
        for asset, name in zip(assets, NAMES, strict=True):
            [found] = plant.find(asset=asset, sensor=name)
            assert (found["asset_id"], found["sensor_id"]) == (asset, name)
            assert plant.find(asset=first, sensor=name)[0]["sensor_id"] == name
            expected = sorted(NAMES) if asset == first else [name]
            assert plant.all_sensors("/storage/sensors", asset=asset) == expected
            if "%2F" not in asset:
                assert plant.all_sensors(f"/storage/assets/{quote(asset, safe='')}/sensors") == expected
        known = plant.get("/storage/assets", limit=1000).json()["assets"]
        mine = {line["asset_id"]: line for line in known if line["asset_id"] in assets}
        assert {name: line["readings"] for name, line in mine.items()} == {
            asset: len(NAMES) if asset == first else 1 for asset in assets
        }
        assert not flushed or all(line["files"] for line in mine.values())


def test_the_formats_for_tables(plant: Plant) -> None:
    asset = f"{plant.mark} formats"
    readings = [
        {"asset": asset, "sensor": f"s{n % 3}", "value": n / 3, "ts": 1_759_233_600 + n, "lot": n}
        for n in range(1500)
    ]
    plant.send(readings)
    query: dict[str, Any] = {"asset": asset, "order": "oldest", "limit": 2000}
    plant.stack.wait_until(
        lambda: len(pq.read_table(BytesIO(plant.get("/storage/readings", PARQUET, **query).content))) == 1500
    )
    for flushed in (False, True):
        if flushed:
            plant.flush()
        answers = {kind: plant.get("/storage/readings", kind, **query) for kind in (PARQUET, CSV, ARROW)}
        for kind, answer in answers.items():
            assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
            assert "Accept" in answer.headers["vary"]
        rows = pq.read_table(BytesIO(answers[PARQUET].content))
        with pa.ipc.open_stream(answers[ARROW].content) as reader:
            assert reader.read_all().equals(rows)
        assert rows["value"].to_pylist() == [n / 3 for n in range(1500)]
        assert json.loads(rows["attributes"][7].as_py()) == {"lot": 7}
        table = pyarrow.csv.read_csv(BytesIO(answers[CSV].content))
        assert table["value"].to_pylist() == [n / 3 for n in range(1500)]
        assert table.column_names == rows.column_names


@pytest.mark.parametrize(
    ("path", "query", "named"),
    [
        ("/storage/readings", {"limit": 1001}, "limit"),
        ("/storage/readings", {"limit": 0}, "limit"),
        ("/storage/readings", {"order": "random"}, "order"),
        ("/storage/readings", {"start_time": "yesterday"}, "start_time"),
        ("/storage/readings", {"asset": "x" * 1025}, "asset"),
        ("/storage/assets", {"limit": 1001}, "limit"),
        ("/storage/assets", {"continuation": "AAAA"}, "continuation"),
        ("/storage/sensors", {}, "asset"),
    ],
)
def test_wrong_parameters_are_named(plant: Plant, path: str, query: dict[str, Any], named: str) -> None:
    answer = plant.get(path, **query)
    assert answer.status_code == 400
    assert named in answer.json()["detail"]


def test_more_rows_than_any_format_gives_are_refused(plant: Plant) -> None:
    assert plant.get("/storage/readings", CSV, limit=100_001).status_code == 400
    assert plant.get("/storage/readings", "image/png", limit=1).headers["content-type"] == "application/json"


def test_an_asset_that_sent_nothing_is_not_there(plant: Plant) -> None:
    answer = plant.get(f"/storage/assets/{plant.mark}/sensors")
    assert (answer.status_code, list(answer.json())) == (404, ["detail"])
    assert plant.get("/storage/sensors", asset=plant.mark).json()["sensors"] == []


def test_an_answer_that_is_the_same_is_not_given_again(plant: Plant) -> None:
    asset = f"{plant.mark} tag"
    plant.send([{"asset": asset, "sensor": "s", "value": 1, "timestamp": "2020-01-01T00:00:00Z"}])
    query = {"asset": asset, "start_time": "2020-01-01T00:00:00Z", "end_time": "2020-01-02T00:00:00Z"}
    plant.flush()

    def asked_again() -> httpx.Response | None:
        """304, unless a flush of something else came in between."""
        tag = plant.get("/storage/readings", **query).headers["etag"]
        headers = {"Accept": "application/json", "If-None-Match": tag}
        again = plant.http.get("/storage/readings", params=query, headers=headers)
        assert (
            plant.http.get("/storage/readings", params=query, headers=headers | {"Accept": CSV})
            .headers["content-type"]
            .startswith(CSV)
        )
        return again if again.status_code == 304 else None

    again = plant.stack.wait_until(asked_again, what="an answer that is the same")
    assert again is not None
    assert (again.content, "Accept" in again.headers["vary"]) == (b"", True)
