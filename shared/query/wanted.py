"""Which rows of a stream a query asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from shared.platform.errors import BadRequest
from shared.streams import StreamDefinition

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EVERYTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsWanted:
    """A page of the rows of `stream`: those whose columns have the texts in `equal`, and whose time is from
    `start` (inclusive) to `end` (exclusive), both aware; the newest first, or the oldest.

    `topic`: where it is set, only that topic's rows, all of them, have what is in `equal`. `most_bytes`: how
    much the rows down to the page's end may hold together; more is refused before it is held.
    """

    stream: StreamDefinition
    equal: Mapping[str, str] = _EVERYTHING
    topic: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    newest: bool = True
    limit: int = 100
    offset: int = 0
    most_bytes: int | None = None

    @property
    def depth(self) -> int:
        """How many rows the page reaches down to."""
        return self.offset + self.limit

    @property
    def order(self) -> tuple[str, ...]:
        """The columns that rows are ordered by: the time, then the place in the stream.

        The order is total, and the same for a row wherever it stands, so that a flush between two pages moves
        nothing.
        """
        columns = (self.stream.time_column, "ingestion_time", "_seq", "_idx", "_partition")
        return tuple(dict.fromkeys((*columns, self.stream.key_column)))

    def overlaps(self, earliest: int, latest: int) -> bool:
        """Whether something between `earliest` and `latest` (µs since 1970, inclusive) may be wanted."""
        return (self.start is None or latest >= microseconds(self.start)) and (
            self.end is None or earliest < microseconds(self.end)
        )

    def check_size(self, size: int) -> None:
        """Raises BadRequest where `size` bytes are more than is allowed."""
        if self.most_bytes is not None and size > self.most_bytes:
            issue = f"the rows hold more than {self.most_bytes} bytes; ask for fewer"
            raise BadRequest(f"limit: {issue}", details={"field": "limit", "issue": issue})


def microseconds(moment: datetime) -> int:
    """`moment` (aware) in microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_at(count: int) -> datetime:
    """The time `count` microseconds after 1970 began, aware, in UTC."""
    return _EPOCH + timedelta(microseconds=count)
