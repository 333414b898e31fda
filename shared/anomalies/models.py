"""What a detector says of a point."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """How much a point surprises.

    `score` is on a scale of -log10 probabilities, 0 during the warm-up; `alarm`: the point is to be reported;
    `quiet`: it follows an alarm closely, and is part of the same story. `expected` is the value that the past
    leads to expect, in the unit of the series. `stream` names what spoke loudest, empty during the warm-up.
    """

    score: float
    alarm: bool
    quiet: bool
    expected: float
    stream: str
