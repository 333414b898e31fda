"""Swagger UI, from npm: what the page at `/docs` loads, copied to where the function app serves it."""

from __future__ import annotations

import shutil
from pathlib import Path

from devstack.tools import PROJECT
from devstack.tools.installation import Announce, install, installed_at
from devstack.tools.npm import install_packages, pins

STATIC = PROJECT / "functions/http/static"
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
    STATIC.mkdir(exist_ok=True)
    for name in FILES:
        _copy(package / "node_modules/swagger-ui-dist" / name, STATIC / name)


def _copy(source: Path, target: Path) -> None:
    if target.exists() and target.read_bytes() == source.read_bytes():
        return
    draft = target.with_name(f".{target.name}.draft")
    shutil.copyfile(source, draft)
    draft.replace(target)
