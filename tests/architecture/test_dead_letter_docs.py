"""docs/dead-letters.md names every reason, and no other, with examples that are true."""

from __future__ import annotations

import re

import numpy as np
import pytest

from shared.ingest.decoders import decoder_of
from shared.ingest.models import MessageBatch, Reason
from shared.streams import StreamDefinition
from shared.streams.events import EVENTS
from shared.streams.readings import READINGS
from tests.architecture.imports import ROOT

_ROW = re.compile(r"^\| `(?P<reason>\w+)` \| (?P<meaning>[^|]+) \| (?:`(?P<example>.+)` )?\|$", re.MULTILINE)
_OF_ALL, _OF_EVENTS, _OF_READINGS = range(3)


def tables() -> list[dict[str, re.Match[str]]]:
    """The rows of the tables of reasons: of every stream, of events, of readings."""
    section = (ROOT / "docs/dead-letters.md").read_text().split("## Reasons")[1].split("\n## ")[0]
    return [{row["reason"]: row for row in _ROW.finditer(part)} for part in section.split("\nThose of ")[1:]]


def test_every_reason_is_documented_and_no_other() -> None:
    named = dict.fromkeys(reason for table in tables() for reason in table)
    assert sorted(named) == sorted(reason.value for reason in Reason)


@pytest.mark.parametrize(
    ("stream", "own"), [(EVENTS, _OF_EVENTS), (READINGS, _OF_READINGS)], ids=lambda x: getattr(x, "name", "")
)
def test_examples_become_dead_letters_of_their_reason(stream: StreamDefinition, own: int) -> None:
    documented = [tables()[_OF_ALL], tables()[own]]
    examples = {name: row["example"] for table in documented for name, row in table.items() if row["example"]}
    assert examples.keys() >= documented[1].keys()
    count = len(examples)
    bodies = [example.encode() for example in examples.values()]
    for topic in stream.topics:
        batch = MessageBatch(topic, 0, bodies, np.arange(count), np.zeros(count, np.int64))
        rows, letters = decoder_of(topic).decode(batch)
        assert rows.num_rows == 0
        assert [letter.reason.value for letter in letters] == list(examples)
        assert [letter.body for letter in letters] == bodies
