"""What is seen of each request: its log lines carry its id, and it is counted and timed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter

import azure.functions as func

from functions._http.declaration import Operation
from shared.platform import logs
from shared.telemetry import tracing
from shared.telemetry.catalogue import HTTP_DURATION, HTTP_REQUESTS, RATE_LIMITED

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CLASSES = tuple(f"{hundreds}xx" for hundreds in range(6))
# Where there was no answer: the host cancelled the invocation.
_GONE = 499

type Begin = Callable[[str, str, Mapping[str, str]], Observation]


class Observation:
    """One request, from its arrival to `end`."""

    __slots__ = ("_labels", "_name", "_span", "_started", "_status", "_token")

    def __init__(self, name: str, labels: tuple[str, str, str], request_id: str, parent: str | None) -> None:
        self._started = perf_counter()
        self._name = name
        self._labels = labels
        self._status = _GONE
        self._token = logs.bind(request_id, name, parent)
        self._span = _begin_span(labels, request_id, parent) if tracing.installed() else None

    def answered(self, response: func.HttpResponse) -> func.HttpResponse:
        """The request gets `response`, which is returned."""
        self._status = response.status_code
        return response

    def end(self) -> None:
        """The request is over."""
        HTTP_DURATION.observe(perf_counter() - self._started, *self._labels)
        HTTP_REQUESTS.add(1, *self._labels, _CLASSES[self._status // 100])
        if self._status == 429:
            RATE_LIMITED.add(1, self._name)
        if self._span is not None:
            self._span.end({"http.response.status_code": self._status}, failed=self._status >= 500)
        logs.unbind(self._token)


def _begin_span(labels: tuple[str, str, str], request_id: str, parent: str | None) -> tracing.Span | None:
    _, method, route = labels
    attributes = {"http.request.method": method, "http.route": route, "floe.request_id": request_id}
    return tracing.begin(f"{method} {route}", "server", attributes, parent=parent)


def observer(declared: Operation) -> Begin:
    """What begins the observation of a request: by its method, id and headers."""
    name, endpoint = declared.name, declared.route.documented_path
    known = {method: (name, method, endpoint) for method in _METHODS}
    other = (name, "OTHER", endpoint)

    def begin(method: str, request_id: str, headers: Mapping[str, str]) -> Observation:
        return Observation(name, known.get(method, other), request_id, headers.get("traceparent"))

    return begin
