"""The dependencies of the deployed app: the versions of `requirements.txt`, for Linux x86-64, Python 3.13."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path, PurePath

from scripts.package.contents import MissingFiles, copy_package_file

PYTHON = "3.13"
# What Azure's images offer: Debian 12 has glibc 2.36.
PLATFORM = "x86_64-manylinux_2_28"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
_FITTING = re.compile(
    r"^Tag: (?:py3-none-any|(?:cp313|py3|cp3\d+)-(?:cp313|abi3|none)-\w*manylinux\w*x86_64)$"
)


def pinned(requirements: Path) -> dict[str, str]:
    """Names and versions."""
    return dict(_PINNED.findall(requirements.read_text()))


def from_index(requirements: Path, uv: str, target: Path) -> None:
    """Wheels from the package index that pip or uv is set up for, each held to its hash in `requirements`."""
    with tempfile.TemporaryDirectory(prefix="floe-package-") as folder:
        place = Path(folder)
        asked = [uv, "pip", "install", "--quiet", "--target", str(place), "--requirement", str(requirements)]
        asked += [
            "--require-hashes",
            "--only-binary",
            ":all:",
            "--no-compile-bytecode",
            "--link-mode",
            "copy",
        ]
        asked += ["--python-platform", PLATFORM, "--python-version", PYTHON]
        subprocess.run(asked, check=True)
        for file in sorted(place.rglob("*")):
            if file.is_file():
                copy_package_file(file, file.relative_to(place), target)


def from_here(requirements: Path, target: Path) -> None:
    """The files of the same wheels as they are installed in this environment, without any network.

    Raises MissingFiles where this is another platform, Python or version than the package is for.
    """
    if sys.platform != "linux" or f"{sys.version_info.major}.{sys.version_info.minor}" != PYTHON:
        raise MissingFiles(f"only Linux with Python {PYTHON} has the right files installed")
    for name, version in pinned(requirements).items():
        installed = metadata.distribution(name)
        if installed.version != version:
            raise MissingFiles(f"{name} {version} is needed, and {installed.version} is installed")
        if not any(_FITTING.match(line) for line in (installed.read_text("WHEEL") or "").splitlines()):
            raise MissingFiles(f"{name} is installed from a wheel for another platform")
        for file in installed.files or ():
            if file.parts[0] != "..":
                copy_package_file(Path(str(file.locate())), PurePath(file), target)
