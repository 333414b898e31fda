"""Several hosts of one app on one broker."""

from collections.abc import Callable

import pytest

from tests.host.running import APPS, RunningHost, wait_until
from tests.host.topics import Topic

DEPOT = APPS / "depot"


@pytest.fixture
def topic(kafka_bootstrap: str, unique: str) -> Topic:
    return Topic(kafka_bootstrap, unique).create(4)


@pytest.fixture
def host(
    start_host: Callable[..., RunningHost], kafka_bootstrap: str, topic: Topic
) -> Callable[[str], RunningHost]:
    return lambda parts: start_host(DEPOT, kafka_bootstrap, DEPOT_PARTS=parts, DEPOT_TOPIC=topic.name).ready()


def partitions_of(host: RunningHost, function: str, pid: int) -> set[str]:
    return {told["partition"] for told in host.reports(function, pid=pid)}


def test_two_hosts_share_the_partitions_and_every_event_is_seen(
    host: Callable[[str], RunningHost], topic: Topic
) -> None:
    first = host("batches")
    for partition in range(4):
        topic.send(map(str, range(100)), partition)
    wait_until(lambda: all(topic.committed("batches", partition) == 100 for partition in range(4)))
    second = host("batches")

    def both_work() -> bool:
        for partition in range(4):
            topic.send(["more"], partition)
        pids = {told["pid"] for told in first.reports("batches")}
        return pids == {first.process.pid, second.process.pid}

    wait_until(both_work)
    assert second.stop() == 0
    for partition in range(4):
        topic.send(["last"], partition)
    seen: dict[str, list[int]] = {}

    def all_seen() -> bool:
        seen.clear()
        for told in first.reports("batches", phase="end"):
            seen.setdefault(told["partition"], []).extend(told["offsets"])
        last = [
            told["partition"] for told in first.reports("batches", phase="end") if "last" in told["bodies"]
        ]
        return len(set(last)) == 4

    wait_until(all_seen)
    # Released after a commit: nothing is missing, and nothing was given twice.
    assert all(offsets == list(range(len(offsets))) for offsets in seen.values())


def test_a_batch_that_retries_is_given_to_the_new_owner(
    host: Callable[[str], RunningHost], topic: Topic
) -> None:
    first = host("stubborn")
    first.set_mood("fail")
    for partition in range(4):
        topic.send(["a"], partition)
    wait_until(lambda: len(partitions_of(first, "stubborn", first.process.pid)) == 4)
    second = host("stubborn")
    taken = wait_until(lambda: partitions_of(first, "stubborn", second.process.pid))
    first.set_mood("ok")
    wait_until(lambda: all(topic.committed("stubborn", partition) == 1 for partition in range(4)))
    ended = first.reports("stubborn", phase="end")
    assert sorted(told["partition"] for told in ended) == ["0", "1", "2", "3"]
    assert taken <= {told["partition"] for told in ended if told["pid"] == second.process.pid}
