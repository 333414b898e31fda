"""Second opinions: tree-sitter's grammar of Bicep, and the Bicep compiler where it is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from scripts.check_infra.findings import Finding

# "…/main.bicep(3,7) : Warning no-unused-vars: …"
_COMPLAINT = re.compile(r"\) : (?:Warning|Error) ")


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


def compiled(call: list[str], file: Path, environment: Mapping[str, str]) -> Iterator[Finding]:
    """What the compiler says of a file, warnings included; parameter files read `environment`."""
    build = "build-params" if file.suffix == ".bicepparam" else "build"
    target = [str(file)] if call == ["bicep"] else ["--file", str(file)]
    said = subprocess.run(
        [*call, build, *target, "--stdout"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in said.stderr.splitlines() if _COMPLAINT.search(line)]
    yield from (Finding(file.name, line) for line in complaints)
    if said.returncode != 0 and not complaints:
        yield Finding(file.name, f"the compiler ended with {said.returncode}: {said.stderr.strip()}")
