"""A job that replays dead letters ends by SIGKILL before every call that writes: to blobs, tables, the queue
and Delta. Each letter becomes rows once, and the job is counted once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.kills.conftest import KILLED, Case
from tests.kills.replays import LETTERS, ROWS
from tests.kills.strikes import strikes, survive_all

# All rows but the one that was good in the past.
_REPLAYED = len(ROWS) - 1


def check(outcome: dict[str, Any]) -> None:
    for name, expected in (("rows", ROWS), ("letters", LETTERS)):
        places = [tuple(place) for place in outcome[name]]
        assert len(set(places)) == len(places), f"doubled {name}"
        assert set(places) == expected
    assert outcome["rolled_up"] == len(ROWS)
    assert (outcome["status"], outcome["left"], outcome["total_rows"]) == ("succeeded", [], _REPLAYED)


@pytest.mark.timeout(300)
def test_a_kill_at_every_call(new_case: Callable[[], Case]) -> None:
    whole = new_case()
    calls = whole.run("replays_until_killed", at=None, after=False)
    check(whole.run("replays_finish"))
    assert {call.split()[0] for call in calls} >= {"put", "delete", "take", "commit", "insert", "send"}

    def story(at: int, after: bool) -> None:
        case = new_case()
        assert case.run("replays_until_killed", at=at, after=after) == KILLED
        check(case.run("replays_finish"))

    survive_all(calls, strikes(calls), story)
