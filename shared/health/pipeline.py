"""The pipeline's own figures for `/health`, read from the tables and the notice board."""

from __future__ import annotations

from collections.abc import Callable

from shared.health.board import NoticeBoard
from shared.health.models import Notice
from shared.health.ports import Facts
from shared.lake.ports import Lake
from shared.streams import STREAMS


class LakeFacts:
    """Implements PipelineFacts over the tables of all streams."""

    def __init__(self, lake: Callable[[], Lake], board: Callable[[], NoticeBoard]) -> None:
        """Both are asked for when first needed, for building them imports much."""
        self._lake = lake
        self._board = board

    def read(self) -> Facts:
        """See the port; blocks."""
        import pyarrow.compute as pc

        files = [self._lake().table(stream).snapshot().files() for stream in STREAMS]
        return Facts(
            total_files=sum(table.num_rows for table in files),
            total_size_bytes=sum(pc.sum(table["size"]).as_py() or 0 for table in files),
            notices=tuple(self._board().standing()),
        )


def volatile_broker() -> Notice:
    """What is said while the broker keeps messages in memory only."""
    return Notice(
        kind="volatile_broker",
        subject="event_hub",
        message="The local broker is librdkafka's mock: it forgets everything when it stops, and keeps only "
        "the last 5 MB of a partition. Install Java 17 and Maven for a durable one.",
    )
