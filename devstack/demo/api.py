"""Floe's API, as the demo asks it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

from devstack.demo.plan import EVENT_TYPE, Window, rfc3339

_PAGE = 1000
_TIMEOUT = 60.0


class ApiError(Exception):
    """The API did not answer, or not with success."""


class Api:
    """Requests to one stack; may be used by one thread at a time."""

    def __init__(self, url: str, key: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_TIMEOUT)
        self._headers = {"X-API-Key": key}

    def events(self, window: Window) -> Iterator[dict[str, Any]]:
        """Every event of the demo's type in `window`, whichever run sent it; raises ApiError. Blocks."""
        offset = 0
        while True:
            query = {
                "event_type": EVENT_TYPE,
                "start_time": rfc3339(window.start),
                "end_time": rfc3339(window.end),
                "limit": _PAGE,
                "offset": offset,
            }
            page = self._request("GET", "/api/events?" + urlencode(query))["events"]
            yield from page
            offset += len(page)
            if len(page) < _PAGE:
                return

    def flush(self) -> None:
        """Has everything committed that is landed by now; raises ApiError. Blocks."""
        self._request("POST", "/storage/flush")

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def _request(self, method: str, path: str) -> dict[str, Any]:
        try:
            self._connection.request(method, path, headers=self._headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise ApiError(f"{method} {path} failed: {error}") from error
        if answer.status != 200:
            raise ApiError(f"{method} {path} answered {answer.status}: {text[:200].decode(errors='replace')}")
        return dict(json.loads(text))
