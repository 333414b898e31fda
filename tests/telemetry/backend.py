"""A telemetry backend on this machine: takes what Application Insights and OTLP collectors take."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Backend:
    """What came in: `envelopes` of Application Insights, and the bodies of each `path`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: list[tuple[str, bytes]] = []
        self._arrived = threading.Condition()

    def take(self, path: str, body: bytes) -> int:
        """Keeps one request; how many items it had."""
        with self._arrived:
            self.bodies.append((path, body))
            self._arrived.notify_all()
        return len(_envelopes(body)) if path.endswith("/track") else 0

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """The `data` of all envelopes of one base type, such as `RequestData`, with the envelope's `tags`."""
        envelopes = [one for path, body in self.bodies if path.endswith("/track") for one in _envelopes(body)]
        return [
            {**one["data"]["baseData"], "tags": one["tags"]}
            for one in envelopes
            if one["data"]["baseType"] == kind
        ]

    def wait_until[T](self, condition: Callable[[], T], seconds: float = 30) -> T:
        """Waits until `condition` gives something true, which it returns."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while not (found := condition()):
                assert self._arrived.wait(deadline - time.monotonic()), f"only {self.bodies}"
        return found


def _envelopes(body: bytes) -> list[dict[str, Any]]:
    text = body.decode()
    return json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]


@contextmanager
def running_backend() -> Iterator[Backend]:
    """A backend that listens on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            count = backend.take(self.path, body)
            answer = json.dumps({"itemsReceived": count, "itemsAccepted": count, "errors": []}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    backend = Backend(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield backend
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
