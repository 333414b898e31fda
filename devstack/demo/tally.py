"""The counts of a run, and what they say at its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

STATIONS = ("sent", "acknowledged", "landed", "committed", "found")


@dataclass(slots=True)
class Tally:
    """How many of the run's `planned` events each station has seen so far.

    `sent` to the broker, `acknowledged` by it, `landed` durably by the function app, `committed` to the Delta
    table, `found` again through the API. `faults` says in words what no count shows.
    """

    planned: int
    sent: int = 0
    acknowledged: int = 0
    landed: int = 0
    committed: int = 0
    found: int = 0
    faults: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The count of each station, in the order of the data's way."""
        return {station: getattr(self, station) for station in STATIONS}

    def disagreements(self) -> Iterator[str]:
        """Which counts differ from what was planned, and the faults; nothing when all is well."""
        for station, count in self.counts().items():
            if count != self.planned:
                difference = abs(count - self.planned)
                word = "too few" if count < self.planned else "too many"
                yield f"{station}: {count:,} of {self.planned:,}, {difference:,} {word}"
        yield from self.faults


def verdict(tally: Tally) -> str:
    """What the demo ends by saying."""
    wrong = list(tally.disagreements())
    if wrong:
        return "The numbers do not agree:\n" + "\n".join(f"  {line}" for line in wrong)
    return (
        f"The numbers agree: {tally.planned:,} events sent, acknowledged, landed, committed and found again, "
        "each once and unchanged."
    )
