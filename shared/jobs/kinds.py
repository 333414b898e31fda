"""The kinds of jobs that exist. A new one is a name here, and its handler in the composition root."""

from __future__ import annotations

UPLOAD = "upload"
CLEANUP = "cleanup"
REPLAY = "replay"
SIMULATE = "simulate"
RECOMPUTE = "recompute"
# Flushes are done in place, and stand among the jobs once they are done.
FLUSH = "flush"

KINDS = (UPLOAD, CLEANUP, REPLAY, SIMULATE, RECOMPUTE, FLUSH)
