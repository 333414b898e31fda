"""What follows the commit of a replay's portion, and what a replay that died left to do.

A stream's table keeps, as the progress of replays (`txn`), the number of the portion committed last. An
intent of that number holds, and is finished. Any other was not committed: a commit that moves the progress
makes sure that it never will be, for the table refuses one that was prepared before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from shared.dead_letters.intents import Intent, ReplayStore
from shared.dead_letters.letter_files import LetterFiles
from shared.jobs.context import JobContext
from shared.lake.ports import NO_FOLLOWERS, CommitConflict, Follower, Lake, Leases
from shared.lake.segments import decode, encode
from shared.lake.turns import go_on, turn_at
from shared.platform.clock import Clock
from shared.platform.errors import LeaseHeld
from shared.query.wanted import microseconds
from shared.streams import STREAMS, StreamDefinition

if TYPE_CHECKING:
    import pyarrow as pa

# The `txn` id of that progress.
REPLAYED = "replay"


class Settlement:
    """Finishes portions. Every method blocks, and raises StorageUnavailable."""

    def __init__(
        self,
        store: ReplayStore,
        files: LetterFiles,
        lake: Lake,
        leases: Leases,
        clock: Clock,
        followers: Mapping[str, Follower] = NO_FOLLOWERS,
    ) -> None:
        """`followers`: the tables that follow those of streams, by the streams' names."""
        self._store = store
        self._files = files
        self._lake = lake
        self._leases = leases
        self._clock = clock
        self._followers = followers

    def settle_all(self, context: JobContext) -> dict[str, int]:
        """Settles every intent, and returns each stream's progress from then on: as long as it stands, nobody
        else has replayed, and nothing is to be settled."""
        # Read before the intents are listed: a portion committed later moves it, and shows by that.
        streams = [stream for stream in STREAMS if stream.topics]
        progress = {stream.name: self._progress(stream) for stream in streams}
        intents = self._store.intents()
        for stream in streams:
            mine = [intent for intent in intents if intent.stream == stream.name]
            if mine:
                progress[stream.name] = self._settle(context, stream, mine)
        return progress

    def finish(self, context: JobContext, intent: Intent) -> None:
        """What follows the commit of `intent`, however often it is begun. It cannot be cancelled."""
        self._follow(intent)
        self._files.take_out(intent, go_on)
        job = context.job
        if intent.job == job.id and job.state.get("portion") != intent.version:
            reached = max(intent.next, int(job.state.get("next", 0)))
            state = {"next": reached, "portion": intent.version}
            context.save(state=state, outcome=intent.counts.added_to(job.outcome))
        self._store.settle(intent)

    def digest(self, stream: StreamDefinition, rows: pa.Table) -> bytes:
        """What an intent keeps of `rows` for the table that follows the stream's."""
        follower = self._followers.get(stream.name)
        if follower is None:
            return b""
        (batch,) = follower.digest(rows).combine_chunks().to_batches() or [None]
        return b"" if batch is None else encode(batch)

    def _follow(self, intent: Intent) -> None:
        """Has the rows of `intent` count in the table that follows, once: its progress of replays tells."""
        import pyarrow as pa

        follower = self._followers.get(intent.stream)
        if follower is None or not intent.digest:
            return
        reached = follower.reached((REPLAYED,))
        if reached[REPLAYED] < intent.version:
            digest = pa.Table.from_batches([decode(intent.digest)])
            follower.commit(digest, reached, {REPLAYED: intent.version}, go_on)

    def next_version(self, before: int) -> int:
        """A number for the portion after `before` that none had: the time, or more."""
        return max(microseconds(self._clock()), before + 1)

    def _progress(self, stream: StreamDefinition) -> int:
        return self._lake.table(stream).snapshot((REPLAYED,)).progress(REPLAYED)

    def _settle(self, context: JobContext, stream: StreamDefinition, intents: list[Intent]) -> int:
        """Finishes the intents of `stream` that hold, then fences off the others."""
        while True:
            progress = self._fence_unless_one_holds(context, stream, intents)
            held = [intent for intent in intents if intent.version == progress]
            if not held:
                for intent in intents:
                    self._store.settle(intent)
                return progress
            self.finish(context, held[0])
            intents = [intent for intent in intents if intent.version != progress]
            if not intents:
                return progress

    def _fence_unless_one_holds(
        self, context: JobContext, stream: StreamDefinition, intents: list[Intent]
    ) -> int:
        table = self._lake.table(stream)
        with turn_at(self._leases, stream, context.check) as lease:
            snapshot = table.snapshot((REPLAYED,))
            progress = snapshot.progress(REPLAYED)
            if any(intent.version == progress for intent in intents):
                return progress
            fence = self.next_version(max(progress, *(intent.version for intent in intents)))
            lease.check()
            try:
                table.commit(snapshot, [], {REPLAYED: fence}, notes={"kind": "fence"})
            except CommitConflict as conflict:
                raise LeaseHeld(f"another replay committed to {stream.name}: {conflict}") from conflict
            return fence
