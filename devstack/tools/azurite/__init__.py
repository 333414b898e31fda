"""Azurite, from npm. 3.37.0 or newer: older ones ignore `startFrom` in listings, which delta-rs relies on."""

from __future__ import annotations

from pathlib import Path

from devstack.tools.installation import Announce, install, installed_at
from devstack.tools.npm import check_node, install_packages, pins

_PINS = pins(Path(__file__).parent)


def executable() -> Path:
    """The script that Node runs."""
    return installed_at("azurite", _PINS) / "node_modules/azurite/dist/src/azurite.js"


def ensure(announce: Announce) -> None:
    """Installs Azurite when it is not there; raises ToolMissingError when it cannot run here."""
    check_node()
    install(installed_at("azurite", _PINS), lambda folder: install_packages(_PINS, folder), announce)
