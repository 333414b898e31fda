"""One Event Hub trigger for each events topic."""

from __future__ import annotations

import azure.functions as func

from functions._landing import land_from
from shared.streams.events import EVENTS, event_type_of

bp = func.Blueprint()

for _topic in EVENTS.topics:
    land_from(bp, _topic, f"land_events_{event_type_of(_topic)}")
