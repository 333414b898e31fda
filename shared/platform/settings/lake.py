"""Flush, upload, clean-up and how long data stay."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field


class LakeSettings:
    """Flush, upload, clean-up and how long data stay."""

    flush_schedule: str = Field(
        "0 * * * * *", description="NCRONTAB schedule of the flush timer, seconds first, in UTC."
    )
    flush_max_rows: Annotated[int, Field(ge=1000, le=5_000_000)] = Field(
        500_000, description="Most rows in one Delta commit of the flush."
    )
    flush_max_bytes: Annotated[int, Field(ge=2**20, le=2**30)] = Field(
        16 * 2**20, description="Most Arrow bytes held in memory for one Delta commit of the flush."
    )
    flush_max_files: Annotated[int, Field(ge=1, le=10_000)] = Field(
        200,
        description="Most files of single sensors that a commit of the flush writes; where there would be "
        "more, the sensors of an asset share one.",
    )
    hour_grace_minutes: Annotated[int, Field(ge=0, le=1440)] = Field(
        10, description="How long after its end an hour counts as closed, so that its raw files are merged."
    )
    final_tier: Literal["Hot", "Cool", "Cold"] = Field(
        "Cold",
        description="Access tier of final files; Azure charges for cool ones at least 30 days, for cold ones "
        "90.",
    )
    final_files: Literal["sensor", "asset"] = Field(
        "sensor",
        description="Whether a final file of readings holds an hour of one sensor or of all of an asset's; "
        "docs/scale.md says from how many sensors on.",
    )
    final_file_bytes: Annotated[int, Field(ge=2**20, le=2**30)] = Field(
        32 * 2**20,
        description="Bytes from which on an hour's final file is followed by a further one; one is held in "
        "memory.",
    )
    upload_max_rows: Annotated[int, Field(ge=1000, le=2**40)] = Field(
        50_000_000, description="Most rows that one commit of the upload merges."
    )
    upload_max_files: Annotated[int, Field(ge=1, le=100_000)] = Field(
        5000, description="Most raw files that one commit of the upload merges; a key's hour stays together."
    )
    upload_max_bytes: Annotated[int, Field(ge=2**20, le=2**30)] = Field(
        64 * 2**20, description="About how many Arrow bytes the upload holds in memory to merge files."
    )
    removed_files_hours: Annotated[int, Field(ge=1, le=24 * 30)] = Field(
        1,
        description="How long files that were merged or dropped stay for readers that still use them, and "
        "for time travel.",
    )
    retention_days_events: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Days of event time that events are kept; without it for ever."
    )
    retention_days_readings: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Days of event time that sensor readings are kept; without it for ever."
    )
    retention_days_dead_letters: Annotated[int, Field(ge=1)] | None = Field(
        30, description="Days that dead letters are kept."
    )
    retention_days_rollups: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Days of event time that roll-ups by minute are kept; without it for ever."
    )
    max_regions: Annotated[int, Field(ge=1, le=10_000)] = Field(
        100, description="Most regions of an event type that roll-ups count apart; further ones are `other`."
    )
    rollup_cache_bytes: Annotated[int, Field(ge=2**20, le=2**30)] = Field(
        32 * 2**20, description="About how many Arrow bytes of roll-ups are kept in memory for queries."
    )
    lease_seconds: Annotated[int, Field(ge=15, le=60)] = Field(
        15, description="Length of the blob lease that one writer holds on a table; renewed while it works."
    )
    upload_schedule: str = Field(
        "0 15 * * * *", description="NCRONTAB schedule of the upload of closed hours, seconds first, in UTC."
    )
    cleanup_schedule: str = Field(
        "0 45 * * * *", description="NCRONTAB schedule of the clean-up, seconds first, in UTC."
    )
