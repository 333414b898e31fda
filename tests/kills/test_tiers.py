"""Uploads and clean-ups end by SIGKILL at every call that writes; no row is lost or doubled,
and no file that the table names is ever missing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.kills.conftest import KILLED, Case
from tests.kills.strikes import strikes, survive_all
from tests.kills.tiers import expected

# Final files are written beside each other.
_BESIDE = ("create",)
_ROWS = set(expected())
_LATE = 100
_OLD = 1_000_000

type NewCase = Callable[[], Case]


def once(rows: list[int]) -> set[int]:
    """The rows, each of which must be there once."""
    assert len(set(rows)) == len(rows), "doubled"
    return set(rows)


def check(outcome: dict[str, Any], rows: set[int]) -> None:
    """What is named is there and complete, raw files are merged, and nothing stands beside."""
    assert once(outcome["rows"]) == rows
    assert once(outcome["seen"]) == rows
    assert outcome["beside"] == []
    assert not [path for path in outcome["named"] if path.startswith("raw/")]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("task", "files", "cleanups", "kinds"),
    [
        ("tiers_upload_until_killed", 200, 1, {"create", "commit"}),
        ("tiers_upload_until_killed", 1, 1, {"create", "commit"}),
        # One drops dates, the next their files.
        ("tiers_clean_until_killed", 200, 2, {"put", "commit", "delete", "trim"}),
    ],
    ids=["upload of files of sensors", "upload of shared files", "clean-up"],
)
def test_a_kill_at_every_call(
    new_case: NewCase, task: str, files: int, cleanups: int, kinds: set[str]
) -> None:
    calls = new_case().run(task, at=None, after=False, files=files)
    struck = strikes(calls, _BESIDE)
    assert {calls[at].split()[0] for at, _ in struck} >= kinds

    def story(at: int, after: bool) -> None:
        case = new_case()
        assert case.run(task, at=at, after=after, files=files) == KILLED
        outcome = case.run("tiers_finish", cleanups=cleanups)
        assert once(outcome["before"]) - {_OLD} == _ROWS
        check(outcome, _ROWS | {_LATE})

    survive_all(calls, struck, story)


@pytest.mark.parametrize("leases", [True, False], ids=["leases", "no leases"])
def test_two_uploads_and_a_flush_at_once(new_case: NewCase, leases: bool) -> None:
    """While one reads all the time. Without leases the tables' own check must do; what the uploads then write
    in vain is left for the clean-up."""
    case = new_case()
    laps = 12
    case.run("tiers_flush_in_laps", laps=1, leases=True)
    with ThreadPoolExecutor(4) as pool:
        uploads = [pool.submit(case.run, "tiers_upload_in_laps", leases=leases) for _ in range(2)]
        reader = pool.submit(case.run, "tiers_read_in_laps")
        pool.submit(case.run, "tiers_flush_in_laps", laps=laps, leases=leases).result()
        assert all(upload.result() >= 0 for upload in uploads)
        assert reader.result() >= 0
    found = case.run("tiers_look")
    assert once(found["rows"]) == once(found["seen"]) == set(range(laps * 2))
    assert not [path for path in found["named"] if path.startswith("raw/")]


def test_a_clean_up_beside_uploads_and_flushes(new_case: NewCase) -> None:
    case = new_case()
    laps = 12
    case.run("tiers_flush_in_laps", laps=1, leases=True)
    with ThreadPoolExecutor(3) as pool:
        flushes = pool.submit(case.run, "tiers_flush_in_laps", laps=laps, leases=True)
        upload = pool.submit(case.run, "tiers_upload_in_laps", leases=True)
        cleaning = pool.submit(case.run, "tiers_clean_in_laps")
        flushes.result()
        assert upload.result() >= 0
        cleaning.result()
    found = case.run("tiers_look")
    assert once(found["rows"]) == set(range(laps * 2))
