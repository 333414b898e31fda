"""Event Hub triggers on a real broker: batches, metadata, checkpoints and retries."""

from collections.abc import Callable

import pytest

from tests.host.running import APPS, RunningHost, wait_until
from tests.host.topics import Topic

DEPOT = APPS / "depot"


@pytest.fixture
def topic(kafka_bootstrap: str, unique: str) -> Topic:
    return Topic(kafka_bootstrap, unique)


@pytest.fixture
def host(
    start_host: Callable[..., RunningHost], kafka_bootstrap: str, topic: Topic
) -> Callable[..., RunningHost]:
    """Starts a host whose functions listen to the topic."""

    def start(parts: str, port: int = 0) -> RunningHost:
        return start_host(DEPOT, kafka_bootstrap, port, DEPOT_PARTS=parts, DEPOT_TOPIC=topic.name).ready()

    return start


def offsets(host: RunningHost, function: str = "batches", **fields: object) -> list[int]:
    """Of all batches that the function ended, in order."""
    return [offset for told in host.reports(function, phase="end", **fields) for offset in told["offsets"]]


def test_metadata_is_that_of_the_extension(host: Callable[..., RunningHost], topic: Topic) -> None:
    topic.create()
    topic.send(["first"], key='kéy"', headers={"kind": b"a", "twice": b"b"}, timestamp=1_700_000_000_120)
    topic.send([None, "third"], timestamp=1_700_000_001_000)
    running = host("metadata")
    wait_until(lambda: sum(len(told["bodies"]) for told in running.reports("many")) == 3)
    told = running.reports("many")[0]
    assert told["bodies"] == ["first", "", "third"]
    assert told["keys"] == ['kéy"', None, None]
    assert told["times"] == ["2023-11-14T22:13:20.120000", "2023-11-14T22:13:21", "2023-11-14T22:13:21"]
    metadata = told["metadata"]
    context = metadata["PartitionContext"]
    assert context["PartitionId"] == "0"
    assert context["EventHubName"] == topic.name
    assert context["ConsumerGroup"] == topic.name
    assert context["FullyQualifiedNamespace"]
    assert metadata["TriggerPartitionContext"] == {**context, "IsCheckpointingAfterInvocation": True}
    assert metadata["SystemPropertiesArray"][0] == {
        "SequenceNumber": 0,
        "Offset": 0,
        "OffsetString": "0",
        "PartitionKey": 'kéy"',
        "EnqueuedTimeUtc": "2023-11-14T22:13:20.12",
    }
    assert metadata["EnqueuedTimeUtcArray"][1] == "2023-11-14T22:13:21"
    assert metadata["SequenceNumberArray"] == [0, 1, 2]
    assert metadata["OffsetArray"] == metadata["OffsetStringArray"] == ["0", "1", "2"]
    assert metadata["PartitionKeyArray"] == ['kéy"', None, None]
    assert metadata["PropertiesArray"] == [{"kind": "a", "twice": "b"}, {}, {}]


def test_cardinality_one_gets_events_one_by_one(host: Callable[..., RunningHost], topic: Topic) -> None:
    topic.create()
    topic.send(["first"], key="key", timestamp=1_700_000_000_000)
    topic.send([None])
    running = host("metadata")
    first, second = wait_until(lambda: (told := running.reports("one")) and len(told) == 2 and told)
    assert (first["body"], first["key"], first["offset"]) == ("first", "key", 0)
    assert first["time"] == "2023-11-14T22:13:20"
    assert first["metadata"]["Offset"] == "0"
    assert first["metadata"]["PartitionContext"]["ConsumerGroup"] == topic.name
    assert (second["body"], second["key"], second["offset"]) == ("", None, 1)


def test_batches_are_in_order_bounded_and_checkpointed(
    host: Callable[..., RunningHost], topic: Topic
) -> None:
    topic.create(2)
    for partition in (0, 1):
        topic.send(map(str, range(500)), partition)
    running = host("batches")
    for partition in (0, 1):
        wait_until(lambda partition=partition: topic.committed("batches", partition) == 500)
        assert offsets(running, partition=str(partition)) == list(range(500))
    assert max(len(told["offsets"]) for told in running.reports("batches")) == 50


def test_batches_of_one_partition_never_overlap_and_partitions_do(
    host: Callable[..., RunningHost], topic: Topic
) -> None:
    topic.create(2)
    running = host("batches")
    running.set_mood("hang")
    for partition in (0, 1):
        topic.send(map(str, range(200)), partition)
    wait_until(lambda: {told["partition"] for told in running.reports("batches")} == {"0", "1"})
    assert len(running.reports("batches", phase="begin")) == 2
    running.set_mood("ok")
    wait_until(lambda: len(offsets(running)) == 400)
    for partition in ("0", "1"):
        phases = [told["phase"] for told in running.reports("batches", partition=partition)]
        assert phases == ["begin", "end"] * (len(phases) // 2)


def test_a_stuck_partition_neither_stops_nor_loses_others(
    host: Callable[..., RunningHost], topic: Topic
) -> None:
    topic.create(2)
    running = host("stubborn")
    running.set_mood("fail:0")
    for start in range(0, 2000, 500):
        for partition in (0, 1):
            topic.send(map(str, range(start, start + 500)), partition)
    wait_until(lambda: len(offsets(running, "stubborn", partition="1")) == 2000)
    running.set_mood("ok")
    wait_until(lambda: len(offsets(running, "stubborn", partition="0")) == 2000)
    assert offsets(running, "stubborn", partition="0") == list(range(2000))
    assert offsets(running, "stubborn", partition="1") == list(range(2000))


def test_without_retries_the_checkpoint_moves_past_a_failure(
    host: Callable[..., RunningHost], topic: Topic
) -> None:
    topic.create()
    running = host("batches")
    running.set_mood("fail")
    topic.send(["lost"])
    wait_until(lambda: topic.committed("batches") == 1)
    running.set_mood("ok")
    topic.send(["kept"])
    wait_until(lambda: offsets(running) == [1])
    assert len(running.reports("batches", phase="begin")) == 2


def test_a_function_timeout_is_a_failure(host: Callable[..., RunningHost], topic: Topic) -> None:
    topic.create()
    running = host("batches")
    running.set_mood("hang")
    topic.send(["stuck"])
    wait_until(lambda: topic.committed("batches") == 1)
    assert "Timeout value of 2 s was exceeded by function: batches" in running.log


def test_endless_retries_hold_the_checkpoint(host: Callable[..., RunningHost], topic: Topic) -> None:
    topic.create()
    running = host("stubborn")
    running.set_mood("fail")
    topic.send(["again"])
    wait_until(lambda: running.reports("stubborn", retry=3))
    assert topic.committed("stubborn") == -1
    running.set_mood("ok")
    wait_until(lambda: topic.committed("stubborn") == 1)
    retries = [told["retry"] for told in running.reports("stubborn", phase="begin")]
    assert retries == list(range(len(retries)))


def test_a_restart_goes_on_at_the_checkpoint(host: Callable[..., RunningHost], topic: Topic) -> None:
    topic.create()
    topic.send(["a", "b"])
    first = host("batches")
    wait_until(lambda: topic.committed("batches") == 2)
    assert first.stop() == 0
    topic.send(["c"])
    second = host("batches")
    wait_until(lambda: offsets(second) == [0, 1, 2])


def test_what_was_in_flight_when_the_host_was_killed_comes_again(
    host: Callable[..., RunningHost], topic: Topic
) -> None:
    topic.create()
    first = host("batches")
    first.set_mood("hang")
    topic.send(["a"])
    wait_until(lambda: first.reports("batches", phase="begin"))
    first.kill()
    first.set_mood("ok")
    # On the same port it is the same member of the group, which need not wait for its ghost.
    second = host("batches", port=int(first.url.rpartition(":")[2]))
    wait_until(lambda: offsets(second) == [0])


def test_stopping_lets_the_batch_end_and_commits_it(host: Callable[..., RunningHost], topic: Topic) -> None:
    topic.create()
    running = host("batches")
    running.set_mood("hang")
    topic.send(["a"])
    wait_until(lambda: running.reports("batches", phase="begin"))
    running.process.terminate()
    wait_until(lambda: "stopping" in running.log)
    running.set_mood("ok")
    assert running.process.wait(10) == 0
    assert offsets(running) == [0]
    assert topic.committed("batches") == 1


def test_stopping_does_not_wait_for_endless_retries(host: Callable[..., RunningHost], topic: Topic) -> None:
    topic.create()
    running = host("stubborn")
    running.set_mood("fail")
    topic.send(["a"])
    wait_until(lambda: running.reports("stubborn", retry=2))
    assert running.stop() == 0
    assert topic.committed("stubborn") == -1


def test_a_topic_that_is_not_there_yet_is_waited_for(host: Callable[..., RunningHost], topic: Topic) -> None:
    running = host("batches")
    wait_until(lambda: "Unknown topic" in running.log)
    topic.create()
    topic.send(["at last"])
    wait_until(lambda: offsets(running) == [0])


def test_a_topic_made_anew_is_read_from_its_start(host: Callable[..., RunningHost], topic: Topic) -> None:
    topic.create()
    topic.send(f"old {number}" for number in range(10))
    running = host("batches")
    wait_until(lambda: topic.committed("batches") == 10)
    topic.delete()
    topic.create()
    topic.send(f"new {number}" for number in range(20))
    seen = wait_until(
        lambda: (told := running.reports("batches", phase="end")) and told[-1]["offsets"][-1] == 19 and told
    )
    bodies = [body for told in seen for body in told["bodies"]]
    assert bodies == [f"old {number}" for number in range(10)] + [f"new {number}" for number in range(20)]
    wait_until(lambda: topic.committed("batches") == 20)


def test_a_checkpoint_of_an_earlier_topic_does_not_count(
    host: Callable[..., RunningHost], topic: Topic
) -> None:
    topic.create()
    topic.send(["old"] * 3)
    first = host("batches")
    wait_until(lambda: topic.committed("batches") == 3)
    assert first.stop() == 0
    topic.delete()
    topic.create()
    topic.send(["new"] * 5)
    second = host("batches")
    wait_until(lambda: len(second.reports("batches", phase="end")) >= 2)
    assert second.reports("batches", phase="end")[1]["offsets"][0] == 0
