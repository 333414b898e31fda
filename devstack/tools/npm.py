"""Packages from npm, exactly as their lock file says, without running any of their install scripts."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from devstack.tools.installation import ToolMissingError, run

_MANIFESTS = ("package.json", "package-lock.json")


def pins(folder: Path) -> list[Path]:
    """The files in `folder` that say what to install."""
    return [folder / name for name in _MANIFESTS]


def check_node() -> None:
    """Raises ToolMissingError when Node or npm is missing."""
    missing = [program for program in ("node", "npm") if shutil.which(program) is None]
    if missing:
        raise ToolMissingError(
            "Floe's local stack needs Node.js 20 or newer with npm; "
            f"not on the PATH: {' and '.join(missing)}. "
            "Install them with your system's packages (Debian: apt-get install nodejs npm)."
        )


def install_packages(manifests: list[Path], target: Path) -> None:
    """Fills `target` with `node_modules` as locked."""
    for manifest in manifests:
        shutil.copy(manifest, target)
    run(["npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], target)


def copy_files(package: Path, files: Mapping[str, str], target: Path) -> None:
    """Copies `files` of the folder `package` into the folder `target`, each under its new name, where they
    differ from what is there; nobody sees half a file."""
    target.mkdir(exist_ok=True)
    for name, new_name in files.items():
        _copy(package / name, target / new_name)


def _copy(source: Path, target: Path) -> None:
    if target.exists() and target.read_bytes() == source.read_bytes():
        return
    draft = target.with_name(f".{target.name}.draft")
    shutil.copyfile(source, draft)
    draft.replace(target)
