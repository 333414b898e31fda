"""The form of made-up events: what they are as JSON."""

from __future__ import annotations

from typing import Any

import msgspec


class Incidence(msgspec.Struct, gc=False):
    """The label of an event that is part of an incident."""

    kind: str
    id: str


class Metadata(msgspec.Struct, gc=False):
    """What an event is marked with; `simulation` is the name of its simulation."""

    simulation: str
    incident: Incidence | msgspec.UnsetType = msgspec.UNSET
    source: str = "simulator"


class Made(msgspec.Struct, gc=False):
    """An event; `data` is one of those below."""

    event_id: str
    event_type: str
    timestamp: str
    data: Any
    metadata: Metadata


class PageView(msgspec.Struct, gc=False):
    """`value` is the time that the page took to load, in milliseconds."""

    user_id: str
    session_id: str
    page: str
    value: float
    region: str


class UserAction(msgspec.Struct, gc=False):
    """`value` is how long the user took over it, in seconds."""

    user_id: str
    session_id: str
    action: str
    value: float
    region: str


class Transaction(msgspec.Struct, gc=False):
    """`amount` is in `currency`, for `items` things."""

    user_id: str
    session_id: str
    amount: float
    currency: str
    items: int
    payment_method: str
    region: str


class Error(msgspec.Struct, gc=False):
    """It has no value: errors are counted."""

    service: str
    host: str
    code: int
    message: str
    region: str


class SystemMetric(msgspec.Struct, gc=False):
    """`value` is the mean latency of a host's requests, in milliseconds; the rest are shares, 0 to 1."""

    metric: str
    host: str
    value: float
    cpu: float
    error_rate: float
    region: str
