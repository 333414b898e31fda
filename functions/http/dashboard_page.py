"""The page at `/dashboard`, served from here: nothing is loaded from elsewhere."""

from __future__ import annotations

from pathlib import Path

import azure.functions as func

from functions._http import Described, Reply, Request, operation
from functions._http.static_files import FileName, StaticFiles

bp = func.Blueprint()

# What the page shows comes by the API, under the caller's own key; the page itself holds nothing secret.
FILES = StaticFiles(
    Path(__file__).with_name("dashboard"),
    ("uplot.js", "uplot.css"),
    needed="uplot.js",
    missing="The dashboard's charts are not installed: run `make setup`.",
    policy="default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    # Its scripts belong together: after a new release none may be an old one.
    cached="no-cache",
)
TAGS = ["Dashboard"]


@operation(
    bp,
    "GET",
    "dashboard",
    summary="The dashboard",
    tags=TAGS,
    response=Described("A page", schema={"type": "string"}, content_type="text/html"),
    open=True,
    etag=True,
)
async def get_dashboard(request: Request) -> Reply[bytes]:
    """Counts, series, anomalies and the state of the pipeline, as they come; it asks for an API key where one
    is needed."""
    return FILES.reply(request, "index.html")


@operation(
    bp,
    "GET",
    "dashboard/{file}",
    summary="A file of the dashboard",
    tags=TAGS,
    path=FileName,
    response=Described("The file", schema={"type": "string"}, content_type="text/css"),
    open=True,
    etag=True,
    documented=False,
)
async def get_dashboard_file(request: Request[None, None, FileName]) -> Reply[bytes]:
    """Its scripts and styles."""
    return FILES.reply(request, request.path.file)
