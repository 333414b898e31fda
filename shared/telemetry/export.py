"""Loads what sends telemetry elsewhere when this process first works, and hands it lines, spans and counts.

The libraries take about a second to load, so they are loaded beside the first invocations, not before them.
Lines logged meanwhile are kept, a bounded number of them; spans are not.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from shared.platform.logs import ROOT, get_log
from shared.telemetry import catalogue, tracing
from shared.telemetry.ports import Line, Telemetry

_log = get_log("telemetry")
_KEPT = 1000


class Export:
    """One for each process."""

    def __init__(self, load: Callable[[], Telemetry], *, lines: bool) -> None:
        """`load` may take its time. `lines`: whether log lines are sent too."""
        self._load = load
        self._lines = lines
        self._handler = _Sending()

    def start(self) -> None:
        """Begin, in a thread of its own."""
        if self._lines:
            logging.getLogger(ROOT).addHandler(self._handler)
        threading.Thread(target=self._run, name="telemetry", daemon=True).start()

    def _run(self) -> None:
        started = time.perf_counter()
        try:
            telemetry = self._load()
        except Exception as error:
            # Floe goes on unseen from there: a wrong connection string must not stop it.
            logging.getLogger(ROOT).removeHandler(self._handler)
            _log.exception("telemetry cannot be sent", error)
            return
        telemetry.follow(lambda: list(catalogue.INSTRUMENTS.values()))
        tracing.install(telemetry.tracer)
        self._handler.send_to(telemetry)
        _log.info("telemetry is sent", seconds=round(time.perf_counter() - started, 3))


class _Sending(logging.Handler):
    """Hands lines on, and keeps them until there is somebody to hand them to."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: deque[Line] = deque(maxlen=_KEPT)
        self._telemetry: Telemetry | None = None

    def send_to(self, telemetry: Telemetry) -> None:
        """From here on lines go to `telemetry`, those kept first."""
        with self.lock or threading.RLock():
            while self._kept:
                telemetry.send(self._kept.popleft())
            self._telemetry = telemetry

    def emit(self, record: logging.LogRecord) -> None:
        """Called under the handler's lock."""
        line = Line(int(record.created * 1e9), record.levelno, record.getMessage())
        if self._telemetry is None:
            self._kept.append(line)
        else:
            self._telemetry.send(line)
