"""Instances of the limiter, as processes of their own would have them, over one storage."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from shared.limits.limiter import Limiter
from shared.limits.quotas import Granted, Quotas
from shared.limits.rules import Rule
from shared.platform.tables import Tables

NOON = 1_759_233_600.0
CLIENT = "free ada"


class Seconds:
    """The time in epoch seconds, moved by hand."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Instance:
    """One instance; `asked` is how often it went to storage."""

    def __init__(self, tables: Tables, now: Callable[[], float], *, threads: bool = False) -> None:
        self.asked = 0
        self._threads = threads
        self.limiter = Limiter(Quotas(lambda: tables), self._offload, now)

    async def _offload(self, call: Callable[[], Granted]) -> Granted:
        self.asked += 1
        if self._threads:
            return await asyncio.to_thread(call)
        await asyncio.sleep(0)
        return call()

    async def request(self, rule: Rule, limit: int, client: str = CLIENT) -> bool:
        """Whether one request passes."""
        return await self.limiter.take(self.limiter.count(rule, client, limit))

    async def requests(self, rule: Rule, limit: int, count: int, client: str = CLIENT) -> int:
        """How many of `count` requests, one after the other, pass."""
        return sum([await self.request(rule, limit, client) for _ in range(count)])

    def remaining(self, rule: Rule, limit: int, client: str = CLIENT) -> int:
        """What is told to be left."""
        return self.limiter.count(rule, client, limit).remaining
