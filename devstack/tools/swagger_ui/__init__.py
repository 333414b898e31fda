"""Swagger UI, from npm: what the page at `/docs` loads, copied to where the function app serves it."""

from __future__ import annotations

from pathlib import Path

from devstack.tools import STATIC
from devstack.tools.installation import Announce, install, installed_at
from devstack.tools.npm import copy_files, install_packages, pins

FILES = (
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "favicon-16x16.png",
    "favicon-32x32.png",
    "LICENSE",
    "NOTICE",
)
_PINS = pins(Path(__file__).parent)


def ensure(announce: Announce) -> None:
    """Installs the package when it is not there, and its files where they differ; raises ToolMissingError."""
    package = installed_at("swagger-ui", _PINS)
    install(package, lambda folder: install_packages(_PINS, folder), announce)
    copy_files(package / "node_modules/swagger-ui-dist", dict(zip(FILES, FILES, strict=True)), STATIC)
