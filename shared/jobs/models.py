"""What a job is, and its id."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

NOTHING: Mapping[str, Any] = MappingProxyType({})

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_MIRRORED = str.maketrans(_ALPHABET, _ALPHABET[::-1])
_ID = re.compile(rf"(?P<kind>[a-z][a-z_]*)-(?P<moment>[{_ALPHABET}]{{26}})", re.ASCII)


class Status(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def active(self) -> bool:
        """Whether there is something to come."""
        return self in (Status.QUEUED, Status.RUNNING)


@dataclass(frozen=True, slots=True)
class Job:
    """One job. Times are aware, in UTC.

    `touched_at`: when its runner last said that it lives, or while it is queued, when its message can be
    seen. `attempts` counts how often work began without getting to an end of its own since. `claim` names
    the run that holds it. `state` is what its handler needs to go on where another left off.
    """

    id: str
    kind: str
    status: Status
    created_at: datetime
    touched_at: datetime
    parameters: Mapping[str, Any] = field(default=NOTHING)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempts: int = 0
    instance: str | None = None
    claim: str = ""
    done: int | None = None
    total: int | None = None
    unit: str = ""
    outcome: Mapping[str, Any] = field(default=NOTHING)
    state: Mapping[str, Any] = field(default=NOTHING)
    error: str | None = None
    cancel_asked: bool = False


def new_id(kind: str, now: datetime) -> str:
    """`<kind>-<moment>`: 26 characters of a ULID in lower case, which sort by time."""
    number = int(now.timestamp() * 1000) << 80 | secrets.randbits(80)
    return f"{kind}-" + "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def kind_of(job_id: str) -> str | None:
    """The kind of the job that is called so; None for what is no job's id."""
    form = _ID.fullmatch(job_id)
    return form["kind"] if form else None


def moment_of(job_id: str) -> str:
    """The part of a job's id that sorts by time, among jobs of all kinds."""
    return job_id.rpartition("-")[2]


def newest_first(moment: str) -> str:
    """`moment` so that later ones sort before earlier ones; applied twice it is `moment` again."""
    return moment.translate(_MIRRORED)
