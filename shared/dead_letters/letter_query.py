"""Queries of the committed dead letters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.dead_letters.models import Letter, LetterKey, LettersWanted
from shared.lake.ports import Snapshot
from shared.query.span import span_of
from shared.query.sql import moment_literal, text_literal
from shared.query.wanted import RowsWanted, microseconds
from shared.streams.dead_letters import DEAD_LETTERS

# How much of a body a list shows.
PREVIEW_BYTES = 200

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT = timedelta(microseconds=1)
_COLUMNS = ("topic", "reason", "detail", "items", "ingestion_time", "_partition", "_seq", "_idx")
# The order of a list, newest first; that of LetterKey.place.
_ORDER = ("ingestion_time", "_seq", "_idx", "_partition", "topic")


@dataclass(frozen=True, slots=True)
class Part:
    """Letters that one query gives: those in `window` that also meet `conditions`, in SQL."""

    window: RowsWanted
    conditions: tuple[str, ...] = ()


def parts(wanted: LettersWanted, after: LetterKey | None) -> list[Part]:
    """The queries that together give the wanted letters, of those that follow `after` in the list."""
    topics = wanted.topics()
    return [
        part
        for topic in ((None,) if topics is None else topics)
        for part in _parts_of_topic(wanted, topic, after)
    ]


def only(key: LetterKey) -> Part:
    """The query for one letter."""
    moment = moment_of(key.taken)
    window = RowsWanted(
        stream=DEAD_LETTERS, equal={"topic": key.topic}, start=moment, end=moment + _MOMENT, limit=1
    )
    place = (f"_partition = {key.partition}", f"_seq = {key.seq}", f"_idx = {key.idx}")
    return Part(window, place)


def letters_from(snapshot: Snapshot, part: Part, limit: int, *, whole: bool = False) -> list[Letter]:
    """The newest `limit` letters of a part, with the beginnings of their bodies or `whole` ones. Blocks."""
    # With further conditions the files' numbers of rows do not tell how far back to go.
    depth = limit if not part.conditions else 2**62
    span = span_of(replace(part.window, limit=depth), snapshot.files())
    if not len(span.files):
        return []
    rows = snapshot.select(_sql(part, span.start, span.end, limit, whole=whole)).to_pylist()
    if whole:
        return [letter_of(row, row["body"], len(row["body"])) for row in rows]
    return [letter_of(row, bytes.fromhex(row["head"]), row["size"]) for row in rows]


def letter_of(row: Mapping[str, Any], body: bytes, size: int) -> Letter:
    """The letter that a row of the stream is."""
    key = LetterKey(
        row["topic"], row["_partition"], row["_seq"], row["_idx"], microseconds(row["ingestion_time"])
    )
    return Letter(key, row["reason"], row["detail"], row["items"], size, body)


def moment_of(taken: int) -> datetime:
    """Microseconds since 1970 as an aware time."""
    return _EPOCH + taken * _MOMENT


def _parts_of_topic(wanted: LettersWanted, topic: str | None, after: LetterKey | None) -> list[Part]:
    given = {"topic": topic, "reason": wanted.reason}
    equal = {name: text for name, text in given.items() if text is not None}
    window = RowsWanted(stream=DEAD_LETTERS, equal=equal, start=wanted.start, end=wanted.end)
    if after is None:
        return [Part(window)]
    # Some letters of the moment in which the page before ended were on it.
    moment = moment_of(after.taken)
    of_the_moment = replace(window, start=moment, end=moment + _MOMENT)
    return [Part(of_the_moment, _following(after)), Part(replace(window, end=moment))]


def _following(key: LetterKey) -> tuple[str, ...]:
    place = (key.seq, key.idx, key.partition)
    names, numbers = ", ".join(_ORDER[1:]), ", ".join(map(str, place))
    return (f"({names}) < ({numbers}, {text_literal(key.topic)})",)


def _sql(part: Part, start: int, end: int, limit: int, *, whole: bool) -> str:
    conditions = [
        f"ingestion_time BETWEEN {moment_literal(start)} AND {moment_literal(end)}",
        *(f'"{name}" = {text_literal(text)}' for name, text in part.window.equal.items()),
        *part.conditions,
    ]
    columns, order = ", ".join(_COLUMNS), ", ".join(f"{name} DESC" for name in _ORDER)
    first = (
        f"SELECT {columns}, body FROM rows WHERE {' AND '.join(conditions)} "  # noqa: S608
        f"ORDER BY {order} LIMIT {limit}"
    )
    # Only of what is on the page are bodies made text.
    shown = (
        "arrow_cast(body, 'Binary') AS body"
        if whole
        else "length(encode(body, 'hex')) / 2 AS size, "
        f"substr(encode(body, 'hex'), 1, {2 * PREVIEW_BYTES}) AS head"
    )
    return f"SELECT {columns}, {shown} FROM ({first})"  # noqa: S608
