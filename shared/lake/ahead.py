"""Work done a little ahead of whoever takes its results, to hide the latency of storage."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future


def ahead[Item, Result](
    pool: Executor, work: Callable[[Item], Result], items: Iterable[Item], depth: int
) -> Iterator[Result]:
    """The results of `work` for `items`, in order; `depth` of them at most are under way or wait.

    What `work` raises is raised in its turn. Ended early, it waits for nothing that has not begun.
    """
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
