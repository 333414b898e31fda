"""librdkafka's settings for Event Hub triggers."""

from typing import Any

from devstack.host.host_json import EventHubOptions


def consumer_settings(kafka: str, group: str, member: str, options: EventHubOptions) -> dict[str, Any]:
    """Latency low when idle, memory bounded whatever waits in the topic, quick to notice what changes."""
    return {
        "bootstrap.servers": kafka,
        "group.id": group,
        # A static member: a host that was killed and started again gets its partitions back at once.
        "group.instance.id": member,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "latest" if options.initial_offset == "fromEnd" else "earliest",
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": 6_000,
        "heartbeat.interval.ms": 1_000,
        # A batch may take as long as functionTimeout; the heartbeat says that the host lives.
        "max.poll.interval.ms": 86_400_000,
        "topic.metadata.refresh.interval.ms": 2_000,
        "allow.auto.create.topics": False,
        "fetch.queue.backoff.ms": 5,
        **_patience(options),
        "queued.min.messages": max(options.prefetch_count, 1_000),
        "queued.max.messages.kbytes": 16_384,
        "fetch.max.bytes": 8_388_608,
        "reconnect.backoff.max.ms": 1_000,
    }


def _patience(options: EventHubOptions) -> dict[str, Any]:
    """Where batches wait for more, so may the broker's answers: each spares it, and us, many small ones."""
    if options.min_event_batch_size <= 1:
        return {}
    wait = min(100, int(options.max_wait.total_seconds() * 200))
    return {"fetch.min.bytes": 65_536, "fetch.wait.max.ms": wait}
