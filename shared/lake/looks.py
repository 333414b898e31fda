"""Looks at something that changes, shared by those who ask for one at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Looks:
    """Tells whether a look serves one who asked: only one that began after that, for it sees all there was.

    Looks are one at a time; `ask` may be called meanwhile, by any thread.
    """

    def __init__(self) -> None:
        self._begun = 0
        self._done = 0

    def ask(self) -> int:
        """The number of the first look that will serve who asks now."""
        return self._begun + 1

    def serves(self, asked: int) -> bool:
        """Whether the last look that succeeded serves who got the number `asked`."""
        return self._done >= asked

    @contextmanager
    def look(self) -> Iterator[None]:
        """Around a look; one that raises serves nobody."""
        self._begun += 1
        number = self._begun
        yield
        self._done = number
