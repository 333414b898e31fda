"""Whatever is posted: what the API takes lands as a row, and what it refuses would not."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st

from shared.platform.errors import BadRequest
from shared.streams.events import EVENT_TYPES
from tests.ingest.test_decode_properties import ITEMS, TIMES, nested
from tests.ingest.test_publish import Intake

_members = st.fixed_dictionaries(
    {"event_type": st.sampled_from(EVENT_TYPES), "data": st.dictionaries(st.text(max_size=3), st.integers())},
    optional={
        "timestamp": TIMES,
        "event_id": st.text(min_size=1, max_size=3),
        "metadata": st.none() | st.text(max_size=3) | st.dictionaries(st.text(max_size=3), st.none()),
        "x": st.text(max_size=2),
    },
)
_posted = st.one_of(
    _members.map(lambda members: json.dumps(members).encode()),
    ITEMS.map(lambda text: text.replace(b"{", b'{"event_type":"error",', 1)),
    st.integers(195, 201).flatmap(
        lambda levels: st.sampled_from(
            [
                b'{"event_type":"error","data":{"a":' + nested(levels) + b"}}",
                b'{"event_type":"error","data":{},"metadata":' + nested(levels) + b"}",
                b'{"event_type":"error","data":{},"metadata":{"a":' + nested(levels) + b"}}",
                b'{"event_type":"error","data":{},"x":' + nested(levels) + b"}",
                b'{"event_type":"error","data":{},"x":1,"metadata":' + nested(levels) + b"}",
            ]
        )
    ),
)


def refusal_of(body: bytes) -> str | None:
    """What is wrong with the event when it is sent alone."""
    try:
        Intake().one(body)
    except BadRequest as error:
        return error.message
    return None


@given(_posted)
@example(b'{"event_type":"error","data":{},"metadata":{"\\ud800":1}}')
def test_what_is_taken_alone_lands_as_a_row(body: bytes) -> None:
    intake = Intake()
    try:
        accepted = intake.one(body)
    except BadRequest:
        return
    rows, letters = intake.landed()
    assert ([row["event_id"] for row in rows], letters) == ([accepted.event_id], [])


@given(st.lists(_posted, min_size=1, max_size=5))
@example([b'{"event_type":"error","data":{},"metadata":{"\\ud800":1}}'])
@example([b'{"event_type":"error","data":{},"metadata":{"a":' + nested(500) + b"}}"])
def test_what_is_taken_in_a_batch_lands_as_rows(bodies: list[bytes]) -> None:
    intake = Intake()
    try:
        outcomes = intake.batch(b"[" + b",".join(bodies) + b"]")
    except BadRequest:
        return
    rows, letters = intake.landed()
    assert letters == []
    taken = sorted(str(outcome.event_id) for outcome in outcomes if outcome.error is None)
    assert sorted(row["event_id"] for row in rows) == taken
    # One by one they would have been taken and refused alike.
    assert [outcome.error for outcome in outcomes] == [refusal_of(body) for body in bodies]
