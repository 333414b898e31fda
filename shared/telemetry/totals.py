"""Totals of many metrics: added, subtracted, and written small enough for a table row."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import msgspec

from shared.telemetry.instruments import Labels, Numbers, Totals

_decode = msgspec.json.Decoder(dict[str, list[tuple[list[str], list[float]]]]).decode


def added(parts: Iterable[Totals]) -> Totals:
    """The sum of `parts`. Where bounds of a histogram changed between releases, the newest part's count."""
    total: dict[str, dict[Labels, Numbers]] = {}
    for part in parts:
        for name, series in part.items():
            into = total.setdefault(name, {})
            for labels, numbers in series.items():
                before = into.get(labels)
                fits = before is not None and len(before) == len(numbers)
                into[labels] = (
                    [a + b for a, b in zip(before, numbers, strict=True)] if fits and before else [*numbers]
                )
    return total


def without(total: Totals, part: Totals) -> Totals:
    """`total` less `part`, which it holds; series of which nothing is left are dropped."""
    negative = {
        name: {labels: [-number for number in numbers] for labels, numbers in series.items()}
        for name, series in part.items()
    }
    rest = added([total, negative])
    return {
        name: kept
        for name, series in rest.items()
        if (kept := {labels: numbers for labels, numbers in series.items() if any(numbers)})
    }


def encode(totals: Totals) -> bytes:
    """Compressed JSON."""
    plain = {
        name: [[labels, numbers] for labels, numbers in series.items()] for name, series in totals.items()
    }
    return zlib.compress(msgspec.json.encode(plain), 6)


def decode(data: bytes) -> Totals:
    """What `encode` wrote."""
    return {
        name: {tuple(labels): numbers for labels, numbers in series}
        for name, series in _decode(zlib.decompress(data)).items()
    }
