"""The app under Microsoft's worker library: every function is indexed, every trigger works."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from devstack.provision import make_containers, make_tables, make_topics
from shared.platform.state_tables import STATE_TABLES
from shared.streams import all_containers, all_topics
from shared.streams.events import EVENT_TYPES
from tests.architecture.imports import ROOT

# Of each topic a plain event and two of a pack; of the first topic the next messages too.
_LANDED = 3 * len(EVENT_TYPES) + 3


@pytest.fixture(scope="module")
def outcome(shared_home: Path, kafka_bootstrap: str, storage_connection_string: str) -> dict[str, Any]:
    """What `through_worker` tells, run once for all workers: it uses the streams' own containers."""
    note = shared_home / "official-runtime.json"
    with note.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not note.exists():
            make_topics(kafka_bootstrap, all_topics(), 2)
            make_containers(storage_connection_string, all_containers())
            make_tables(storage_connection_string, STATE_TABLES)
            note.write_text(_run(kafka_bootstrap, storage_connection_string))
    found: dict[str, Any] = json.loads(note.read_text())
    return found


def _run(kafka: str, storage: str) -> str:
    settings = {
        "PATH": os.environ["PATH"],
        "FLOE_AUTH": "local",
        "FLOE_KAFKA_BOOTSTRAP": kafka,
        "FLOE_STORAGE_CONNECTION_STRING": storage,
        "FLOE_FLUSH_SCHEDULE": "0 * * * * *",
        "FLOE_UPLOAD_SCHEDULE": "0 15 * * * *",
        "FLOE_CLEANUP_SCHEDULE": "0 45 * * * *",
        "FLOE_SCAN_SCHEDULE": "5 * * * * *",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.pipeline.through_worker"],
        cwd=ROOT,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_trigger_is_indexed(outcome: dict[str, Any]) -> None:
    functions = outcome["functions"]
    for event_type in EVENT_TYPES:
        trigger = functions[f"land_events_{event_type}"]
        assert (trigger["type"], trigger["eventHubName"]) == ("eventHubTrigger", f"events.{event_type}")
        assert (trigger["cardinality"], trigger["dataType"]) == ("MANY", "BINARY")
    hubs = [trigger["eventHubName"] for trigger in functions.values() if trigger["type"] == "eventHubTrigger"]
    assert sorted(hubs) == sorted(all_topics()), "every topic has one trigger"
    assert functions["flush_buffers"]["type"] == "timerTrigger"
    assert functions["flush_buffers"]["schedule"] == "0 * * * * *"


@pytest.mark.parametrize("moment", ["landed", "flushed"])
def test_what_the_hub_triggers_landed_is_found_once(outcome: dict[str, Any], moment: str) -> None:
    status, page = outcome[moment]
    assert (status, page["count"]) == (200, _LANDED)
    found = sorted((event["event_type"], event["event_id"]) for event in page["events"])
    expected = [(kind, name) for kind in EVENT_TYPES for name in ("plain", "pack-0", "pack-2")]
    again = [(kind, name) for kind, name in expected if kind == EVENT_TYPES[0]]
    assert found == sorted(expected + again)
    assert {event["metadata"]["ingestion_time"] for event in page["events"]} == {
        "2025-09-30T12:00:00.500000Z"
    }


def test_the_timer_left_nothing_for_the_flush_but_what_came_after(outcome: dict[str, Any]) -> None:
    status, flushed = outcome["flush_storage"]
    assert status == 200
    containers = sorted(name.split("/")[0] for name in flushed["files"])
    assert containers == ["dead-letters", "events-cold-storage"]
    assert outcome["again"][1]["count"] == _LANDED + 3


def test_events_are_acknowledged_by_the_broker(outcome: dict[str, Any]) -> None:
    status, accepted = outcome["create_event"]
    assert (status, accepted["topic"], accepted["event_id"]) == (200, "events.error", "posted")
    assert accepted["offset"] >= 0
    status, results = outcome["create_events"]
    assert (status, results["status"], results["count"]) == (207, "partial", 1)
    assert [result["status"] for result in results["results"]] == ["submitted", "rejected"]


def test_health_and_documentation(outcome: dict[str, Any]) -> None:
    status, health = outcome["get_health"]
    assert (status, health["service"]) == (200, "floe"), health
    assert health["status"] == "healthy", health
    status, document = outcome["get_openapi"]
    assert (status, document["openapi"][:3]) == (200, "3.1")
    assert outcome["get_docs"][0] == 200
