"""The package's parts as CycloneDX 1.6: what scanners of vulnerabilities and licences read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

from scripts.package.contents import SITE_PACKAGES
from shared.platform.version import VERSION


def document(folder: Path, from_npm: Iterable[Path]) -> str:
    """The document of an unpacked package; `from_npm` are the lock files of what its pages load."""
    parts = [*_python(folder), *_npm(from_npm)]
    own = {"type": "application", "bom-ref": "floe", "name": "floe", "version": VERSION}
    body = {
        "metadata": {"component": own, "properties": [{"name": "python", "value": "3.13"}]},
        "components": parts,
        "dependencies": [{"ref": "floe", "dependsOn": [part["bom-ref"] for part in parts]}],
    }
    # The same package has the same number.
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True))
    head = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{number}",
        "version": 1,
    }
    return json.dumps(head | body, indent=2) + "\n"


def _python(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted((folder / SITE_PACKAGES).glob("*.dist-info/METADATA")):
        said = HeaderParser().parsestr(file.read_text())
        yield _part("pypi", said["Name"].lower().replace("_", "-"), said["Version"], _licence(said))


def _npm(locks: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """The packages that are asked for; those that they ask for in turn are no part of what is copied."""
    for lock in locks:
        packages = json.loads(lock.read_text())["packages"]
        for name, version in packages[""]["dependencies"].items():
            yield _part("npm", name, version, packages[f"node_modules/{name}"]["license"])


def _part(kind: str, name: str, version: str, licence: str | None) -> dict[str, Any]:
    where = f"pkg:{kind}/{name}@{version}"
    part = {"type": "library", "bom-ref": where, "name": name, "version": version, "purl": where}
    if licence is not None:
        return part | {"licenses": [{"license": {"name": licence}}]}
    return part


def _licence(said: Message) -> str | None:
    """What the package says of its licence, in one line."""
    for header in ("License-Expression", "License"):
        text = str(said[header] or "").strip()
        if text and "\n" not in text and len(text) < 100:
            return text
    classifiers = [str(one) for one in said.get_all("Classifier", [])]
    return next((one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License ::")), None)
