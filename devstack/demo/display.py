"""What one sees while a run goes on: a bar for each station on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from devstack.demo.tally import STATIONS, Tally

_LINE_SECONDS = 2.0
_MEANINGS = {
    "sent": "sent to Kafka",
    "acknowledged": "acknowledged by the broker",
    "landed": "landed (durable)",
    "committed": "committed to Delta",
    "found": "found through the API",
}


class Display(Protocol):
    """Shows a tally."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, tally: Tally) -> None:
        """Shows the counts as they are now."""


class Bars:
    """Five progress bars that move."""

    def __init__(self, planned: int, console: Console) -> None:
        columns = (
            TextColumn("{task.description:<26}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=console)
        self._tasks = {
            station: self._progress.add_task(_MEANINGS[station], total=planned) for station in STATIONS
        }

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, tally: Tally) -> None:
        """See Display."""
        for station, count in tally.counts().items():
            self._progress.update(self._tasks[station], completed=count)


class Lines:
    """A line every few seconds, for logs and pipes."""

    def __init__(self) -> None:
        self._printed = float("-inf")
        self._last = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._last:
            print(self._last, flush=True)

    def show(self, tally: Tally) -> None:
        """See Display."""
        self._last = "  ".join(f"{station} {count:,}" for station, count in tally.counts().items())
        if time.monotonic() - self._printed >= _LINE_SECONDS:
            print(self._last, flush=True)
            self._printed, self._last = time.monotonic(), ""


def choose_display(planned: int) -> Display:
    """Bars on a terminal, lines elsewhere."""
    console = Console()
    return Bars(planned, console) if console.is_terminal else Lines()
