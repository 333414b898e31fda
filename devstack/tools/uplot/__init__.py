"""uPlot, from npm: the charts of the page at `/dashboard`, copied to where the function app serves them."""

from __future__ import annotations

from pathlib import Path

from devstack.tools import STATIC
from devstack.tools.installation import Announce, install, installed_at
from devstack.tools.npm import copy_files, install_packages, pins

FILES = {
    "dist/uPlot.esm.js": "uplot.js",
    "dist/uPlot.min.css": "uplot.css",
    "LICENSE": "LICENSE-uplot",
}
_PINS = pins(Path(__file__).parent)


def ensure(announce: Announce) -> None:
    """Installs the package when it is not there, and its files where they differ; raises ToolMissingError."""
    package = installed_at("uplot", _PINS)
    install(package, lambda folder: install_packages(_PINS, folder), announce)
    copy_files(package / "node_modules/uplot", FILES, STATIC)
