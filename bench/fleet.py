"""A fleet of sensors, and a day of their readings as messages: seeded, so every run sends the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from bench.events import Message
from bench.stack import PARTITIONS

TOPIC = "sensor-data"
SENSORS_AN_ASSET = 100
DAY_HOURS = 24

# What a sensor measures: the name's beginning, the unit, the level, the day's swing and the noise.
_KINDS = (
    ("temperature", "C", 60.0, 8.0, 0.4),
    ("pressure", "bar", 6.0, 0.5, 0.05),
    ("flow", "l/min", 120.0, 30.0, 2.0),
    ("vibration", "mm/s", 2.5, 0.4, 0.3),
    ("current", "A", 14.0, 3.0, 0.2),
)
_QUALITIES, _QUALITY_SHARES = ("good", "uncertain", "bad"), (0.98, 0.015, 0.005)
_SEED = 20260101
_TIME, _TIME_LENGTH = b'"timestamp":"', len("2026-01-01T00:00:00.000Z")
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


@dataclass(frozen=True)
class Fleet:
    """`sensors`, a hundred an asset, that send `readings` in all, evenly over the first `hours` of `day`."""

    sensors: int
    readings: int
    hours: int
    day: datetime

    @property
    def each(self) -> int:
        """Readings of one sensor."""
        return max(self.readings // self.sensors, 1)

    @property
    def total(self) -> int:
        """Readings of all."""
        return self.each * self.sensors

    @property
    def assets(self) -> int:
        """Assets, the last one perhaps with fewer sensors."""
        return -(-self.sensors // SENSORS_AN_ASSET)

    @property
    def label(self) -> str:
        """For the report."""
        return f"{self.sensors:,} sensors, {self.hours} h"

    def names(self, sensor: int) -> tuple[str, str]:
        """The asset and the name of the sensor with this number."""
        asset, place = divmod(sensor, SENSORS_AN_ASSET)
        return f"asset-{asset:04d}", f"{_KINDS[place % len(_KINDS)][0]}-{place:02d}"

    def messages(self) -> Iterator[Message]:
        """One reading a message, in order of time.

        An asset's name is the key, and picks the partition; each round every sensor sends once, each at a
        moment of its own.
        """
        generator = np.random.default_rng(_SEED)
        sensors = [self._prepared(sensor) for sensor in range(self.sensors)]
        kinds = np.arange(self.sensors) % SENSORS_AN_ASSET % len(_KINDS)
        level, swing, noise = (np.array([kind[n] for kind in _KINDS])[kinds] for n in (2, 3, 4))
        order = generator.permutation(self.sensors)
        offsets = np.empty(self.sensors)
        offsets[order] = np.arange(self.sensors) / self.sensors
        for turn in range(self.each):
            share = (turn + offsets) / self.each
            angle = 2 * np.pi * share * self.hours / DAY_HOURS
            values = level + swing * np.sin(angle) + noise * generator.standard_normal(self.sensors)
            qualities = generator.choice(len(_QUALITIES), self.sensors, p=_QUALITY_SHARES)
            millis = (share * self.hours * 3_600_000).astype(np.int64)
            yield from self._round(
                sensors, order.tolist(), millis.tolist(), values.tolist(), qualities.tolist()
            )

    def _prepared(self, sensor: int) -> tuple[str, int, str, str]:
        asset, name = self.names(sensor)
        unit = _KINDS[sensor % SENSORS_AN_ASSET % len(_KINDS)][1]
        begin = f'{{"asset_id":"{asset}","sensor_id":"{name}","timestamp":"'
        return asset, sensor // SENSORS_AN_ASSET % PARTITIONS, begin, f',"unit":"{unit}","quality":"'

    def _round(
        self,
        sensors: list[tuple[str, int, str, str]],
        order: list[int],
        millis: list[int],
        values: list[float],
        qualities: list[int],
    ) -> Iterator[Message]:
        for sensor in order:
            asset, partition, begin, middle = sensors[sensor]
            second, fraction = divmod(millis[sensor], 1000)
            minute, second = divmod(second, 60)
            clock = f"{self.day:%Y-%m-%d}T{minute // 60:02d}:{minute % 60:02d}:{second:02d}.{fraction:03d}Z"
            text = f'{begin}{clock}","value":{values[sensor]:.3f}{middle}{_QUALITIES[qualities[sensor]]}"}}'
            yield Message(text.encode(), asset, partition)

    def some(self, count: int) -> list[tuple[str, str]]:
        """`count` sensors to ask for, the same in every run."""
        chosen = random.Random(_SEED)
        return [self.names(chosen.randrange(self.sensors)) for _ in range(count)]


def moment_of(reading: bytes) -> int:
    """When it was measured: milliseconds since 1970. The text must be one of `Fleet.messages`."""
    begin = reading.index(_TIME) + len(_TIME)
    moment = datetime.fromisoformat(reading[begin : begin + _TIME_LENGTH].decode())
    return (moment - _EPOCH) // _MILLISECOND


def yesterday() -> datetime:
    """The start of the newest day of which all hours are closed."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=1)
