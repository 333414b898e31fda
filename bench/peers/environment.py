"""The environment of the peers that Floe does not depend on: pinned, and apart from the project's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from devstack.tools import TOOLS

PINS = ("quixstreams[azure-file]==3.28.1", "azure-storage-blob==12.30.3", "pyarrow==26.0.1")
_FOLDER = TOOLS / "bench-venv"


def python() -> Path | None:
    """The interpreter of that environment, made when missing; None when it cannot be made."""
    stamp = _FOLDER / "pins.txt"
    if not stamp.exists() or stamp.read_text() != "\n".join(PINS):
        try:
            subprocess.run([sys.executable, "-m", "venv", str(_FOLDER)], check=True)
            pip = [str(_FOLDER / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, *PINS], check=True, timeout=300)
        except (subprocess.SubprocessError, OSError):
            return None
        stamp.write_text("\n".join(PINS))
    return _FOLDER / "bin" / "python"
