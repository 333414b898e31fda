"""Checks that run in the background, so that asking for their outcome never waits for a dependency."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shared.platform.logs import get_log

_log = get_log("health")


def _retrieve(future: asyncio.Future[Any]) -> None:
    """Take the outcome of a check that came too late, so that asyncio does not report it as lost."""
    if not future.cancelled():
        future.exception()


class Watch[T]:
    """The last outcome of one check: `value` while it answers, else None, and whether it `answered`.

    One run at a time: while a blocking check hangs past `timeout` seconds, no second one is started, and the
    watch says that it does not answer.
    """

    def __init__(self, name: str, check: Callable[[], Awaitable[T] | T], timeout: float) -> None:
        self.name = name
        self.value: T | None = None
        self.answered: bool | None = None
        self._check = check
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(1, thread_name_prefix=f"health-{name}")
        self._running: asyncio.Future[Any] | None = None

    async def refresh(self) -> None:
        """Run the check, within the time limit, and remember what it says; never raises."""
        if self._running is None or self._running.done():
            self._running = self._start()
            self._running.add_done_callback(_retrieve)
        try:
            value = await asyncio.wait_for(asyncio.shield(self._running), self._timeout)
        except Exception as error:
            self._abandon()
            self._remember(False, None, f"{type(error).__name__}: {error}")
        else:
            self._remember(True, value, None)

    def _start(self) -> asyncio.Future[Any]:
        if inspect.iscoroutinefunction(self._check):
            return asyncio.ensure_future(self._check())
        return asyncio.get_running_loop().run_in_executor(self._threads, self._block)

    def _block(self) -> T:
        found = self._check()
        if inspect.isawaitable(found):
            raise TypeError(f"the check {self.name} returns a coroutine and should be `async def` itself")
        return found

    def _abandon(self) -> None:
        """A coroutine is cancelled; a thread cannot be, and is waited for by the next refresh."""
        if isinstance(self._running, asyncio.Task):
            self._running.cancel()
            self._running = None

    def _remember(self, answered: bool, value: T | None, problem: str | None) -> None:
        if answered != self.answered:
            report = _log.info if answered else _log.warning
            report(
                "dependency answers" if answered else "dependency silent", check=self.name, problem=problem
            )
        self.answered, self.value = answered, value
