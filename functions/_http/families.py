"""The families of the API: each writes successes and errors in the form of the reference it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Failure:
    """An error on its way out; `details` is safe to show, `text` is the short text of 002."""

    status: int
    code: str
    text: str
    message: str
    details: Mapping[str, Any]
    request_id: str
    timestamp: str


Body = dict[str, Any]

# 001 names three codes otherwise than 004 does.
_INGESTION_CODES = {
    "UNAUTHORIZED": "AUTHENTICATION_ERROR",
    "FORBIDDEN": "AUTHORIZATION_ERROR",
    "RATE_LIMITED": "RATE_LIMIT_EXCEEDED",
}


def _detail(failure: Failure) -> Body:
    return {"detail": failure.message}


def _enveloped(failure: Failure) -> Body:
    return {
        "success": False,
        "error": {
            "code": _INGESTION_CODES.get(failure.code, failure.code),
            "message": failure.message,
            "details": failure.details,
        },
        "timestamp": failure.timestamp,
        "request_id": failure.request_id,
    }


def _texts(failure: Failure) -> Body:
    return {"error": failure.text, "details": failure.message}


def _object(failure: Failure) -> Body:
    error = {
        "code": failure.code,
        "message": failure.message,
        "details": failure.details,
        "timestamp": failure.timestamp,
        "request_id": failure.request_id,
    }
    return {"error": error, "request_id": failure.request_id}


def envelope(body: bytes, message: str, timestamp: str, request_id: str) -> bytes:
    """001's envelope around a body that is JSON already."""
    tail = msgspec.json.encode({"message": message, "timestamp": timestamp, "request_id": request_id})
    return b'{"success":true,"data":' + (body or b"null") + b"," + tail[1:]


@dataclass(frozen=True, slots=True)
class Family:
    """One reference's form; `enveloped` families put successes into 001's envelope too."""

    name: str
    title: str
    render: Callable[[Failure], Body]
    enveloped: bool = False


COLD_STORAGE = Family("ColdStorage", "Sensor cold storage", _detail)
INGESTION = Family("Ingestion", "Ingestion", _enveloped, enveloped=True)
ANALYTICS = Family("Analytics", "Event streaming and analytics", _texts)
RESOURCES = Family("Resources", "Cloud resources", _object)
TASKS = Family("Tasks", "Users, tasks and files", _object)

FAMILIES = (COLD_STORAGE, INGESTION, ANALYTICS, RESOURCES, TASKS)

# First match wins; a prefix takes what stands below it too.
_PREFIXES = (
    ("api/v1", INGESTION),
    ("api", ANALYTICS),
    # A page of many files, which the few requests that a plan without a key has would not bring.
    ("dashboard", ANALYTICS),
    ("metrics/system", TASKS),
    ("metrics/tasks", TASKS),
    *((prefix, COLD_STORAGE) for prefix in ("health", "metrics", "upload", "cleanup", "storage", "azure")),
    *((prefix, RESOURCES) for prefix in ("resources", "kafka", "system", "events")),
    # In no reference; its errors say most.
    ("dead-letters", TASKS),
)


def family_of(path: str) -> Family:
    """The family that a path belongs to; TASKS, whose errors say most, where no reference names it."""
    wanted = path.strip("/").lower() + "/"
    return next((family for prefix, family in _PREFIXES if wanted.startswith(prefix + "/")), TASKS)
