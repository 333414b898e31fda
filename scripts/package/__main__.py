"""`python -m scripts.package`: writes the package, its list of contents and its parts into `dist/`."""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.package import archive, sbom
from scripts.package.contents import MissingFiles, copy_own
from scripts.package.dependencies import from_here, from_index

PROJECT = Path(__file__).parents[2]
_LOCKS = [PROJECT / "devstack/tools" / tool / "package-lock.json" for tool in ("swagger_ui", "uplot")]


def build(target: Path, *, installed: bool, level: int = 6) -> Path:
    """Writes `app/`, `floe.zip`, `floe.contents.txt` and `floe.cdx.json` into `target`; the zip's path.

    `installed`: dependencies come from this environment, not from the package index. Raises MissingFiles.
    """
    app = target / "app"
    shutil.rmtree(app, ignore_errors=True)
    app.mkdir(parents=True)
    copy_own(PROJECT, app)
    requirements = PROJECT / "requirements.txt"
    if installed:
        from_here(requirements, app)
    else:
        from_index(requirements, str(Path(sys.executable).with_name("uv")), app)
    package = target / "floe.zip"
    archive.write(app, package, level=level)
    (target / "floe.contents.txt").write_text(archive.listing(app))
    (target / "floe.cdx.json").write_text(sbom.document(app, _LOCKS))
    return package


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.package", description="Make the package for Azure."
    )
    parser.add_argument("--target", type=Path, default=PROJECT / "dist", help="default: dist")
    parser.add_argument(
        "--installed",
        action="store_true",
        help="take dependencies from this environment (Linux x86-64, Python 3.13), without any network",
    )
    given = parser.parse_args()
    try:
        package = build(given.target, installed=given.installed)
    except (MissingFiles, subprocess.CalledProcessError) as error:
        print(f"no package was made: {error}", file=sys.stderr)
        return 1
    unpacked = sum(file.stat().st_size for file in archive.files(given.target / "app"))
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    packed = package.stat().st_size
    print(f"{package}: {packed / 1e6:.0f} MB, {unpacked / 1e6:.0f} MB unpacked, SHA-256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
