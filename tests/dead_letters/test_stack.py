"""Dead letters on a running stack: from a bad message to its bytes, and through a replay."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer

from tests.stack.running import RunningStack

pytestmark = pytest.mark.stack


@pytest.fixture
def api(stack: RunningStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.info["http_url"], timeout=60) as client:
        yield client


def produce(stack: RunningStack, topic: str, body: bytes) -> None:
    producer = Producer({"bootstrap.servers": stack.info["kafka_bootstrap"], "log_level": 0})
    producer.produce(topic, body)
    assert producer.flush(15) == 0


def ended(stack: RunningStack, api: httpx.Client, job_id: str) -> dict[str, Any]:
    """The job, once it ended."""

    def look() -> dict[str, Any] | None:
        job = api.get(f"/storage/jobs/{job_id}").raise_for_status().json()
        return None if job["status"] in ("queued", "running") else job

    return stack.wait_until(look, 90, f"the end of {job_id}")


def walked(api: httpx.Client, path: str, name: str) -> list[str]:
    """The ids on all pages, by the links between them."""
    found: list[str] = []
    target = f"{path}?limit=3"
    while target:
        answer = api.get(target).raise_for_status()
        found += [one["id"] for one in answer.json()[name]]
        target = answer.links.get("next", {}).get("url", "")
    return found


def test_from_a_bad_message_to_a_replay_that_leaves_it(stack: RunningStack, api: httpx.Client) -> None:
    """What is still dead by today's decoder stays, with its id and its bytes."""
    mark = uuid.uuid4().hex
    body = b'["no event \x07 ' + mark.encode() + b'",{"data":{}}]'
    produce(stack, "events.page_view", body)

    def listed() -> dict[str, Any] | None:
        answer = api.get("/dead-letters", params={"topic": "events.page_view", "limit": 1000})
        letters = answer.raise_for_status().json()["dead_letters"]
        return next((letter for letter in letters if mark in letter["preview"]), None)

    letter = stack.wait_until(listed, 30, "the dead letter")
    assert letter["reason"] == "not_an_object"
    assert (letter["index"], letter["items"]) == (0, 1)
    assert "\x07" not in letter["preview"]

    found = api.get(f"/dead-letters/{letter['id']}").raise_for_status()
    assert mark.encode() in base64.b64decode(found.json()["body_base64"])
    raw = api.get(f"/dead-letters/{letter['id']}", headers={"Accept": "application/octet-stream"})
    assert raw.content == base64.b64decode(found.json()["body_base64"])
    assert raw.headers["Content-Type"] == "application/octet-stream"
    assert raw.headers["X-Content-Type-Options"] == "nosniff"
    assert raw.headers["Content-Disposition"].startswith("attachment;")

    wanted = {"topic": "events.page_view", "start_time": letter["ingestion_time"]}
    started = api.post("/dead-letters/replay", json=wanted)
    assert started.status_code == 202
    job = ended(stack, api, started.json()["job"]["id"])
    assert (job["status"], job["outcome"]["rows"]) == ("succeeded", 0), job
    assert sum(job["outcome"]["still_dead"].values()) >= 1
    again = api.get(f"/dead-letters/{letter['id']}").raise_for_status().json()
    assert again == found.json()


def test_uploads_and_clean_ups_are_jobs(stack: RunningStack, api: httpx.Client) -> None:
    asset = f"plant-{uuid.uuid4().hex}"
    produce(stack, "sensor-data", b'{"asset":"%s","sensor":"s","value":1}' % asset.encode())
    flushed = api.post("/storage/flush").raise_for_status().json()
    upload = api.post("/upload/trigger").raise_for_status().json()
    assert (upload["status"], set(upload)) == (
        "started",
        {"status", "message", "files_to_process", "job_id"},
    )
    assert upload["message"] == f"Upload of {upload['files_to_process']} files started in background"
    job = ended(stack, api, upload["job_id"])
    assert job["status"] == "succeeded", job
    assert job["progress"]["done"] == job["progress"]["total"] >= 1
    assert job["outcome"]["files_merged"] >= 1
    names = [file["name"] for file in api.get("/azure/files", params={"prefix": asset}).json()["files"]]
    assert len(names) == 1
    cleanup = api.post("/cleanup/trigger").raise_for_status().json()
    assert ended(stack, api, cleanup["job_id"])["status"] == "succeeded"
    listed = [one["id"] for one in api.get("/storage/jobs", params={"limit": 1000}).json()["jobs"]]
    moments = [one.rpartition("-")[2] for one in listed]
    assert moments == sorted(moments, reverse=True)
    assert {cleanup["job_id"], upload["job_id"]} <= set(listed)
    assert walked(api, "/storage/jobs", "jobs")[-len(listed) :] == listed  # newer ones may have come since
    ended_before = api.post(f"/storage/jobs/{upload['job_id']}/cancel")
    assert (ended_before.status_code, ended_before.json()) == (409, {"detail": "The job has ended"})
    if flushed["job_id"] is not None:  # else the timer was first
        job = api.get(f"/storage/jobs/{flushed['job_id']}").json()
        assert (job["kind"], job["outcome"]["files"]) == ("flush", flushed["files_flushed"])


def test_what_is_no_job_is_told_in_the_references_form(api: httpx.Client) -> None:
    for path in ("/storage/jobs/upload-" + "0" * 26, "/storage/jobs/none"):
        answer = api.get(path)
        assert (answer.status_code, answer.json()) == (404, {"detail": "There is no such job"})
    gone = api.get("/dead-letters/AAAA")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "NOT_FOUND")
    wrong = api.post("/dead-letters/replay", json={"reason": "because"})
    assert (wrong.status_code, wrong.json()["error"]["details"]["field"]) == (400, "reason")
