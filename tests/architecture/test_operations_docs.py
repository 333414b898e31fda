"""What pages tell operators to look at exists: metrics, lines of the log and notices."""

from __future__ import annotations

import re
from functools import cache

import pytest

from shared.health.board import _STANDS
from shared.health.pipeline import volatile_broker
from shared.telemetry.catalogue import all_metrics
from tests.architecture.imports import ROOT
from tests.architecture.test_docs import PAGES, text_of

OPERATIONS = text_of(ROOT / "docs/operations.md")


@cache
def source() -> str:
    """The text of the app."""
    folders = ("functions", "shared")
    return "\n".join(path.read_text() for folder in folders for path in (ROOT / folder).rglob("*.py"))


def test_metrics_that_pages_name_are_in_the_catalogue() -> None:
    pages = [page for page in PAGES if page.parent.name == "docs"]
    named = {name for page in pages for name in re.findall(r"`(floe_[a-z]+_[a-z_]*)[`{]", text_of(page))}
    assert len(named) > 15
    assert named <= {metric.name for metric in all_metrics()}


@pytest.mark.parametrize("place", [r'log ((?:"[^"]+"(?:, )?)+)', r'^("[^"]+") in the log'])
def test_lines_of_the_log_are_written(place: str) -> None:
    quoted = re.findall(r'"([^"]+)"', " ".join(re.findall(place, OPERATIONS, re.MULTILINE)))
    assert quoted
    assert [line for line in quoted if f'"{line}"' not in source()] == []


def test_every_notice_is_explained() -> None:
    table = OPERATIONS.partition("### Notices")[2].partition("\n#")[0]
    explained = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert explained == {*_STANDS, volatile_broker().kind}
