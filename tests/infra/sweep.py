"""Mistakes made by rule, line by line: a property left out, a name misspelt, true and false exchanged.

    python -m tests.infra.sweep

makes all of them, one at a time, and lists those that the check does not find.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from scripts import infra_facts
from scripts.check_infra.checks import ROOT, check
from scripts.check_infra.program import Program

_PROPERTY = re.compile(r"^(\s+'?)([\w.]+)('?: )")
_ON_ONE_LINE = re.compile(r"^\s+'?[\w.]+'?: .*[^{\[(]$")
_BOOLEAN = re.compile(r"\b(true|false)\b")


def mistakes() -> Iterator[tuple[str, str, str]]:
    """What is wrong, the file, and its text with the mistake in it."""
    for path in sorted(ROOT.rglob("*.bicep")):
        file, lines = str(path.relative_to(ROOT)), path.read_text().split("\n")
        for number, line in enumerate(lines):
            for how, wrong in _wrong(line):
                text = "\n".join([*lines[:number], *wrong, *lines[number + 1 :]])
                yield f"{file}:{number + 1} {how}: {line.strip()}", file, text


def _wrong(line: str) -> Iterator[tuple[str, list[str]]]:
    if _ON_ONE_LINE.match(line):
        yield "left out", []
    if _PROPERTY.match(line):
        yield "misspelt", [_PROPERTY.sub(r"\1\2x\3", line)]
    if _BOOLEAN.search(line) and not line.lstrip().startswith(("@", "//", "|", "param ")):
        yield (
            "exchanged",
            [_BOOLEAN.sub(lambda found: "false" if found[0] == "true" else "true", line, count=1)],
        )


def missed(every: int) -> tuple[int, list[str]]:
    """How many of every `every`th mistake were made, and which of them the check did not find."""
    facts = infra_facts.facts()
    made = list(mistakes())[::every]
    unseen = [
        what for what, file, text in made if next(check(Program(ROOT, {file: text}), facts), None) is None
    ]
    return len(made), unseen


if __name__ == "__main__":
    count, unseen = missed(1)
    print(*unseen, sep="\n")
    print(f"{count - len(unseen)} of {count} found")
