"""What a person who runs the stack reads: one line a step, plain enough for a log file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Step:
    """A step under way; `says` is what its line tells when it is done."""

    def __init__(self) -> None:
        self.says = ""


class Screen:
    """Prints progress. Never fails: the stack outlives a terminal that was closed."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def line(self, text: str) -> None:
        """Prints one line at once."""
        with suppress(OSError):
            print(text, flush=True)

    def about(self, name: str, text: str) -> None:
        """Prints what happens to one part of the stack."""
        self.line(f"  {name:<10} {text}")

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Prints a line with the seconds that the step took, once it succeeds."""
        began, step = time.monotonic(), Step()
        yield step
        self.about(name, f"{step.says} ({time.monotonic() - began:.1f} s)")

    def seconds(self) -> float:
        """Seconds since the screen was made."""
        return time.monotonic() - self._began
