"""The Event Hub trigger of sensor readings."""

from __future__ import annotations

import azure.functions as func

from functions._landing import land_from
from shared.streams.readings import READINGS

bp = func.Blueprint()

for _topic in READINGS.topics:
    land_from(bp, _topic, "land_readings")
