"""The thread that reports what this instance counts, every few seconds while something changes."""

from __future__ import annotations

import atexit
import threading

from shared.platform.errors import Unavailable
from shared.platform.logs import get_log
from shared.telemetry.recorder import Recorder

_log = get_log("metrics")
INTERVAL_SECONDS = 15.0
# How long the end of the process waits for the last report.
_LAST_SECONDS = 2.0


class Reporting:
    """Reports from `start` on until the process ends; what cannot be written is written the next time."""

    def __init__(self, recorder: Recorder, interval: float = INTERVAL_SECONDS) -> None:
        """`interval` is in seconds."""
        self._recorder = recorder
        self._interval = interval
        self._ending = threading.Event()
        self._ended = threading.Event()
        self._silent = False

    def start(self) -> None:
        """Begin; the first report comes after the first interval, away from the cold start."""
        threading.Thread(target=self._run, name="metrics", daemon=True).start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """One last report, as far as it can be had in two seconds."""
        self._ending.set()
        self._ended.wait(_LAST_SECONDS)

    def _run(self) -> None:
        while not self._ending.wait(self._interval):
            self._report()
        self._report()
        self._ended.set()

    def _report(self) -> None:
        try:
            self._recorder.write()
            self._silent = False
        except Unavailable as error:
            if not self._silent:
                _log.warning("metrics could not be reported; trying on", reason=error.message)
            self._silent = True
        except Exception as error:
            _log.exception("metrics could not be reported", error)
