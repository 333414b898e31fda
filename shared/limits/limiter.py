"""Counts requests in memory, against quota that is taken from storage in portions."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial

from shared.limits.quotas import Asked, Granted, Quotas
from shared.limits.rules import Rule
from shared.platform.logs import get_log
from shared.platform.tables import Row

# A portion is one part in this of a limit.
PORTIONS = 20
# How long a request waits for storage before it is counted by this instance alone, in seconds.
PATIENCE = 0.5
# How long storage that did not answer is left alone, in seconds.
SILENCE = 5.0
MOST_CLIENTS = 20_000
_NEVER = 1 << 62
_log = get_log("limits")

type Offload = Callable[[Callable[[], Granted]], Awaitable[Granted]]


class Count:
    """One client's requests in one window, as one instance sees them.

    `used` here so far; up to `open` may pass without asking storage; `granted` is what storage gave to this
    instance and `others` what it had given to the rest when it was last asked.
    """

    __slots__ = (
        "asking", "begins", "client", "closed", "ends", "granted", "limit", "limit_text", "open", "others",
        "portion", "prefetch_at", "reset_text", "row", "used",
    )  # fmt: skip

    def __init__(self, rule: Rule, client: str, limit: int, now: float) -> None:
        self.client = f"{rule.name}|{client}"
        self.begins = int(now) // rule.seconds * rule.seconds
        self.ends = self.begins + rule.seconds
        self.limit = limit
        self.portion = max(2, limit // PORTIONS)
        self.used = self.granted = self.others = 0
        self.open = limit // rule.unasked
        self.prefetch_at = self.open if self.portion >= 4 and self.open else _NEVER
        self.closed = False
        self.asking: asyncio.Task[bool] | None = None
        self.row: Row | None = None
        self.limit_text, self.reset_text = str(limit), str(self.ends)

    @property
    def remaining(self) -> int:
        """How many may still pass, as far as this instance knows: exact where it is the only one."""
        return max(0, self.limit - self.others - self.used)

    @property
    def spent(self) -> bool:
        """Whether nothing more can pass in this window."""
        return self.used >= self.open and (self.closed or self.used >= self.limit)

    def receive(self, granted: Granted, wanted: int) -> None:
        """Takes in what storage gave of what was wanted; what was lent meanwhile and not used is void."""
        self.granted += granted.given
        self.others = granted.taken - self.granted
        self.row = granted.row
        self.closed = granted.given < wanted
        self.open = max(self.granted, self.used)
        self._plan()

    def lend(self) -> None:
        """Opens one portion more without storage, to be counted there when it answers again."""
        self.open = min(self.limit, self.used + self.portion)
        self.prefetch_at = _NEVER

    def _plan(self) -> None:
        """Small portions are taken at need, so that none lies idle here while another instance refuses."""
        ahead = self.portion // 4
        self.prefetch_at = self.open - ahead if ahead and not self.closed else _NEVER


class Limiter:
    """The counts of one instance; used on one event loop. `offload` runs what blocks in a thread.

    Together, instances let pass at most the limit and what each may take unasked; while storage does not
    answer, at most the limit each.
    """

    def __init__(self, quotas: Quotas, offload: Offload, now: Callable[[], float] = time.time) -> None:
        self._quotas = quotas
        self._offload = offload
        self._now = now
        self._counts: dict[tuple[str, str], Count] = {}
        self._tidied_at = 0.0
        self._silent_until = 0.0
        self._silent = False

    def count(self, rule: Rule, client: str, limit: int) -> Count:
        """The count of the window that it is now."""
        found = self._counts.get((rule.name, client))
        now = self._now()
        if found is None or now >= found.ends or found.limit != limit:
            found = self._begin(rule, client, limit, now)
        return found

    async def take(self, count: Count) -> bool:
        """Counts one request; False where the limit is spent. Seldom waits for storage, and not for long."""
        while count.used >= count.open:
            if count.spent:
                return False
            await self._open_more(count)
        count.used += 1
        if count.used >= count.prefetch_at and count.asking is None and self._now() >= self._silent_until:
            self._ask(count)
        return True

    def give_back(self, count: Count) -> None:
        """Uncounts one request."""
        count.used -= 1

    def seconds_left(self, count: Count) -> int:
        """Until the window of `count` ends, at least 1."""
        return max(1, math.ceil(count.ends - self._now()))

    def _begin(self, rule: Rule, client: str, limit: int, now: float) -> Count:
        self._tidy(now)
        # Taken out first: the oldest stand in front.
        self._counts.pop((rule.name, client), None)
        begun = self._counts[rule.name, client] = Count(rule, client, limit, now)
        return begun

    def _tidy(self, now: float) -> None:
        """Forgets clients whose windows are over, and where that is not enough the oldest."""
        full = len(self._counts) >= MOST_CLIENTS
        if not full and now < self._tidied_at + 60:
            return
        self._tidied_at = now
        for key in [key for key, count in self._counts.items() if count.ends <= now]:
            del self._counts[key]
        if len(self._counts) >= MOST_CLIENTS:
            for key in list(self._counts)[: MOST_CLIENTS // 10]:
                del self._counts[key]

    async def _open_more(self, count: Count) -> None:
        if self._now() >= self._silent_until:
            try:
                async with asyncio.timeout(PATIENCE):
                    if await asyncio.shield(self._ask(count)):
                        return
            except TimeoutError:
                self._fall_silent("no answer in time")
        count.lend()

    def _ask(self, count: Count) -> asyncio.Task[bool]:
        """One question for all that wait for the same count; True once it is answered."""
        if count.asking is None:
            count.asking = asyncio.create_task(self._asked(count))
        return count.asking

    async def _asked(self, count: Count) -> bool:
        wanted = max(0, count.used - count.granted) + count.portion
        asked = Asked(count.client, count.begins, count.ends, count.limit, wanted, count.row)
        try:
            granted = await self._offload(partial(self._quotas.take, asked))
        except Exception as error:  # whatever it is, requests go on
            self._fall_silent(str(error))
            return False
        finally:
            # Before the task is done: whoever comes next must not wait for what is answered.
            count.asking = None
        count.receive(granted, wanted)
        if self._silent:
            self._silent = False
            _log.info("rate limits are shared again")
        return True

    def _fall_silent(self, reason: str) -> None:
        self._silent_until = self._now() + SILENCE
        if not self._silent:
            self._silent = True
            _log.warning("rate limits are counted by each instance alone", reason=reason)
