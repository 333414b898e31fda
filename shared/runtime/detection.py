"""Anomalies: the scan that finds them, those that were found, what was expected."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from shared.platform.clock import utc_now
from shared.runtime import analytics, storage
from shared.runtime.configuration import settings

if TYPE_CHECKING:
    from shared.anomalies.bands import Bands
    from shared.anomalies.checkpoints import Checkpoints
    from shared.anomalies.judge import Judge
    from shared.anomalies.scan import AnomalyScan
    from shared.anomalies.service import Anomalies


@cache
def anomalies() -> Anomalies:
    """Anomalies that were found."""
    from shared.anomalies.service import Anomalies

    return Anomalies(storage.tables(), utc_now)


@cache
def anomaly_scan() -> AnomalyScan:
    """What finds them, for the timer."""
    from shared.anomalies.scan import AnomalyScan
    from shared.anomalies.stories import Stories
    from shared.anomalies.turns import Turns

    stories = Stories(storage.tables(), utc_now, timedelta(days=settings().retention_days_anomalies))
    turns = Turns(storage.tables())
    leases = storage.leases()
    return AnomalyScan(analytics.rollups(), judge(), checkpoints(), stories, turns, leases, utc_now)


@cache
def bands() -> Bands:
    """Series, with what was expected of them."""
    from shared.anomalies.bands import Bands

    return Bands(analytics.rollups(), checkpoints(), judge(), utc_now)


@cache
def checkpoints() -> Checkpoints:
    """States of series, kept for restarts and late events."""
    from shared.anomalies.checkpoints import Checkpoints

    return Checkpoints(storage.blobs(), utc_now)


@cache
def judge() -> Judge:
    """What judges minutes; here another kind of detector can be put."""
    from shared.anomalies.detector import SurpriseDetectors
    from shared.anomalies.judge import Judge

    score = settings().anomaly_score
    return Judge(SurpriseDetectors(alarm=score), least_score=score)
