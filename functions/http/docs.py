"""The OpenAPI document and Swagger UI, served from here: nothing is loaded from elsewhere."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

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
    response=Described("OpenAPI 3.1", schema={"type": "object"}, headers={"ETag": "Changes with it."}),
    responses={304: Described("It is the one that `If-None-Match` names")},
    open=True,
)
async def get_openapi(request: Request) -> Reply[bytes | None]:
    """Made from the declarations of the operations themselves."""
    body, etag = openapi()
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return Reply(304, None, headers) if etag in known or "*" in known else Reply(200, body, headers)


@operation(
    bp,
    "GET",
    "docs",
    summary="Swagger UI",
    tags=TAGS,
    response=Described("A page", schema={"type": "string"}, content_type="text/html"),
    open=True,
)
async def get_docs(request: Request) -> Reply[bytes]:
    """Try the API from the browser."""
    return _static("index.html")


@operation(
    bp,
    "GET",
    "docs/{file}",
    summary="A file of Swagger UI",
    tags=TAGS,
    path=DocsFile,
    response=Described("The file", schema={"type": "string"}, content_type="text/css"),
    open=True,
    documented=False,
)
async def get_docs_file(request: Request[None, None, DocsFile]) -> Reply[bytes]:
    """Its scripts and styles."""
    return _static(request.path.file)


@cache
def openapi() -> tuple[bytes, str]:
    """The document's bytes and ETag, made once; pydantic's schema generation is imported only then."""
    from functions._http.openapi import document

    body = msgspec.json.encode(document(CATALOGUE))
    return body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def _static(name: str) -> Reply[bytes]:
    content = _read(name)
    content_type = _TYPES[Path(name).suffix]
    charset = "; charset=utf-8" if content_type.startswith("text/") else ""
    return Reply(200, content, {**_HEADERS, "Cache-Control": "public, max-age=3600"}, content_type + charset)


@cache
def _read(name: str) -> bytes:
    """A file of the page or of Swagger UI; raises NotFound, with the remedy where the latter is missing."""
    if not (STATIC / "swagger-ui-bundle.js").is_file():
        raise NotFound(MISSING)
    for path in (PAGE / name, STATIC / name):
        if path.suffix in _TYPES and path.is_file():
            return path.read_bytes()
    raise NotFound(f"There is no file {name}")
