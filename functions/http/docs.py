"""The OpenAPI document and Swagger UI, served from here: nothing is loaded from elsewhere."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import azure.functions as func
import msgspec
from pydantic import BaseModel, Field

from functions._http import Described, Reply, Request, operation
from functions._http.catalogue import CATALOGUE
from shared.platform.errors import NotFound

bp = func.Blueprint()

# The page itself, and Swagger UI's own files, which `make setup` puts beside it.
PAGE = Path(__file__).with_name("docs_page")
STATIC = Path(__file__).with_name("static")
MISSING = "Swagger UI is not installed: run `make setup`. The document itself is at /openapi.json."
_TYPES = {".css": "text/css", ".js": "text/javascript", ".png": "image/png", ".html": "text/html"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_CACHED = {"Cache-Control": "public, max-age=3600"}
TAGS = ["Documentation"]


class DocsFile(BaseModel):
    """A file of Swagger UI."""

    file: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,60}(\.[a-z0-9]{1,10}){1,2}$")


@operation(
    bp,
    "GET",
    "openapi.json",
    summary="This document",
    tags=TAGS,
    response=Described("OpenAPI 3.1", schema={"type": "object"}),
    open=True,
    etag=True,
)
async def get_openapi(request: Request) -> bytes:
    """Made from the declarations of the operations themselves."""
    body, digest = openapi()
    request.version(digest, strong=True)
    return body


@operation(
    bp,
    "GET",
    "docs",
    summary="Swagger UI",
    tags=TAGS,
    response=Described("A page", schema={"type": "string"}, content_type="text/html"),
    open=True,
    etag=True,
)
async def get_docs(request: Request) -> Reply[bytes]:
    """Try the API from the browser."""
    return _static(request, "index.html")


@operation(
    bp,
    "GET",
    "docs/{file}",
    summary="A file of Swagger UI",
    tags=TAGS,
    path=DocsFile,
    response=Described("The file", schema={"type": "string"}, content_type="text/css"),
    open=True,
    etag=True,
    documented=False,
)
async def get_docs_file(request: Request[None, None, DocsFile]) -> Reply[bytes]:
    """Its scripts and styles."""
    return _static(request, request.path.file)


@cache
def openapi() -> tuple[bytes, str]:
    """The document's bytes and their digest, made once; pydantic's schema generation is imported then."""
    from functions._http.openapi import document

    body = msgspec.json.encode(document(CATALOGUE))
    return body, hashlib.sha256(body).hexdigest()


def _static(request: Request[Any, Any, Any], name: str) -> Reply[bytes]:
    content, digest = _read(name)
    request.version(digest, strong=True, headers=_CACHED)
    content_type = _TYPES[Path(name).suffix]
    charset = "; charset=utf-8" if content_type.startswith("text/") else ""
    return Reply(200, content, {**_HEADERS, **_CACHED}, content_type + charset)


@cache
def _read(name: str) -> tuple[bytes, str]:
    """A file of the page or of Swagger UI, and its digest; raises NotFound, with the remedy where it is the
    latter that is missing."""
    if not (STATIC / "swagger-ui-bundle.js").is_file():
        raise NotFound(MISSING)
    for path in (PAGE / name, STATIC / name):
        if path.suffix in _TYPES and path.is_file():
            content = path.read_bytes()
            return content, hashlib.sha256(content).hexdigest()
    raise NotFound(f"There is no file {name}")
