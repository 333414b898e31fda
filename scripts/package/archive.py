"""A zip whose bytes depend on nothing but names and contents."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

# The earliest time that a zip can tell; all files have it.
_TIME = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE = 0o100644 << 16


def write(folder: Path, target: Path, *, level: int = 6) -> None:
    """Zips what is in `folder`; `level` is 0 (stored) to 9."""
    kind = zipfile.ZIP_DEFLATED if level else zipfile.ZIP_STORED
    with zipfile.ZipFile(target, "w", kind, compresslevel=level or None) as archive:
        for file in files(folder):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _TIME)
            entry.external_attr = _PLAIN_FILE
            entry.create_system = 3
            entry.compress_type = kind
            archive.writestr(entry, file.read_bytes(), compresslevel=level or None)


def files(folder: Path) -> Iterator[Path]:
    """The files below `folder`, in the order of their names."""
    return iter(
        sorted((file for file in folder.rglob("*") if file.is_file()), key=lambda file: file.as_posix())
    )


def listing(folder: Path) -> str:
    """A line for each file: SHA-256, bytes, name."""
    lines = []
    for file in files(folder):
        content = file.read_bytes()
        lines.append(
            f"{hashlib.sha256(content).hexdigest()} {len(content):>10} {file.relative_to(folder).as_posix()}"
        )
    return "\n".join(lines) + "\n"
