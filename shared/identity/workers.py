"""Threads for work that blocks, apart from those of other requests, with a bound on what waits for them."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from shared.platform.errors import Unavailable


class Workers:
    """At most `threads` calls run at once, and at most `waiting` more wait."""

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = threads + waiting
        self._inside = 0

    async def run[T](self, call: Callable[[], T]) -> T:
        """What `call` gives, in the context of the caller; raises Unavailable where too many wait already."""
        if self._inside >= self._most:
            raise Unavailable("Too many requests wait for this already", retry_after=1)
        self._inside += 1
        try:
            context = contextvars.copy_context()
            return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, call)
        finally:
            self._inside -= 1
