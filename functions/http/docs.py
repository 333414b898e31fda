"""The OpenAPI document and Swagger UI, served from here: nothing is loaded from elsewhere."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import azure.functions as func
import msgspec

from functions._http import Described, Reply, Request, operation
from functions._http.catalogue import CATALOGUE
from functions._http.static_files import FileName, StaticFiles

bp = func.Blueprint()

# Swagger UI's own files, which `make setup` installs, beside the page.
FILES = StaticFiles(
    Path(__file__).with_name("docs_page"),
    ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-16x16.png", "favicon-32x32.png"),
    needed="swagger-ui-bundle.js",
    missing="Swagger UI is not installed: run `make setup`. The document itself is at /openapi.json.",
    policy="default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    cached="public, max-age=3600",
)
TAGS = ["Documentation"]


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
    return FILES.reply(request, "index.html")


@operation(
    bp,
    "GET",
    "docs/{file}",
    summary="A file of Swagger UI",
    tags=TAGS,
    path=FileName,
    response=Described("The file", schema={"type": "string"}, content_type="text/css"),
    open=True,
    etag=True,
    documented=False,
)
async def get_docs_file(request: Request[None, None, FileName]) -> Reply[bytes]:
    """Its scripts and styles."""
    return FILES.reply(request, request.path.file)


@cache
def openapi() -> tuple[bytes, str]:
    """The document's bytes and their digest, made once; pydantic's schema generation is imported then."""
    from functions._http.openapi import document

    body = msgspec.json.encode(document(CATALOGUE))
    return body, hashlib.sha256(body).hexdigest()
