"""The plan by which workers share the tests."""

from __future__ import annotations

import pytest

from tests.architecture.imports import ROOT
from tests.spread import WEIGHTS, scope_of


def test_files_with_a_weight_exist() -> None:
    assert [name for name in WEIGHTS if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize(
    ("nodeid", "scope"),
    [
        ("tests/a/test_b.py::test_c", "tests/a/test_b.py"),
        ("tests/a/test_b.py::test_c[x@y]", "tests/a/test_b.py"),
        ("tests/a/test_b.py::test_c[x@stack]", "tests/a/test_b.py"),
        ("tests/a/test_b.py::test_c@stack", "stack"),
        ("tests/a/test_b.py::test_c[x@y]@stack", "stack"),
    ],
)
def test_files_stay_together_and_so_does_what_uses_the_stack(nodeid: str, scope: str) -> None:
    assert scope_of(nodeid) == scope
