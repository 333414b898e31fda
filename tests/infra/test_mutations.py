"""The check finds mistakes: at least 95% of a hundred and more, and those it misses are named."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from scripts import infra_facts
from scripts.check_infra.checks import ROOT, check, on_file
from scripts.check_infra.program import Program
from tests.infra import sweep
from tests.infra.mutations import MUTATIONS, Mutation

# Mistakes that the check is known to miss.
MISSED: frozenset[str] = frozenset()


@cache
def facts() -> dict[str, Any]:
    """What the code says."""
    return infra_facts.facts()


def finding_after(mutation: Mutation) -> str | None:
    """The first thing that the check finds in the infrastructure with the mistake in it."""
    text = (ROOT / mutation.file).read_text()
    assert text.count(mutation.old) >= 1, f"{mutation.what}: {mutation.old!r} is not in {mutation.file}"
    changed = Program(ROOT, {mutation.file: text.replace(mutation.old, mutation.new, 1)})
    found = next(check(changed, facts()), None)
    return None if found is None else str(found)


def test_the_infrastructure_as_it_is_has_nothing_wrong() -> None:
    assert list(map(str, check(Program(ROOT), facts()))) == []


def test_what_bicep_loads_is_what_the_code_says() -> None:
    assert list(map(str, on_file(Program(ROOT), facts()))) == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.what)
def test_a_mistake_is_found(mutation: Mutation) -> None:
    assert (finding_after(mutation) is None) == (mutation.what in MISSED)


def test_mistakes_made_by_rule_are_found_too() -> None:
    made, unseen = sweep.missed(every=12)  # all of them take minutes: `python -m tests.infra.sweep`
    assert made >= 100
    assert len(unseen) <= 0.05 * made, "\n".join(unseen)


def test_mistakes_are_many_and_few_are_missed() -> None:
    whats = {mutation.what for mutation in MUTATIONS}
    assert len(whats) == len(MUTATIONS) >= 100
    assert whats >= MISSED
    assert len(MISSED) <= 0.05 * len(MUTATIONS)
