"""The anomaly scan."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field


class AnomalySettings:
    """The anomaly scan."""

    scan_schedule: str = Field(
        "5 * * * * *", description="NCRONTAB schedule of the anomaly scan, seconds first, in UTC."
    )
    anomaly_score: Annotated[float, Field(ge=4, le=1000)] = Field(
        10.0,
        description="Least score of an anomaly that is kept; docs/anomalies.md says how often noise reaches "
        "which.",
    )
    retention_days_anomalies: Annotated[int, Field(ge=1, le=3650)] = Field(
        90, description="Days that anomalies are kept."
    )
