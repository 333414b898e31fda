"""Where instances report what they counted: one table row each, and one that holds those of the dead.

A row is closed before it is folded: from then on its instance cannot write to it, starts another one, and
counts there only what came after. The base row names what was folded into it, so a reader never takes a row
twice, wherever a fold was killed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from shared.platform.state_tables import METRICS
from shared.platform.tables import Row, RowChanged, RowExists, RowGone, Tables, Value
from shared.telemetry.instruments import Totals
from shared.telemetry.last_minute import Minute, Produced
from shared.telemetry.totals import decode, encode

REPORTS = "reports"
BASE = "base"
_BASE_KEY = "totals"
# A table takes 64 KiB in one value.
_CHUNK = 60_000
_PAGE = 1000
# A report of this age says what its instance does now.
RECENT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Report:
    """One instance's row as it was read; `number` counts its instance's attempts to write."""

    key: str
    number: int
    totals: Totals
    produced: Minute
    updated_at: datetime
    closed: bool
    row: Row


class Folded(msgspec.Struct, frozen=True):
    """Since when a report is in the base row, and the number of the attempt that wrote it."""

    when: datetime
    number: int


@dataclass(frozen=True, slots=True)
class Base:
    """The totals of instances that are gone, and which reports are in them."""

    totals: Totals
    folded: Mapping[str, Folded]
    row: Row | None


def report_row(
    key: str,
    number: int,
    totals: Totals,
    produced: Minute,
    now: datetime,
    *,
    closed: bool = False,
    etag: str = "",
) -> Row:
    """The row of a report."""
    values: dict[str, Value] = {
        "number": number,
        "updated_at": now,
        "closed": closed,
        "produced": msgspec.json.encode(produced),
        **_chunks(totals),
    }
    return Row(REPORTS, key, values, etag)


def read_report(row: Row) -> Report:
    """The report in `row`."""
    updated_at, produced, number = row.time("updated_at"), row.values["produced"], row.values["number"]
    assert updated_at is not None
    assert isinstance(number, int)
    assert isinstance(produced, bytes)
    return Report(
        row.key,
        number,
        _totals(row),
        msgspec.json.decode(produced, type=Minute),
        updated_at,
        bool(row.values["closed"]),
        row,
    )


def reports(tables: Tables) -> Iterator[Report]:
    """All of them. Blocks."""
    after = ""
    while True:
        page = tables.query(METRICS, REPORTS, after=after, limit=_PAGE)
        yield from map(read_report, page)
        if len(page) < _PAGE:
            return
        after = page[-1].key


def read_base(tables: Tables) -> Base:
    """The base row, empty where there is none yet. Blocks."""
    try:
        row = tables.get(METRICS, BASE, _BASE_KEY)
    except RowGone:
        return Base({}, {}, None)
    folded = row.values["folded"]
    assert isinstance(folded, bytes)
    return Base(_totals(row), msgspec.json.decode(folded, type=dict[str, Folded]), row)


def write_base(tables: Tables, before: Base, totals: Totals, folded: Mapping[str, Folded]) -> bool:
    """Puts these in the place of `before`; False where another was quicker. Blocks."""
    values: dict[str, Value] = {"folded": msgspec.json.encode(folded), **_chunks(totals)}
    try:
        if before.row is None:
            tables.insert(METRICS, Row(BASE, _BASE_KEY, values))
        else:
            tables.replace(METRICS, Row(BASE, _BASE_KEY, values, before.row.etag))
    except (RowExists, RowChanged, RowGone):
        return False
    return True


def _chunks(totals: Totals) -> dict[str, Value]:
    data = encode(totals)
    return {f"totals{start // _CHUNK}": data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK)}


def _totals(row: Row) -> Totals:
    count = sum(name.startswith("totals") for name in row.values)
    chunks = [row.values[f"totals{i}"] for i in range(count)]
    return decode(b"".join(chunk for chunk in chunks if isinstance(chunk, bytes)))


@dataclass(frozen=True, slots=True)
class Seen:
    """What all instances counted together, what they produced in the last minute, and how many reported."""

    totals: Totals
    produced: Produced
    instances: int
