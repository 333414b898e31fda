"""docs/dead-letters.md names every reason, and no other, with examples that are true."""

from __future__ import annotations

import re

import numpy as np
import pytest

from shared.ingest.decode_events import EventDecoder
from shared.ingest.models import MessageBatch, Reason
from shared.streams.events import EVENTS
from tests.architecture.imports import ROOT

_ROW = re.compile(r"^\| `(?P<reason>\w+)` \| (?P<meaning>[^|]+) \| (?:`(?P<example>.+)` )?\|$", re.MULTILINE)


def documented() -> dict[str, re.Match[str]]:
    """The rows of the table of reasons."""
    section = (ROOT / "docs/dead-letters.md").read_text().split("## Reasons")[1].split("\n## ")[0]
    return {row["reason"]: row for row in _ROW.finditer(section)}


def test_every_reason_is_documented_and_no_other() -> None:
    assert list(documented()) == [reason.value for reason in Reason]


@pytest.mark.parametrize("topic", EVENTS.topics)
def test_examples_become_dead_letters_of_their_reason(topic: str) -> None:
    examples = {reason: row["example"] for reason, row in documented().items() if row["example"]}
    assert len(examples) >= 10
    count = len(examples)
    bodies = [example.encode() for example in examples.values()]
    batch = MessageBatch(topic, 0, bodies, np.arange(count), np.zeros(count, np.int64))
    rows, letters = EventDecoder(topic).decode(batch)
    assert rows.num_rows == 0
    assert [letter.reason.value for letter in letters] == list(examples)
    assert [letter.body for letter in letters] == bodies
