"""A small blocking client of the API, one connection each."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec


class Api:
    """One keep-alive connection."""

    def __init__(self, url: str, timeout: float = 120) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout)

    def get(self, path: str, **query: object) -> Any:
        """The JSON of a 200; raises RuntimeError otherwise."""
        return self._ask("GET", f"{path}?{urlencode(query)}", None)

    def post(self, path: str, body: bytes = b"") -> Any:
        """The JSON of a 200; raises RuntimeError otherwise."""
        return self._ask("POST", path, body)

    def flush(self) -> None:
        """Commits all that is landed."""
        self.post("/storage/flush")

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def _ask(self, method: str, path: str, body: bytes | None) -> Any:
        headers = {"Content-Type": "application/json"} if body else {}
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise RuntimeError(f"{method} {path} gave {response.status}: {content[:300]!r}")
        return msgspec.json.decode(content)
