"""What comes in: requests, messages, segments."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field


class IntakeSettings:
    """What comes in: requests, messages, segments."""

    max_body_bytes: Annotated[int, Field(ge=1024, le=100 * 2**20)] = Field(
        10 * 2**20, description="Largest request body, in bytes, after decompression."
    )
    max_event_bytes: Annotated[int, Field(ge=1024, le=900 * 1024)] = Field(
        256 * 1024, description="Largest single event over HTTP, in bytes."
    )
    max_batch_events: Annotated[int, Field(ge=1, le=100_000)] = Field(
        10_000, description="Most events in one batch request."
    )
    simulate_max_events: Annotated[int, Field(ge=1, le=1_000_000_000)] = Field(
        10_000_000, description="Most events of one simulation."
    )
    pack_bytes: Annotated[int, Field(ge=1024, le=1_000_000)] = Field(
        256 * 1024, description="Largest message that batches are packed into, in bytes; a broker takes 1 MB."
    )
    produce_timeout_seconds: Annotated[float, Field(ge=0.5, le=30)] = Field(
        8.0, description="How long a request waits for the broker's acknowledgement before it answers 503."
    )
    segment_max_rows: Annotated[int, Field(ge=1000, le=1_000_000)] = Field(
        100_000, description="Most rows in one landing segment; larger batches make several."
    )
    segment_max_bytes: Annotated[int, Field(ge=64 * 2**10, le=2**28)] = Field(
        2 * 2**20, description="Most message bytes that are decoded into one landing segment."
    )
    bad_share_alarm: Annotated[float, Field(gt=0, le=1)] = Field(
        0.1, description="Share of a batch's events that may be dead letters before `/health` turns degraded."
    )
    bad_share_minimum: Annotated[int, Field(ge=1)] = Field(
        10, description="Fewest dead letters in a batch that can raise that alarm."
    )
