"""The timers start a job where there is something to do, and write nothing where there is not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from functions.timers import clean_up_storage, resume_jobs, upload_closed_hours
from shared import runtime
from tests.jobs.world import JobWorld


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> JobWorld:
    world = JobWorld(upload=lambda context: None, cleanup=lambda context: None)
    monkeypatch.setattr(runtime, "jobs", world.jobs)
    return world


def work(monkeypatch: pytest.MonkeyPatch, files: int, due: bool) -> None:
    asked: dict[str, Any] = {
        "upload_work": SimpleNamespace(pending=lambda closed_only: files if closed_only else 1000),
        "cleanup_work": SimpleNamespace(due=lambda: due),
    }
    for name, answer in asked.items():
        monkeypatch.setattr(runtime, name, lambda answer=answer: answer)


def tick() -> None:
    for timer in (
        upload_closed_hours.upload_closed_hours,
        clean_up_storage.clean_up_storage,
        resume_jobs.resume_jobs,
    ):
        timer._function.get_user_function()(None)


def test_without_anything_to_do_nothing_is_written(world: JobWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    work(monkeypatch, files=0, due=False)
    tick()
    assert world.tables.rows == {}
    assert {call.split()[0] for call in world.tables.calls} == {"query"}
    assert world.queues.messages == []


def test_each_starts_the_job_of_its_kind(world: JobWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    work(monkeypatch, files=3, due=True)
    tick()
    tick()
    started = {job.kind: job.parameters for job in world.jobs().list(None, None, 10)}
    assert started == {"upload": {"closed_only": True}, "cleanup": {}}
    assert len(world.queues.messages) == 2
