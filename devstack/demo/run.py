"""One run from its first message to the last count."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from devstack.demo.api import Api
from devstack.demo.display import Display
from devstack.demo.plan import Plan
from devstack.demo.replay import Replay
from devstack.demo.stack import Stack
from devstack.demo.tally import Tally
from devstack.demo.watchers import PASSING, ApiWatcher, LandingWatcher, TableWatcher, Watcher

_LOOK_SECONDS = 0.3
_SHOW_SECONDS = 0.1


class Run:
    """Sends `plan` into `stack` and counts it at every station; `patience` is how many seconds a station may
    stand still before the rest is given up."""

    def __init__(self, stack: Stack, plan: Plan, rate: float, patience: float) -> None:
        self.tally = Tally(len(plan.events))
        self._patience = patience
        self._stop = threading.Event()
        self._api = Api(stack.http_url, stack.api_key)
        self._replay = Replay(stack.kafka_bootstrap, plan, self.tally, rate)
        self._landing = LandingWatcher(stack.storage_connection_string, self._replay, self.tally)
        self._table = TableWatcher(stack.storage_connection_string, plan, self.tally)
        self._events = ApiWatcher(self._api, plan, self.tally)

    def follow(self, display: Display) -> Tally:
        """Runs to the end and returns the counts. Blocks."""
        sender = threading.Thread(target=self._replay.run, args=(self._stop,), daemon=True)
        watching = [
            threading.Thread(target=self._watch, args=(watcher,), daemon=True)
            for watcher in (self._landing, self._table, self._events)
        ]
        with display:
            try:
                for thread in (sender, *watching):
                    thread.start()
                self._show_until(display, lambda: not sender.is_alive() and self._has_arrived())
            finally:
                self._stop.set()
                for thread in (sender, *watching):
                    thread.join()
            self._count_finally()
            display.show(self.tally)
        return self.tally

    def _watch(self, watcher: Watcher) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            try:
                watcher.look()
            except PASSING:
                continue  # a part of the stack may be restarting; the last count asks again

    def _has_arrived(self) -> bool:
        return min(self.tally.landed, self.tally.found) >= self.tally.acknowledged

    def _show_until(self, display: Display, over: Callable[[], bool]) -> None:
        """Shows the counts until `over`, or until none has moved for as long as patience lasts."""
        before, moved = self.tally.counts(), time.monotonic()
        while not over():
            display.show(self.tally)
            self._stop.wait(_SHOW_SECONDS)
            if (now := self.tally.counts()) != before:
                before, moved = now, time.monotonic()
            elif time.monotonic() - moved > self._patience:
                return

    def _count_finally(self) -> None:
        """Has everything committed, then counts again from nothing at the table and through the API."""
        steps = (self._api.flush, self._table.look, self._landing.look, self._events.recount)
        for step in steps:
            try:
                step()
            except PASSING as error:
                self.tally.faults.append(f"the last count failed: {error}")
        if self._table.distinct != self.tally.committed:
            self.tally.faults.append(
                f"{self.tally.committed - self._table.distinct:,} rows of the table are there more than once"
            )
        self._api.close()
