"""Which of the project's files, and of the dependencies' files, belong into the package."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path, PurePath

_OWN = ("function_app.py", "host.json", "LICENSE", "functions", "shared")
# From npm: without these the pages at /docs and /dashboard stay empty.
_OF_THE_PAGES = ("swagger-ui-bundle.js", "uplot.js")
# The folder that Azure's Python worker looks into for dependencies.
SITE_PACKAGES = Path(".python_packages/lib/site-packages")

_NEVER = {"__pycache__", "tests", "test", "bin"}
# Headers of C libraries, which nobody compiles against on Azure.
_HEADERS = (("numpy", "_core", "include"), ("pyarrow", "include"))
# These tell how and where a package was installed, and differ from machine to machine.
_OF_THE_INSTALLER = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"}


class MissingFiles(Exception):
    """Something that belongs into the package is not there; the message says what to do."""


def copy_own(project: Path, target: Path) -> None:
    """Copies the app's own files to `target`; raises MissingFiles."""
    if not all((project / "functions/http/static" / name).is_file() for name in _OF_THE_PAGES):
        raise MissingFiles("What the pages load is not installed: run `make setup`")
    for source in own_files(project):
        _copy(source, target / source.relative_to(project))


def own_files(project: Path) -> Iterator[Path]:
    """The app's own files: code, `host.json`, the pages."""
    for name in _OWN:
        place = project / name
        for file in [place] if place.is_file() else sorted(place.rglob("*")):
            hidden = any(part.startswith(".") for part in file.relative_to(project).parts)
            if file.is_file() and not hidden and belongs(file.relative_to(project)):
                yield file


def belongs(file: PurePath) -> bool:
    """Whether a file, named from the top of the package or of site-packages, is of use on Azure."""
    if file.suffix in (".pyc", ".pth") or file.name == ".lock" or _NEVER & set(file.parts[:-1]):
        return False
    if file.parts[0].endswith(".dist-info") and file.name in _OF_THE_INSTALLER:
        return False
    return not any(file.parts[: len(headers)] == headers for headers in _HEADERS)


def copy_package_file(source: Path, name: PurePath, target: Path) -> None:
    """Copies a dependency's file that is called `name` in site-packages, where it belongs."""
    if belongs(name):
        _copy(source, target / SITE_PACKAGES / name)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
