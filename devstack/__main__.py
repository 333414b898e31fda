"""`make run`: the local stack in the foreground, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys

from devstack.home import Home, StackError
from devstack.screen import Screen
from devstack.settings import StackSettings, read_settings
from devstack.supervisor import Supervisor


def main() -> int:
    """Runs one stack; 0 when it was told to stop, 1 when it cannot run."""
    screen = Screen()
    try:
        settings = read_settings()
        home = Home(settings.home)
        with home.locked() as keep_open:
            screen.line(f"Floe's local stack; state and logs are in {home.path}")
            asyncio.run(supervise(settings, home, screen, keep_open))
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    screen.line("stopped")
    return 0


async def supervise(settings: StackSettings, home: Home, screen: Screen, keep_open: int) -> None:
    """Runs the stack until a signal; everything has ended when this returns or raises."""
    supervisor = Supervisor(settings, home, screen, keep_open)
    run = asyncio.ensure_future(supervisor.run())

    def stop() -> None:
        # A second signal must not cut the orderly end short.
        if not supervisor.stopping:
            screen.line("stopping")
            supervisor.stopping = True
            run.cancel()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    with contextlib.suppress(asyncio.CancelledError):
        await run


if __name__ == "__main__":
    sys.exit(main())
