"""Files of the app's own pages: served with a content security policy, named by their digest for caches."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from functions._http.messages import Reply, Request
from shared.platform.errors import NotFound

# What pages load from npm, which `make setup` puts there.
FROM_NPM = Path(__file__).parents[1] / "http/static"
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}


class FileName(BaseModel):
    """A file of a page."""

    file: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,60}(\.[a-z0-9]{1,10}){1,2}$")


class StaticFiles:
    """The files of one page: those in its own folder, and those from npm that it names.

    Each is read once. `needed` is the one from npm without which the page is nothing, `missing` what is said
    then. `policy` is the Content-Security-Policy, `cached` the Cache-Control.
    """

    def __init__(
        self, own: Path, from_npm: Sequence[str], *, needed: str, missing: str, policy: str, cached: str
    ) -> None:
        self._own = own
        self._from_npm = frozenset(from_npm)
        self._needed = needed
        self._missing = missing
        self._cached = {"Cache-Control": cached}
        self.headers: Mapping[str, str] = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            **self._cached,
        }
        self.read = cache(self._read)

    def reply(self, request: Request[Any, Any, Any], name: str) -> Reply[bytes]:
        """The file; raises NotFound, with the remedy where it is what comes from npm that is missing."""
        content, digest = self.read(name)
        request.version(digest, strong=True, headers=self._cached)
        content_type = _TYPES[Path(name).suffix]
        charset = "; charset=utf-8" if content_type.startswith("text/") else ""
        return Reply(200, content, self.headers, content_type + charset)

    def _read(self, name: str) -> tuple[bytes, str]:
        """The content and its digest."""
        if not (FROM_NPM / self._needed).is_file():
            raise NotFound(self._missing)
        path = (FROM_NPM if name in self._from_npm else self._own) / name
        if path.suffix not in _TYPES or not path.is_file():
            raise NotFound(f"There is no file {name}")
        content = path.read_bytes()
        return content, hashlib.sha256(content).hexdigest()
