"""Processes end by SIGKILL at every call that writes to storage and to Delta; nothing is lost and nothing is
doubled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from devstack.provision import make_topics
from tests.kills.conftest import KILLED, Case
from tests.kills.deliveries import DEAD_LETTERS, PARTITIONS, ROWS
from tests.kills.strikes import strikes, survive_all

# Segments of a batch, and files of a commit, are written beside each other.
_BESIDE = ("put",)

type NewCase = Callable[[], Case]


def once(places: Iterable[Any]) -> set[Any]:
    """The rows, each of which must be there once."""
    counts = Counter(map(tuple, places))
    assert not [place for place, count in counts.items() if count > 1], "doubled"
    return set(counts)


def by_type(rows: set[Any]) -> dict[str, int]:
    return dict(Counter(row[0] for row in rows))


def check_finished(outcome: dict[str, Any]) -> None:
    assert once(outcome["rows"]) == ROWS
    assert once(outcome["dead_letters"]) == DEAD_LETTERS
    assert outcome["rolled_up"] == by_type(ROWS)
    assert outcome["left"] == []


def check_seen(outcome: dict[str, Any]) -> None:
    """Right after the kill, a reader saw all that was acknowledged, once, and so did the roll-ups."""
    seen = once(outcome["before"])
    assert outcome["counted"] == by_type(seen)
    assert seen <= ROWS
    for partition in PARTITIONS:
        acknowledged = {row for row in partition.rows() if row[2] < outcome["acknowledged"][partition.key]}
        assert acknowledged <= seen


def test_the_story_without_a_kill(new_case: NewCase) -> None:
    case = new_case()
    calls = case.run("flush_until_killed", at=None, after=False, count=4)
    assert [call for call in calls if call.startswith("commit")] == [
        "commit to events",
        "commit to rollups",
        "commit to dead-letters",
    ]
    found = case.run("look")
    check_finished(found)
    assert once(found["seen"]) == ROWS


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("task", "kinds"),
    [("land_until_killed", {"put"}), ("flush_until_killed", {"put", "create", "commit", "delete"})],
)
def test_a_kill_at_every_call(new_case: NewCase, task: str, kinds: set[str]) -> None:
    """The next process takes what is redelivered in batches of another size."""
    calls = new_case().run(task, at=None, after=False, count=4)
    struck = strikes(calls, _BESIDE)
    assert {calls[at].split()[0] for at, _ in struck} >= kinds

    def story(at: int, after: bool) -> None:
        case = new_case()
        assert case.run(task, at=at, after=after, count=4) == KILLED
        outcome = case.run("finish", count=3)
        check_seen(outcome)
        check_finished(outcome)

    survive_all(calls, struck, story)


@pytest.mark.parametrize("leases", [True, False], ids=["leases", "no leases"])
def test_two_writers_at_once(new_case: NewCase, leases: bool) -> None:
    """Two processes flush one table while a third lands, everything three times in other batches; without
    leases the tables' own check must do."""
    case = new_case()
    case.run("prepare")
    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(case.run, "flush_in_laps", leases=leases) for _ in range(2)]
        pool.submit(case.run, "land_in_laps", laps=3).result()
        assert all(writer.result() >= 0 for writer in writers)
    check_finished(case.run("look"))


@pytest.mark.parametrize("flushed", [True, False], ids=["flushed", "landed"])
def test_a_hub_made_anew(new_case: NewCase, kafka_bootstrap: str, flushed: bool) -> None:
    """Its sequence numbers start at zero; the rows of both hubs are there."""
    case = new_case()
    case.common["topics"] = f"anew-{case.common['prefix']}"
    names = {f"{case.common['topics']}.{partition.topic}" for partition in PARTITIONS}
    make_topics(kafka_bootstrap, names, 1)
    case.run("prepare")
    case.run("land", count=4)
    if flushed:
        case.run("flush")
    delete_topics(kafka_bootstrap, names)
    make_topics(kafka_bootstrap, names, 1)
    for file in Path(case.common["checkpoints"]).iterdir():
        file.unlink()
    case.run("land", count=3)
    case.run("flush")
    case.run("land", count=5)
    found = case.run("look")
    for name, expected in (("rows", ROWS), ("dead_letters", DEAD_LETTERS), ("seen", ROWS)):
        assert Counter(map(tuple, found[name])) == dict.fromkeys(expected, 2)
    assert [kind for kind, _ in case.run("notices")] == ["hub_made_anew"] * 2


def delete_topics(bootstrap: str, names: set[str]) -> None:
    """Returns when the broker no longer knows them."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for done in admin.delete_topics(list(names)).values():
        done.result(20)
    while names & admin.list_topics(timeout=20).topics.keys():
        pass
