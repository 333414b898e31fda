"""How many dead letters are kept: by statistics of files, names of segments, and the rows of one hour."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from shared.dead_letters.letter_query import moment_of
from shared.lake.ports import Snapshot
from shared.lake.segments import SegmentStore, rows_above
from shared.query.history import Fresh, History
from shared.query.sql import moment_literal
from shared.query.wanted import microseconds
from shared.streams.dead_letters import DEAD_LETTERS


@dataclass(frozen=True, slots=True)
class Standing:
    """Letters by the topic of their messages: all that are kept, and the `recent` ones among them."""

    total: Counter[str]
    recent: Counter[str]


def standing(history: History, segments: SegmentStore, since: datetime) -> Standing:
    """The letters that are kept, and those taken by the broker from `since` on.

    What it costs grows with the table's files; of rows only those around `since` are read. Blocks; raises
    StorageUnavailable.
    """
    start = microseconds(since)

    def count(fresh: list[Fresh], snapshot: Snapshot) -> Standing:
        found = Standing(Counter(), Counter())
        _count_files(found, snapshot, start)
        for item in fresh:
            _count_segment(found, segments, item, start)
        return found

    return history.read(DEAD_LETTERS, count)


def _count_files(found: Standing, snapshot: Snapshot, start: int) -> None:
    """Files of the hour in which `start` lies may hold letters from before it: their rows are counted."""
    hour = moment_of(start)
    divided = False
    for file in snapshot.files().select(["topic", "date", "hour", "rows", "earliest"]).to_pylist():
        found.total[file["topic"]] += file["rows"]
        if (file["date"], int(file["hour"])) == (f"{hour:%Y-%m-%d}", hour.hour):
            divided = True
        elif file["earliest"] >= start:
            found.recent[file["topic"]] += file["rows"]
    if divided:
        counted = snapshot.select(
            "SELECT topic, count(*) AS letters FROM rows "  # noqa: S608
            f'WHERE "date" = \'{hour:%Y-%m-%d}\' AND "hour" = {hour.hour} '
            f"AND ingestion_time >= {moment_literal(start)} GROUP BY topic"
        )
        for row in counted.to_pylist():
            found.recent[row["topic"]] += row["letters"]


def _count_segment(found: Standing, segments: SegmentStore, item: Fresh, start: int) -> None:
    segment, covered = item
    topic = segment.source.topic
    if segment.first > covered and (segment.earliest >= start or segment.latest < start):
        found.total[topic] += segment.rows
        found.recent[topic] += segment.rows if segment.earliest >= start else 0
        return
    times = rows_above(segments.read(DEAD_LETTERS, segment), covered).column("ingestion_time").to_pylist()
    found.total[topic] += len(times)
    found.recent[topic] += sum(microseconds(time) >= start for time in times)
