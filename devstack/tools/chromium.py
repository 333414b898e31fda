"""Chromium, from the system's packages: tests and screenshots of the app's pages drive it."""

from __future__ import annotations

import os
import shutil

from devstack.tools import TOOLS
from devstack.tools.installation import Announce, ToolMissingError, one_at_a_time, run

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MISSING = (
    "The tests of the pages need Chromium, which is not on the PATH. "
    "Install it with your system's packages (Debian: apt-get install chromium)."
)
# It runs without a window, asks nobody for updates, and trusts the network namespace it is in.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def executable() -> str:
    """The program; raises ToolMissingError, which says what to install."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise ToolMissingError(MISSING)
    return found


def ensure(announce: Announce) -> None:
    """Installs it where it is missing and this is root on Debian; raises ToolMissingError."""
    if any(map(shutil.which, _NAMES)):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ToolMissingError(MISSING)
    announce("installing Debian's package")
    with one_at_a_time():
        for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
            run(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", *command], TOOLS)
