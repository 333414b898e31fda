"""Each family's form, and the table from exceptions to HTTP."""

from __future__ import annotations

import pytest

from functions._http.failures import TABLE, failure_of, kind_of
from functions._http.families import (
    ANALYTICS,
    COLD_STORAGE,
    INGESTION,
    RESOURCES,
    TASKS,
    Failure,
    Family,
    family_of,
)
from shared.platform import errors

FAILURE = Failure(
    400, "VALIDATION_ERROR", "Invalid request", "limit: too big", {"field": "limit"}, "req_1", "T"
)
OBJECT = {
    "error": {
        "code": "VALIDATION_ERROR",
        "message": "limit: too big",
        "details": {"field": "limit"},
        "timestamp": "T",
        "request_id": "req_1",
    },
    "request_id": "req_1",
}


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        (COLD_STORAGE, {"detail": "limit: too big"}),
        (ANALYTICS, {"error": "Invalid request", "details": "limit: too big"}),
        (RESOURCES, OBJECT),
        (TASKS, OBJECT),
        (
            INGESTION,
            {
                "success": False,
                "error": {
                    "code": "VALIDATION_ERROR",
                    "message": "limit: too big",
                    "details": {"field": "limit"},
                },
                "timestamp": "T",
                "request_id": "req_1",
            },
        ),
    ],
)
def test_each_family_writes_errors_as_its_reference_does(family: Family, expected: object) -> None:
    assert family.render(FAILURE) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("UNAUTHORIZED", "AUTHENTICATION_ERROR"),
        ("FORBIDDEN", "AUTHORIZATION_ERROR"),
        ("RATE_LIMITED", "RATE_LIMIT_EXCEEDED"),
        ("NOT_FOUND", "NOT_FOUND"),
    ],
)
def test_ingestion_has_names_of_its_own_for_some_codes(code: str, expected: str) -> None:
    body = INGESTION.render(Failure(0, code, "", "", {}, "", ""))
    assert body["error"]["code"] == expected


@pytest.mark.parametrize(
    ("path", "family"),
    [
        ("/api/v1/sources", INGESTION),
        ("/API/V1", INGESTION),
        ("/api/v10", ANALYTICS),
        ("/api/events", ANALYTICS),
        ("/api", ANALYTICS),
        ("/health", COLD_STORAGE),
        ("/metrics", COLD_STORAGE),
        ("/metrics/system", TASKS),
        ("/metrics/tasks/", TASKS),
        ("/storage/flush", COLD_STORAGE),
        ("/upload/trigger", COLD_STORAGE),
        ("/cleanup/trigger", COLD_STORAGE),
        ("/azure/files", COLD_STORAGE),
        ("/resources", RESOURCES),
        ("/resources/1/metrics", RESOURCES),
        ("/kafka/metrics", RESOURCES),
        ("/system/metrics", RESOURCES),
        ("/events/stream", RESOURCES),
        ("/auth/login", TASKS),
        ("/tasks/1", TASKS),
        ("/healthy", TASKS),
        ("/", TASKS),
        ("/docs", TASKS),
        ("/dashboard", ANALYTICS),
        ("/dashboard/main.js", ANALYTICS),
        ("/dashboards", TASKS),
    ],
)
def test_the_family_follows_from_the_path(path: str, family: Family) -> None:
    assert family_of(path) is family


def tree(root: type[Exception]) -> list[type[Exception]]:
    return [root, *(below for child in root.__subclasses__() for below in tree(child))]


@pytest.mark.parametrize("error", tree(errors.FloeError))
def test_every_error_has_its_row(error: type[Exception]) -> None:
    """What the table does not name shows as its nearest base, and settings as an internal error."""
    named = [base for base in error.__mro__ if base in TABLE]
    expected = {
        "FloeError": 500,
        "SettingsError": 500,
        "BrokerUnavailable": 503,
        "StorageUnavailable": 503,
        "LeaseHeld": 503,
    }
    status = kind_of(error.__new__(error)).status
    assert status == expected.get(error.__name__, TABLE[named[0]].status)
    assert (status == 500) == (error.__name__ in {"FloeError", "SettingsError"})


def test_an_unforeseen_error_tells_nothing_but_the_request_id() -> None:
    known = failure_of(KeyError("secret"), "req_9")
    assert known.message == "The request failed inside; its id in the log is req_9"
    assert known.details == {}
