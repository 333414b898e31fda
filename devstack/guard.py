"""Keeps one service of the stack running."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from devstack.children import Child, ChildFailedError, Service, reason
from devstack.home import Home, StackError
from devstack.screen import Screen

_DELAY_FIRST, _DELAY_MOST = 0.2, 4.0
# A child that was up this long ended for a new reason: the delay begins anew.
_HEALTHY_SECONDS = 5.0


class Guard:
    """Starts a service and starts it again whenever it ends.

    `ended` is called when it ended by itself, `changed` when it has a new process, `returned` once that one
    answers.
    """

    def __init__(
        self,
        service: Service,
        home: Home,
        screen: Screen,
        keep_open: Sequence[int],
        changed: Callable[[], None],
        returned: Callable[[], Awaitable[None]],
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self.service = service
        self._home = home
        self._screen = screen
        self._keep_open = keep_open
        self._changed = changed
        self._returned = returned
        self._ended = ended
        self._child = Child(service, home, keep_open)

    @property
    def pid(self) -> int | None:
        """The process id of the run that is under way, or of the last one."""
        return self._child.pid

    async def start(self) -> None:
        """Starts it and waits until it answers; raises ChildFailedError when it does not."""
        try:
            await self._start_once()
        except ChildFailedError:
            # Another program may have taken a port between the choice and the start.
            if not self.service.choose_ports():
                raise
            self._child = Child(self.service, self._home, self._keep_open)
            await self._start_once()

    async def _start_once(self) -> None:
        await self._child.start()
        await self._child.answered()

    async def keep(self) -> None:
        """Starts it again whenever it ends, at growing intervals if it ends soon; never returns."""
        delay, since = _DELAY_FIRST, time.monotonic()
        while True:
            code = await self._child.wait()
            self._ended()
            if time.monotonic() - since > _HEALTHY_SECONDS:
                delay = _DELAY_FIRST
            self._say(f"ended with {reason(code)}; it starts again in {delay:.1f} s")
            await asyncio.sleep(delay)
            delay, since = min(2 * delay, _DELAY_MOST), time.monotonic()
            await self._start_again()

    async def _start_again(self) -> None:
        self._child = Child(self.service, self._home, self._keep_open)
        await self._child.start()
        self._changed()
        try:
            await self._child.answered()
        except ChildFailedError as error:
            self._say(str(error))
            await self._child.stop(0)
            return
        self._say(f"is back as pid {self.pid}")
        try:
            await self._returned()
        except StackError as error:
            self._say(str(error))

    async def stop(self, patience: float) -> None:
        """Ends the process, gently for `patience` seconds; while `keep` runs it starts the next one."""
        await self._child.stop(patience)

    def _say(self, text: str) -> None:
        self._screen.about(self.service.name, text)
