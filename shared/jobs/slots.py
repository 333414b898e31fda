"""Jobs in a table: for each kind one slot with the job of now, and a history.

A slot is one row that holds the kind's newest job, whether that stands in the history yet, and the kind's
totals. Taking a job, renewing it and ending it are each one conditional write of that row, so a job has one
holder, and the totals count it once, whatever dies in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import msgspec

from shared.jobs.models import NOTHING, Job, Status, moment_of, newest_first
from shared.platform.state_tables import JOBS
from shared.platform.tables import Row, RowChanged, RowExists, RowGone, Tables, Value

_SLOTS = "slots"
_PLAIN = ("id", "kind", "status", "created_at", "touched_at", "attempts", "claim", "unit", "cancel_asked")
_MAPPINGS = ("parameters", "outcome", "state")
_OPTIONAL = ("started_at", "finished_at", "instance", "done", "total", "error")


class SlotChanged(Exception):
    """Another instance wrote the slot first."""


@dataclass(frozen=True, slots=True)
class Slot:
    """The newest job of a kind, the totals of all, and the version of the row that says so."""

    job: Job
    archived: bool = False
    totals: Mapping[str, int] = field(default=NOTHING)
    etag: str = ""


class Slots:
    """The rows. Every method blocks, and raises StorageUnavailable when storage does not answer."""

    def __init__(self, tables: Tables, retention: timedelta) -> None:
        self._tables = tables
        self._retention = retention

    def find(self, kind: str) -> Slot | None:
        """The slot of `kind`; None where no job of the kind ever was."""
        with suppress(RowGone):
            return _slot(self._tables.get(JOBS, _SLOTS, kind))
        return None

    def all(self) -> list[Slot]:
        """The slots of all kinds."""
        return [_slot(row) for row in self._tables.query(JOBS, _SLOTS)]

    def write(self, slot: Slot) -> Slot:
        """Writes the slot over the version that was read, or as the kind's first; raises SlotChanged."""
        row = Row(_SLOTS, slot.job.kind, _slot_values(slot), slot.etag)
        try:
            written = self._tables.replace(JOBS, row) if slot.etag else self._tables.insert(JOBS, row)
        except (RowChanged, RowExists, RowGone):
            raise SlotChanged(slot.job.kind) from None
        return replace(slot, etag=written.etag)

    def archive(self, slot: Slot) -> None:
        """Puts the ended job of `slot` into the history; to do so twice changes nothing."""
        self.add(slot.job)
        with suppress(SlotChanged):  # another did, or a new job is there already
            self.write(replace(slot, archived=True))

    def add(self, job: Job) -> None:
        """Puts an ended job into the history."""
        assert job.finished_at is not None
        values: dict[str, Value] = {**_values(job), "expires_at": job.finished_at + self._retention}
        with suppress(RowExists):
            self._tables.insert(JOBS, Row(job.kind, newest_first(moment_of(job.id)), values))

    def ended(self, job_id: str, kind: str) -> Job | None:
        """The job in the history; None where there is none."""
        with suppress(RowGone):
            return _job(self._tables.get(JOBS, kind, newest_first(moment_of(job_id))))
        return None

    def history(self, kind: str, before: str | None, limit: int) -> list[Job]:
        """The newest ended jobs of a kind, of those older than the moment `before`."""
        after = newest_first(before) if before else ""
        return [_job(row) for row in self._tables.query(JOBS, kind, after=after, limit=limit)]


def _slot(row: Row) -> Slot:
    totals = msgspec.json.decode(row.text("totals") or "{}", type=dict[str, int])
    return Slot(_job(row), bool(row.values["archived"]), totals, row.etag)


def _slot_values(slot: Slot) -> dict[str, Value]:
    totals = msgspec.json.encode(dict(slot.totals)).decode()
    return {**_values(slot.job), "archived": slot.archived, "totals": totals}


def _values(job: Job) -> dict[str, Value]:
    optional = {name: getattr(job, name) for name in _OPTIONAL}
    return {
        **{name: getattr(job, name) for name in _PLAIN},
        **{name: _text(getattr(job, name)) for name in _MAPPINGS},
        **{name: value for name, value in optional.items() if value is not None},
        "status": job.status.value,
    }


def _job(row: Row) -> Job:
    given: dict[str, Any] = {name: row.values[name] for name in _PLAIN}
    given |= {name: msgspec.json.decode(row.text(name)) for name in _MAPPINGS}
    given |= {name: row.values.get(name) for name in _OPTIONAL}
    return Job(**{**given, "status": Status(given["status"])})


def _text(mapping: Mapping[str, Any]) -> str:
    return msgspec.json.encode(dict(mapping)).decode()
