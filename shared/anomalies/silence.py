"""Silence: minutes without events in a series that seldom has such.

A fall to nothing is bounded, so one minute of it may be nothing rare in a series that also spikes. A run of
them is: each of its minutes is as improbable as silent minutes were before the run.
"""

from __future__ import annotations

import math

import msgspec

STREAM = "silence"


class Silence(msgspec.Struct, array_like=True, frozen=True):
    """How many minutes a series has had, and how many of them were silent; of the run of silent minutes that
    it is in, how many there were, and what was expected of the first one."""

    points: int = 0
    silent: int = 0
    run: int = 0
    usual: float = 0.0

    def after(self, count: float, expected: float) -> Silence:
        """What is known after a minute with `count` events, of which `expected` were."""
        if count:
            return Silence(self.points + 1, self.silent)
        usual = self.usual if self.run else expected
        return Silence(self.points + 1, self.silent + 1, self.run + 1, usual)

    def score(self, run: int) -> float:
        """-log10 of the probability of a run of so many silent minutes, by what came before this one."""
        share = (self.silent - self.run + 1) / (self.points - self.run + 2)
        return -run * math.log10(share)
