"""A server that serves the dashboard's files and answers as told: for what no stack does on demand."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from functions._http.etags import names
from functions.http.aggregations import Aggregations, AggregationShown, Metrics
from functions.http.analytics import DashboardSummary, Realtime, Stats, StatsShown, Summary
from functions.http.anomalies import AnomaliesPage
from functions.http.dashboard_page import FILES
from functions.http.series import SeriesShown
from shared.dashboard.models import PipelineState
from shared.streams.events import EVENT_TYPES

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "html": "text/html"}


class Floe:
    """What the server answers: `counts` of each type, only for `key` where one is set; `refused` has a status
    for paths that fail. `posted` are the bodies that came, `etags` the ones that clients had."""

    def __init__(self) -> None:
        self.counts = 0
        self.regions = 0
        self.key: str | None = None
        self.refused: dict[str, int] = {}
        self.posted: list[tuple[str, Any]] = []
        self.keys: list[str | None] = []
        self.unchanged = 0

    def answer(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        """What the API would say, in the form of its models."""
        if path == "/api/aggregations":
            return dict(json.loads(self._aggregations(query).model_dump_json()))
        each = dict.fromkeys(EVENT_TYPES, self.counts)
        total = self.counts * len(each)
        series = {"event_type": "transaction", "region": None, "metric": "count"}
        answers: dict[str, Any] = {
            "/api/dashboard/summary": DashboardSummary(
                summary=Summary(
                    event_counts_24h=each,
                    recent_aggregations_1h=each,
                    anomalies_24h=0,
                    realtime_counts=each,
                ),
                timestamp=NOW,
            ),
            "/api/stats": StatsShown(
                stats=Stats(
                    total_events=total, total_aggregations=0, total_anomalies=0, database_size_bytes=0
                ),
                timestamp=NOW,
            ),
            "/api/metrics/realtime": Realtime(
                event_type="user_action",
                total_count=self.counts,
                region_distribution={},
                recent_events=[],
                timestamp=NOW,
            ),
            "/api/anomalies": AnomaliesPage(anomalies=[], count=0, continuation=None),
            "/api/series": SeriesShown(**series, start_time=NOW, end_time=NOW, points=[], anomalies=[]),
            "/api/dashboard/pipeline": PipelineState(tables=[], jobs=None, slowest=None, timestamp=NOW),
        }
        if path in answers:
            return dict(json.loads(answers[path].model_dump_json()))
        return {"status": "healthy", "service": "floe", "version": "1", "notices": []}

    def _aggregations(self, query: dict[str, str]) -> Aggregations:
        window = int(query["window"])
        end = datetime.fromisoformat(query["end_time"]) if "end_time" in query else datetime.now(UTC)
        last = (int(end.timestamp()) - 1) // window * window
        first = int(datetime.fromisoformat(query["start_time"]).timestamp())
        none = Metrics(total_value=None, avg_value=None, max_value=None, min_value=None)
        found = [
            AggregationShown(
                event_type="transaction",
                region=f"region-{region:02}",
                window_start=datetime.fromtimestamp(start, UTC),
                count=window // 60,
                metrics=none,
                computed_at=NOW,
            )
            for start in range(last, first - 1, -window)
            for region in range(self.regions)
        ][: int(query["limit"])]
        return Aggregations(aggregations=found, count=len(found))


class _Handler(BaseHTTPRequestHandler):
    floe: Floe

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        query = dict(parse_qsl(urlsplit(self.path).query))
        if path.startswith("/dashboard"):
            name = path.removeprefix("/dashboard").strip("/") or "index.html"
            content = FILES.read(name)[0]
            self._send(200, content, {**FILES.headers, "Content-Type": _TYPES[name.rpartition(".")[2]]})
        elif self._admitted(path):
            body = json.dumps(self.floe.answer(path, query)).encode()
            etag = f'W/"{hash(body)}"'
            known = names(self.headers.get("If-None-Match"), etag)
            self.floe.unchanged += known
            self._send(304 if known else 200, b"" if known else body, {"ETag": etag})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self._admitted(self.path):
            self.floe.posted.append((self.path, json.loads(body)))
            self._send(200, b'{"status": "success", "message": "done as told"}', {})

    def _admitted(self, path: str) -> bool:
        """Whether the answer may be given; else says why not."""
        status = self.floe.refused.get(path)
        if path.startswith("/api/"):
            self.floe.keys.append(self.headers.get("X-API-Key"))
            if self.floe.key not in (None, self.headers.get("X-API-Key")):
                status = 401
        if status:
            self._send(status, json.dumps({"error": "No", "details": f"told to say {status}"}).encode(), {})
        return not status

    def _send(self, status: int, body: bytes, headers: Any) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Pages that are closed hang up in the middle of an answer."""


class Server:
    """Serves `floe` at `origin`; may be stopped and started again there."""

    def __init__(self, floe: Floe) -> None:
        self._handler = type("Handler", (_Handler,), {"floe": floe})
        self._port = 0
        self.start()

    @property
    def origin(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Serves, at the same place as before."""
        self._server = _Server(("127.0.0.1", self._port), self._handler)
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Is gone."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
