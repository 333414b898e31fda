"""Second opinions: tree-sitter's grammar of Bicep, and the Bicep compiler where it is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from scripts.check_infra.findings import Finding


@cache
def grammar(path: str, text: str) -> tuple[Finding, ...]:
    """Where tree-sitter's grammar stumbles."""
    import tree_sitter
    import tree_sitter_bicep

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))
    found: list[Finding] = []
    waiting = [parser.parse(text.encode()).root_node]
    while waiting:
        node = waiting.pop()
        if node.type == "ERROR" or node.is_missing:
            at = f"{path}:{node.start_point[0] + 1}"
            found.append(Finding(at, "tree-sitter's grammar does not take this"))
        elif node.has_error:
            waiting += node.children
    return tuple(found)


def compiler() -> list[str] | None:
    """How to call the Bicep compiler; None: it is not installed."""
    if shutil.which("bicep"):
        return ["bicep"]
    if shutil.which("az"):
        known = subprocess.run(["az", "bicep", "version"], capture_output=True, check=False)
        return ["az", "bicep"] if known.returncode == 0 else None
    return None


def compiled(call: list[str], file: Path) -> Iterator[Finding]:
    """What the compiler says of a file; warnings count."""
    build = "build-params" if file.suffix == ".bicepparam" else "build"
    target = [str(file)] if call == ["bicep"] else ["--file", str(file)]
    said = subprocess.run([*call, build, *target, "--stdout"], capture_output=True, text=True, check=False)
    for line in said.stderr.splitlines():
        if "Warning" in line or "Error" in line:
            yield Finding(file.name, line)
    if said.returncode == 0:
        _read(said.stdout)
    elif not said.stderr:
        yield Finding(file.name, f"the compiler ended with {said.returncode}")


def _read(text: str) -> Any:
    return json.loads(text)
