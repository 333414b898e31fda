"""REPLAY on fakes: what is good by today's decoder becomes rows as if it had been so at once, each once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.dead_letters.replay import ReplayLimits
from shared.ingest.decoders import decoder_of
from shared.jobs.context import JobContext
from shared.jobs.models import Status
from shared.platform.errors import StorageUnavailable
from shared.streams.dead_letters import DEAD_LETTERS
from shared.streams.events import EVENTS
from tests.dead_letters.world import TOPIC, DeadLetterWorld, PastDecoder, batch_of
from tests.fakes.seam import Seam

ONE_FILE = ReplayLimits(files=1)
GOOD, PAST, BAD = b'{"data":{"value":1}}', b'{"data":{"past":true}}', b'"no event"'
ARRAY = b"[" + GOOD + b"," + PAST + b"]"


def pack(*items: bytes) -> bytes:
    return b"[" + b",".join(items) + b"]"


MESSAGES = (
    GOOD,
    PAST,
    BAD,
    pack(GOOD, PAST, GOOD),
    pack(PAST, PAST, GOOD, BAD, PAST),
    pack(BAD, BAD),
    pack(PAST, BAD),
    pack(GOOD, ARRAY, PAST),
    pack(ARRAY, GOOD),
    b"not json past",
    b'[{"data":{"past":1}},nonsense,{"data":{}}]',
    b"",
)


def today(bodies: tuple[bytes, ...] | list[bytes]) -> DeadLetterWorld:
    """What would be there, had today's decoder been there at once."""
    world = DeadLetterWorld()
    world.land(batch_of(bodies), past=False)
    world.flusher().flush_all()
    return world


def past(bodies: tuple[bytes, ...] | list[bytes], batches: int = 4) -> DeadLetterWorld:
    """What is there, by the decoder of the past, flushed in several files."""
    world = DeadLetterWorld()
    for start in range(0, len(bodies), batches):
        world.land(batch_of(bodies[start : start + batches], first=start))
        world.flusher().flush_all()
    return world


def check_same(world: DeadLetterWorld, expected: DeadLetterWorld) -> None:
    assert world.contents() == expected.contents()
    assert world.letters() == expected.letters()
    assert world.rolled_up() == expected.rolled_up()
    assert not [name for _, name in world.blobs.content if name.startswith("replays/")]


def test_what_became_good_becomes_rows_as_if_it_had_been_so_at_once() -> None:
    world = past(MESSAGES)
    before = world.letters()
    job = world.run()
    assert (job.status, job.error) == (Status.SUCCEEDED, None)
    check_same(world, today(MESSAGES))
    gone = sum(before.values()) - sum(world.letters().values())
    assert job.outcome["rows"] == gone > 0
    assert job.outcome["letters"] == job.total == job.done
    assert job.outcome["still_dead"]["not_an_object"] > 0


def test_a_second_replay_finds_nothing_more() -> None:
    world = past(MESSAGES)
    world.run()
    versions = [len(log.commits) for log in world.lake.logs.values()]
    again = world.run()
    assert (again.outcome["replayed"], again.outcome["rows"]) == (0, 0)
    assert [len(log.commits) for log in world.lake.logs.values()] == versions
    check_same(world, today(MESSAGES))


def test_letters_in_the_buffer_are_replayed_too() -> None:
    world = DeadLetterWorld()
    world.land(batch_of([PAST]))
    world.flusher().flush(EVENTS)
    world.run()
    assert (world.rows(), world.letters()) == (Counter({(TOPIC, 0, 0, 0): 1}), Counter())


def test_a_trial_changes_nothing() -> None:
    world = past(MESSAGES)
    rows, letters = world.rows(), world.letters()
    job = world.run(dry_run=True)
    assert (world.rows(), world.letters()) == (rows, letters)
    real = world.run()
    assert job.outcome == {"would": real.outcome}
    assert world.job_world.jobs().totals("replay")["rows"] == real.outcome["rows"]


@pytest.mark.parametrize(
    ("wanted", "replayed"),
    [
        ({"reason": "invalid_data"}, {0, 1, 2}),
        ({"reason": "empty"}, set()),
        ({"topic": TOPIC}, {0, 1, 2}),
        ({"topic": "events.error"}, set()),
        ({"stream": "events"}, {0, 1, 2}),
        ({"stream": "readings"}, set()),
        ({"stream": "events", "topic": "sensor-data"}, set()),
        ({"start_time": "2025-09-30T12:12:00Z"}, {1, 2}),
        ({"end_time": "2025-09-30T12:12:00Z"}, {0}),
    ],
)
def test_only_wanted_letters(wanted: dict[str, str], replayed: set[int]) -> None:
    world = past([PAST] * 3, batches=1)
    world.run(**wanted)
    assert set(world.rows()) == {(TOPIC, 0, seq, 0) for seq in replayed}
    assert set(world.letters()) == {(TOPIC, 0, seq, 0) for seq in {0, 1, 2} - replayed}


def test_hubs_of_the_same_name_are_told_apart() -> None:
    """Both have a message of number 0, and the same number of items in it."""
    world = DeadLetterWorld()
    for taken in (0, 3_600_000_000):
        batch = batch_of([pack(GOOD, PAST)])
        batch.enqueued[0] += taken  # type: ignore[index]
        world.land(batch)
        world.flusher().flush_all()
        # The second hub's progress is its own: another generation.
        for log in world.lake.logs.values():
            for commit in log.commits:
                commit.progress.pop(f"{TOPIC}/0/generation", None)  # type: ignore[attr-defined]
    world.run()
    assert world.rows() == Counter({(TOPIC, 0, 0, 0): 2, (TOPIC, 0, 0, 1): 2})
    assert world.letters() == Counter()


@settings(max_examples=20)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(MESSAGES),
            st.lists(st.sampled_from([GOOD, PAST, BAD, ARRAY, b"[]", b"[[]]", b'"past"']), min_size=1).map(
                lambda items: pack(*items)
            ),
        ),
        min_size=1,
        max_size=12,
    ),
    st.integers(1, 5),
)
def test_whatever_came(bodies: list[bytes], batches: int) -> None:
    world = past(bodies, batches)
    world.run()
    expected = today(bodies)
    assert world.contents() == expected.contents()
    assert world.letters() == expected.letters()


class Killed(BaseException):
    """The process is gone."""


def kill() -> None:
    raise Killed


WRITES = ("put", "delete", "take", "give back", "commit", "insert", "replace", "send")


def strike_everywhere(run: Callable[[int | None, bool], list[str]], error: type[BaseException]) -> None:
    """Kills before every call that writes: to die at one that reads, or after one that writes, is to die
    before the next that writes. Failures also strike at those that read, and after those that write."""
    calls = run(None, False)
    assert calls
    for at, call in enumerate(calls):
        writes = call.startswith(WRITES)
        if writes or error is not Killed:
            run(at, False)
        if writes and error is not Killed:
            run(at, True)


@pytest.mark.parametrize("error", [Killed, StorageUnavailable], ids=["kill", "failure"])
def test_a_replay_that_dies_anywhere_is_finished_once(error: type[BaseException]) -> None:
    """Before and after the calls to blobs, tables, leases, Delta and the queue."""
    bodies = [PAST, pack(GOOD, PAST, b'"past"', PAST, BAD)]
    expected = today(bodies)

    def strike() -> None:
        raise error("struck")

    def run(at: int | None, after: bool) -> list[str]:
        world = past(bodies, batches=1)
        seam = Seam(strike, at, after)
        with suppress(Killed, StorageUnavailable):
            world.run(world.replay(seam, ONE_FILE).handle, seam)
        world.leases.held.clear()
        world.job_world.handlers["replay"] = world.replay().handle
        job = world.job_world.finished(world.job_world.jobs().start("replay").job)
        check_same(world, expected)
        jobs = world.job_world.jobs().list("replay", None, 10)
        assert sum(one.outcome["rows"] for one in jobs) == 3
        assert job.status is Status.SUCCEEDED
        assert world.job_world.jobs().totals("replay")["rows"] == 3
        return seam.calls

    strike_everywhere(run, error)


def test_half_done_portions_do_not_ask_the_decoder_of_tomorrow() -> None:
    """A replay dies after its rows were committed, and a worse decoder is deployed: the letters go all the
    same. It dies before: they stay, for that decoder takes none of them."""

    def run(at: int | None, after: bool) -> list[str]:
        world = past([PAST], batches=1)
        seam = Seam(kill, at, after)
        with suppress(Killed):
            world.run(world.replay(seam).handle, seam)
        world.leases.held.clear()
        world.job_world.handlers["replay"] = world.replay(decoder_for=PastDecoder).handle
        world.job_world.finished(world.job_world.jobs().start("replay").job)
        assert world.rows() + world.letters() == Counter({(TOPIC, 0, 0, 0): 1})
        return seam.calls

    strike_everywhere(run, Killed)


@pytest.mark.parametrize("dies", [False, True], ids=["wakes", "wakes to die"])
@pytest.mark.parametrize("meanwhile", [decoder_of, PastDecoder], ids=["better", "worse"])
def test_a_sleeper_that_wakes_among_others(meanwhile: Callable[[str], Any], dies: bool) -> None:
    """A runner sleeps before a call, with its leases taken away, until another took its job and ended it, and
    yet another job ran, both maybe with a worse decoder; then it goes on for one call or for all."""
    bodies = [PAST, pack(GOOD, PAST, BAD)]
    expected = today([*bodies, PAST])

    def run(at: int | None) -> list[str]:
        world = past(bodies, batches=1)

        def sleep() -> None:
            for name in [*world.leases.held]:
                world.leases.lapse(name)
            world.job_world.clock.advance(minutes=2)
            world.job_world.jobs().resume()
            world.job_world.handlers["replay"] = world.replay(decoder_for=meanwhile).handle
            world.job_world.deliver()
            world.land(batch_of([PAST], first=len(bodies)))
            world.flusher().flush_all()
            world.run(world.replay(decoder_for=meanwhile).handle)
            if dies and at is not None:
                seam.at, seam.strike = at + 1, kill

        seam = Seam(sleep, at)
        with suppress(StorageUnavailable, Killed):
            world.run(world.replay(seam, ONE_FILE).handle)
        if at is None:
            sleep()
        world.job_world.handlers["replay"] = world.replay().handle
        world.leases.held.clear()
        world.job_world.finished(world.job_world.jobs().start("replay").job)
        check_same(world, expected)
        return seam.calls

    for at, call in enumerate(run(None)):
        if call.startswith(("get dead", "snapshot", "take", "put", "check", "commit")):
            run(at)


def test_a_topic_that_no_stream_reads_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    world = past([PAST])

    def nothing(topic: str) -> Any:
        raise KeyError(topic)

    monkeypatch.setattr("shared.dead_letters.replay.stream_of_topic", nothing)
    assert world.run().outcome == {"letters": 1, "replayed": 0, "rows": 0, "still_dead": {"no_stream": 1}}


def test_a_long_replay_goes_on_in_further_invocations() -> None:
    world = past([PAST] * 6, batches=1)
    real = JobContext.check
    handler = world.replay().handle

    def slow(context: JobContext) -> None:
        def check() -> None:
            world.job_world.clock.advance(seconds=45)
            real(context)

        context.check = check  # type: ignore[method-assign]
        handler(context)

    job = world.run(slow)
    world.job_world.deliver()
    job = world.job_world.jobs().get(job.id)
    assert (job.status, job.outcome["rows"]) == (Status.SUCCEEDED, 6)
    assert world.letters() == Counter()


def test_the_log_tells_of_replays() -> None:
    world = past([PAST])
    world.run()
    notes = [commit.notes for stream in (EVENTS, DEAD_LETTERS) for commit in
             world.lake.logs[stream.container].commits if commit.notes.get("kind") == "replay"]  # fmt: skip
    assert json.loads(json.dumps(notes)) == [
        {"kind": "replay", "rows": 1},
        {"kind": "replay", "letters": 1},
    ]
