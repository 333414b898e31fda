"""axe-core, from npm: rules of accessibility that the tests hold the app's pages to."""

from __future__ import annotations

from pathlib import Path

from devstack.tools.installation import Announce, install, installed_at
from devstack.tools.npm import install_packages, pins

_PINS = pins(Path(__file__).parent)


def script() -> Path:
    """What a page under test loads."""
    return installed_at("axe", _PINS) / "node_modules/axe-core/axe.min.js"


def ensure(announce: Announce) -> None:
    """Installs the package when it is not there; raises ToolMissingError."""
    install(installed_at("axe", _PINS), lambda folder: install_packages(_PINS, folder), announce)
